"""Cell deltas: what an edit changed, with the old value of every cell it changed.

In memory a delta is one Arrow table, sorted by key, one row for each touched key:

    key               the row
    op                int8: EDIT, INSERT or DELETE
    origin            int16: who, an index into `origins`
    at                int64: when, ms since 1970
    <column>.old      the cell before (null on insert), named by the column's identity
    <column>.new      the cell after (null on delete)
    <column>.set      bool: whether this row touches the column
    <column>.origin   who decided this cell and when; only there where the cells of some row were
    <column>.at       decided apart, for else the row says it

Because old values travel with new ones, undo, diff, blame and merge need deltas alone."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cache
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sw2.errors import Damaged
from sw2.table.cells import one_chunk, renumbered
from sw2.table.convert import CONVERTS
from sw2.table.pack import Packed, pack_columns, unpack
from sw2.table.schema import MALFORMED, Column, Schema
from sw2.values import Origin

EDIT, INSERT, DELETE = 0, 1, 2
# 2 since integers are packed by bits; all else is as in 1.
FORMAT = 2
FIXED = ("key", "op", "origin", "at")


@dataclass(frozen=True)
class Delta:
    """table: see the module.  origins: who the rows' `origin` numbers mean.

    parent: the delta before it in the chain, if any; set when it is committed."""

    table: pa.Table
    origins: tuple[Origin, ...]
    parent: str | None = None

    @property
    def rows(self) -> int:
        return self.table.num_rows

    @property
    def columns(self) -> list[str]:
        """Identities of the touched columns."""
        return [name[:-4] for name in self.table.column_names if name.endswith(".set")]

    def decided(self, column: str) -> tuple[Any, Any]:
        """Who (numbers into `origins`) and when, for each row's cell in `column`."""
        table = self.table
        apart = f"{column}.origin" in table.column_names
        prefix = f"{column}." if apart else ""
        return table[f"{prefix}origin"], table[f"{prefix}at"]

    def of(self, columns: Collection[str]) -> "Delta":
        """What it says of these columns (identities), and which rows it inserts and deletes. Rows
        of which it says nothing then may stay."""
        gone = [name for name in self.table.column_names if not _is_of(name, columns)]
        return replace(self, table=self.table.drop_columns(gone)) if gone else self

    def only(self, keys: Sequence[int | str]) -> "Delta | None":
        """What it does to these rows; None when that is nothing."""
        wanted = pa.array(keys, self.table["key"].type)
        table = self.table.filter(pc.is_in(self.table["key"], wanted))
        return replace(self, table=table, parent=None) if table.num_rows else None

    def inverse(self) -> "Delta":
        """The delta that takes this one back."""
        names = {c + ".old": c + ".new" for c in self.columns}
        names |= {new: old for old, new in names.items()}
        ops = np.array([EDIT, DELETE, INSERT], np.int8)[_numpy(self.table["op"])]
        table = self.table.rename_columns([names.get(n, n) for n in self.table.column_names])
        table = table.set_column(1, "op", pa.array(ops))
        return replace(self, table=table, parent=None)

    def under(self, schema: Schema) -> "Delta":
        """The delta as `schema` reads it: cells of what its columns were are converted to what they
        are. Itself where there are none. Take it before `inverse`: where a row touches a column
        both before and after it was retyped, what came after is the new cell."""
        retyped = tuple(column for column in schema.columns if column.was is not None)
        older = {link.id for column in retyped for link in column.chain[1:]}
        if older.isdisjoint(self.columns):
            return self
        # Kept: a large layer is read under one schema again and again.
        known: tuple[tuple[Column, ...], Delta] | None = self.__dict__.get("_under")
        if known is None or known[0] != retyped:
            known = (retyped, _retyped(self, retyped))
            self.__dict__["_under"] = known
        return known[1]

    def retyped(self, old: Column, new: Column) -> "Delta":
        """With column `old` as `new`, which is another in a schema that was merged. Without it
        where one type cannot become the other."""
        if old.id not in self.columns:
            return self
        if new.type in CONVERTS.get(old.type, ()):
            texts = new.was.slots if new.was and not new.was.has_labels else new.slots
            was = replace(old, was=None, slots=old.slots if old.has_labels else texts)
            return _retyped(self, (replace(new, was=was),))
        gone = [name for name in self.table.column_names if name.startswith(f"{old.id}.")]
        table = self.table.drop_columns(gone)
        return replace(self, table=drop_untouched(table, np.ones(self.rows, bool)))

    def remapped(self, columns: Mapping[str, str], numbers: Mapping[str, Any]) -> "Delta":
        """With other identities for columns (old -> new), and other slots for labels.

        numbers: new identity -> int32 (slots,), the slot that each becomes. Raises Damaged for a
        cell whose slot is not there."""
        table = self.table
        parts = [name.rpartition(".") for name in table.column_names]
        names = [f"{columns.get(c, c)}{dot}{what}" for c, dot, what in parts]
        table = table.rename_columns(names)
        for column in numbers.keys() & {name.rpartition(".")[0] for name in names}:
            for what in ("old", "new"):
                at = names.index(f"{column}.{what}")
                cells = renumbered(table[at], numbers[column])
                table = table.set_column(at, names[at], cells)
        return replace(self, table=table)

    def encode(self, spans: int = 1) -> bytes:
        return b"".join(self.parts(spans))

    def parts(self, spans: int = 1, packed: Packed | None = None) -> list[bytes]:
        """The columns packed (`table/pack.py`), in parts that compress best apart. spans: of how
        many deltas of a chain this says what they say; written where it is more than itself.
        packed: what `packed()` gave for the same table."""
        meta: dict[str, Any] = {"format": FORMAT, "origins": [asdict(o) for o in self.origins]}
        if self.parent:
            meta["parent"] = self.parent
        if spans > 1:
            # There are few times in a run, and they recur all over it: written as their numbers.
            times, numbers = np.unique(_numpy(self.table["at"]), return_inverse=True)
            meta |= {"spans": spans, "times": times.tolist()}
            table = self.table.set_column(FIXED.index("at"), "at", pa.array(numbers))
            return replace(self, table=table).packed().parts(meta)
        return (packed or self.packed()).parts(meta)

    def packed(self) -> Packed:
        """Left out: `.set` where all rows touch the column. Integer keys and times are written as
        differences."""
        columns: dict[str, Any] = {}
        for name in self.table.column_names:
            values = one_chunk(self.table[name])
            if name.endswith(".set") and pc.all(values).as_py():
                continue
            if name in ("key", "at") and pa.types.is_integer(values.type):
                values = pa.array(np.diff(_numpy(values), prepend=0))
            columns[name] = values
        return pack_columns(columns, dense=True)

    @staticmethod
    def parse(raw: bytes, only: Collection[str] | None = None) -> "Delta":
        """only: identities of the columns that are asked for; the others are left out. Raises
        Damaged when the bytes are not a delta that this version reads."""
        columns, meta = unpack(raw, None if only is None else (lambda name: _is_of(name, only)))
        try:
            origins = origins_of(meta)
            table = _table(columns)
            if "times" in meta:
                table = _numbered(table, meta["times"])
            delta = Delta(table, origins, meta.get("parent"))
            if what := _fault(delta):
                raise Damaged(f"these bytes are not a delta: {what}")
            return delta
        except MALFORMED as error:
            raise Damaged(f"these bytes are not a delta: {error}") from error


