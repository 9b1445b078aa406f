"""Reading a repository: its tables at any commit and as they stand, its history, its status."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
from blake3 import blake3

from sw2.errors import NotFound
from sw2.repo import files, history
from sw2.repo.blame import blame_column
from sw2.repo.changes import CellChange, Changes, changes_of, schema_changes
from sw2.repo.commits import Commit
from sw2.repo.ledger import CONFLICTS, EXAMPLES, Ledger, Status
from sw2.repo.stage import Staged, extended, nothing_staged
from sw2.repo.state import State
from sw2.table import (
    Schema,
    Snapshot,
    TableReader,
    TableVersion,
)
from sw2.table.pack import pack


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


class View(Ledger):
    """A repository as it stands, for reading: nothing here changes it. Threads may share one."""

    def __init__(self, root: Path, state: State) -> None:
        super().__init__(root, state)
        self.reader = TableReader(self.store, state.folds.get)
        self._schemas: dict[str, Schema] = {}
        self._seen: dict[str, Seen] = {}
        self._snapshots: dict[str, tuple[Staged, Snapshot]] = {}

    def snapshot(self, rev: str | None = None, table: str = EXAMPLES) -> Snapshot:
        """A table at a commit, or as it stands with what is staged (rev None).

        Raises NotFound when the table or the revision does not exist."""
        if rev is not None:
            return self.at(self.commit_of(rev), table)
        snapshot = self._standing(table)
        if not snapshot.schema.columns:
            raise NotFound(
                f"there is no table `{table}` yet", hint="Run `sw2 add FOLDER` to bring examples in"
            )
        return snapshot

    def at(self, commit: Commit, table: str = EXAMPLES) -> Snapshot:
        """A table as a commit has it. Raises NotFound when it has none of that name."""
        if table not in commit.tables:
            raise NotFound(
                f"there is no table `{table}` at commit {commit.short}",
                hint="It has " + (", ".join(commit.tables) or "no tables"),
            )
        return self.table_at(commit.tables[table])

    def _standing(self, table: str) -> Snapshot:
        """A table with what is staged; without columns when there is none yet."""
        stage = self.staged(table)
        cached = self._snapshots.get(table)
        if cached is not None and cached[0] is stage:
            return cached[1]
        committed = self.table_at(stage.version)
        layers = committed.read_layers()
        layers = (*layers, stage.delta) if stage.delta else layers
        snapshot = Snapshot(self.reader, stage.schema, stage.base or committed.base, layers)
        self._snapshots[table] = (stage, snapshot)
        return snapshot

    def schema_of(self, version: TableVersion) -> Schema:
        """The schema of a version of a table."""
        schema = self._schemas.get(version.schema)
        if schema is None:
            schema = self._schemas[version.schema] = Schema.parse(self.store.get(version.schema))
        return schema

    def schema(self, table: str = EXAMPLES, rev: str | None = None) -> Schema:
        return self.snapshot(rev, table).schema

    def tables(self) -> list[str]:
        """Names of the tables, staged ones among them."""
        with self.state.reading():
            head, actions = self.head, self.state.actions()
        committed = self.load_commit(head).tables if head else {}
        return sorted({*committed, *(action.table for action in actions)})

    def read(
        self, columns: Sequence[str] | None = None, rev: str | None = None, table: str = EXAMPLES
    ) -> pa.Table:
        """Columns as people see them, sorted by key; with what is staged unless `rev` is given."""
        return self.snapshot(rev, table).read(columns)

    def media(self, name: str) -> bytes:
        """The bytes of a picture, by the name its cell holds."""
        return self.store.get(name)

    def pending(self, table: str = EXAMPLES) -> Changes:
        """What is staged, against the last commit."""
        stage = self.staged(table)
        delta = stage.delta.under(stage.schema) if stage.delta else None
        old = self.schema_of(stage.version) if stage.version else None
        changes = changes_of(delta, stage.schema)
        changes.columns.extend(schema_changes(old, stage.schema))
        if stage.base is not None:
            key = stage.schema.key_column
            changes.inserted.extend(self.reader.columns(stage.base, [key])[key.id].to_pylist())
        return changes

    def status(self) -> Status:
        head = self.commit_of("HEAD") if self.head else None
        counts = [self.staged(table).counts for table in self.tables()]
        edited, inserted, deleted = (sum(c[i] for c in counts) for i in range(3))
        # Not the snapshot's, for which the chain would be read.
        rows, conflicts = (self.staged(table).rows for table in (EXAMPLES, CONFLICTS))
        changed = files.changed(self.root, head)
        return Status(self.branch, head, rows, edited, inserted, deleted, changed, conflicts)

    def diff(self, old: str | None, new: str, table: str = EXAMPLES) -> Changes:
        """What changed from one commit to another (old None: from nothing)."""
        return history.diff(self, old, new, table)

    def history(self, key: int | str, column: str, table: str = EXAMPLES) -> list[CellChange]:
        """Every change of one cell, newest first, staged ones (commit None) before all."""
        return history.of_cell(self, key, column, table)

    def blame_column(self, column: str, table: str = EXAMPLES, rev: str = "HEAD") -> pa.Table:
        """Who decided each cell of a column (`blame.blame_column`)."""
        return blame_column(self, column, rev, table)

    def data_name(
        self, rev: str, columns: Sequence[str] | None = None, table: str = EXAMPLES
    ) -> str:
        """A hash of what the table says, whoever said it and when (64 hex digits)."""
        snapshot = self.snapshot(rev, table)
        names = snapshot.schema.names if columns is None else list(columns)
        stored = snapshot.stored(names)
        held = map(snapshot.schema.column, names)
        # Cells are slots, so what a slot is called is what they say.
        described = [(c.name, c.type, c.slots, c.order) for c in held]
        arrays = {n: stored[snapshot.schema.column(n).id].combine_chunks() for n in names}
        return blake3(pack(arrays, {"columns": described})).hexdigest()

    def table_at(self, version: TableVersion | None, folded: bool = True) -> Snapshot:
        """A committed table; an empty one without columns for None. folded: by the shortest way,
        which does not tell who decided a cell, and when."""
        if version is None:
            return Snapshot(self.reader, Schema("", "", ()), None)
        schema, reader = self.schema_of(version), self.reader
        if not folded:
            deltas = tuple(delta for _, delta in reader.chain(version.tail))
            base = reader.base(version.base) if version.base else None
            return Snapshot(reader, schema, base, deltas)
        route = reader.route(version.base, version.tail)
        base = reader.base(route.base) if route.base else None
        return Snapshot(reader, schema, base, route=route)

    def staged(self, table: str = EXAMPLES) -> Staged:
        """All that is staged for a table, folded together."""
        with self.state.reading():
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
            version = self.load_commit(head).tables.get(table) if head else None
            schema = self.schema_of(version) if version else None
            stage = extended(nothing_staged(table, version, schema), actions, self.reader)
        self._seen[table] = Seen(head, stamp, ids, stage)
        return stage
