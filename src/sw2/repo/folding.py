"""Folding: notes beside the chains, so that reading costs the same after any number of commits.

A run of 64 deltas becomes one that says the same, 64 such runs become one again. When what lies
over a base weighs more than the base, a base is written that equals the table there. All of it is
for readers only: no commit and no name changes, and notes may be dropped at any time."""

import json
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from sw2.errors import Cancelled, Damaged, NotFound, Sw2Error
from sw2.progress import Event, Progress, silent
from sw2.repo.commits import Commit
from sw2.repo.state import State
from sw2.repo.view import View
from sw2.store.objects import writing
from sw2.table import Delta, Fold, Schema, TableVersion, compose
from sw2.table.chain import folded_base
from sw2.table.folded import write_folded
from sw2.table.pack import read_head
from sw2.values import Origin, now_ms

# Deltas in a run, and runs in a run of runs.
RUN = 64
# Rows of a run at most: composing more takes too much memory, and they cost as they are.
RUN_ROWS = 1 << 18
# A base is written when what lies over it weighs so many times what it does: a new one weighs more
# than the one before, and all that is written is to stay within three times what commits write.
TIMES = 1.5
# That is looked at before a run is full once so many bytes lie over the base.
HEAVY = 1 << 18
# Of `state.meta`: the commits below which all is folded.
DONE = "folded"
Stop = Callable[[], bool]


@dataclass(frozen=True, slots=True)
class FoldReport:
    """What was written.  bytes: of the packs.  busy: another process is folding, so nothing was
    done."""

    runs: int = 0
    bases: int = 0
    bytes: int = 0
    busy: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """A delta on the way to a version.  tail: where it ends.  name: its object, which is the tail
    itself or a run.  spans: deltas of the chain that it stands for.  weight: bytes as stored."""

    tail: str
    name: str
    parent: str | None
    spans: int
    rows: int
    weight: int


def due(repository: View) -> bool:
    """Whether folding the branch that is checked out would spare readers something."""
    commit = repository.load_commit(repository.head) if repository.head else None
    return any(_is_due(repository, v) for v in (commit.tables.values() if commit else ()))


def _is_due(repository: View, version: TableVersion) -> bool:
    """Looks at deltas only as far as the newest note."""
    tail, count, weight = version.tail, 0, 0
    while tail is not None and repository.state.folds.get(tail) is None:
        count, weight = count + 1, weight + repository.store.stored(tail)
        if count >= RUN:
            return True
        tail = repository.reader.parent(tail)
    return weight >= HEAVY and weight >= TIMES * _weight(repository, version.base)


def fold(
    repository: View, progress: Progress = silent, stop: Stop | None = None, again: bool = False
) -> FoldReport:
    """Folds every chain that a ref leads to. again: drops what was noted before, and writes it
    anew.

    Takes no lock on what others read or write, and may be stopped or killed at any moment: each
    note is made in one short transaction, once what it names is on disk. Raises Unavailable when
    the disk is full."""
    with _alone(repository) as alone:
        if not alone:
            return FoldReport(busy=True)
        if again:
            with repository.state.transaction():
                repository.state.folds.clear()
                repository.state.set_meta(DONE, "[]")
        work = _Folding(repository, progress, stop or (lambda: False), again)
        tips = sorted(set(repository.state.refs().values()))
        with suppress(Cancelled):
            for table, version in _versions(repository, tips):
                work.fold(table, version)
            repository.state.set_meta(DONE, json.dumps(tips))
        return work.report


@contextmanager
def _alone(repository: View) -> Iterator[bool]:
    """Whether no other process folds: two would do the same work. Freed when the process dies."""
    import fcntl

    with writing(repository.folder), (repository.folder / "fold.lock").open("ab") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True


def _versions(repository: View, tips: list[str]) -> Iterator[tuple[str, TableVersion]]:
    """The versions whose chains hold all others: those of the tips, and of what was merged since
    the last fold."""
    try:
        seen = set(json.loads(repository.state.meta(DONE) or "[]"))
    except (ValueError, TypeError):
        seen = set()
    ends, waiting = [tip for tip in tips if tip not in seen], tips[:]
    commits: dict[str, Commit] = {}
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            with suppress(NotFound, Damaged):  # fsck tells
                commits[name] = repository.load_commit(name)
                waiting.extend(commits[name].parents)
                ends.extend(commits[name].parents[1:])
    for name in dict.fromkeys(ends):
        if name in commits:
            yield from commits[name].tables.items()