def origins_of(meta: Mapping[str, Any]) -> tuple[Origin, ...]:
    """Of what a delta says beside its columns. Raises Damaged for one of a format to come."""
    if meta["format"] not in (1, FORMAT):
        raise Damaged(f"delta of format {meta['format']}; this sw2 reads 1 and {FORMAT}")
    return tuple(Origin(**origin) for origin in meta["origins"])


def make_delta(keys: pa.Array, ops: Any, cells: dict[str, Any], origin: Origin, at: int) -> Delta:
    """A delta from parallel arrays, in any order of keys. Edits that set no cell are left out.

    ops: int8 for each key.  cells: column identity -> (old, new, set)."""
    count = len(keys)
    fields: dict[str, Any] = {
        "key": keys,
        "op": pa.array(ops, pa.int8()),
        "origin": pa.array(np.zeros(count, np.int16)),
        "at": pa.array(np.full(count, at, np.int64)),
    }
    for name, (old, new, touched) in cells.items():
        fields |= {f"{name}.old": old, f"{name}.new": new, f"{name}.set": touched}
    table = drop_untouched(pa.table(fields), np.ones(count, bool))
    if not pc.all(pc.less_equal(table["key"][:-1], table["key"][1:]), min_count=0).as_py():
        table = table.take(pc.sort_indices(table["key"]))
    return Delta(table, (origin,))


