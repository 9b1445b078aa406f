"""A table whose columns are renamed, retyped, dropped and added reads as a dict does."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from model_tables import ANNE, BOT, NOW, a_schema, a_snapshot, a_step

from sw2.store import ObjectStore
from sw2.table import Delta, Schema, Snapshot, TableReader, compose, make_delta, segment, write_base
from sw2.table.chain import stacked
from sw2.table.convert import CONVERTS, convert

LABELS = ("1", "2", "x")
VALUES = {
    "int": st.integers(0, 3),
    "float": st.sampled_from([0.0, 1.0, 2.5]),
    "string": st.sampled_from(["0", "1", "2.5", "x", "true"]),
    "bool": st.booleans(),
    "category": st.sampled_from(LABELS),
    "tags": st.lists(st.sampled_from(LABELS), unique=True, max_size=2).map(sorted),
}


@pytest.fixture(autouse=True)
def small_segments(monkeypatch):
    monkeypatch.setattr(segment, "ROWS", 2)


def as_text(value):
    return str(value).lower() if isinstance(value, bool) else str(value)


def expected(value, old, new):
    """The model's conversion of a cell as people see it."""
    if value is None or (old == "tags" and len(value) != 1):
        return None
    value = value[0] if old == "tags" else value
    if new in ("category", "tags"):
        label = as_text(value)
        return (label if new == "category" else [label]) if label in LABELS else None
    if new == "string":
        return as_text(value)
    if new == "bool":
        words = {"1": True, "1.0": True, "true": True, "0": False, "0.0": False, "false": False}
        fit = (
            words
            if old != "string" and old != "category"
            else {"1": True, "0": False, "true": True}
        )
        return fit.get(as_text(value))
    try:
        number = float(value)
    except ValueError:
        return None
    if new == "float":
        return number
    text = old in ("string", "category")
    return int(number) if number == int(number) and not (text and "." in value) else None


class Table:
    """A real table and its model. Cells are as people see them."""

    def __init__(self, folder):
        self.reader = TableReader(ObjectStore(folder))
        self.schema = Schema.create("t", "id", {"id": "int", "a": "string", "b": "int"})
        self.base, self.layers, self.deltas = None, (), []
        self.model, self.before = {}, []

    @property
    def snapshot(self):
        return Snapshot(self.reader, self.schema, self.base, self.layers)

    @property
    def names(self):
        return [name for name in self.schema.names if name != "id"]

    def push(self, delta):
        if delta is not None:
            self.deltas.append(delta)
            self.layers = stacked(self.layers, Delta.parse(delta.encode()))

    def edit(self, key, cells):
        stored = {"id": pa.array([key])} | {
            name: self.schema.column(name).encode(
                pa.array([value]) if value is not None else [None]
            )
            for name, value in cells.items()
        }
        rows = pa.table({self.schema.column(name).id: cell for name, cell in stored.items()})
        self.push(self.snapshot.difference(rows, ANNE, NOW))
        self.model[key] = self.model.get(key, dict.fromkeys(self.names)) | cells

    def delete(self, key):
        columns = [self.schema.column(name) for name in self.names]
        _, held = self.snapshot.lookup([key], self.names)
        cells = {c.id: (held[c.id].combine_chunks(), pa.nulls(1, c.stored), pa.array([True]))
                 for c in columns}  # fmt: skip
        self.push(make_delta(pa.array([key]), np.array([2], np.int8), cells, BOT, NOW))
        del self.model[key]

    def fold(self):
        if self.model:
            with self.reader.store.write() as writer:
                rows = self.snapshot.stored()
                name = write_base(writer, self.schema, rows, ANNE, NOW)
            self.base, self.layers, self.deltas = self.reader.base(name), (), []

    def change(self, schema):
        schema.check_follows(self.schema)
        self.schema = Schema.parse(schema.encode())

    def retype(self, name, kind):
        old = self.schema.column(name).type
        labels = LABELS if kind in ("category", "tags") else ()
        self.change(self.schema.retype(name, kind, labels))
        for row in self.model.values():
            row[name] = expected(row[name], old, kind)

    def rename(self, name, new):
        self.change(self.schema.rename(name, new))
        for row in self.model.values():
            row[new] = row.pop(name)

    def drop(self, name):
        self.change(self.schema.drop(name))
        for row in self.model.values():
            del row[name]

    def add(self, name, kind):
        self.change(self.schema.add(name, kind, LABELS if kind in ("category", "tags") else ()))
        for row in self.model.values():
            row[name] = None

    def remember(self):
        rows = {key: dict(row) for key, row in self.model.items()}
        self.before.append((self.snapshot, rows))


