"""Deltas: what they carry, what composing and inverting them means, and hostile bytes."""

import json
import struct
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from model_tables import (
    ALL_CELLS,
    ANNE,
    BOT,
    INT64,
    KEYS,
    NOW,
    a_schema,
    a_snapshot,
    a_step,
    cells_in,
    cells_of,
    exact,
    model_of,
    stored_array,
)

from sw2.errors import Damaged
from sw2.store import ObjectStore, name_of
from sw2.store.packs import encode_object
from sw2.table import DELETE, EDIT, INSERT, Delta, TableReader, compose, make_delta, same
from sw2.table.pack import pack, pack_columns, unpack
from sw2.table.schema import STORED


@st.composite
def columns_of_a_kind(draw):
    """Two arrays of one type and one length, as old and new cells."""
    kind = draw(st.sampled_from(sorted(STORED)))
    cells = st.none() | ALL_CELLS[kind]
    count = draw(st.integers(0, 12))
    old, new = (draw(st.lists(cells, min_size=count, max_size=count)) for _ in "12")
    if draw(st.booleans()):  # repeating, as labels do
        old = [draw(st.sampled_from(old)) for _ in old]
    return [stored_array(cells, STORED[kind]) for cells in (old, new)]


@st.composite
def a_delta(draw):
    """Any delta at all, of either kind of key and all kinds of column."""
    keys = draw(st.lists(INT64, unique=True) | st.lists(st.text(), unique=True))
    keys = [k for k in keys if not isinstance(k, str) or k.isprintable()]
    count = len(keys)
    kinds = draw(st.lists(st.sampled_from(sorted(STORED)), unique=True, max_size=4))
    cells = {}
    for place, kind in enumerate(kinds):
        each = st.lists(st.none() | ALL_CELLS[kind], min_size=count, max_size=count)
        bits = st.lists(st.booleans(), min_size=count, max_size=count)
        old, new = (stored_array(draw(each), STORED[kind]) for _ in "12")
        cells[f"{place:08x}"] = (old, new, pa.array(draw(bits), pa.bool_()))
    ops = draw(st.lists(st.sampled_from([EDIT, INSERT, DELETE]), min_size=count, max_size=count))
    array = pa.array(keys, pa.string() if keys and isinstance(keys[0], str) else pa.int64())
    return make_delta(array, np.array(ops, np.int8), cells, draw(st.sampled_from([ANNE, BOT])), NOW)


def as_lists(table):
    return {name: [exact(cell) for cell in cells_in(table[name])] for name in table.column_names}


@given(a_delta(), st.none() | st.just("ab" * 32))
def test_a_delta_survives_writing_and_reading(delta, parent):
    delta = Delta(delta.table, delta.origins, parent)
    read = Delta.parse(delta.encode())
    assert read.table.schema == delta.table.schema
    assert as_lists(read.table) == as_lists(delta.table)
    assert (read.origins, read.parent) == (delta.origins, parent)
    assert read.encode() == delta.encode()


LONG = {
    "all equal": np.zeros(5000, np.int64),
    "in order": np.arange(5000) * 7 + 3,
    "small": np.arange(5000) % 3 - 1,
    "wide": (np.arange(5000) - 2500) * 10**15,
    "almost as wide as can be": np.array([-(2**62), 2**62] * 2500),
}


@pytest.mark.parametrize("what", LONG)
@pytest.mark.parametrize("rows", [1, 2, 4096, 4097, 5000])
def test_columns_of_any_length_survive_packing(what, rows):
    values = pa.array(LONG[what][:rows])
    columns, _ = unpack(pack({"a": values}, {}))
    assert columns["a"].equals(values)


@given(columns_of_a_kind())
@example([pa.array([0.1, 0.2, 1e9]), pa.array([-0.0, float("nan"), float("-inf")])])
@example([pa.array([-(2**63), 2**63 - 1]), pa.array([2**63 - 1, None])])
@example([pa.array([], pa.string()), pa.array([], pa.string())])
def test_columns_survive_packing(columns):
    old, new = columns
    read, meta = unpack(pack({"old": old, "new": new}, {"why": "ä"}))
    assert meta == {"why": "ä"}
    for name, array in (("old", old), ("new", new)):
        assert read[name].type == array.type
        assert [exact(c) for c in cells_in(read[name])] == [exact(c) for c in cells_in(array)]


