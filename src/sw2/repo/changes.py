"""Changes as people read them: cell by cell, old and new, who, when and from what."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from sw2.table import DELETE, EDIT, INSERT, Column, Delta, Schema, keys_of, one_chunk
from sw2.values import Origin

Cell = Any  # str, int, float, bool, datetime, list, dict or None


# Neither this nor the next is frozen, though nobody changes one: that takes three times as long,
# and a diff or an edit makes thousands.
@dataclass(slots=True, unsafe_hash=True)
class Edit:
    """A wish: set one cell. value None empties it."""

    key: int | str
    column: str
    value: Cell


@dataclass(slots=True, unsafe_hash=True)
class CellChange:
    """A cell that changed. at: ms since 1970.  commit: None while not committed."""

    key: int | str
    column: str
    old: Cell
    new: Cell
    origin: Origin
    at: int
    commit: str | None = None


@dataclass(frozen=True)
class Changes:
    """What differs between two versions of a table. columns: what happened to its columns and
    labels, in words."""

    edits: list[CellChange] = field(default_factory=list)
    inserted: list[int | str] = field(default_factory=list)
    deleted: list[int | str] = field(default_factory=list)
    columns: list[str] = field(default_factory=list)

    @property
    def rows(self) -> int:
        return len({e.key for e in self.edits}) + len(self.inserted) + len(self.deleted)

    def pairs(self, column: str) -> list[tuple[Cell, Cell, int]]:
        """(old, new, how often) of one column, most first."""
        found = [edit for edit in self.edits if edit.column == column]
        # By what they look like: lists of boxes cannot be counted themselves.
        counts = Counter(repr((edit.old, edit.new)) for edit in found)
        firsts = {repr((edit.old, edit.new)): edit for edit in reversed(found)}
        return [(firsts[p].old, firsts[p].new, count) for p, count in counts.most_common()]


def changes_of(delta: Delta | None, schema: Schema, commit: str | None = None) -> Changes:
    """Spells a delta out. Columns that `schema` does not have are left out."""
    if delta is None:
        return Changes()
    edits = [
        change
        for identity in delta.columns
        if (column := schema.by_id(identity)) is not None
        for change in cell_changes(delta, column, commit, (EDIT,))
    ]
    return Changes(edits, list(keys_of(delta, INSERT)), list(keys_of(delta, DELETE)))


def schema_changes(old: Schema | None, new: Schema | None) -> list[str]:
    """What happened to the columns of a table and their labels, in words; nothing where the table
    is new or gone, for that is told by its rows."""
    if old is None or new is None or not old.columns:
        return []
    now = {link.id: column for column in new.columns for link in column.chain}
    had = {column.id for column in old.columns}
    told = [f"column {c.name} dropped" for c in old.columns if c.id not in now]
    for column in new.columns:
        if had.isdisjoint(link.id for link in column.chain):
            told.append(f"column {column.name} added ({column.type})")
    for before in old.columns:
        if before.id in now:
            told += _column_changes(before, now[before.id])
    return told


def _column_changes(old: Column, new: Column) -> Iterator[str]:
    name = f"column {new.name}"
    if old.name != new.name:
        yield f"column {old.name} renamed to {new.name}"
    if old.type != new.type:
        yield f"{name}: {old.type} -> {new.type}"
    if old.merge != new.merge:
        yield f"{name}: merged by {old.merge} -> {new.merge}"
    named = dict(zip(old.identities, old.slots, strict=True))
    for identity, label in zip(new.identities, new.slots, strict=True):
        if identity in named and named[identity] != label:
            yield f"{name}: label {named[identity]} renamed to {label}"
    live = [{c.identities[slot] for slot in c.live} for c in (old, new)]
    called = dict(zip(new.identities, new.slots, strict=True)) | named
    for verb, identities in (("added", live[1] - live[0]), ("retired", live[0] - live[1])):
        if identities and old.type == new.type:
            yield f"{name}: labels {verb}: {', '.join(sorted(called[i] for i in identities))}"


def cell_changes(
    delta: Delta,
    column: Column,
    commit: str | None,
    ops: Sequence[int],
) -> Iterable[CellChange]:
    """The changes a delta makes to one column, in key order."""
    origin, at = delta.decided(column.id)
    names = ("key", "op", f"{column.id}.set", f"{column.id}.old", f"{column.id}.new")
    table = delta.table.select(names).append_column("who", origin).append_column("when", at)
    rows = table.filter(pa.compute.and_(table[2], pa.compute.is_in(table["op"], pa.array(ops))))
    cells = zip(
        _values(rows["key"]),
        _values(column.decode(rows[3])),
        _values(column.decode(rows[4])),
        rows["who"].to_numpy().tolist(),
        rows["when"].to_numpy().tolist(),
        strict=True,
    )
    for key, old, new, origin, at in cells:
        yield CellChange(key, column.name, old, new, delta.origins[origin], at, commit)


def _values(cells: pa.Array | pa.ChunkedArray) -> list[Any]:
    """Cells as Python values; those of the usual types in a fifth of the time that Arrow takes."""
    cells = one_chunk(cells)
    if pa.types.is_dictionary(cells.type):
        labels = [*cells.dictionary.to_pylist(), None]
        codes = cells.indices.fill_null(len(labels) - 1).to_numpy().tolist()
        return [labels[code] for code in codes]
    plain = pa.types.is_integer(cells.type) or pa.types.is_floating(cells.type)
    if pa.types.is_string(cells.type) or (plain and not cells.null_count):
        return list(cells.to_numpy(zero_copy_only=False).tolist())
    return list(cells.to_pylist())
