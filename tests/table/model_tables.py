"""Tables as plain dicts: {key: {column name: cell}}, what the real ones are held against.

Cells are as stored: category as a label's number, timestamp as ms since 1970, image as 32 bytes."""

import struct

import numpy as np
import pyarrow as pa
from hypothesis import strategies as st

from sw2.store import ObjectStore
from sw2.table import (
    DELETE,
    EDIT,
    INSERT,
    Schema,
    Snapshot,
    TableReader,
    make_delta,
    write_base,
)
from sw2.table.cells import LABELLED, SHAPES, STORED
from sw2.values import Origin

ANNE, BOT = Origin("anne", why="looked"), Origin("bot", "program", "cnn@1")
NOW = 1_800_000_000_000
LABELS = ("cat", "dog", "owl", "—")
INT64 = st.integers(-(2**63), 2**63 - 1)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)

SLOTS = st.integers(0, len(LABELS) - 1)


def an_element(fields):
    """An element of a shape, as stored: any numbers, for what fits is another room's question."""
    numbers = {"double": st.floats(), "int32": st.integers(0, 99), "int64": INT64}

    def values(kind):
        lists = pa.types.is_list(kind)
        return st.lists(values(kind.value_type), max_size=2) if lists else numbers[str(kind)]

    known = {"id": TEXT, "label": st.none() | SLOTS}
    cells = [known[name] if name in known else values(kind) for name, kind in fields.items()]
    return st.tuples(*cells).map(lambda cell: dict(zip(fields, cell, strict=True)))


CELLS = {
    "bool": st.booleans(),
    "int": INT64 | st.integers(-3, 3),
    "float": st.floats() | st.integers(-999, 999).map(lambda n: n / 1000) | st.just(-0.0),
    "string": TEXT | st.sampled_from(["", "a", "ä", "猫", "a\x00b"]),
    "category": SLOTS,
    "timestamp": INT64 | st.integers(NOW, NOW + 100),
    "image": st.binary(min_size=32, max_size=32),
    "text": TEXT,
    "vector": st.lists(st.floats(width=32) | st.none(), max_size=4),
    "json": st.sampled_from(["null", '{"a": [1]}']),
    "audio": st.binary(min_size=32, max_size=32),
    "tags": st.lists(SLOTS, max_size=3),
}
# Of every type, though most tests read as well with fewer.
ALL_CELLS = CELLS | {
    name: st.lists(an_element({field.name: field.type for field in kind.value_type}), max_size=2)
    for name, kind in STORED.items() if name in SHAPES
}  # fmt: skip
CELLS["boxes"], CELLS["masks"] = ALL_CELLS["boxes"], ALL_CELLS["masks"]
KEYS = {
    "int": st.integers(-4, 12) | st.sampled_from([-(2**63), 2**63 - 1]),
    "string": st.sampled_from(["", "a", "a/b", "ab", "b", "ä", "z", "猫", "\U0001f431", "￿"]),
}


def a_schema(key="int"):
    """One column of each type, named by it, and the key `id`."""
    schema = Schema.create("examples", "id", {"id": key})
    for kind in CELLS:
        schema = schema.add(kind, kind, LABELS if kind in LABELLED else ())
    return schema


def cells_of(*names):
    """Some cells of a row: {column name: cell or None}."""
    each = {name: st.none() | CELLS[name] for name in names or CELLS}
    return st.fixed_dictionaries({}, optional=each)


def stored_array(cells, kind):
    """Model cells -> as stored."""
    if kind == pa.timestamp("ms"):
        return pa.array(cells, pa.int64()).cast(kind)
    return pa.array(cells, kind)


def cells_in(array):
    """As stored -> model cells."""
    return (array.cast(pa.int64()) if pa.types.is_timestamp(array.type) else array).to_pylist()


def exact(cell):
    """A cell that equals another only when every bit does: NaN itself, but 0.0 not -0.0."""
    if isinstance(cell, float):
        return struct.pack("<d", cell)
    if isinstance(cell, dict):
        return {name: exact(each) for name, each in cell.items()}
    return [exact(each) for each in cell] if isinstance(cell, list) else cell


def alike(one, other):
    """Whether two cells say the same: NaN is NaN and 0.0 is -0.0."""
    return str(one).replace("-0.0", "0.0") == str(other).replace("-0.0", "0.0")


def a_table(rows, schema):
    """Model rows -> stored rows, fields by identity."""
    names = [name for name in schema.names if name != schema.key]
    columns = {schema.key_column.id: pa.array(list(rows), schema.key_column.stored)}
    for name in names:
        column = schema.column(name)
        cells = [row.get(name) for row in rows.values()]
        columns[column.id] = stored_array(cells, column.stored)
    return pa.table(columns)


def a_snapshot(folder, schema, base, *deltas):
    """A table of model rows in segments, with deltas over them."""
    reader = TableReader(ObjectStore(folder))
    held = None
    if base:
        with reader.store.write() as writer:
            name = write_base(writer, schema, a_table(base, schema), ANNE, NOW)
        held = reader.base(name)
    return Snapshot(reader, schema, held, tuple(deltas))


def a_step(model, schema, wishes, origin=BOT, at=NOW):
    """One delta from {key: cells, or None to delete}, and the model after it.

    A key that is there is edited or deleted, another is inserted (deleting it means nothing)."""
    after = {key: dict(row) for key, row in model.items()}
    keys, ops, touched = [], [], []
    for key, cells in wishes.items():
        if cells is None and key not in model:
            continue
        keys.append(key)
        ops.append(DELETE if cells is None else EDIT if key in model else INSERT)
        if cells is None:
            touched.append(dict.fromkeys(CELLS))
            del after[key]
        else:
            touched.append(cells)
            after[key] = after.get(key, {}) | cells
    columns = {}
    for name in CELLS:
        column = schema.column(name)
        old = [model.get(key, {}).get(name) for key in keys]
        new = [cells.get(name) for cells in touched]
        columns[column.id] = (
            stored_array([o if name in c else None for o, c in zip(old, touched, strict=True)],
                         column.stored),
            stored_array(new, column.stored),
            pa.array([name in cells for cells in touched], pa.bool_()),
        )  # fmt: skip
    array = pa.array(keys, schema.key_column.stored)
    return make_delta(array, np.array(ops, np.int8), columns, origin, at), after


def model_of(snapshot):
    """What a real table says, as a model; cells that are null are left out."""
    return as_model(snapshot.stored(), snapshot.schema)


def as_model(table, schema):
    columns = {name: cells_in(table[schema.column(name).id]) for name in schema.names}
    keys = columns.pop(schema.key)
    assert keys == sorted(keys)
    return {
        key: {name: cells[at] for name, cells in columns.items() if cells[at] is not None}
        for at, key in enumerate(keys)
    }


def plain(model):
    """A model in key order, without nulls, comparable to the bit."""
    return {
        key: {name: exact(cell) for name, cell in sorted(model[key].items()) if cell is not None}
        for key in sorted(model)
    }
