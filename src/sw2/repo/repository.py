"""A repository: tables of examples with their history, and a stage of edits not yet committed."""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import pyarrow as pa
from blake3 import blake3

from sw2.errors import InvalidInput, NotARepository, NotFound
from sw2.repo import history
from sw2.repo.changes import CellChange, Changes, Edit, changes_of
from sw2.repo.commits import Commit, encode_commit, parse_commit
from sw2.repo.stage import INLINE_BYTES, Staged, delta_of, extended, nothing_staged
from sw2.repo.state import Action, State
from sw2.store import ObjectStore
from sw2.table import (
    Delta,
    Schema,
    Snapshot,
    TableReader,
    TableVersion,
    compose,
    write_base,
)
from sw2.table.pack import pack
from sw2.values import Origin, now_ms

FOLDER = ".sw2"
EXAMPLES = "examples"
# Small files of the working folder that a commit takes along.
FILES = ("sw2.toml", "README.md")


@dataclass(frozen=True, slots=True)
class Status:
    """What `sw2 status` tells. edited, inserted, deleted: rows staged and not committed."""

    branch: str
    head: Commit | None
    rows: int
    edited: int
    inserted: int
    deleted: int
    files: list[str]

    @property
    def clean(self) -> bool:
        return not (self.edited or self.inserted or self.deleted or self.files)


@dataclass(frozen=True, slots=True)
class Seen:
    """What was staged when last looked at: the head, the stamp and the live actions then."""

    head: str | None
    stamp: tuple[int, int, int]
    ids: tuple[int, ...]
    stage: Staged

    def leads_to(self, head: str | None, stamp: tuple[int, int, int], ids: tuple[int, ...]) -> bool:
        """Whether things stand there now with actions only added. Not after a rollback, for then a
        number may stand for another action."""
        unmoved = (self.head, self.stamp[2]) == (head, stamp[2])
        return unmoved and ids[: len(self.ids)] == self.ids


