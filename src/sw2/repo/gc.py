"""Collecting what nothing leads to any more. What is deleted was unreachable for the grace time.

Reachable: what refs, young entries of the reflog, builds, the stage (with what is undone) and
notes of folds lead to. Marking goes through bases and deltas, never through versions: a long
history costs what it changed."""

import json
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from sw2.errors import Damaged, NotFound
from sw2.progress import Event, Progress, silent
from sw2.repo.stage import staged_delta
from sw2.repo.view import View
from sw2.store.sweep import Plan, Taken, moved, plan, sweep_temporary, taken
from sw2.table import Delta, TableVersion
from sw2.table.pack import read_head
from sw2.table.schema import MALFORMED
from sw2.values import now_ms

DAY = 86_400_000
GRACE_MS, REFLOG_MS = 14 * DAY, 90 * DAY
# A cell of this type names an object, whatever the column is called now.
NAMES = pa.binary(32)


@dataclass(frozen=True, slots=True)
class GcReport:
    """packs, objects, bytes: removed (with dry_run: what would be).  kept: objects that something
    leads to.  rewritten: packs of which little was left.  gathered: small packs joined into one.
    notes: folds dropped, whose chain is gone.  temporary: files of killed writers."""

    packs: int = 0
    objects: int = 0
    bytes: int = 0
    kept: int = 0
    rewritten: int = 0
    gathered: int = 0
    notes: int = 0
    temporary: int = 0


@dataclass(frozen=True)
class Roots:
    """Where reachability begins.  certain: commits that must be there.  others: of the reflog and
    of builds, which may be gone.  objects: of the stage."""

    certain: frozenset[str]
    others: frozenset[str]
    bases: frozenset[str]
    objects: frozenset[str]


@dataclass
class Marks:
    """What was reached so far. Asked again, it goes only where it has not been."""

    repository: View
    names: set[bytes] = field(default_factory=set)
    tails: set[str] = field(default_factory=set)

    def __contains__(self, name: bytes) -> bool:
        return name in self.names

    def reach(self, roots: Roots) -> None:
        """Raises Damaged or NotFound where something that is needed cannot be read: nobody could
        say then what it leads to."""
        self._commits(roots.certain)
        for name in sorted(roots.others):
            # One that went in an earlier collection leads nowhere.
            if self.repository.store.has(name):
                self._commits([name])
        for base in sorted(roots.bases):
            self._base(base)
        for name in roots.objects:
            self._mark(name)

    def _mark(self, name: str) -> bool:
        """Whether it is reached for the first time."""
        key = bytes.fromhex(name)
        if key in self.names:
            return False
        self.names.add(key)
        return True

    def _commits(self, names: Iterable[str]) -> None:
        waiting = list(names)
        while waiting:
            name = waiting.pop()
            if not self._mark(name):
                continue
            commit = self.repository.load_commit(name)
            waiting.extend(commit.parents)
            for version in commit.tables.values():
                self._version(version)
            for file in commit.files.values():
                self._mark(file)

    def _version(self, version: TableVersion) -> None:
        self._mark(version.schema)
        if version.base is not None:
            self._base(version.base)
        tail = version.tail
        while tail is not None and tail not in self.tails:
            self.tails.add(tail)
            self._mark(tail)
            raw = self.repository.store.get(tail)
            head = read_head(raw)
            if str(NAMES) in head.types:
                self.cells(Delta.parse(raw).table)
            tail = head.meta.get("parent")

    def _base(self, name: str) -> None:
        if self._mark(name):
            for segment in self.repository.reader.base(name).segments:
                if self._mark(segment.name):
                    self.cells(_media(self.repository.store.get(segment.name)))

    def cells(self, table: pa.Table) -> None:
        """Marks every object that a cell names, old or new."""
        for column in table.columns:
            if column.type == NAMES:
                self.names.update(pc.unique(pc.drop_null(column)).to_pylist())

    def folds(self) -> list[str]:
        """Marks what notes name whose chain is reached; returns the tails of the others."""
        others = []
        for tail, note in self.repository.state.folds.all().items():
            if tail not in self.tails:
                others.append(tail)
                continue
            if note.delta is not None:
                self._mark(note.delta)
            if note.base is not None:
                with suppress(NotFound, Damaged):  # such a note is not read either
                    base = self.repository.reader.base(note.base)
                    self._mark(note.base)
                    for segment in base.segments:
                        self._mark(segment.name)
        return others