def compose(deltas: Sequence[Delta]) -> Delta | None:
    """One delta that does what `deltas` do one after the other, oldest first.

    The oldest old and the newest new value of each cell are kept, with who decided it. A cell that
    ends as it began is no longer touched, and a row inserted and deleted again is not there. None
    when nothing is left. One delta alone is taken as it is."""
    deltas = [d for d in deltas if d.rows]
    if len(deltas) < 2:
        return replace(deltas[0], parent=None) if deltas else None
    table, origins = _concatenate(deltas)
    order = _Order(table)
    fields: dict[str, Any] = {n: _picked(one_chunk(table[n]), order.last) for n in FIXED}
    fields["op"] = pa.array(order.ops)
    for column in [name[:-4] for name in table.column_names if name.endswith(".set")]:
        fields |= _compose_column(table, order, column)
    composed = drop_untouched(pa.table(fields), order.keep)
    composed = _drop_agreeing(composed)
    return Delta(composed, origins) if composed.num_rows else None


def overlay(deltas: Sequence[Delta], columns: Collection[str]) -> pa.Table | None:
    """What `deltas`, oldest first, leave in `columns` (identities), whatever was there: `key`, `op`
    and for each column that is touched `.new` and `.set`, as in a delta. None when nothing is left.

    For reading it is all that is needed of `compose`, in a third of the time."""
    tables = []
    for delta in [delta for delta in deltas if delta.rows]:
        touched = [c for c in columns if f"{c}.set" in delta.table.column_names]
        named = [f"{c}.{what}" for c in touched for what in ("new", "set")]
        tables.append(delta.table.select(["key", "op", *named]))
    if len(tables) < 2:
        return tables[0] if tables else None
    table = pa.concat_tables(tables, promote_options="permissive")
    order = _Order(table)
    fields: dict[str, Any] = {"key": table["key"].take(order.last), "op": pa.array(order.ops)}
    for name in [name for name in table.column_names if name.endswith(".set")]:
        touching = np.flatnonzero(_numpy(pc.fill_null(table[name], _false())))
        last = order.pick(touching, first=False)
        new = f"{name[:-4]}.new"
        fields |= {new: one_chunk(table[new]).take(_indices(last)), name: pa.array(last >= 0)}
    made = pa.table(fields)
    return made if order.keep.all() else made.filter(pa.array(order.keep))


def _retyped(delta: Delta, columns: Sequence[Column]) -> Delta:
    table = delta.table
    for column in columns:
        links = [link.id for link in column.chain[::-1] if link.id in delta.columns]
        if links not in ([], [column.id]):
            fields = _joined(delta, column, links)
            own = tuple(f"{link}." for link in links)
            table = table.drop_columns([n for n in table.column_names if n.startswith(own)])
            for name, values in fields.items():
                table = table.append_column(name, values)
    table = drop_untouched(table, np.ones(table.num_rows, bool))
    return replace(delta, table=_drop_agreeing(table))