class Repository:
    """Open one with `Repository.open`, make one with `Repository.init`. Threads may share it, and
    several processes may work on the same folder."""

    def __init__(self, root: Path, state: State) -> None:
        self.root = root
        self.folder = root / FOLDER
        self.state = state
        self.store = ObjectStore(self.folder / "packs")
        self.reader = TableReader(self.store)
        self._seen: dict[str, Seen] = {}
        self._snapshots: dict[str, tuple[Staged, Snapshot]] = {}

    @staticmethod
    def init(path: str | os.PathLike[str] = ".", name: str | None = None) -> "Repository":
        """Makes an empty repository in `path`. Raises InvalidInput when there is one already."""
        root = Path(path).resolve()
        if (root / FOLDER).exists():
            raise InvalidInput(f"`{root}` is a repository already")
        root.mkdir(parents=True, exist_ok=True)
        # Under another name until it is whole: a crash leaves no half-made repository.
        folder = root / f"{FOLDER}.{os.getpid()}.tmp"
        (folder / "packs").mkdir(parents=True)
        state = State(folder / "state.sqlite", create=True)
        state.set_meta("branch", "main")
        state.set_meta("name", name or root.name)
        state.close()
        folder.rename(root / FOLDER)
        return Repository.open(root)

    @staticmethod
    def open(path: str | os.PathLike[str] = ".") -> "Repository":
        """The repository that `path` lies in. Raises NotARepository when there is none."""
        start = Path(path).resolve()
        for root in (start, *start.parents):
            if (root / FOLDER).is_dir():
                return Repository(root, State(root / FOLDER / "state.sqlite"))
        raise NotARepository(
            f"there is no repository in `{start}` or above it", hint="Run `sw2 init` to make one"
        )

    def close(self) -> None:
        self.state.close()

    @property
    def name(self) -> str:
        return self.state.meta("name") or self.root.name

    @property
    def branch(self) -> str:
        return self.state.meta("branch") or "main"

    @property
    def head(self) -> str | None:
        """Name of the commit that the branch points to."""
        return self.state.ref(self.branch)

    def snapshot(self, rev: str | None = None, table: str = EXAMPLES) -> Snapshot:
        """A table at a commit, or as it stands with what is staged (rev None).

        Raises NotFound when the table or the revision does not exist."""
        if rev is not None:
            commit = self.commit_of(rev)
            if table not in commit.tables:
                raise NotFound(f"there is no table `{table}` at commit {commit.short}")
            return self._at(commit.tables[table])
        stage = self.staged(table)
        cached = self._snapshots.get(table)
        if cached is not None and cached[0] is stage:
            return cached[1]
        if not stage.schema.columns:
            raise NotFound(
                f"there is no table `{table}` yet", hint="Run `sw2 add FOLDER` to bring examples in"
            )
        committed = self._at(stage.version)
        over = compose([delta for delta in (committed.over, stage.delta) if delta is not None])
        snapshot = Snapshot(self.reader, stage.schema, stage.base or committed.base, over)
        self._snapshots[table] = (stage, snapshot)
        return snapshot

    def schema(self, table: str = EXAMPLES, rev: str | None = None) -> Schema:
        return self.snapshot(rev, table).schema

    def tables(self) -> list[str]:
        """Names of the tables, staged ones among them."""
        committed = self.commit_of("HEAD").tables if self.head else {}
        return sorted({*committed, *(a.table for a in self.state.actions())})

    def read(
        self, columns: Sequence[str] | None = None, rev: str | None = None, table: str = EXAMPLES
    ) -> pa.Table:
        """Columns as people see them, sorted by key; with what is staged unless `rev` is given."""
        return self.snapshot(rev, table).read(columns)

    def media(self, name: str) -> bytes:
        """The bytes of a picture, by the name its cell holds."""
        return self.store.get(name)

    @contextmanager
    def write_media(self) -> Iterator[Callable[[bytes], str]]:
        """Stores many pictures in one pack: `with repository.write_media() as put: put(raw)` gives
        the name to put in the cell. Durable when the block ends."""
        with self.store.write() as writer:
            yield partial(writer.put, compress=False)

    def edit(
        self,
        edits: Sequence[Edit],
        origin: Origin,
        label: str,
        table: str = EXAMPLES,
    ) -> Action | None:
        """Sets cells, as one undoable action that is on disk when this returns.

        None when every cell holds its value already. Raises NotFound for a row or column that is
        not there, InvalidInput for a value that does not fit; then nothing is changed."""
        with self.state.transaction():
            at = now_ms()
            delta = delta_of(self.snapshot(table=table), edits, origin, at)
            return self._push(Action(0, label, at, table), delta)

    def stage_rows(
        self,
        rows: pa.Table,
        origin: Origin,
        label: str,
        schema: Schema | None = None,
        table: str = EXAMPLES,
    ) -> Action | None:
        """Inserts rows and updates those whose key is there, as one undoable action.

        rows: columns by name, cells as people see them, the key among them; columns that it leaves
        out keep their cells.  schema: what the table's schema is to be (required for a new table).
        None when nothing differs. Raises InvalidInput for cells that do not fit."""
        with self.state.transaction():
            at = now_ms()
            start = self._staged_or_empty(table)
            wanted = schema or start.schema
            if not wanted.columns:
                raise InvalidInput(f"table `{table}` is new: say what columns it has")
            columns = [wanted.column(name) for name in rows.schema.names]
            stored = pa.table({c.id: c.encode(rows[c.name]) for c in columns})
            action = Action(0, label, at, table)
            with self.store.write() as writer:
                if wanted != start.schema:
                    action = replace(action, schema=writer.put(wanted.encode()))
                start = replace(start, schema=wanted)
                if start.base is None and start.over is None and rows.num_rows:
                    base = write_base(writer, wanted, start.complete(stored), origin, at)
                    return self._push(replace(action, base=base), None)
            return self._push(action, start.difference(stored, origin, at))

    def define(self, schema: Schema, label: str) -> Action | None:
        """Stages another schema for a table (a new label, a renamed column)."""
        with self.state.transaction():
            if self._staged_or_empty(schema.table).schema == schema:
                return None
            with self.store.write() as writer:
                name = writer.put(schema.encode())
            return self._push(Action(0, label, now_ms(), schema.table, schema=name), None)

    def undo(self) -> Action | None:
        """Takes the newest staged action back; None when there is none."""
        with self.state.transaction():
            if action := self.state.next_undo():
                self.state.mark(action, undone=True)
            return action

    def redo(self) -> Action | None:
        """Carries the oldest undone action out again; None when there is none."""
        with self.state.transaction():
            if action := self.state.next_redo():
                self.state.mark(action, undone=False)
            return action

    def pending(self, table: str = EXAMPLES) -> Changes:
        """What is staged, against the last commit."""
        stage = self.staged(table)
        changes = changes_of(stage.delta, stage.schema)
        if stage.base is not None:
            key = stage.schema.key_column
            changes.inserted.extend(self.reader.columns(stage.base, [key])[key.id].to_pylist())
        return changes

    def status(self) -> Status:
        head = self.commit_of("HEAD") if self.head else None
        counts = [self.staged(table).counts for table in self.tables()]
        edited, inserted, deleted = (sum(c[i] for c in counts) for i in range(3))
        rows = self.snapshot().rows if EXAMPLES in self.tables() else 0
        return Status(self.branch, head, rows, edited, inserted, deleted, self._changed_files(head))

    def commit(self, message: str, author: str) -> Commit:
        """Makes what is staged, and the small files, a commit. Raises InvalidInput when there is
        nothing to commit or no message, Conflict when the branch moved meanwhile."""
        if not message.strip():
            raise InvalidInput("a commit needs a message", hint="Say in a few words why")
        with self.state.transaction():
            head = self.commit_of("HEAD") if self.head else None
            stages = {table: self.staged(table) for table in self.tables()}
            changed = {table: stage for table, stage in stages.items() if stage.touched}
            if not changed and not self._changed_files(head):
                raise InvalidInput("nothing to commit: no edit is staged", hint="See `sw2 status`")
            commit = Commit(
                "",
                (head.name,) if head else (),
                author,
                now_ms(),
                message.strip(),
                dict(head.tables) if head else {},
                {},
                {table: stage.counts for table, stage in changed.items()},
            )
            with self.store.write() as writer:
                for table, stage in changed.items():
                    commit.tables[table] = stage.write(writer)
                for path in FILES:
                    if (self.root / path).is_file():
                        commit.files[path] = writer.put((self.root / path).read_bytes())
                name = writer.put(encode_commit(commit))
            self.state.move(self.branch, self.head, name, commit.at, f"commit: {message.strip()}")
            self.state.clear()
        return replace(commit, name=name)

    def commit_of(self, rev: str) -> Commit:
        """The commit of a revision: HEAD, a branch, a hash or its beginning, each with ~N."""
        return history.resolve(self, rev)

    def load_commit(self, name: str) -> Commit:
        return parse_commit(name, self.store.get(name))

    def log(self, limit: int | None = None, rev: str = "HEAD") -> list[Commit]:
        """Commits, newest first."""
        return history.log(self, limit, rev)

    def diff(self, old: str | None, new: str, table: str = EXAMPLES) -> Changes:
        """What changed from one commit to another (old None: from nothing)."""
        return history.diff(self, old, new, table)

    def history(self, key: int | str, column: str, table: str = EXAMPLES) -> list[CellChange]:
        """Every change of one cell, newest first, staged ones (commit None) before all."""
        return history.of_cell(self, key, column, table)

    def file(self, path: str, rev: str | None = None) -> bytes:
        """A small file at a commit, or from the working folder (rev None)."""
        if rev is None:
            if not (self.root / path).is_file():
                raise NotFound(f"there is no file `{path}` in `{self.root}`")
            return (self.root / path).read_bytes()
        commit = self.commit_of(rev)
        if path not in commit.files:
            raise NotFound(
                f"commit {commit.short} has no file `{path}`",
                hint=f"Write `{path}` and run `sw2 commit`",
            )
        return self.store.get(commit.files[path])

    def data_name(
        self, rev: str, columns: Sequence[str] | None = None, table: str = EXAMPLES
    ) -> str:
        """A hash of what the table says, whoever said it and when (64 hex digits)."""
        snapshot = self.snapshot(rev, table)
        names = snapshot.schema.names if columns is None else list(columns)
        stored = snapshot.stored(names)
        described = [(c.name, c.type, c.labels) for c in map(snapshot.schema.column, names)]
        arrays = {n: stored[snapshot.schema.column(n).id].combine_chunks() for n in names}
        return blake3(pack(arrays, {"columns": described})).hexdigest()

    def _at(self, version: TableVersion | None) -> Snapshot:
        """A committed table; an empty one without columns for None."""
        if version is None:
            return Snapshot(self.reader, Schema("", "", ()), None, None)
        return Snapshot(
            self.reader,
            Schema.parse(self.store.get(version.schema)),
            self.reader.base(version.base) if version.base else None,
            self.reader.composed(version.tail),
        )

    def _staged_or_empty(self, table: str) -> Snapshot:
        try:
            return self.snapshot(table=table)
        except NotFound:
            return Snapshot(self.reader, Schema(table, "", ()), None, None)

    def staged(self, table: str = EXAMPLES) -> Staged:
        """All that is staged for a table, folded together."""
        head, stamp = self.head, self.state.stamp()
        seen = self._seen.get(table)
        if seen is not None and (seen.head, seen.stamp) == (head, stamp):
            return seen.stage
        actions = self.state.actions()
        ids = tuple(action.id for action in actions)
        if seen is not None and seen.leads_to(head, stamp, ids):
            # Only what came since: the cost of an edit does not grow with the stage.
            stage = extended(seen.stage, actions[len(seen.ids) :], self.reader)
        else:
            version = self.commit_of("HEAD").tables.get(table) if head else None
            stage = extended(nothing_staged(table, version, self.reader), actions, self.reader)
        self._seen[table] = Seen(head, stamp, ids, stage)
        return stage

    def _push(self, action: Action, delta: Delta | None) -> Action | None:
        if delta is None and action.schema is None and action.base is None:
            return None
        if delta is not None:
            raw = delta.encode()
            if len(raw) > INLINE_BYTES:
                with self.store.write() as writer:
                    action = replace(action, object=writer.put(raw))
            else:
                action = replace(action, delta=raw)
        return self.state.push(action)

    def _changed_files(self, head: Commit | None) -> list[str]:
        changed = []
        for path in FILES:
            file = self.root / path
            now = blake3(file.read_bytes()).hexdigest() if file.is_file() else None
            if now != (head.files.get(path) if head else None):
                changed.append(path)
        return changed