@pytest.mark.parametrize("rows", [65_536, 65_537, 100_000])
@pytest.mark.parametrize("values", [lambda n: n * 0, lambda n: n, lambda n: n * n % 7919])
def test_long_columns_survive_packing(rows, values):
    column = pa.array(values(np.arange(rows)))
    assert unpack(pack({"x": column}, {}))[0]["x"].equals(column)


def densely(columns):
    return pack_columns(columns, dense=True).parts({})


@given(columns_of_a_kind())
@example([pa.array([-(2**63), 2**63 - 1]), pa.array([2**63 - 1, None])])
def test_columns_survive_dense_packing(columns):
    read, _ = unpack(b"".join(densely({"old": columns[0], "new": columns[1]})))
    for array, found in zip(columns, read.values(), strict=True):
        assert found.type == array.type
        assert [exact(c) for c in cells_in(found)] == [exact(c) for c in cells_in(array)]


@pytest.mark.parametrize("what", LONG)
@pytest.mark.parametrize("rows", [1, 2, 4096, 4097, 5000])
def test_columns_of_any_length_survive_dense_packing(what, rows):
    values = pa.array(LONG[what][:rows])
    assert unpack(b"".join(densely({"a": values})))[0]["a"].equals(values)


RNG = np.random.default_rng(3)
RARE = np.where(RNG.random(1000) < 0.05, RNG.integers(0, 100, 1000), 7)
CLIMBING = np.sort(RNG.integers(0, 10**9, 1000))
# What is squeezed, and the bytes that it may take.
SQUEEZED = {
    "one label nearly everywhere": (RARE, 260),
    "keys in order": (CLIMBING, 2900),
    "times in order but for a few": (np.where(RARE == 7, CLIMBING, CLIMBING * 9), 3500),
    "noise": (RNG.integers(0, 1 << 30, 1000), 3900),
}


@pytest.mark.parametrize("what", SQUEEZED)
def test_a_column_is_squeezed_by_what_is_regular_in_it(what):
    values, most = SQUEEZED[what]
    parts = densely({"a": pa.array(values)})
    assert len(encode_object(b"".join(parts), True, parts)[0]) < most


def test_the_bytes_that_builds_are_named_by_never_change():
    row = np.arange(300)
    words = [None if r % 9 == 0 else f"word {r % 5}" for r in row]
    columns = {
        "id": pa.array(row * 3 + 7),
        "label": pa.array((row * 7 % 10).astype(np.int32)),
        "confidence": pa.array(row * 37 % 1001 / 1000),
        "at": pa.array(1_700_000_000_000 + row * 7919).cast(pa.timestamp("ms")),
        "text": pa.array(words),
    }
    name = "00a2db9258c6399a1c9ed8f4d1e72a4b3e1749e60047c458ecfe99f80360fce8"
    assert name_of(pack(columns, {"columns": []})) == name


def test_what_was_staged_is_committed_with_the_same_cells(tmp_path):
    reader = TableReader(ObjectStore(tmp_path))
    keys = pa.array([1, 2, 3])
    cells = {"ab": (pa.array([1, 2, 3]), keys, pa.array([False, True, True]))}
    for origin in (ANNE, BOT):
        staged = make_delta(keys, np.full(3, EDIT, np.int8), cells, origin, NOW)
        committed = replace(staged, parent="ab" * 32)
        for each in (staged, committed):
            assert Delta.parse(b"".join(reader.encode(each))) == each


def test_a_run_tells_when_each_row_was_touched():
    keys = pa.array(range(500))
    cells = {"ab": (pa.nulls(500, pa.int64()), keys, pa.array(np.ones(500, bool)))}
    delta = make_delta(keys, np.full(500, EDIT, np.int8), cells, ANNE, NOW)
    at = NOW + np.arange(500) % 7 * 99_991
    delta = replace(delta, table=delta.table.set_column(3, "at", pa.array(at)))
    assert Delta.parse(delta.encode(64)) == delta
    assert len(delta.encode(64)) < len(delta.encode()) / 2


def test_an_edit_costs_a_few_bytes():
    """200 edits of a label among a million rows: key, old, new, time."""
    rng = np.random.default_rng(1)
    keys = np.sort(rng.choice(1_000_000, 200, replace=False))
    old, new = (pa.array(rng.integers(0, 10, 200), pa.int32()) for _ in "12")
    cells = {"ab" * 4: (old, new, pa.array(np.ones(200, bool)))}
    delta = make_delta(pa.array(keys), np.zeros(200, np.int8), cells, ANNE, NOW)
    assert len(encode_object(delta.encode(), True)[0]) < 950


