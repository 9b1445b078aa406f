"""The check of a whole repository: every byte, every link. Changes nothing."""

from collections.abc import Iterator
from dataclasses import dataclass

import pyarrow.compute as pc

from sw2.errors import Damaged, NotFound, Sw2Error
from sw2.progress import Event, Progress, silent
from sw2.repo.commits import Commit
from sw2.repo.stage import staged_delta
from sw2.repo.state import FOLD_AGAIN
from sw2.repo.view import View
from sw2.table import MEDIA_TYPES, Fold, Schema, Snapshot, TableReader, TableVersion


@dataclass(frozen=True, slots=True)
class Fault:
    """where: a pack, object, commit, branch or row.  what: the damage, in words."""

    where: str
    what: str


def fsck(repository: View, progress: Progress = silent) -> list[Fault]:
    """Everything that is wrong with a repository; empty when it is sound.

    Checked: the database; each object against its name; each branch, tag and stash, commit, schema,
    base, segment, delta and small file; each picture that any version mentions; each staged action,
    those that are undone too; each fold, which has to say what its chain says."""
    faults: list[Fault] = []
    for done, fault in enumerate(_Check(repository).all()):
        progress(Event("checking", done, message=fault.where))
        faults.append(fault)
    return list(dict.fromkeys(faults))


class _Check:
    """One check. History is read from the chains themselves, by a reader that knows of no folds."""

    def __init__(self, repository: View) -> None:
        self._repository = repository
        self._plain = TableReader(repository.store)
        self._folds: dict[str, Fold] = {}
        self._damaged: set[str] = set()

    def all(self) -> Iterator[Fault]:
        repository, refs = self._repository, dict[str, str]()
        try:
            yield from (Fault("state.sqlite", text) for text in repository.state.check())
            refs = repository.state.refs()
            if refs and repository.branch not in refs:
                yield Fault("state.sqlite", f"there is no branch `{repository.branch}`")
            self._folds = repository.state.folds.all()
        except Sw2Error as error:
            yield Fault("state.sqlite", _told(error))
        for fault in repository.store.verify():
            self._damaged.add(fault.where.removeprefix("object "))
            yield Fault(fault.where, fault.what)
        seen: set[str] = set()
        for ref, target in refs.items():
            yield from self._history(_of_ref(ref), target, seen)
        try:
            yield from self._stage()
        except Sw2Error as error:
            yield Fault("stage", error.message)

    def _history(self, where: str, name: str, seen: set[str]) -> Iterator[Fault]:
        waiting, commits = [name], list[Commit]()
        while waiting:
            name = waiting.pop()
            if name in seen:
                continue
            seen.add(name)
            try:
                commits.append(self._repository.load_commit(name))
            except Sw2Error as error:
                yield Fault(where, f"commit {name[:10]}: {error.message}")
                continue
            where = f"commit {commits[-1].short}"
            waiting.extend(commits[-1].parents)
        # Oldest first, so that each chain of deltas extends the one read before it.
        for commit in reversed(commits):
            yield from self._commit(commit)

    def _commit(self, commit: Commit) -> Iterator[Fault]:
        where, store = f"commit {commit.short}", self._repository.store
        for path, name in commit.files.items():
            if not store.has(name):
                yield Fault(where, f"file `{path}` is not in the store")
            elif name in self._damaged:
                yield Fault(where, f"file `{path}` is damaged")
        for table, version in commit.tables.items():
            try:
                snapshot = self._snapshot(version)
                yield from self._segments(where, table, snapshot)
                if snapshot.rows != version.rows:
                    told = f"{snapshot.rows} rows, not {version.rows}"
                    yield Fault(where, f"table `{table}` has {told}")
                yield from self._cells(snapshot)
                yield from self._fold(version, snapshot)
            except Sw2Error as error:
                yield Fault(where, f"table `{table}`: {error.message}")

    def _snapshot(self, version: TableVersion) -> Snapshot:
        way = self._plain.way(version.base, version.tail)
        base = self._plain.base(way.base) if way.base else None
        return Snapshot(self._plain, self._repository.schema_of(version), base, way.layers)

    def _segments(self, where: str, table: str, snapshot: Snapshot) -> Iterator[Fault]:
        """Which rows a damaged segment held."""
        for segment in snapshot.base.segments if snapshot.base else ():
            if segment.name in self._damaged or not self._repository.store.has(segment.name):
                held = f"{segment.rows} rows, from `{segment.first}` to `{segment.last}`"
                yield Fault(where, f"table `{table}`: a damaged segment held {held}")

    def _cells(self, snapshot: Snapshot) -> Iterator[Fault]:
        """Pictures that are not there. Raises Damaged where a cell has no label."""
        schema, store = snapshot.schema, self._repository.store
        media = [column for column in schema.columns if column.type in MEDIA_TYPES]
        # Reading every column also proves that every segment decodes.
        rows = snapshot.stored()
        for column in schema.columns:
            if column.has_labels:
                column.decode(rows[column.id])
        for column in media:
            names = rows[column.id]
            for name in pc.unique(names).to_pylist():
                if name is None or (store.has(name.hex()) and name.hex() not in self._damaged):
                    continue
                key = rows[schema.key_column.id][pc.index(names, name).as_py()].as_py()
                lost = "is damaged" if store.has(name.hex()) else "is not in the store"
                yield Fault(f"row {key}", f"{column.name} {name.hex()[:12]} {lost}")

    def _fold(self, version: TableVersion, snapshot: Snapshot) -> Iterator[Fault]:
        """What is noted beside the tail of a version, against what the chain says there."""
        note = self._folds.get(version.tail or "")
        where = f"fold {(version.tail or '')[:10]}"
        if note is None:
            return
        try:
            # Of one note at a time: a wrong one beneath would hide behind a right one.
            reader = TableReader(self._repository.store, {version.tail: note}.get)
            if note.delta is not None:
                reader.delta(note.delta)
            if note.base is not None:
                for segment in reader.base(note.base).segments:
                    self._repository.store.get(segment.name)
            for each in (Fold(note.base, None), Fold(None, note.delta)):
                reader = TableReader(self._repository.store, {version.tail: each}.get)
                way = reader.way(version.base, version.tail)
                base = reader.base(way.base) if way.base else None
                said = Snapshot(reader, snapshot.schema, base, way.layers)
                if not said.stored().equals(snapshot.stored()):
                    yield Fault(where, f"it does not say what its chain says. {FOLD_AGAIN}")
        except (Damaged, NotFound) as error:
            yield Fault(where, f"{error.message}. {FOLD_AGAIN}")

    def _stage(self) -> Iterator[Fault]:
        repository = self._repository
        for action in repository.state.actions(undone=True):
            try:
                staged_delta(action, self._plain)
                if action.schema is not None:
                    Schema.parse(repository.store.get(action.schema))
            except Sw2Error as error:
                yield Fault(f"staged edit {action.id}", f"{action.label}: {error.message}")
        for table in repository.tables():
            try:
                yield from self._cells(repository.snapshot(table=table))
            except Sw2Error as error:
                yield Fault("stage", f"table `{table}`: {error.message}")


def _of_ref(name: str) -> str:
    """`branch main`, `tag v1`, `stash 0`."""
    kind, _, rest = name.partition("/")
    return {"tags": f"tag {rest}", "stash": f"stash {rest}"}.get(kind, f"branch {name}")


def _told(error: Sw2Error) -> str:
    return error.message + (f". {error.hint}" if error.hint == FOLD_AGAIN else "")
