"""Reading history: what lies between two versions, and the past of a cell."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sw2.repo.changes import CellChange, Changes, cell_changes, changes_of, schema_changes
from sw2.repo.commits import Commit
from sw2.repo.revisions import resolve
from sw2.repo.stage import Staged, staged_delta
from sw2.table import (
    DELETE,
    EDIT,
    INSERT,
    Column,
    Delta,
    Schema,
    Snapshot,
    TableVersion,
    compose,
)
from sw2.table.schema_merge import joint

if TYPE_CHECKING:
    from sw2.repo.view import View


def diff(view: "View", old: str | None, new: str, table: str) -> Changes:
    """What changed in a table from one commit to another, None: from nothing."""
    newer = resolve(view, new)
    older = resolve(view, old) if old is not None else None
    before = older.tables.get(table) if older else None
    after = newer.tables.get(table)
    apart = between(view, before, after)
    # A column that is gone has no cells to compare: the columns' own changes tell of it.
    there = {column.id for column in view.schema_of(after).columns} if after else set()
    shown = [column for column in apart.schema.columns if column.id in there or not after]
    changes = changes_of(apart.delta, replace(apart.schema, columns=tuple(shown)))
    schemas = [view.schema_of(version) if version else None for version in (before, after)]
    return replace(changes, columns=schema_changes(*schemas))


@dataclass(frozen=True, slots=True)
class Between:
    """delta: from one version of a table to another.  schema: what its cells are read by; that of
    the newer version, and after its labels those that only the older one has."""

    delta: Delta | None
    schema: Schema


def between(view: "View", old: TableVersion | None, new: TableVersion | None) -> Between:
    """What lies between two versions: back to where their chains part, then forward. None where a
    table is not there. Reads no segment, unless they stand on different bases."""
    back, forward = _steps(view, old, new)
    if old is None or new is None:
        held = new or old
        schema = view.schema_of(held) if held else Schema("", "", ())
        steps = [delta.under(schema).inverse() for delta in back]
        return Between(compose(steps + [delta.under(schema) for delta in forward]), schema)
    schema = view.schema_of(new)
    merge = joint(schema, view.schema_of(old)) if back and old.schema != new.schema else None
    if merge is not None:
        # The older side's labels may have other numbers, where both sides added some.
        back, schema = [merge.take(delta) for delta in back], merge.schema
    steps = [delta.under(schema).inverse() for delta in back]
    return Between(compose(steps + [delta.under(schema) for delta in forward]), schema)


def _steps(
    view: "View", old: TableVersion | None, new: TableVersion | None
) -> tuple[list[Delta], list[Delta]]:
    """What to take back, newest first, and what to do then, oldest first."""
    if old is not None and new is not None and old.base == new.base:
        back, forward = _apart(view, old.tail, new.tail)
        return back, forward[::-1]
    # Not folded: what is inserted tells by whom.
    whole = [view.table_at(v, folded=False).everything() if v else None for v in (old, new)]
    back, forward = ([delta] if delta is not None else [] for delta in whole)
    return back, forward


def _apart(view: "View", one: str | None, other: str | None) -> tuple[list[Delta], list[Delta]]:
    """The deltas of two chains down to the one they share, newest first. Both are walked at once,
    so that it costs what lies between and not how long they are."""
    reader = view.reader
    tails = [one, other]
    walked: list[dict[str | None, list[Delta]]] = [{one: []}, {other: []}]
    deltas: list[list[Delta]] = [[], []]
    while True:
        for side in (0, 1):
            if tails[side] in walked[1 - side]:
                found = [deltas[0], deltas[1]]
                found[1 - side] = walked[1 - side][tails[side]]
                return found[0], found[1]
        for side in (0, 1):
            tail = tails[side]
            if tail is not None:
                delta = reader.delta(tail)
                deltas[side].append(delta)
                tails[side] = delta.parent
                walked[side][delta.parent] = list(deltas[side])


def of_cell(view: "View", key: int | str, name: str, table: str) -> list[CellChange]:
    """Every change of one cell, newest first, in the words of today: a label that was renamed is
    called by its name."""
    cell = _Cell(key, table, view.schema(table), name)
    found: list[CellChange] = []
    for action in view.state.actions():
        if action.table == table and (delta := staged_delta(action, view.reader)):
            found = _of(delta, cell, None) + found
        if action.table == table and action.base is not None:
            found = _from_base(view, None, action.base, cell) + found
    commit = view.commit_of("HEAD") if view.head else None
    while commit is not None:
        changes = _made_by(view, commit, cell)
        merged = _merged_from(view, commit, cell) if changes else None
        if merged is None:
            found += changes
        else:
            # Labels have other numbers there.
            cell = replace(cell, schema=view.schema_of(merged.tables[table]))
        following = merged or next(map(view.load_commit, commit.parents), None)
        commit = following
    return found


@dataclass(frozen=True, slots=True)
class _Cell:
    """A cell, and the schema that the chain at hand is read by."""

    key: int | str
    table: str
    schema: Schema
    name: str

    @property
    def column(self) -> Column:
        return self.schema.column(self.name)


def _made_by(view: "View", commit: Commit, cell: _Cell) -> list[CellChange]:
    """What a commit did to a cell, against its first parent, newest first."""
    version, before = commit.tables.get(cell.table), None
    if commit.parents:
        before = view.load_commit(commit.parents[0]).tables.get(cell.table)
    if version is None or version == before:
        return []
    found = []
    for _, delta in view.reader.chain(version.tail, before.tail if before else None)[::-1]:
        found += _of(delta, cell, commit.name)
    if version.base and (before is None or before.base != version.base):
        found += _from_base(view, commit.name, version.base, cell)
    return found


def _merged_from(view: "View", commit: Commit, cell: _Cell) -> Commit | None:
    """The other parent of a merge that has the cell as the merge has it, if any."""
    for name in commit.parents[1:]:
        parent = view.load_commit(name)
        here, there = (
            cell_at(view, one, cell.table, cell.name, cell.key) for one in (commit, parent)
        )
        if here is not None and here == there:
            return parent
    return None


def cell_at(
    view: "View", commit: Commit, table: str, name: str, key: int | str
) -> tuple[bool, object] | None:
    """Whether a row is there at a commit, and its cell; None where there is no such column."""
    if table not in commit.tables:
        return None
    snapshot = view.at(commit, table)
    if name not in snapshot.schema.names:
        return None
    column = snapshot.schema.column(name)
    found, cells = snapshot.lookup([key], [name])
    return bool(found[0]), column.decode(cells[column.id])[0].as_py() if found[0] else None


def _of(delta: Delta, cell: _Cell, commit: str | None) -> list[CellChange]:
    only, column = delta.only([cell.key]), cell.column
    delta = only.under(cell.schema) if only is not None else delta
    if only is None or column.id not in delta.columns:
        return []
    changes = cell_changes(delta, column, commit, ops=(EDIT, INSERT, DELETE))
    return [change for change in changes if change.old != change.new]


def _from_base(view: "View", commit: str | None, name: str, cell: _Cell) -> list[CellChange]:
    base, column = view.reader.base(name), cell.column
    found, cells = Snapshot(view.reader, cell.schema, base).lookup([cell.key], [cell.name])
    value = column.decode(cells[column.id])[0].as_py() if found[0] else None
    if value is None:
        return []
    return [CellChange(cell.key, cell.name, None, value, base.origin, base.at, commit)]


def rebased(stage: Staged, below: TableVersion | None, view: "View") -> Staged:
    """The same table as a change over an older version, as an amended commit writes it."""
    held = stage.version
    assert held is not None  # else there would be nothing to amend
    base_name = stage.base_name or (held.base if below is None or held.base != below.base else None)
    if base_name is not None:
        below = None
        deltas = [delta for _, delta in view.reader.chain(held.tail)]
    else:
        deltas = [d for d in [between(view, below, held).delta] if d is not None]
    return replace(
        stage,
        version=below,
        schema_name=stage.schema_name or (held.schema if below != held else None),
        base=view.reader.base(base_name) if base_name else None,
        base_name=base_name,
        delta=compose([*deltas, stage.delta] if stage.delta else deltas),
    )