@given(kind=st.sampled_from(sorted(STORED)), data=st.data())
def test_same_means_the_cells_say_the_same(kind, data):
    cells = data.draw(st.lists(st.none() | ALL_CELLS[kind], max_size=6))
    array = stored_array(cells, STORED[kind])
    assert same(array, array).all()
    if cells:
        others = stored_array(cells[1:] + cells[:1], STORED[kind])
        expected = [
            str(a) == str(b) for a, b in zip(cells_in(array), cells_in(others), strict=True)
        ]
        told = same(array, others)
        assert all(t or not e for t, e in zip(told, expected, strict=True))


# Steps over a model


def wishes(key):
    return st.dictionaries(KEYS[key], st.none() | cells_of(), max_size=5)


@st.composite
def histories(draw, steps=4):
    """A schema, a base and deltas that follow each other; and the model before and after each."""
    key = draw(st.sampled_from(["int", "string"]))
    schema = a_schema(key)
    models = [draw(st.dictionaries(KEYS[key], cells_of(), max_size=6))]
    deltas = []
    for number in range(draw(st.integers(1, steps))):
        delta, after = a_step(models[-1], schema, draw(wishes(key)), (ANNE, BOT)[number % 2])
        deltas.append(delta)
        models.append(after)
    return schema, models, deltas


def after(tmp_path_factory, schema, base, *deltas):
    return model_of(a_snapshot(tmp_path_factory.mktemp("t"), schema, base, *deltas))


@given(histories(), st.integers(0, 4))
def test_composing_is_doing_one_after_another_in_any_grouping(tmp_path_factory, history, cut):
    schema, models, deltas = history
    parts = [part for part in (compose(deltas[:cut]), compose(deltas[cut:])) if part]
    for some in (deltas, parts):
        assert_alike(after(tmp_path_factory, schema, models[0], *some), models[-1])


@given(histories())
def test_an_inverse_takes_back(tmp_path_factory, history):
    schema, models, deltas = history
    composed = compose(deltas)
    if composed is None:
        assert_alike(models[-1], models[0])
        return
    assert compose([composed, composed.inverse()]) is None
    assert as_lists(composed.inverse().inverse().table) == as_lists(composed.table)
    restored = after(tmp_path_factory, schema, models[-1], composed.inverse())
    assert_alike(restored, models[0])


@given(histories())
def test_taking_back_one_by_one_restores(tmp_path_factory, history):
    schema, models, deltas = history
    back = [delta.inverse() for delta in reversed(deltas)]
    assert_alike(after(tmp_path_factory, schema, models[0], *deltas, *back), models[0])


def assert_alike(one, other):
    def text(model):
        return str(plain_zero(model))

    assert text(one) == text(other)


def plain_zero(model):
    return {
        key: {n: str(c).replace("-0.0", "0.0") for n, c in sorted(row.items()) if c is not None}
        for key, row in sorted(model.items())
    }


def test_edits_that_end_as_they_began_leave_nothing():
    schema = a_schema()
    model = {1: {"category": 0}, 2: {}}
    there, changed = a_step(model, schema, {1: {"category": 2}, 3: {"string": "new"}})
    back, _ = a_step(changed, schema, {1: {"category": 0}, 3: None})
    assert compose([there, back]) is None
    assert compose([]) is None


def test_each_row_remembers_who_touched_it_last():
    schema = a_schema()
    model = {1: {}, 2: {}, 3: {}}
    first, model = a_step(model, schema, {1: {"int": 1}, 2: {"int": 1}}, ANNE, NOW)
    second, _ = a_step(model, schema, {2: {"int": 2}, 3: {"int": 2}}, BOT, NOW + 1)
    both = compose([first, second])
    assert [both.origins[n] for n in both.table["origin"].to_pylist()] == [ANNE, BOT, BOT]
    assert both.table["at"].to_pylist() == [NOW, NOW + 1, NOW + 1]


def test_each_cell_remembers_who_decided_it():
    schema = a_schema()
    label, count = schema.column("category").id, schema.column("int").id
    model = {1: {}, 2: {}}
    first, model = a_step(model, schema, {1: {"category": 1}, 2: {"category": 1}}, ANNE, NOW)
    second, model = a_step(model, schema, {1: {"int": 5}}, BOT, NOW + 1)
    third, _ = a_step(model, schema, {2: {"int": 6}}, BOT, NOW + 2)
    for deltas in ([first, second, third], [compose([first, second]), third]):
        both = compose(deltas)
        for read in (both, Delta.parse(both.encode()), both.inverse()):
            who = [read.origins[number].by for number in read.decided(label)[0].to_pylist()]
            assert who == ["anne", "anne"]
            assert read.decided(label)[1].to_pylist() == [NOW, NOW]
            assert read.decided(count)[1].to_pylist() == [NOW + 1, NOW + 2]
    assert not [name for name in compose([first]).table.column_names if name.endswith(".origin")]