def _joined(delta: Delta, column: Column, links: Sequence[str]) -> dict[str, Any]:
    """The fields of `column` from those of what it was: the oldest old and the newest new cell.
    links: its identities in the delta, oldest first."""
    table = delta.table
    count = table.num_rows
    first, last = np.full(count, -1), np.full(count, -1)
    cells: dict[str, list[Any]] = {"old": [], "new": [], "origin": [], "at": []}
    for place, link in enumerate(links):
        touched = _numpy(table[f"{link}.set"])
        first = np.where(touched & (first < 0), place, first)
        last = np.where(touched, place, last)
        for what, values in zip(
            cells,
            (
                column.taken(link, table[f"{link}.old"]),
                column.taken(link, table[f"{link}.new"]),
                *delta.decided(link),
            ),
            strict=True,
        ):
            cells[what].append(one_chunk(values))
    rows = np.arange(count)
    places = {"old": first, "new": last, "origin": np.maximum(last, 0), "at": np.maximum(last, 0)}
    fields: dict[str, Any] = {
        f"{column.id}.{what}": pa.concat_arrays(cells[what]).take(
            _indices(np.where(place < 0, -1, place * count + rows))
        )
        for what, place in places.items()
    }
    changed = ~same(fields[f"{column.id}.old"], fields[f"{column.id}.new"])
    fields[f"{column.id}.set"] = pa.array((last >= 0) & ((_numpy(table["op"]) != EDIT) | changed))
    return fields


class _Order:
    """For each distinct key, in order: its first and last row in the concatenation, and the joint
    op."""

    def __init__(self, table: pa.Table) -> None:
        numbers = _numbers(table["key"])
        # Stable, and by merging: each delta is in order already.
        order = np.argsort(numbers, kind="stable")
        held = numbers[order]
        begins = np.concatenate([[0], np.flatnonzero(held[1:] != held[:-1]) + 1])
        ends = np.append(begins[1:], len(held))
        self.count = len(begins)
        self.codes = np.empty(len(held), np.int64)
        self.codes[order] = np.repeat(np.arange(self.count), ends - begins)
        self.first, self.last = order[begins], order[ends - 1]
        ops = _numpy(table["op"])
        was, becomes = ops[self.first], ops[self.last]
        # A row that did not exist before is inserted; one that does not exist after is deleted.
        self.ops = np.where(becomes == DELETE, DELETE, np.where(was == INSERT, INSERT, EDIT))
        self.ops = self.ops.astype(np.int8)
        self.keep = ~((was == INSERT) & (becomes == DELETE))

    def pick(self, rows: Any, *, first: bool) -> Any:
        """For each key the first or last of `rows` (ascending); -1 where there is none."""
        rows = rows[::-1] if first else rows
        chosen = np.full(self.count, -1, np.int64)
        chosen[self.codes[rows]] = rows
        return chosen


def _numbers(keys: pa.ChunkedArray) -> Any:
    """Numbers that are ordered as keys are. int64 (N,)."""
    if pa.types.is_integer(keys.type):
        return _numpy(keys)
    encoded = keys.combine_chunks().dictionary_encode()
    ranks = np.empty(len(encoded.dictionary), np.int64)
    ranks[_numpy(pc.sort_indices(encoded.dictionary))] = np.arange(len(ranks))
    return ranks[_numpy(encoded.indices)]


def _compose_column(table: pa.Table, order: _Order, column: str) -> dict[str, Any]:
    touching = np.flatnonzero(_numpy(table[f"{column}.set"]))
    first, last = order.pick(touching, first=True), order.pick(touching, first=False)
    old = _picked(one_chunk(table[f"{column}.old"]), first)
    new = _picked(one_chunk(table[f"{column}.new"]), last)
    touched = (last >= 0) & ((order.ops != EDIT) | ~same(old, new))
    fields = {f"{column}.old": old, f"{column}.new": new, f"{column}.set": pa.array(touched)}
    if order.count < table.num_rows or f"{column}.origin" in table.column_names:
        # A row's last edit may not be the last of this cell.
        rows = np.where(last >= 0, last, order.last)
        for what in ("origin", "at"):
            own = f"{column}.{what}"
            said = table[own if own in table.column_names else what]
            fields[own] = pa.array(_numpy(one_chunk(said))[rows])
    return fields


