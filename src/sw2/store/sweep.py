"""Packs taken away: those without anything that is needed, and those whose rest moves to another.

**Invariant** a pack goes only once all that is needed of it is durable in another, and under a lock
that is also taken by whoever finds an object stored and marks its pack as used."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from sw2.errors import Damaged
from sw2.store.objects import ObjectStore, locked, writing
from sw2.store.packs import Index, Row, entry_of

# More packs than so many that are smaller than this are gathered into one.
MANY, SMALL = 64, 1 << 16
Needed = Callable[[bytes], bool]


@dataclass
class Plan:
    """What could go. dead: nothing in them is needed.  thin: less than half is.  small: to be
    gathered."""

    dead: list[Path] = field(default_factory=list)
    thin: list[Path] = field(default_factory=list)
    small: list[Path] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Taken:
    """What went: packs, objects that nothing needs, and bytes of files."""

    packs: int = 0
    objects: int = 0
    bytes: int = 0

    def __add__(self, other: "Taken") -> "Taken":
        return Taken(
            self.packs + other.packs, self.objects + other.objects, self.bytes + other.bytes
        )


def plan(store: ObjectStore, needed: Needed, before: float) -> Plan:
    """Which packs could go, of those last used before a time, in seconds since 1970; small ones of
    any age. Changes nothing."""
    found = Plan()
    for path, index in sorted(store.packs().items()):
        size, old = path.stat().st_size, path.stat().st_mtime < before
        kept = [row.stored for row in index if needed(row.name)]
        if old and not kept:
            found.dead.append(path)
        elif old and sum(kept) * 2 < size:
            found.thin.append(path)
        elif size < SMALL:
            found.small.append(path)
    if len(found.small) <= MANY:
        found.small.clear()
    return found


def moved(store: ObjectStore, packs: Iterable[Path], needed: Needed, before: float) -> Path | None:
    """Copies what is needed of some packs into a new one; None when that is nothing. A damaged
    object stays where it is, and so does its pack: nothing says that it is lost for good.

    Raises Unavailable when the disk is full; then nothing has changed."""
    held = store.packs()
    with store.write(again=True) as writer:
        for path in (path for path in packs if path in held):
            try:
                for row in _wanted(path, held[path], needed, before):
                    writer.copy(entry_of(path, row), row.name.hex())
            except Damaged:
                continue
    return writer.path


def taken(
    store: ObjectStore, packs: Iterable[Path], into: Path | None, needed: Needed, before: float
) -> Taken:
    """Deletes those packs of which all that is needed lies in pack `into` as well.

    To be called where nothing can begin to be needed meanwhile: in the transaction in which the
    last look at that was taken."""
    gone, files = Taken(), list[Path]()
    with writing(store.folder), locked(store.folder, exclusive=True):
        held = store.packs()
        there = {row.name for row in held[into]} if into in held else set()
        for path in packs:
            if path not in held or path == into:
                continue
            names = {row.name for row in _wanted(path, held[path], needed, before)}
            if names <= there:
                dropped = sum(not needed(row.name) for row in held[path])
                gone += Taken(1, dropped, path.stat().st_size)
                path.unlink()
                files.append(path)
    store.forget(*files)
    return gone


def _wanted(path: Path, index: Index, needed: Needed, before: float) -> Iterable[Row]:
    """Rows of a pack that have to stay: all of one that was used of late, for whoever did may not
    have said yet what for."""
    late = path.stat().st_mtime >= before
    return [row for row in index if late or needed(row.name)]


def sweep_temporary(folder: Path, before: float, dry_run: bool) -> int:
    """Deletes temporary files that killed writers left behind, and counts them."""
    count = 0
    for path in folder.glob("*.tmp"):
        try:
            if path.stat().st_mtime < before:
                count += 1
                if not dry_run:
                    path.unlink()
        except FileNotFoundError:  # its writer is done
            continue
    return count