def one_step(draw, table):
    names = table.names
    what = draw(
        st.sampled_from(["edit"] * 4 + ["delete", "fold", "rename", "drop", "add", *["retype"] * 3])
    )
    name = draw(st.sampled_from(names)) if names else None
    if what == "edit":
        picked = draw(st.lists(st.sampled_from(names), unique=True)) if names else []
        cells = {n: draw(st.none() | VALUES[table.schema.column(n).type]) for n in picked}
        table.edit(draw(st.integers(0, 5)), cells)
    elif what == "delete" and table.model:
        table.delete(draw(st.sampled_from(sorted(table.model))))
    elif what == "fold":
        table.fold()
    elif what == "rename" and name and f"{name}2" not in names:
        table.rename(name, f"{name}2")
    elif what == "drop" and name:
        table.drop(name)
    elif what == "add":
        new = draw(st.sampled_from([n for n in "abcdefghijklmnopq" if n not in names]))
        table.add(new, draw(st.sampled_from(sorted(VALUES))))
    elif what == "retype" and name:
        old = table.schema.column(name).type
        table.retype(
            name, draw(st.sampled_from([k for k in CONVERTS[old] if k in VALUES and k != old]))
        )


def exactly(rows):
    """Comparable so that 1 is neither 1.0 nor True."""
    return {key: {name: repr(row[name]) for name in sorted(row)} for key, row in rows.items()}


def said(snapshot, rows):
    names = [name for name in snapshot.schema.names if name != "id"]
    whole = {row.pop("id"): row for row in snapshot.read().to_pylist()}
    found, cells = snapshot.lookup(list(rows), names)
    columns = {n: snapshot.schema.column(n).decode(cells[snapshot.schema.column(n).id]).to_pylist()
               for n in names}  # fmt: skip
    assert found.all()
    return whole, {key: {n: columns[n][at] for n in names} for at, key in enumerate(rows)}


@settings(max_examples=150)
@given(st.data())
def test_a_table_reads_as_its_model_after_any_change_of_its_columns(tmp_path_factory, data):
    table = Table(tmp_path_factory.mktemp("t"))
    for _ in range(data.draw(st.integers(1, 14))):
        one_step(data.draw, table)
        table.remember()
    for snapshot, model in table.before:
        whole, looked_up = said(snapshot, model)
        assert exactly(whole) == exactly(model) == exactly(looked_up)
    assert table.snapshot.rows == len(table.model)
    # One commit may hold both sides of a retyping.
    composed = compose(table.deltas)
    layers = () if composed is None else (Delta.parse(composed.encode()),)
    assert (
        said(Snapshot(table.reader, table.schema, table.base, layers), table.model)[0]
        == table.model
    )


def test_a_delta_that_no_retyping_touches_is_read_as_it_is():
    schema = a_schema()
    delta, _ = a_step({1: {}}, schema, {1: {"int": 5}})
    assert delta.under(schema) is delta
    assert delta.under(schema.retype("float", "string").drop("json")) is delta


def test_what_came_after_a_retyping_is_the_cell_and_what_was_before_it_the_old_one():
    old = a_schema()
    new = old.retype("int", "string")
    first, _ = a_step({1: {"int": 3}}, old, {1: {"int": 5}})
    number, text = old.column("int").id, new.column("int").id
    yes = pa.array([True])
    cells = {text: (pa.array(["5"]), pa.array(["six"]), yes)}
    second = make_delta(pa.array([1]), np.zeros(1, np.int8), cells, ANNE, NOW + 1)
    both = compose([first, second])
    assert {number, text} == set(both.columns)
    read = both.under(new)
    assert read.columns == [text]
    (row,) = read.table.to_pylist()
    assert (row[f"{text}.old"], row[f"{text}.new"]) == ("3", "six")
    assert [read.origins[n] for n in read.decided(text)[0].to_pylist()] == [ANNE]
    assert both.under(new) is read