def drop_untouched(table: pa.Table, keep: Any) -> pa.Table:
    """Without rows and columns that nothing touches any more."""
    columns = [name[:-4] for name in table.column_names if name.endswith(".set")]
    touched = _numpy(table["op"]) != EDIT
    for column in columns:
        touched = touched | _numpy(table[f"{column}.set"])
    if not (keep & touched).all():
        table = table.filter(pa.array(keep & touched))
    for column in columns:
        if not pc.any(table[f"{column}.set"]).as_py():
            table = table.drop_columns(
                [name for name in table.column_names if name.startswith(f"{column}.")]
            )
    return table


def _drop_agreeing(table: pa.Table) -> pa.Table:
    """Without `.origin` and `.at` of columns whose cells were all decided as their rows say."""
    for own in [name for name in table.column_names if name.endswith(".origin")]:
        column = own.removesuffix(".origin")
        touched = _numpy(table[f"{column}.set"])
        apart = [
            _numpy(table[f"{column}.{what}"]) != _numpy(table[what]) for what in ("origin", "at")
        ]
        if not (touched & (apart[0] | apart[1])).any():
            table = table.drop_columns([own, f"{column}.at"])
    return table


def _concatenate(deltas: Sequence[Delta]) -> tuple[pa.Table, tuple[Origin, ...]]:
    origins = list(dict.fromkeys(origin for delta in deltas for origin in delta.origins))
    tables = []
    for delta in deltas:
        numbers = np.array([origins.index(o) for o in delta.origins], np.int16)
        table = delta.table
        for at, name in enumerate(table.column_names):
            if name.rpartition(".")[2] == "origin":
                table = table.set_column(at, name, pa.array(numbers[_numpy(table[name])]))
        tables.append(table)
    table = pa.concat_tables(tables, promote_options="permissive")
    for at, name in enumerate(table.column_names):
        column, _, what = name.rpartition(".")
        if column and what in ("set", "origin", "at") and table[name].null_count:
            unsaid = _false() if what == "set" else table[what]
            table = table.set_column(at, name, pc.coalesce(table[name], unsaid))
    return table, tuple(origins)


def same(old: pa.Array, new: pa.Array) -> Any:
    """Cell by cell, whether two arrays hold the same, bool (N,). Null is null, and NaN is NaN."""
    if pa.types.is_list(old.type):
        return _same_lists(old, new)
    if _is_plain(old) and _is_plain(new):
        had, have = old.to_numpy(), new.to_numpy()
        return (had == have) | ((had != had) & (have != have))  # NaN alone is not itself
    both_null = pc.and_(pc.is_null(old), pc.is_null(new))
    if pa.types.is_struct(old.type):
        parts = [same(a, b) for a, b in zip(old.flatten(), new.flatten(), strict=True)]
        neither = _numpy(pc.and_(pc.is_valid(old), pc.is_valid(new)))
        return _numpy(both_null) | np.logical_and.reduce([neither, *parts])
    if pa.types.is_floating(old.type):
        both_nan = pc.fill_null(pc.and_(pc.is_nan(old), pc.is_nan(new)), _false())
        both_null = pc.or_(both_null, both_nan)
    return _numpy(pc.or_(both_null, pc.fill_null(pc.equal(old, new), _false())))


def _is_plain(cells: pa.Array) -> bool:
    """Whether numpy has the cells as they are: in a third of Arrow's time where they are few."""
    kind = cells.type
    return bool(not cells.null_count and pa.types.is_primitive(kind) and kind != pa.bool_())


def _same_lists(old: pa.Array, new: pa.Array) -> Any:
    """Lists of one length are compared item by item, those of all cells together."""
    had, have = (_numpy(pc.fill_null(pc.list_value_length(cells), -1)) for cells in (old, new))
    alike = had == have
    looked_at = alike & (had > 0)
    picked = pa.array(looked_at)
    items = same(old.filter(picked).flatten(), new.filter(picked).flatten())
    ends = np.cumsum(had[looked_at])
    wrong = np.concatenate([[0], np.cumsum(~items)])
    alike[looked_at] = wrong[ends] == wrong[ends - had[looked_at]]
    return alike