class _Folding:
    """One run of `fold`."""

    def __init__(self, repository: View, progress: Progress, stop: Stop, again: bool) -> None:
        self._repository = repository
        self._progress = progress
        self._stop = stop
        self._again = again
        self.report = FoldReport()

    def fold(self, table: str, version: TableVersion) -> None:
        """Like an odometer of base 64: a full wheel moves the next."""
        try:
            schema = Schema.parse(self._repository.store.get(version.schema))
            base, steps = self._steps(version)
        except (NotFound, Damaged):
            return  # fsck tells; what can be read is read without notes
        weight, stack = _weight(self._repository, base), list[Step]()
        for done, step in enumerate(steps):
            if self._stop():
                raise Cancelled("folding was stopped")
            self._progress(Event(f"folding {table}", done, len(steps)))
            stack.append(step)
            over = sum(each.weight for each in stack)
            if over >= TIMES * weight and (over >= HEAVY or _full(stack)):
                base = self._write_base(schema, (base, version.base), stack)
                weight, stack = _weight(self._repository, base), []
            while _full(stack):
                stack = [*stack[:-RUN], self._write_run(stack[-RUN:])]

    def _steps(self, version: TableVersion) -> tuple[str | None, list[Step]]:
        """The noted base nearest to a version, and the steps from there, oldest first."""
        repository, steps, tail = self._repository, list[Step](), version.tail
        while tail is not None:
            note = repository.state.folds.get(tail)
            if note is not None and folded_base(repository.reader, note, version.base):
                return note.base, steps[::-1]
            steps.append(_noted(repository, tail, note) or _step(repository, tail, tail))
            tail = steps[-1].parent
        return version.base, steps[::-1]

    def _write_run(self, steps: list[Step]) -> Step:
        store, tail = self._repository.store, steps[-1].tail
        said = compose([Delta.parse(store.get(step.name)) for step in steps])
        if said is None:  # all of it was taken back
            said = Delta.parse(store.get(tail))
            said = replace(said, table=said.table.slice(0, 0))
        run = replace(_impersonal(said), parent=steps[0].parent)
        with store.write(again=self._again) as writer:
            name = writer.put(*run.parts(sum(step.spans for step in steps)))
        self._note(tail, Fold(None, name), writer.written)
        self.report = replace(self.report, runs=self.report.runs + 1)
        return _step(self._repository, tail, name)

    def _write_base(
        self, schema: Schema, base: tuple[str | None, str | None], steps: list[Step]
    ) -> str:
        store, names = self._repository.store, [step.name for step in steps]
        with store.write(again=self._again) as writer:
            name = write_folded(writer, store, schema, base, names, self._stop)
        self._note(steps[-1].tail, Fold(name, None), writer.written)
        self.report = replace(self.report, bases=self.report.bases + 1)
        return name

    def _note(self, tail: str, note: Fold, written: int) -> None:
        self._repository.state.folds.note(tail, note, now_ms())
        self.report = replace(self.report, bytes=self.report.bytes + written)


def _impersonal(delta: Delta) -> Delta:
    """Without who, which is read from the chain itself, and when only for rows: fewer bytes."""
    apart = [f"{c}.{what}" for c in delta.columns for what in ("origin", "at")]
    table = delta.table
    table = table.drop_columns([name for name in apart if name in table.column_names])
    nobody = pa.array(np.zeros(delta.rows, np.int16))
    table = table.set_column(table.column_names.index("origin"), "origin", nobody)
    return replace(delta, table=table, origins=(Origin("fold", "program"),))


def _full(stack: list[Step]) -> bool:
    newest = stack[-RUN:]
    rows = sum(step.rows for step in newest)
    return len(newest) == RUN and len({s.spans for s in newest}) == 1 and rows <= RUN_ROWS


def _noted(repository: View, tail: str, note: Fold | None) -> Step | None:
    """The step of a note; None when it cannot be used."""
    try:
        return _step(repository, tail, note.delta) if note and note.delta else None
    except (NotFound, Damaged):
        return None


def _step(repository: View, tail: str, name: str) -> Step:
    head = read_head(repository.store.get(name))
    parent, spans = head.meta.get("parent"), head.meta.get("spans", 1)
    if not isinstance(parent, str | None) or not isinstance(spans, int):
        raise Damaged(f"delta `{name[:12]}` has a parent that is no name")
    return Step(tail, name, parent, spans, head.rows, repository.store.stored(name))


def _weight(repository: View, base: str | None) -> int:
    """Bytes of a base as stored."""
    if base is None:
        return 0
    segments = repository.reader.base(base).segments
    return sum(repository.store.stored(segment.name) for segment in segments)


class BackgroundFolding:
    """Folds in a thread of a process that lives long, one at a time, whenever it is woken."""

    def __init__(self, repository: View) -> None:
        self._repository = repository
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None

    def wake(self) -> None:
        """Starts to fold if that is due and not going on."""
        with self._lock:
            going = self._thread is not None and self._thread.is_alive()
            if self._stopped.is_set() or going or not due(self._repository):
                return
            self._thread = threading.Thread(target=self._work, name="sw2 fold", daemon=True)
            self._thread.start()

    def close(self) -> None:
        """Stops, and waits until it has."""
        with self._lock:
            self._stopped.set()
            thread = self._thread
        if thread is not None:
            thread.join()

    def _work(self) -> None:
        with suppress(OSError, AttributeError):  # not every system knows of threads' priorities
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 10)
        # Folding spares work and is owed to nobody: what stands against it is told by fsck.
        with suppress(Sw2Error):
            root = self._repository.root
            view = View(root, State(self._repository.state.path))
            try:
                fold(view, stop=self._stopped.is_set)
            finally:
                view.close()


def fold_in_background(repository: View) -> BackgroundFolding:
    """For a process that lives long: `wake()` it after commits, `close()` it at the end."""
    return BackgroundFolding(repository)