# Bytes that are no delta


def a_sample():
    model = {k: {"category": k % 3, "float": k / 8, "string": f"s{k}"} for k in range(20)}
    box = {"id": "b", "label": 1, "x": 0.5, "y": 1.0, "w": 2.0, "h": 3.0}
    mask = {"id": "m", "label": None, "height": 1, "width": 2, "counts": [0, 2]}
    shaped = {"boxes": [box, box], "tags": [0, 2], "masks": [mask], "vector": [1.0]}
    edits = {k: {"category": 1, "float": None, "string": "x", **shaped} for k in range(9)}
    return a_step(model, a_schema(), edits | {99: {"json": "1"}, 7: None})[0].encode()


SAMPLE = a_sample()


def parse_or_damaged(raw):
    """Parses; anything but Damaged comes through. What parses can be used."""
    try:
        delta = Delta.parse(raw)
    except Damaged:
        return
    delta.inverse()
    compose([delta, delta])


@given(place=st.integers(0, len(SAMPLE) - 1), mask=st.integers(1, 255))
def test_a_flipped_byte_is_damage_or_another_delta(place, mask):
    parse_or_damaged(SAMPLE[:place] + bytes([SAMPLE[place] ^ mask]) + SAMPLE[place + 1 :])


@given(st.integers(0, len(SAMPLE) - 1))
def test_a_truncated_delta_is_damaged(keep):
    with pytest.raises(Damaged):
        Delta.parse(SAMPLE[:keep])


@given(st.binary(max_size=200))
def test_noise_is_damaged(raw):
    with pytest.raises(Damaged):
        Delta.parse(raw)


def a_record(header, buffers=b""):
    text = (header if isinstance(header, str) else json.dumps(header)).encode()
    return struct.pack("<I", len(text)) + text + buffers


def a_lie(rows=3, spec=None, sizes=(), buffers=b"", name="x"):
    spec = {"t": "int64", "i": [0, 1, 0]} if spec is None else spec
    header = {"meta": {}, "rows": rows, "columns": [[name, spec]], "sizes": list(sizes)}
    return a_record(header, buffers)


BOX_TYPE = str(STORED["boxes"].value_type)
LIES = {
    "rows": a_lie(rows=1 << 40),
    "rows below none": a_lie(rows=-1),
    "nulls": a_lie(rows=1 << 34, spec={"t": "int64", "null": True}),
    "many columns of many rows": a_record(
        {
            "meta": {},
            "rows": 1 << 23,
            "columns": [[str(n), {"t": "int64", "null": True}] for n in range(2000)],
            "sizes": [],
        }
    ),
    "distinct": a_lie(spec={"t": "string", "u": 1 << 40, "i": [0, 1, 0], "n": [0, 1, 0]}),
    "negative distinct": a_lie(spec={"t": "string", "u": -5, "i": [0, 1, 0], "n": [0, 1, 0]}),
    "code": a_lie(spec={"t": "string", "u": 1, "i": [7, 1, 0], "n": [0, 1, 0]}, sizes=[0, 0, 0]),
    "length": a_lie(spec={"t": "string", "n": [1 << 62, 1, 0]}, sizes=[0, 1 << 62]),
    "lengths that overflow": a_lie(4, {"t": "string", "n": [1 << 62, 1, 0]}, sizes=[0, 0]),
    "negative length": a_lie(spec={"t": "string", "n": [-1, 1, 0]}, sizes=[0, 0]),
    "list": a_lie(
        spec={"t": "list<item: float>", "n": [1 << 29, 1, 0], "v": {"t": "float", "null": True}},
        sizes=[0],
    ),
    "a struct without its fields": a_lie(spec={"t": BOX_TYPE, "f": []}),
    "a struct of another type": a_lie(
        rows=0, spec={"t": BOX_TYPE, "f": [{"t": "double", "i": [0, 1, 0], "d": 0}] * 6}
    ),
    "a list of another type": a_lie(
        rows=1,
        spec={"t": "list<item: int32>", "n": [1, 1, 0], "v": {"t": "int64", "i": [0, 1, 0]}},
        sizes=[0, 0],
    ),
    "structs of nothing": a_lie(rows=1 << 23, spec={"t": BOX_TYPE, "null": True}),
    "decimals": a_lie(spec={"t": "double", "d": 10**9, "i": [0, 1, 0]}, sizes=[0]),
    "width": a_lie(spec={"t": "int64", "i": [0, 1, 9]}, sizes=[27], buffers=b"0" * 27),
    "huge integers": a_lie(3, {"t": "int64", "i": [10**30, 10**30, 1]}, [3], b"abc"),
    "size": a_lie(spec={"t": "int64", "i": [0, 1, 1]}, sizes=[1 << 60]),
    "negative size": a_lie(spec={"t": "int64", "i": [0, 1, 1]}, sizes=[-3]),
    "valid": a_lie(3, {"t": "int64", "valid": 1 << 40, "i": [0, 1, 0]}, [1], b"\xff"),
    "an integer that does not fit": a_lie(3, {"t": "int8", "i": [300, 1, 0]}, [0]),
    "type": a_lie(spec={"t": "nonsense"}),
    "image of another length": a_lie(
        rows=1, spec={"t": "fixed_size_binary[32]", "n": [1, 1, 0]}, sizes=[0, 1], buffers=b"x"
    ),
    "text that is not UTF-8": a_lie(
        rows=1, spec={"t": "string", "n": [1, 1, 0]}, sizes=[0, 1], buffers=b"\xff"
    ),
    "a list for a header": a_record([]),
    "deep nesting": a_record("[" * 100_000),
    "infinity": a_record('{"rows": Infinity, "columns": [], "sizes": [], "meta": {}}'),
    "nothing": b"",
    "length of the header": struct.pack("<I", 0xFFFFFFFF),
}  # fmt: skip