def _is_of(field: str, columns: Collection[str]) -> bool:
    """Whether a field of a delta is of one of `columns`, or of its rows."""
    column = field.rpartition(".")[0]
    return not column or column in columns


def _table(columns: dict[str, Any]) -> pa.Table:
    """The table of a delta from its unpacked columns. KeyError when one is missing."""
    fields: dict[str, Any] = {name: columns.pop(name) for name in FIXED}
    for name in ("key", "at"):
        if pa.types.is_integer(fields[name].type):
            fields[name] = pa.array(np.cumsum(_numpy(fields[name])))
    all_set = pa.array(np.ones(len(fields["key"]), bool))
    for column in dict.fromkeys(name.rpartition(".")[0] for name in columns):
        fields[f"{column}.old"] = columns[f"{column}.old"]
        fields[f"{column}.new"] = columns[f"{column}.new"]
        fields[f"{column}.set"] = columns.get(f"{column}.set", all_set)
        for own in (f"{column}.origin", f"{column}.at"):
            if f"{column}.origin" in columns:
                fields[own] = columns[own]
    return pa.table(fields)


def _numbered(table: pa.Table, times: list[int]) -> pa.Table:
    """With the times of a run where their numbers are. ValueError for a number without a time."""
    if not _within(table["at"], len(times)):
        raise ValueError("an unknown time")
    at = np.array(times, np.int64)[_numpy(table["at"])]
    return table.set_column(FIXED.index("at"), "at", pa.array(at))


def _fault(delta: Delta) -> str:
    """What keeps a parsed delta from being one, or ""."""
    table, keys = delta.table, delta.table["key"]
    if delta.parent is not None and not isinstance(delta.parent, str):
        return "its parent is not a name"
    kinds = {"op": pa.int8(), "origin": pa.int16(), "at": pa.int64(), "set": pa.bool_()}
    types = {n: k for n in table.column_names if (k := kinds.get(n.rpartition(".")[2]))}
    if keys.type not in (pa.int64(), pa.string()) or keys.null_count:
        return "a row without a key"
    if any(table[name].type != kind or table[name].null_count for name, kind in types.items()):
        return "a column of the wrong type"
    if any(table[f"{c}.old"].type != table[f"{c}.new"].type for c in delta.columns):
        return "old cells of another type than new ones"
    if not pc.all(pc.less(keys[:-1], keys[1:]), min_count=0).as_py():
        return "its keys are not in order"
    if not _within(table["op"], DELETE + 1):
        return "an unknown operation"
    for name, kind in types.items():
        if kind == pa.int16() and not _within(table[name], len(delta.origins)):
            return "an unknown origin"
    return ""


def _within(numbers: pa.ChunkedArray, count: int) -> bool:
    """Whether all are in [0, count)."""
    values = _numpy(numbers)
    return not len(values) or bool(0 <= values.min() <= values.max() < count)


@cache
def _false() -> pa.Scalar:
    """Kept: each time a Python value becomes a scalar, Arrow looks for dateutil, which takes 0.2 ms
    where it is not installed. Made when first used, for Arrow loads pandas then, where that is."""
    return pa.scalar(False)


def _indices(rows: Any) -> pa.Array:
    """Row numbers for `take`, -1 as null."""
    return pa.array(rows, mask=rows < 0)


def _picked(cells: pa.Array, rows: Any) -> pa.Array:
    """Cells by their rows, null for -1."""
    if _is_plain(cells):
        none = rows < 0
        return pa.array(cells.to_numpy()[rows], cells.type, mask=none if none.any() else None)
    return cells.take(_indices(rows))


def _numpy(values: pa.Array | pa.ChunkedArray) -> Any:
    """Cells without nulls as numpy; booleans as bool."""
    if isinstance(values, pa.Array):
        return values.to_numpy(zero_copy_only=False)
    return values.to_numpy()
