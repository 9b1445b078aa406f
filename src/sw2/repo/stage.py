"""The stage: edits that are on disk and not yet committed, each undoable."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sw2.errors import Damaged, InvalidInput, NotFound
from sw2.repo.changes import Edit
from sw2.repo.state import Action
from sw2.store import ObjectWriter, name_of
from sw2.table import (
    DELETE,
    EDIT,
    INSERT,
    Base,
    Delta,
    Schema,
    Snapshot,
    TableReader,
    TableVersion,
    compose,
    make_delta,
    one_chunk,
    same,
)
from sw2.values import Origin

# Larger deltas go into the store, so that the database stays small.
INLINE_BYTES = 1 << 16
# Rows before and after the place of a missing one that are looked at for what was meant.
NEAR = 200
# What Arrow raises for Python values that make no column: of several types, too large, no text.
NOT_CELLS = (pa.ArrowException, TypeError, ValueError, OverflowError)


def delta_of(snapshot: Snapshot, edits: Sequence[Edit], origin: Origin, at: int) -> Delta | None:
    """The delta that carries the edits out; None when every cell holds its value already.

    Raises NotFound for a row or column that is not there, InvalidInput for a cell that does not
    fit its column."""
    schema = snapshot.schema
    places = {key: place for place, key in enumerate(dict.fromkeys(e.key for e in edits))}
    keys = _keys(schema, list(places))
    wishes: dict[str, dict[int, Any]] = {}
    for edit in edits:
        wishes.setdefault(edit.column, {})[places[edit.key]] = edit.value
    if schema.key in wishes:
        raise InvalidInput(
            f"`{schema.key}` names the row and cannot be edited",
            hint="Insert the row under its new name",
        )
    held = _held(snapshot, keys, list(wishes))
    cells = {}
    for name, wished in wishes.items():
        column = schema.column(name)
        rows, values = np.array(list(wished), np.int64), list(wished.values())
        given = column.encode(values if column.takes_objects else _array(values, name))
        old, new = one_chunk(held[column.id]), one_chunk(given)
        order = np.arange(len(keys))
        if not np.array_equal(rows, order):
            order[rows] = len(keys) + np.arange(len(rows))
            new = pa.concat_arrays([old, new]).take(pa.array(order))
        cells[column.id] = (old, new, pa.array(~same(old, new)))
    ops = np.full(len(keys), EDIT, np.int8)
    return compose([make_delta(keys, ops, cells, origin, at)])


def deletion_of(
    snapshot: Snapshot, keys: Sequence[int | str], origin: Origin, at: int
) -> Delta | None:
    """The delta that deletes rows; None without keys. Raises NotFound for one that is not there."""
    if not keys:
        return None
    schema = snapshot.schema
    gone = _keys(schema, list(dict.fromkeys(keys)))
    columns = [column for column in schema.columns if column.name != schema.key]
    held = _held(snapshot, gone, [column.name for column in columns])
    nothing = {c.id: pa.nulls(len(gone), c.stored) for c in columns}
    touched = pa.array(np.ones(len(gone), bool))
    cells = {c.id: (one_chunk(held[c.id]), nothing[c.id], touched) for c in columns}
    return make_delta(gone, np.full(len(gone), DELETE, np.int8), cells, origin, at)


def _held(snapshot: Snapshot, keys: pa.Array, names: list[str]) -> pa.Table:
    """The cells of rows, as stored. Raises NotFound for a row that is not there."""
    found, held = snapshot.lookup(keys, names)
    if not found.all():
        missing = keys[int(np.flatnonzero(~found)[0])].as_py()
        near = _nearest(snapshot, missing)
        table, key = snapshot.schema.table, snapshot.schema.key
        raise NotFound(
            f"there is no row `{missing}` in table `{table}`",
            hint=(f"Did you mean `{near}`? " if near is not None else "")
            + f"Rows are named by their `{key}`",
        )
    return held


def _nearest(snapshot: Snapshot, key: int | str) -> str | None:
    """The key most like a missing one, among those that sort close to it: to compare it with a
    million takes 30 s."""
    if not isinstance(key, str):
        return None
    keys = snapshot.read([snapshot.schema.key])[0]
    place = pc.sum(pc.less(keys, key), min_count=0).as_py()
    around = keys.slice(max(0, place - NEAR), 2 * NEAR).to_pylist()
    return next(iter(get_close_matches(key, around, 1)), None)


def staged_delta(action: Action, reader: TableReader) -> Delta | None:
    """What an action does to cells. Raises Damaged when it is not what was staged."""
    raw = action.delta
    if raw is None and action.object is not None:
        raw = reader.store.get(action.object)
    elif raw is not None and action.object not in (None, name_of(raw)):
        raise Damaged(
            f"the staged edit `{action.label}` is not what was saved",
            hint="Run `sw2 undo` until it is gone, or restore `.sw2/state.sqlite` from a backup",
        )
    return None if raw is None else reader.parse(raw)


def _keys(schema: Schema, keys: list[Any]) -> pa.Array:
    """Keys as an array. Nothing is converted: 1.5 would become row 1, and 7 row `7`."""
    if None in keys:
        raise InvalidInput(f"an edit has no `{schema.key}`", hint="Say which row it is for")
    wanted = schema.key_column.type
    try:
        if odd := [key for key in keys if type(key) is not {"int": int, "string": str}[wanted]]:
            raise TypeError(f"{odd[0]!r}")
        return pa.array(keys, schema.key_column.stored)
    except NOT_CELLS as error:
        raise InvalidInput(
            f"rows of table `{schema.table}` are named by {wanted}s, not {error}",
            hint=f"Give the `{schema.key}` of each row",
        ) from error


def _array(values: list[Any], name: str) -> pa.Array:
    try:
        return pa.array(values)
    except NOT_CELLS as error:
        raise InvalidInput(
            f"column `{name}`: {error}", hint="Give cells that are all of the column's type"
        ) from error


def counts_of(delta: Delta | None) -> tuple[int, int, int]:
    """Rows that a delta edits, inserts and deletes."""
    if delta is None:
        return 0, 0, 0
    counts = np.bincount(delta.table["op"].to_numpy(), minlength=3)
    return int(counts[EDIT]), int(counts[INSERT]), int(counts[DELETE])


@dataclass(frozen=True)
class Staged:
    """All that is staged for one table, against the last commit.

    version: what is committed.  base: a staged first import, with its object `base_name`."""

    table: str
    version: TableVersion | None
    schema: Schema
    schema_name: str | None
    base: Base | None
    base_name: str | None
    delta: Delta | None

    @property
    def touched(self) -> bool:
        return bool(self.delta or self.base_name or self.schema_name)

    @property
    def counts(self) -> tuple[int, int, int]:
        """Rows edited, inserted, deleted."""
        inserted = self.base.rows if self.base else 0
        edited, more, deleted = counts_of(self.delta)
        return edited, inserted + more, deleted

    @property
    def rows(self) -> int:
        """Of the table as it stands."""
        _, inserted, deleted = self.counts
        return (self.version.rows if self.version else 0) + inserted - deleted

    def write(self, writer: ObjectWriter, reader: TableReader) -> TableVersion:
        """Writes the delta; returns what the new commit says of the table."""
        old = self.version
        base = self.base_name or (old.base if old else None)
        tail = None if self.base_name or not old else old.tail
        if self.delta is not None:
            tail = writer.put(*reader.encode(replace(self.delta, parent=tail)))
        return TableVersion(
            schema=self.schema_name or (old.schema if old else writer.put(self.schema.encode())),
            base=base,
            tail=tail,
            rows=self.rows,
        )


def nothing_staged(table: str, version: TableVersion | None, schema: Schema | None) -> Staged:
    """schema: that of the version."""
    return Staged(table, version, schema or Schema(table, "", ()), None, None, None, None)


def extended(before: Staged, actions: Sequence[Action], reader: TableReader) -> Staged:
    """What is staged after some more actions, those of other tables left out."""
    actions = [action for action in actions if action.table == before.table]
    if not actions:
        return before
    schema_name = next((a.schema for a in reversed(actions) if a.schema), None)
    base_name = next((a.base for a in reversed(actions) if a.base), None)
    deltas = [delta for a in actions if (delta := staged_delta(a, reader)) is not None]
    return Staged(
        before.table,
        before.version,
        Schema.parse(reader.store.get(schema_name)) if schema_name else before.schema,
        schema_name or before.schema_name,
        reader.base(base_name) if base_name else before.base,
        base_name or before.base_name,
        compose([before.delta, *deltas] if before.delta else deltas),
    )