@pytest.mark.parametrize("lie", LIES)
def test_a_header_that_lies_is_damaged(lie):
    with pytest.raises(Damaged):
        unpack(LIES[lie])


def a_delta_record(meta=None, **changes):
    """A delta of two edits, with some columns replaced."""
    columns = {
        "key": pa.array([1, 1]),
        "op": pa.array([0, 0], pa.int8()),
        "origin": pa.array([0, 0], pa.int16()),
        "at": pa.array([NOW, 0]),
        "c.old": pa.array([1, 2], pa.int32()),
        "c.new": pa.array([2, 1], pa.int32()),
    } | changes
    columns = {name: array for name, array in columns.items() if array is not None}
    origins = [{"by": "a", "kind": "person", "source": "", "why": ""}]
    return pack(columns, {"format": 1, "origins": origins} if meta is None else meta)


NOT_DELTAS = {
    "no key": a_delta_record(key=None),
    "null keys": a_delta_record(key=pa.array([1, None])),
    "keys out of order": a_delta_record(key=pa.array([5, -3])),
    "one key twice": a_delta_record(key=pa.array([5, 0])),
    "keys of a wrong type": a_delta_record(key=pa.array([0.5, 1.5])),
    "unknown op": a_delta_record(op=pa.array([0, 7], pa.int8())),
    "op of a wrong type": a_delta_record(op=pa.array(["a", "b"])),
    "unknown origin": a_delta_record(origin=pa.array([0, 1], pa.int16())),
    "negative origin": a_delta_record(origin=pa.array([0, -1], pa.int16())),
    "no time": a_delta_record(at=pa.nulls(2, pa.int64())),
    "an unknown origin of a cell": a_delta_record(
        **{"c.origin": pa.array([0, 3], pa.int16()), "c.at": pa.array([NOW, NOW])}
    ),
    "who without when": a_delta_record(**{"c.origin": pa.array([0, 0], pa.int16())}),
    "old without new": a_delta_record(**{"c.new": None}),
    "old and new of two types": a_delta_record(**{"c.new": pa.array(["a", "b"])}),
    "set of a wrong type": a_delta_record(**{"c.set": pa.array([1, 2])}),
    "another format": a_delta_record({"format": 2, "origins": []}),
    "no origins": a_delta_record({"format": 1}),
    "an origin of another shape": a_delta_record({"format": 1, "origins": [{"who": "a"}]}),
    "a parent that is no name": a_delta_record({"format": 1, "origins": [], "parent": 3}),
}


def test_the_record_that_the_others_differ_from_is_a_delta():
    assert Delta.parse(a_delta_record()).table["key"].to_pylist() == [1, 2]


@pytest.mark.parametrize("what", NOT_DELTAS)
def test_a_record_of_another_shape_is_damaged(what):
    with pytest.raises(Damaged):
        Delta.parse(NOT_DELTAS[what])
