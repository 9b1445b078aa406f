"""Merging of tables: three-way for each (row, column), from what both sides changed since a base.

The same new value on both sides is no conflict; different columns of one row join; sets of tags,
boxes and spans merge element by element; a column may name a rule; a row deleted on one side and
edited on the other is a conflict. Nothing here reads a segment."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import pyarrow as pa

from sw2.table.applied import find
from sw2.table.cells import one_chunk
from sw2.table.delta import DELETE, EDIT, INSERT, Delta, compose, drop_untouched, same
from sw2.table.schema import Column, Schema
from sw2.values import Origin

Kind = Literal["edit/edit", "delete/edit", "edit/delete"]
# Types whose cells are sets of elements. Of tags an element is a label's number.
SETS = ("tags", "boxes", "polygons", "masks", "keypoints", "spans", "regions")


@dataclass(frozen=True, slots=True)
class CellConflict:
    """A cell, or a whole row (column None), that both sides changed and nothing decides.

    base, ours, theirs: cells as stored; of a row the cells by column identity, None where the row
    is not there.  by, at: who decided on either side, and when (ms since 1970)."""

    key: int | str
    column: str | None
    kind: Kind
    base: Any
    ours: Any
    theirs: Any
    ours_by: Origin
    ours_at: int
    theirs_by: Origin
    theirs_at: int


@dataclass(frozen=True, slots=True)
class Merged:
    """delta: from ours to the merged table.  joined: rows that both sides changed and of which
    both changes are kept.  conflicts: cells that stay as ours has them."""

    delta: Delta | None
    joined: int
    conflicts: list[CellConflict]


# Which side a rule takes: given a contested cell and its column, or a row that one side deleted and
# None; None where it cannot tell.
Decide = Callable[[Column | None, CellConflict], Literal["ours", "theirs"] | None]


def ask(column: Column | None, conflict: CellConflict) -> None:
    """The rule that leaves every contested cell to people."""


def merge_deltas(
    schema: Schema,
    ours: Delta | None,
    theirs: Delta | None,
    decide: Decide = ask,
    undecided: Literal["ours", "base"] = "ours",
) -> Merged:
    """What both sides made of one base, as one. Both deltas go from the base to a side, and are
    under the merged schema. undecided: whose cells stay where there is a conflict; `base` is for
    bases that are themselves merged, where a value of neither side leaves the question open."""
    if theirs is None:
        return Merged(None, 0, [])
    theirs = _known(theirs, schema)
    if ours is None:
        return Merged(compose([theirs]), 0, [])
    return _Merge(schema, _known(ours, schema), theirs, decide, undecided).merged()


def _known(delta: Delta, schema: Schema) -> Delta:
    """Without columns that the merged schema has dropped."""
    gone = [c for c in delta.columns if schema.by_id(c) is None]
    names = [n for n in delta.table.column_names if n.rpartition(".")[0] in gone]
    return replace(delta, table=delta.table.drop_columns(names)) if names else delta


class _Merge:
    """theirs' delta, changed until it can stand on ours. o, t: rows of ours and of theirs for each
    key that both touch."""

    def __init__(
        self, schema: Schema, ours: Delta, theirs: Delta, decide: Decide, undecided: str
    ) -> None:
        self.schema, self.ours, self.theirs = schema, ours, theirs
        self.decide, self.undecided = decide, undecided
        at = find(one_chunk(ours.table["key"]), one_chunk(theirs.table["key"]))
        self.t = np.flatnonzero(at >= 0)
        self.o = at[self.t]
        self.ops = theirs.table["op"].to_numpy().copy()
        self.our_ops = ours.table["op"].to_numpy()[self.o]
        self.their_ops = self.ops[self.t].copy()
        self.fields = {name: theirs.table[name] for name in theirs.table.column_names}
        self.conflicts: list[CellConflict] = []
        self.extra: list[Delta] = []

    def merged(self) -> Merged:
        ours_gone, theirs_gone = self.our_ops == DELETE, self.their_ops == DELETE
        both_there = np.flatnonzero(~ours_gone & ~theirs_gone)
        drop = np.ones(len(self.t), bool)
        taken = np.zeros(len(self.t), bool)
        for column in self.theirs.columns:
            taken[both_there] |= self._column(column, both_there)
        kept_of_ours = self._ours_elsewhere()
        drop[both_there[taken[both_there]]] = False
        for place in np.flatnonzero(ours_gone != theirs_gone):
            self._row(int(place))
        self.ops[self.t] = np.where(drop, self.ops[self.t], EDIT)
        keep = np.ones(len(self.ops), bool)
        keep[self.t[drop]] = False
        self.fields["op"] = pa.array(self.ops)
        table = drop_untouched(pa.table(self.fields), keep)
        delta = compose([Delta(table, self.theirs.origins), *self.extra])
        return Merged(delta, int((taken & kept_of_ours).sum()), self.conflicts)

    def _ours_elsewhere(self) -> Any:
        """Of rows that both touch: whether ours changed a cell that theirs did not. bool (N,)."""
        found = np.zeros(len(self.t), bool)
        for column in self.ours.columns:
            mine = self.ours.table[f"{column}.set"].to_numpy()[self.o]
            if column in self.theirs.columns:
                mine = mine & ~self.theirs.table[f"{column}.set"].to_numpy()[self.t]
            found |= mine
        return found

    def _column(self, column: str, places: Any) -> Any:
        """Merges one column of the rows that both touch and have; returns where theirs, or what
        was made of both, is taken. bool (N,)."""
        there = self.theirs.table[f"{column}.set"].to_numpy().copy()
        set_theirs = there[self.t[places]]
        if column in self.ours.columns:
            set_ours = self.ours.table[f"{column}.set"].to_numpy()[self.o[places]]
        else:
            set_ours = np.zeros(len(places), bool)
        take = set_theirs & ~set_ours
        both = np.flatnonzero(set_theirs & set_ours)
        if len(both):
            take[both] = self._contested(column, places[both])
        there[self.t[places]] = take
        self.fields[f"{column}.set"] = pa.array(there)
        return take

    def _contested(self, column: str, places: Any) -> Any:
        """Cells that both sides set. Returns where the result is not what ours says. bool (N,)."""
        t, o = self.t[places], self.o[places]
        new_t = one_chunk(self.theirs.table[f"{column}.new"]).take(pa.array(t))
        new_o = one_chunk(self.ours.table[f"{column}.new"]).take(pa.array(o))
        changed = ~same(new_o, new_t)
        if not changed.any():
            return changed
        held = self.schema.by_id(column)
        assert held is not None  # others were left out
        told = np.flatnonzero(changed)
        conflicts = self._describe(column, places[told])
        values, where = new_t.to_pylist(), []
        for place, conflict in zip(told, conflicts, strict=True):
            taken, value = self._settle(held, conflict)
            changed[place] = taken
            if taken:
                where.append(place)
                values[place] = value
        new = pa.array(values, new_t.type)
        self._put(f"{column}.old", t[where], new_o.take(pa.array(where, pa.int64())))
        self._put(f"{column}.new", t[where], new.take(pa.array(where, pa.int64())))
        return changed

    def _settle(self, column: Column, conflict: CellConflict) -> tuple[bool, Any]:
        """(whether the cell changes from what ours says, what it becomes)."""
        if column.type in SETS:
            merged, contested = merge_elements(conflict.base, conflict.ours, conflict.theirs)
            if not contested:
                return merged != conflict.ours, merged
        side = self.decide(column, conflict)
        if side is not None:
            return side == "theirs", conflict.theirs
        self.conflicts.append(conflict)
        return self.undecided == "base", conflict.base

    def _row(self, place: int) -> None:
        """A row that one side deleted and the other changed."""
        ours_gone = self.our_ops[place] == DELETE
        conflict = self._describe(None, np.array([place]))[0]
        # A deletion holds the whole row; the other side only what it changed.
        before = _cells(self.theirs, None, self.t[[place]])[0][0]
        if ours_gone:
            kept = {**conflict.base, **conflict.theirs}
            conflict = replace(conflict, kind="delete/edit", theirs=kept)
        else:
            kept = {**before, **conflict.ours}
            conflict = replace(conflict, kind="edit/delete", base=before, ours=kept)
        mine = self.ours.table.slice(int(self.o[place]), 1)
        back = replace(self.ours, table=mine, parent=None).inverse()
        side = self.decide(None, conflict)
        if side == "theirs":
            row = self.theirs.table.slice(int(self.t[place]), 1)
            self.extra += [back, replace(self.theirs, table=row, parent=None)]
        elif side is None:
            self.conflicts.append(conflict)
            if self.undecided == "base":
                self.extra.append(back)

    def _describe(self, column: str | None, places: Any) -> list[CellConflict]:
        keys = self.theirs.table["key"].take(pa.array(self.t[places])).to_pylist()
        sides = [
            _cells(self.ours, column, self.o[places]),
            _cells(self.theirs, column, self.t[places]),
        ]
        return [
            CellConflict(key, column, "edit/edit", o[0], o[1], t[1], o[2], o[3], t[2], t[3])
            for key, o, t in zip(keys, *sides, strict=True)
        ]

    def _put(self, name: str, rows: Any, values: pa.Array) -> None:
        """Replaces cells of one field of theirs."""
        if len(rows):
            held = one_chunk(self.fields[name])
            order = np.arange(len(held))
            order[rows] = len(held) + np.arange(len(rows))
            self.fields[name] = pa.concat_arrays([held, values]).take(pa.array(order))


def _cells(delta: Delta, column: str | None, rows: Any) -> list[tuple[Any, Any, Origin, int]]:
    """(old, new, who, when) of some rows of a delta; of a whole row (None): its cells by identity,
    None where the row is not there."""
    at = pa.array(rows)
    if column is not None:
        who, when = (values.take(at).to_pylist() for values in delta.decided(column))
        old, new = (delta.table[f"{column}.{x}"].take(at).to_pylist() for x in ("old", "new"))
    else:
        table = delta.table.take(at)
        who, when, ops = (table[name].to_pylist() for name in ("origin", "at", "op"))
        told = {x: _row_cells(table, delta.columns, x) for x in ("old", "new")}
        old = [None if op == INSERT else row for op, row in zip(ops, told["old"], strict=True)]
        new = [None if op == DELETE else row for op, row in zip(ops, told["new"], strict=True)]
    return [(a, b, delta.origins[w], x) for a, b, w, x in zip(old, new, who, when, strict=True)]


def _row_cells(table: pa.Table, columns: Sequence[str], which: str) -> list[dict[str, Any]]:
    cells = {c: table[f"{c}.{which}"].to_pylist() for c in columns}
    sets = {c: table[f"{c}.set"].to_pylist() for c in columns}
    return [{c: cells[c][n] for c in columns if sets[c][n]} for n in range(table.num_rows)]


def merge_elements(base: Any, ours: Any, theirs: Any) -> tuple[Any, bool]:
    """Set-like cells, element by element: (merged, whether an element is contested).

    Elements are numbers, or dicts with an `id`; a contested element stays as ours has it. Where
    both sides changed other fields of one element, both changes are kept. None is an empty set,
    and stays None where nothing is in the result."""
    sides = [{_identity(e): e for e in cell or ()} for cell in (base, ours, theirs)]
    merged, contested = [], False
    for identity in dict.fromkeys([*sides[1], *sides[2]]):
        old, mine, other = (side.get(identity) for side in sides)
        if mine == other or other == old:
            kept = mine
        elif mine == old:
            kept = other
        else:
            kept, clash = _merge_element(old, mine, other)
            contested |= clash
        if kept is not None:
            merged.append(kept)
    if all(isinstance(element, int) for element in merged):
        merged.sort()
    return (merged if merged or ours is not None or theirs is not None else None), contested


def _identity(element: Any) -> Any:
    return element["id"] if isinstance(element, dict) else element


def _merge_element(old: Any, mine: Any, other: Any) -> tuple[Any, bool]:
    """One element that both sides changed. Where it lies and what it is are decided apart."""
    if old is None or mine is None or other is None:
        return mine, True
    kept, clash = dict(mine), False
    place = [name for name in mine if name not in ("id", "label")]
    for fields in (["label"], place):
        was, ours, theirs = ([side.get(f) for f in fields] for side in (old, mine, other))
        if ours == was:
            kept |= {f: other.get(f) for f in fields}
        elif theirs not in (was, ours):
            clash = True
    return kept, clash