def test_an_older_version_keeps_its_own_type(tmp_path):
    schema = a_schema()
    snapshot = a_snapshot(tmp_path, schema, {1: {"int": 5}})
    retyped = Snapshot(snapshot.reader, schema.retype("int", "string"), snapshot.base)
    assert retyped.read(["int"])[0].to_pylist() == ["5"]
    assert snapshot.read(["int"])[0].to_pylist() == [5]


def test_a_label_renamed_after_a_retyping_keeps_its_cells(tmp_path):
    schema = a_schema()
    snapshot = a_snapshot(tmp_path, schema, {1: {"string": "cat"}, 2: {"string": "dog"}})
    retyped = schema.retype("string", "category", ["dog", "cat"])
    renamed = retyped.rename_label("string", "cat", "猫").with_labels("string", ["cat"])
    for each, cells in ((retyped, ["cat", "dog"]), (renamed, ["猫", "dog"])):
        read = Snapshot(snapshot.reader, each, snapshot.base).read(["string"])
        assert read[0].to_pylist() == cells


CONVERSIONS = [
    ("float", "int", [2.0, 2.5, 1e19, float("nan"), None], [2, None, None, None, None]),
    ("int", "float", [3, 2**60 + 1], [3.0, None]),
    ("int", "bool", [0, 1, 2], [False, True, None]),
    ("bool", "int", [True, False], [1, 0]),
    ("string", "int", ["7", " -7 ", "1_000", "7.0", "٣", "", "9" * 19], [7, -7, *[None] * 5]),
    ("string", "float", ["1e3", "x", "1_0"], [1000.0, None, None]),
    ("string", "bool", ["TRUE", "no", "perhaps"], [True, False, None]),
    ("string", "text", ["a"], ["a"]),
    ("string", "json", ['{"a": 1}', "a"], ['{"a": 1}', None]),
    ("json", "float", ["1.5", '"1.5"', "[]", "{"], [1.5, 1.5, None, None]),
    ("float", "string", [1.0, 0.1, float("inf")], ["1.0", "0.1", "inf"]),
    ("bool", "json", [True], ["true"]),
]


@pytest.mark.parametrize(("old", "new", "cells", "becomes"), CONVERSIONS, ids=lambda v: str(v)[:12])
def test_cells_convert_exactly_or_not_at_all(old, new, cells, becomes):
    schema = Schema.create("t", "id", {"id": "int", "x": old})
    got = convert(pa.array(cells, schema.column("x").stored), (old, ()), (new, ()))
    assert got.to_pylist() == becomes
    assert got.type == schema.add("y", new).column("y").stored


def test_times_become_texts_and_back():
    column = Schema.create("t", "id", {"id": "int", "x": "timestamp"}).column("x")
    times = pa.array([NOW, -1, 2**63 - 1, None]).cast(column.stored)
    texts = convert(times, ("timestamp", ()), ("string", ()))
    assert texts.to_pylist() == ["2027-01-15T08:00:00.000", "1969-12-31T23:59:59.999", None, None]
    back = convert(texts, ("string", ()), ("timestamp", ()))
    assert back.cast(pa.int64()).to_pylist() == [NOW, -1, None, None]
    zoned = convert(
        pa.array(["2027-01-15T09:00:00+01:00", "2027-01-15"]), ("text", ()), ("timestamp", ())
    )
    assert zoned.cast(pa.int64()).to_pylist() == [NOW, NOW - 8 * 3600 * 1000]


@pytest.mark.parametrize("old", CONVERTS)
@given(data=st.data())
def test_every_conversion_gives_cells_of_the_new_type(old, data):
    from model_tables import ALL_CELLS, SLOTS, stored_array

    column = a_schema().column(old) if old in a_schema().names else None
    cells = data.draw(
        st.lists(st.none() | (SLOTS if old == "category" else ALL_CELLS[old]), max_size=5)
    )
    for new in CONVERTS[old]:
        if new != old:
            stored = a_schema().column(new).stored
            got = convert(
                stored_array(cells, column.stored), (old, column.slots), (new, column.slots)
            )
            assert (got.type, len(got)) == (stored, len(cells))
            assert all(g is None for g, c in zip(got.to_pylist(), cells, strict=True) if c is None)