def gc(
    repository: View,
    grace_ms: int = GRACE_MS,
    dry_run: bool = False,
    progress: Progress = silent,
) -> GcReport:
    """Deletes packs in which nothing is reachable, rewrites those with less than half, and gathers
    many small ones; only packs that nobody used within the grace time lose anything.

    Others may read and write meanwhile. Killed at any moment, it leaves at most a pack too many.
    Raises Damaged when the repository is: then nothing is deleted."""
    before = (now_ms() - grace_ms) / 1000
    marks = Marks(repository)
    progress(Event("marking"))
    marks.reach(roots_of(repository))
    notes = marks.folds()
    found = plan(repository.store, marks.__contains__, before)
    report = GcReport(
        kept=sum(name in marks for name in _all(repository)),
        rewritten=len(found.thin),
        gathered=len(found.small),
        notes=len(notes),
        temporary=sweep_temporary(repository.store.folder, before, dry_run),
    )
    gone = _would(repository, found, marks) if dry_run else _collect(marks, found, before, progress)
    return replace(report, packs=gone.packs, objects=gone.objects, bytes=gone.bytes)


def _collect(marks: Marks, found: Plan, before: float, progress: Progress) -> Taken:
    store = marks.repository.store
    progress(Event("deleting", message=f"{len(found.dead)} packs"))
    # First what frees space: the disk may be full.
    gone = _take(marks, found.dead, before)
    for done, packs in enumerate([*([pack] for pack in found.thin), found.small]):
        progress(Event("rewriting", done, len(found.thin) + 1))
        if packs:
            gone += _take(marks, packs, before, moved(store, packs, marks.__contains__, before))
    return gone


def _take(marks: Marks, packs: list[Path], before: float, into: Path | None = None) -> Taken:
    """Looks once more, where nobody moves a ref or stages meanwhile, and deletes."""
    repository = marks.repository
    with repository.state.transaction():
        marks.reach(roots_of(repository))
        repository.state.folds.drop(marks.folds())
        return taken(repository.store, packs, into, marks.__contains__, before)


def _would(repository: View, found: Plan, marks: Marks) -> Taken:
    gone = Taken()
    for path, index in repository.store.packs().items():
        if path in found.dead or path in found.thin:
            rest = [row for row in index if row.name not in marks]
            size = path.stat().st_size if path in found.dead else sum(r.stored for r in rest)
            gone += Taken(int(path in found.dead), len(rest), size)
    return gone


def _all(repository: View) -> Iterator[bytes]:
    for index in repository.store.packs().values():
        for row in index:
            yield row.name


def roots_of(repository: View) -> Roots:
    """What is named from outside the store, at one moment."""
    state = repository.state
    with state.reading():
        refs, actions = state.refs(), state.actions(undone=True)
        since = now_ms() - REFLOG_MS
        moved = {n for m in state.moves() if m.at >= since for n in (m.old, m.new)}
    others = {name for name in (*moved, *_built(repository)) if name}
    certain = frozenset(refs.values())
    objects, bases = set(), set()
    for action in actions:
        objects |= {name for name in (action.schema,) if name}
        bases |= {name for name in (action.base,) if name}
        if action.delta is None and action.object is not None:
            objects.add(action.object)
        delta = staged_delta(action, repository.reader)
        if delta is not None:
            marks = Marks(repository)
            marks.cells(delta.table)
            objects |= {name.hex() for name in marks.names}
    return Roots(certain, frozenset(others - certain), frozenset(bases), frozenset(objects))


def _built(repository: View) -> Iterator[str]:
    """Commits of which there is a build."""
    for path in (repository.folder / "builds").glob("*/build.json"):
        with suppress(OSError, *MALFORMED):
            yield str(json.loads(path.read_bytes())["commit"])


def _media(raw: bytes) -> pa.Table:
    """The columns of a segment whose cells name objects."""
    try:
        file = pq.ParquetFile(pa.BufferReader(raw))
        named = [f.name for f in file.schema_arrow if f.type == NAMES]
        return file.read(columns=named, use_threads=False)
    except (*MALFORMED, OSError) as error:
        raise Damaged(f"these bytes are not a segment: {error}") from error
