"""The object store: put bytes, get a name; get the same bytes by name, verified."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from blake3 import blake3

from sw2.errors import Damaged, NotFound, Unavailable
from sw2.store.cache import read_cache, write_cache
from sw2.store.packs import (
    END,
    HEAD,
    ROW,
    TRAILER,
    Entry,
    Index,
    encode_object,
    entry_of,
    read_index,
    read_object,
    read_stored,
    verified,
)

# Packs with fewer objects go into one dictionary; larger ones are searched in their own index,
# so that opening a store of millions of pictures builds no table of millions of rows.
SMALL_PACK = 4096
# Small packs that were opened one by one, after which their indexes are kept in one file.
UNCACHED_PACKS = 64


def name_of(raw: bytes) -> str:
    """BLAKE3 of the bytes, 64 hex digits. Taken before compression: the name outlives the level."""
    return blake3(raw).hexdigest()


@dataclass(frozen=True, slots=True)
class StoreFault:
    """Something `verify` found. where: a pack or an object; what: the damage, in words."""

    where: str
    what: str


class ObjectStore:
    """Objects under `folder`. Several processes may read and write one store at the same time.
    cache: a file that spares opening each small pack (`store/cache.py`); None: each is opened."""

    def __init__(self, folder: Path, cache: Path | None = None) -> None:
        self.folder = folder
        self._cache = cache
        # Packs by their paths as text: to make a `Path` of each takes longer than to list them. Of
        # objects in small packs, which lies where.
        self._packs: dict[str, Index] = {}
        self._small: dict[bytes, str] = {}
        self._large: dict[str, Index] = {}
        self._broken: dict[str, str] = {}
        self._open()

    def get(self, name: str) -> bytes:
        """The bytes of an object. Raises NotFound, or Damaged when they do not match `name`."""
        entry = self._entry(name)
        try:
            return read_object(entry, name)
        except Damaged:
            # The pack may have gone since it was listed, for another that holds the same; and of
            # an object that lies in two packs one copy may be whole.
            for other in self._others(entry, name):
                with suppress(Damaged):
                    raw = read_object(other, name)
                    if not entry.pack.exists():
                        self.forget(entry.pack)
                    return raw
            raise

    def has(self, name: str) -> bool:
        return self._find(name) is not None

    def size(self, name: str) -> int:
        """Raw size of an object in bytes, without reading it."""
        return self._entry(name).raw

    def stored(self, name: str) -> int:
        """Bytes that an object takes in its pack."""
        return self._entry(name).stored

    def names(self) -> Iterator[str]:
        self._scan()
        for index in list(self._packs.values()):
            for row in index:
                yield row.name.hex()

    def packs(self) -> dict[Path, Index]:
        """Every whole pack and its index, as the folder is now."""
        self._scan()
        self.forget(*(Path(path) for path in list(self._packs) if not os.path.exists(path)))
        return {Path(path): index for path, index in self._packs.items()}

    def broken(self) -> dict[Path, str]:
        """Packs that cannot be read, and why."""
        self._scan()
        return {Path(path): why for path, why in self._broken.items()}

    def forget(self, *packs: Path) -> None:
        """Leaves packs out that have gone."""
        small = False
        for pack in map(str, packs):
            index = self._packs.pop(pack, None)
            self._large.pop(pack, None)
            small = small or (index is not None and len(index) < SMALL_PACK)
        if small:
            # All anew, for what they held may lie in others as well.
            held: dict[bytes, str] = {}
            for path, index in list(self._packs.items()):
                if len(index) < SMALL_PACK:
                    held.update(dict.fromkeys(index.names(), path))
            self._small = held

    @contextmanager
    def write(self, again: bool = False) -> Iterator["ObjectWriter"]:
        """Gather objects into one pack, which is durable when the block ends without an error.
        again: also those that are stored already."""
        with ObjectWriter(self, again) as writer:
            yield writer

    def verify(self) -> Iterator[StoreFault]:
        """Reads every byte of every pack, indexes anew, and yields what is wrong."""
        self._scan()
        for path in sorted(map(Path, {*self._packs, *self._broken})):
            try:
                index = read_index(path)
            except (Damaged, Unavailable) as error:
                yield StoreFault(f"pack {path.name}", error.message)
                continue
            for row in index:
                name = row.name.hex()
                try:
                    read_object(entry_of(path, row), name)
                except (Damaged, Unavailable) as error:
                    yield StoreFault(f"object {name}", error.message)

    def _entry(self, name: str) -> Entry:
        entry = self._find(name)
        if entry is None:
            hint = "Run `sw2 fsck`: a pack is damaged" if self._broken else "Run `sw2 fsck`"
            raise NotFound(f"object `{name[:12]}` is not in this repository", hint=hint)
        return entry

    def _others(self, entry: Entry, name: str) -> Iterator[Entry]:
        """Where else an object lies, once its pack is gone or damaged."""
        self._scan()
        key = bytes.fromhex(name)
        for path, index in list(self._packs.items()):
            if path != str(entry.pack) and (row := index.find(key)) is not None:
                yield entry_of(Path(path), row)

    def _find(self, name: str) -> Entry | None:
        if not re.fullmatch("[0-9a-f]{64}", name):
            return None
        key = bytes.fromhex(name)
        found = self._look(key)
        if found is None and self._scan():
            found = self._look(key)
        return found

    def _look(self, key: bytes) -> Entry | None:
        path = self._small.get(key)
        # Not there any more where another thread forgets the pack at this moment.
        held = self._packs.get(path) if path is not None else None
        if path is not None and held is not None and (row := held.find(key)) is not None:
            return entry_of(Path(path), row)
        for path, index in list(self._large.items()):
            if (row := index.find(key)) is not None:
                return entry_of(Path(path), row)
        return None

    def _open(self) -> None:
        known = read_cache(self._cache) if self._cache else {}
        opened = 0
        for path in self._listed():
            index = known.get(os.path.basename(path).removesuffix(".pack"))
            opened += index is None and self._add(path)
            if index is not None:
                self._hold(path, index)
        if self._cache and opened >= UNCACHED_PACKS:
            small = {Path(p).stem: x for p, x in self._packs.items() if len(x) < SMALL_PACK}
            write_cache(self._cache, small)

    def _scan(self) -> bool:
        """Notices packs that appeared since the last look; True when there was a new one."""
        new = False
        for path in self._listed():
            # A broken one is looked at again, for it may have been restored or locked only then.
            if path not in self._packs:
                new = self._add(path) or new
        return new

    def _listed(self) -> Iterator[str]:
        with suppress(FileNotFoundError, NotADirectoryError):
            for folder in [name for name in os.listdir(self.folder) if len(name) == 2]:
                within = f"{self.folder}/{folder}"
                with suppress(FileNotFoundError, NotADirectoryError):
                    names = os.listdir(within)
                    yield from (f"{within}/{name}" for name in names if name.endswith(".pack"))

    def _add(self, path: str) -> bool:
        try:
            index = read_index(Path(path))
        except (Damaged, Unavailable) as error:
            if not os.path.exists(path):  # taken away since it was listed
                return False
            # Kept apart, not raised: the rest of the store stays readable, and fsck tells.
            self._broken[path] = error.message
            return False
        self._hold(path, index)
        return True

    def _hold(self, path: str, index: Index) -> None:
        self._broken.pop(path, None)
        self._packs[path] = index
        if len(index) < SMALL_PACK:
            self._small.update(dict.fromkeys(index.names(), path))
        else:
            self._large[path] = index


class ObjectWriter:
    """Writes one pack. Use through `ObjectStore.write`. Raises Unavailable when the disk is full or
    cannot be written; then no pack appears."""

    def __init__(self, store: ObjectStore, again: bool = False) -> None:
        self._store = store
        self._again = again
        self._fresh: set[Path] = set()
        # Of the pack, once it is written: its bytes, and where it lies.
        self.written = 0
        self.path: Path | None = None
        self._rows: dict[bytes, tuple[int, int, int, int]] = {}
        self._temporary = store.folder / f"{os.urandom(16).hex()}.tmp"

    def __enter__(self) -> "ObjectWriter":
        with writing(self._store.folder):
            self._store.folder.mkdir(parents=True, exist_ok=True)
            self._file = self._temporary.open("wb")
            self._file.write(HEAD)
        return self

    def put(self, *parts: bytes, compress: bool = True) -> str:
        """Stores an object unless it is there already; returns its name. parts: its bytes, cut
        where others compress better on their own; mostly all in one."""
        raw = b"".join(parts)
        name = name_of(raw)
        key = bytes.fromhex(name)
        if key not in self._rows and not self._is_stored(key):
            stored, codec = encode_object(raw, compress, parts)
            with writing(self._store.folder):
                offset = self._file.tell()
                self._file.write(stored)
            self._rows[key] = (offset, len(stored), len(raw), codec)
        return name

    def copy(self, entry: Entry, name: str) -> None:
        """Takes an object over as another pack stores it. Raises Damaged, having taken nothing."""
        stored = read_stored(entry, name)
        raw = verified(stored, entry, name)
        with writing(self._store.folder):
            offset = self._file.tell()
            self._file.write(stored)
        self._rows[bytes.fromhex(name)] = (offset, len(stored), len(raw), entry.codec)

    def _is_stored(self, key: bytes) -> bool:
        """Whether an object lies in a pack that stays: its pack is marked as used just now."""
        # `_look`, not `has`: a miss is the usual case here and must not list the folder each time.
        while not self._again and (entry := self._store._look(key)) is not None:
            if entry.pack in self._fresh:
                return True
            with writing(self._store.folder), locked(self._store.folder, exclusive=False):
                try:
                    os.utime(entry.pack)
                    self._fresh.add(entry.pack)
                    return True
                except FileNotFoundError:
                    self._store.forget(entry.pack)
        return False

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with writing(self._store.folder):
            try:
                if kind is None and self._rows:
                    self._finish()
            finally:
                # Before closing, which fails once more on a full disk and would leave the file.
                self._temporary.unlink(missing_ok=True)
                self._file.close()

    def _finish(self) -> None:
        index = b"".join(ROW.pack(key, *self._rows[key]) for key in sorted(self._rows))
        digest = blake3(index).digest()
        self._file.write(index + TRAILER.pack(len(self._rows), digest, END))
        self._file.flush()
        self.written = self._file.tell()
        os.fsync(self._file.fileno())
        folder = self._store.folder / digest.hex()[:2]
        folder.mkdir(exist_ok=True)
        self.path = path = folder / f"{digest.hex()}.pack"
        self._temporary.rename(path)
        sync_folder(folder)
        sync_folder(self._store.folder)
        self._store._add(str(path))


@contextmanager
def locked(folder: Path, *, exclusive: bool) -> Iterator[None]:
    """Held while packs are deleted (exclusive), and while one is marked as used. Reading takes no
    lock."""
    import fcntl

    with (folder.parent / "gc.lock").open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH)
        yield


@contextmanager
def writing(folder: Path) -> Iterator[None]:
    """The disk's refusals as ours."""
    try:
        yield
    except OSError as error:
        raise Unavailable(
            f"`{folder}` cannot be written: {error.strerror or error}",
            hint="Free some space or mend the permissions, then do it again; nothing was changed",
        ) from error


def sync_folder(folder: Path) -> None:
    """Makes a rename in `folder` survive a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
