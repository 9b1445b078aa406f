"""The object store: put bytes, get a name; get the same bytes by name, verified."""

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

import numpy as np
from blake3 import blake3

from sw2.errors import Damaged, NotFound
from sw2.store.packs import (
    END,
    HEAD,
    INDEX_ROW,
    TRAILER,
    Entry,
    Index,
    encode_object,
    entry_of,
    read_index,
    read_object,
)

# Packs with fewer objects go into one dictionary; larger ones are searched in their own index,
# so that opening a store of millions of pictures builds no table of millions of rows.
SMALL_PACK = 4096


def name_of(raw: bytes) -> str:
    """BLAKE3 of the bytes, 64 hex digits. Taken before compression: the name outlives the level."""
    return blake3(raw).hexdigest()


@dataclass(frozen=True, slots=True)
class StoreFault:
    """Something `verify` found. where: a pack or an object; what: the damage, in words."""

    where: str
    what: str


class ObjectStore:
    """Objects under `folder`. Several processes may read and write one store at the same time."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._packs: dict[Path, Index] = {}
        self._small: dict[bytes, Entry] = {}
        self._large: list[Path] = []
        self._broken: dict[Path, str] = {}
        self._scan()

    def get(self, name: str) -> bytes:
        """The bytes of an object. Raises NotFound, or Damaged when they do not match `name`."""
        entry = self._find(name)
        if entry is None:
            raise NotFound(f"object `{name[:12]}` is not in this repository", hint=self._hint())
        return read_object(entry, name)

    def has(self, name: str) -> bool:
        return self._find(name) is not None

    def size(self, name: str) -> int:
        """Raw size of an object in bytes, without reading it."""
        entry = self._find(name)
        if entry is None:
            raise NotFound(f"object `{name[:12]}` is not in this repository", hint=self._hint())
        return entry.raw

    def names(self) -> Iterator[str]:
        self._scan()
        for index in list(self._packs.values()):
            for row in index:
                yield row["name"].tobytes().hex()

    @contextmanager
    def write(self) -> Iterator["ObjectWriter"]:
        """Gather objects into one pack, which is durable when the block ends without an error."""
        with ObjectWriter(self) as writer:
            yield writer

    def verify(self) -> Iterator[StoreFault]:
        """Reads every byte of every pack and yields what is wrong."""
        self._scan()
        for path, what in self._broken.items():
            yield StoreFault(f"pack {path.name}", what)
        for path, index in list(self._packs.items()):
            for row in index:
                name = row["name"].tobytes().hex()
                try:
                    read_object(entry_of(path, row), name)
                except Damaged as damaged:
                    yield StoreFault(f"object {name}", damaged.message)

    def _hint(self) -> str:
        return "Run `sw2 fsck`: a pack may be missing or damaged" if self._broken else ""

    def _find(self, name: str) -> Entry | None:
        key = bytes.fromhex(name)
        found = self._look(key)
        if found is None and self._scan():
            found = self._look(key)
        return found

    def _look(self, key: bytes) -> Entry | None:
        if (entry := self._small.get(key)) is not None:
            return entry
        for path in self._large:
            names = self._packs[path]["name"].view("S32")
            at = int(np.searchsorted(names, key))
            if at < len(names) and self._packs[path]["name"][at].tobytes() == key:
                return entry_of(path, self._packs[path][at])
        return None

    def _scan(self) -> bool:
        """Notices packs that appeared since the last look; True when there was a new one."""
        new = False
        for path in self.folder.glob("??/*.pack"):
            if path not in self._packs and path not in self._broken:
                new = self._add(path) or new
        return new

    def _add(self, path: Path) -> bool:
        try:
            index = read_index(path)
        except Damaged as damaged:
            # Kept apart, not raised: the rest of the store stays readable, and fsck tells.
            self._broken[path] = damaged.message
            return False
        if len(index) < SMALL_PACK:
            self._small.update((row["name"].tobytes(), entry_of(path, row)) for row in index)
        else:
            self._large.append(path)
        self._packs[path] = index
        return True


class ObjectWriter:
    """Writes one pack. Use through `ObjectStore.write`."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store
        self._rows: dict[bytes, tuple[int, int, int, int]] = {}
        self._offset = len(HEAD)
        self._temporary = store.folder / f"{uuid.uuid4().hex}.tmp"

    def __enter__(self) -> "ObjectWriter":
        self._store.folder.mkdir(parents=True, exist_ok=True)
        self._file = self._temporary.open("wb")
        self._file.write(HEAD)
        return self

    def put(self, raw: bytes, *, compress: bool = True) -> str:
        """Stores `raw` unless it is there already; returns its name."""
        name = name_of(raw)
        key = bytes.fromhex(name)
        # `_look`, not `has`: a miss is the usual case here and must not list the folder each time.
        if key not in self._rows and self._store._look(key) is None:
            stored, codec = encode_object(raw, compress)
            self._file.write(stored)
            self._rows[key] = (self._offset, len(stored), len(raw), codec)
            self._offset += len(stored)
        return name

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if kind is None and self._rows:
                self._finish()
        finally:
            self._file.close()
            self._temporary.unlink(missing_ok=True)

    def _finish(self) -> None:
        index = np.array(
            [(np.void(key), *self._rows[key]) for key in sorted(self._rows)], dtype=INDEX_ROW
        ).tobytes()
        digest = blake3(index).digest()
        self._file.write(index + TRAILER.pack(len(self._rows), digest, END))
        self._file.flush()
        os.fsync(self._file.fileno())
        folder = self._store.folder / digest.hex()[:2]
        folder.mkdir(exist_ok=True)
        path = folder / f"{digest.hex()}.pack"
        self._temporary.rename(path)
        _sync_folder(folder)
        _sync_folder(self._store.folder)
        self._store._add(path)


def _sync_folder(folder: Path) -> None:
    """Makes a rename in `folder` survive a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
