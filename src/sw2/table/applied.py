"""Cells after a delta, and where keys stand in sorted arrays."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sw2.table.cells import one_chunk
from sw2.table.delta import DELETE, INSERT, Delta


def apply(table: pa.Table, key: str, change: pa.Table) -> pa.Table:
    """`table` (stored cells, with its key column) after what a delta or `overlay` says."""
    rows, source = _matches(table[key], one_chunk(change["key"]))
    ops = change["op"].to_numpy()
    for index, column in enumerate(table.schema):
        if column.name + ".set" in change.column_names:
            edited = change[column.name + ".set"].to_numpy()[source] & (ops[source] != DELETE)
            new = one_chunk(change[column.name + ".new"]).take(pa.array(source[edited]))
            table = table.set_column(index, column, _scatter(table[column.name], rows[edited], new))
    gone = rows[ops[source] == DELETE]
    if len(gone):
        mask = np.ones(table.num_rows, bool)
        mask[gone] = False
        table = table.filter(pa.array(mask))
    inserted = change.filter(pa.array(ops == INSERT))
    if inserted.num_rows:
        table = pa.concat_tables([table, _inserted(inserted, table.schema, key)])
        table = table.take(pc.sort_indices(table[key]))
    return table


def _matches(held: pa.ChunkedArray, keys: pa.Array) -> tuple[Any, Any]:
    """Where the sorted arrays agree: places in `held`, ascending, and those in `keys`."""
    if pa.types.is_integer(held.type) or len(keys) * 20 < len(held):
        at = find(one_chunk(held), keys)
        return at[at >= 0], np.flatnonzero(at >= 0)
    # Many strings: the smaller side is the hash table.
    positions = one_chunk(pc.index_in(held, value_set=keys))
    rows = np.flatnonzero(pc.is_valid(positions).to_numpy(zero_copy_only=False))
    return rows, positions.take(pa.array(rows)).to_numpy(zero_copy_only=False)


def _scatter(values: pa.ChunkedArray, rows: Any, new: pa.Array) -> pa.ChunkedArray | pa.Array:
    """`values` with `rows` (ascending) replaced by `new`."""
    if not len(rows):
        return values
    if pa.types.is_nested(values.type):
        places = np.arange(len(values))
        places[rows] = len(values) + np.arange(len(rows))
        return pa.concat_arrays([*values.chunks, new]).take(pa.array(places))
    mask = np.zeros(len(values), bool)
    mask[rows] = True
    return pc.replace_with_mask(values, pa.array(mask), new)


def _inserted(change: pa.Table, schema: pa.Schema, key: str) -> pa.Table:
    columns = []
    for column in schema:
        if column.name == key:
            columns.append(change["key"].cast(column.type))
        elif column.name + ".new" in change.column_names:
            columns.append(change[column.name + ".new"].cast(column.type))
        else:
            columns.append(pa.nulls(change.num_rows, column.type))
    return pa.table(columns, schema=schema)


def look_over(
    delta: Delta, sought: pa.Array, found: Any, cells: dict[str, pa.Array]
) -> tuple[Any, dict[str, pa.Array]]:
    """What `_look_under` found, corrected by a delta."""
    change = delta.table
    at = find(one_chunk(change["key"]), sought)
    hit = np.flatnonzero(at >= 0)
    if not len(hit):
        return found, cells
    ops = change["op"].to_numpy()[at[hit]]
    found = found.copy()
    found[hit] = ops != DELETE
    places = pa.array(at[hit])
    for name, values in cells.items():
        if name + ".set" in change.column_names:
            # Picked first: a layer may hold a hundred times as many rows as are sought.
            touched = one_chunk(change[name + ".set"]).take(places)
            edited = touched.to_numpy(zero_copy_only=False)
            new = one_chunk(change[name + ".new"]).take(pa.array(at[hit][edited]))
            cells[name] = one_chunk(_scatter(pa.chunked_array([values]), hit[edited], new))
    return found, cells


def find(held: pa.Array, keys: pa.Array) -> Any:
    """Positions of `keys` in the sorted array `held`, -1 where absent. int64 (N,)."""
    if not len(held):
        return np.full(len(keys), -1, np.int64)
    if pa.types.is_integer(held.type):
        return find_numbers(held.to_numpy(), keys.to_numpy())
    if len(keys) * 20 < len(held):
        return np.array([_bisect(held, key) for key in keys.to_pylist()], np.int64)
    found = pc.fill_null(pc.index_in(keys, value_set=held), -1)
    return found.to_numpy(zero_copy_only=False).astype(np.int64)


def place(held: pa.Array, key: int | str, *, after: bool = False) -> int:
    """Where `key` stands or would stand in the sorted array `held`, before or after its equal."""
    if pa.types.is_integer(held.type):
        return int(np.searchsorted(held.to_numpy(), key, side="right" if after else "left"))
    look = bisect_right if after else bisect_left
    return look(_Strings(held), key)


def find_numbers(held: Any, keys: Any) -> Any:
    """`find` for numpy arrays; `held` has one at least."""
    at = held.searchsorted(keys)
    np.minimum(at, len(held) - 1, out=at)
    at[held[at] != keys] = -1
    return at


def gathered(parts: Sequence[tuple[pa.Array, Any]], kind: pa.DataType) -> pa.Array:
    """Cells of several arrays by their places, in one. By numpy where it can: an edit of a table of
    ten million rows picks from six hundred arrays, and Arrow takes 9 us to pick from one."""
    by_numpy = pa.types.is_primitive(kind) and not pa.types.is_boolean(kind)
    if by_numpy and parts and not any(array.null_count for array, _ in parts):
        return pa.array(np.concatenate([array.to_numpy()[at] for array, at in parts])).cast(kind)
    picked = [array.take(pa.array(at)) for array, at in parts]
    return pa.concat_arrays([pa.array([], kind), *picked])


def _bisect(held: pa.Array, key: str) -> int:
    at = bisect_left(_Strings(held), key)
    return at if at < len(held) and held[at].as_py() == key else -1


class _Strings(Sequence[str]):
    """An Arrow array of strings as `bisect` wants it, without making a list of it."""

    def __init__(self, held: pa.Array) -> None:
        self._held = held

    def __len__(self) -> int:
        return len(self._held)

    def __getitem__(self, at: Any) -> Any:
        return self._held[at].as_py()
