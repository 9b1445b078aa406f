"""A table at a version says what a plain dict would: read whole, looked up, and differenced."""

import itertools

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from model_tables import (
    ANNE,
    CELLS,
    KEYS,
    NOW,
    a_schema,
    a_snapshot,
    a_step,
    a_table,
    alike,
    as_model,
    cells_in,
    cells_of,
    model_of,
    plain,
)

from sw2.errors import Damaged, InvalidInput, NotFound
from sw2.store import ObjectStore
from sw2.table import (
    EDIT,
    INSERT,
    Delta,
    Snapshot,
    TableReader,
    TableVersion,
    compose,
    one_chunk,
    same,
    segment,
    version,
)
from sw2.table.chain import stacked
from sw2.table.version import find


@pytest.fixture(autouse=True)
def small_segments(monkeypatch):
    """Tables of a few rows get several segments, as tables of a million have."""
    monkeypatch.setattr(segment, "ROWS", 3)


@st.composite
def tables(draw):
    """A schema, the base's rows, deltas over them, and the rows after all of them."""
    key = draw(st.sampled_from(["int", "string"]))
    schema = a_schema(key)
    base = model = draw(st.dictionaries(KEYS[key], cells_of(), max_size=10))
    deltas = []
    for _ in range(draw(st.integers(0, 3))):
        wishes = st.dictionaries(KEYS[key], st.none() | cells_of(), max_size=4)
        delta, model = a_step(model, schema, draw(wishes))
        deltas.append(delta)
    return schema, base, deltas, model


@given(tables())
def test_a_look_up_may_ask_for_the_key_too(tmp_path_factory, table):
    schema, base, deltas, model = table
    snapshot = a_snapshot(tmp_path_factory.mktemp("t"), schema, base, *deltas)
    keys = [*model, *(key for key in base if key not in model)]
    found, cells = snapshot.lookup(keys, [schema.key])
    assert found.tolist() == [key in model for key in keys]
    assert cells[0].to_pylist() == [key if key in model else None for key in keys]


@given(tables())
def test_a_snapshot_says_what_the_model_does(tmp_path_factory, table):
    schema, base, deltas, model = table
    snapshot = a_snapshot(tmp_path_factory.mktemp("t"), schema, base, *deltas)
    assert snapshot.rows == len(model)
    # A cell edited to what it held already keeps its old bits, so 0.0 and -0.0 are one here.
    assert alike(plain_text(model_of(snapshot)), plain_text(model))
    assert snapshot.read().column_names == schema.names
    whole = snapshot.stored()
    for name in schema.names:
        (alone,) = snapshot.stored([name]).columns
        assert same(one_chunk(alone), one_chunk(whole[schema.column(name).id])).all()


def plain_text(model):
    return [(k, sorted((n, str(c)) for n, c in row.items() if c is not None))
            for k, row in sorted(model.items())]  # fmt: skip


@given(tables(), st.data())
def test_looking_up_finds_what_is_there(tmp_path_factory, table, data):
    schema, base, deltas, model = table
    snapshot = a_snapshot(tmp_path_factory.mktemp("t"), schema, base, *deltas)
    keys = data.draw(st.lists(KEYS[schema.key_column.type], max_size=12))
    names = data.draw(st.lists(st.sampled_from(sorted(CELLS)), unique=True, max_size=3))
    found, cells = snapshot.lookup(keys, names)
    assert found.tolist() == [key in model for key in keys]
    for name in names:
        expected = [model.get(key, {}).get(name) for key in keys]
        got = cells_in(cells[schema.column(name).id])
        assert all(alike(a, b) for a, b in zip(got, expected, strict=True))


@given(tables(), st.data())
def test_the_difference_brings_rows_in_and_touches_no_more(tmp_path_factory, table, data):
    schema, base, deltas, model = table
    snapshot = a_snapshot(tmp_path_factory.mktemp("t"), schema, base, *deltas)
    names = data.draw(st.lists(st.sampled_from(sorted(CELLS)), unique=True, max_size=4))
    each = st.fixed_dictionaries({name: st.none() | CELLS[name] for name in names})
    rows = data.draw(st.dictionaries(KEYS[schema.key_column.type], each, max_size=6))
    wanted = [schema.key_column.id, *(schema.column(name).id for name in names)]
    delta = snapshot.difference(a_table(rows, schema).select(wanted), ANNE, NOW)
    expected = {key: model.get(key, {}) | row for key, row in rows.items()}
    layers = (*deltas, delta) if delta else tuple(deltas)
    after = Snapshot(snapshot.reader, schema, snapshot.base, layers)
    assert alike(plain_text(model_of(after)), plain_text(model | expected))
    changed = {
        (key, name)
        for key, row in rows.items()
        for name, cell in row.items()
        if key in model and not alike(cell, model[key].get(name))
    }
    assert edited_cells(delta, schema) == changed
    assert inserted_keys(delta) == set(rows) - set(model)


def edited_cells(delta, schema):
    if delta is None:
        return set()
    table = delta.table.filter(pa.array(delta.table["op"].to_numpy() == EDIT))
    return {
        (key, schema.by_id(column).name)
        for column in delta.columns
        for key, touched in zip(
            table["key"].to_pylist(), table[f"{column}.set"].to_pylist(), strict=True
        )
        if touched
    }


def inserted_keys(delta):
    return set(version.keys_of(delta, INSERT)) if delta else set()


@pytest.mark.parametrize(
    ("keys", "told"), [([1, 1], "2 times"), ([1, None], "has no `id`")], ids=["twice", "null"]
)
def test_a_key_that_cannot_name_a_row_is_refused(tmp_path, keys, told):
    schema = a_schema()
    snapshot = a_snapshot(tmp_path, schema, {})
    rows = pa.table({schema.key_column.id: pa.array(keys, pa.int64())})
    for work in (lambda: snapshot.difference(rows, ANNE, NOW), lambda: snapshot.complete(rows)):
        with pytest.raises(InvalidInput, match=told):
            work()


def test_rows_without_a_key_column_are_refused(tmp_path):
    schema = a_schema()
    snapshot = a_snapshot(tmp_path, schema, {})
    rows = pa.table({schema.column("int").id: pa.array([1])})
    for work in (lambda: snapshot.difference(rows, ANNE, NOW), lambda: snapshot.complete(rows)):
        with pytest.raises(InvalidInput, match="`id`") as told:
            work()
        assert told.value.hint


def test_an_unknown_column_is_not_found(tmp_path):
    with pytest.raises(NotFound, match="no column `colour`") as told:
        a_snapshot(tmp_path, a_schema(), {}).read(["colour"])
    assert "category" in told.value.hint


def test_a_column_added_later_reads_as_nulls_and_takes_edits(tmp_path):
    schema = a_schema()
    base = {key: {"int": key} for key in range(7)}
    snapshot = a_snapshot(tmp_path, schema, base)
    wider = Snapshot(snapshot.reader, schema.add("later", "string"), snapshot.base)
    assert wider.stored(["later"])[0].to_pylist() == [None] * 7
    key, later = wider.schema.key_column.id, wider.schema.column("later").id
    rows = pa.table({key: pa.array([3]), later: pa.array(["x"])})
    edited = Snapshot(wider.reader, wider.schema, wider.base, (wider.difference(rows, ANNE, NOW),))
    assert edited.stored(["later"])[0].to_pylist() == [None] * 3 + ["x"] + [None] * 3


def test_reading_looks_only_into_segments_that_hold_a_sought_key(tmp_path, monkeypatch):
    schema = a_schema("string")
    base = {f"{key:02}": {"int": key} for key in range(30)}
    snapshot = a_snapshot(tmp_path, schema, base)
    decoded = []
    monkeypatch.setattr(
        version, "decode_segment", lambda *a: decoded.append(1) or segment.decode_segment(*a)
    )
    found, cells = snapshot.lookup(["04", "05", "05x", "22"], ["int"])
    assert (found.tolist(), cells[0].to_pylist()) == ([True, True, False, True], [4, 5, None, 22])
    assert len(decoded) == 2


def test_decoded_columns_are_kept_up_to_a_bound(tmp_path, monkeypatch):
    monkeypatch.setattr(version, "CACHE_BYTES", 100)
    snapshot = a_snapshot(tmp_path, a_schema(), {key: {"int": key} for key in range(40)})
    for _ in range(2):
        assert snapshot.stored(["int"])[0].to_pylist() == list(range(40))
    assert snapshot.reader._bytes <= 100


@given(
    held=st.lists(st.text(max_size=3), unique=True, max_size=60).map(sorted),
    keys=st.lists(st.text(max_size=3), max_size=5),
)
def test_finding_strings_is_what_a_dict_does(held, keys):
    keys = [*keys, *held[:2]]
    places = {key: at for at, key in enumerate(held)}
    got = find(pa.array(held, pa.string()), pa.array(keys, pa.string()))
    assert got.tolist() == [places.get(key, -1) for key in keys]


# Chains


def a_chain(store, schema, model, wishes):
    """Deltas written one on the other; their names and the model after each."""
    tails, models = [], []
    for cells in wishes:
        delta, model = a_step(model, schema, cells)
        with store.write() as writer:
            parent = tails[-1] if tails else None
            tails.append(writer.put(Delta(delta.table, delta.origins, parent).encode()))
        models.append(model)
    return tails, models


def test_any_version_of_a_chain_reads_as_it_was_in_any_order(tmp_path):
    schema, base = a_schema(), {key: {"int": 0} for key in range(8)}
    snapshot = a_snapshot(tmp_path, schema, base)
    reader = snapshot.reader
    steps = [{n: {"int": n}, n + 1: None, 20 + n: {"string": "new"}} for n in range(6)]
    tails, models = a_chain(reader.store, schema, base, steps)
    for place in [5, 0, 3, 3, 5, 1, 4]:
        at = Snapshot(reader, schema, snapshot.base, reader.layers(tails[place]))
        assert plain(model_of(at)) == plain(models[place])
    assert reader.layers(None) == ()
    assert [name for name, _ in reader.chain(tails[5], tails[2])] == tails[3:]


@given(sizes=st.lists(st.integers(1, 12), max_size=40), data=st.data())
def test_a_chain_is_kept_as_few_layers(sizes, data):
    """Each more than twice as large as the next, and together what one after another does."""
    schema, model, layers, deltas = a_schema(), {key: {"int": 0} for key in range(40)}, (), []
    for number, size in enumerate(sizes):
        keys = data.draw(st.permutations(range(40)))[:size]
        delta, model = a_step(model, schema, {key: {"int": number + 1} for key in keys})
        deltas.append(delta)
        layers = stacked(layers, delta)
        assert all(a.rows > 2 * b.rows for a, b in itertools.pairwise(layers))
    one, other = compose(layers), compose(deltas)
    assert (one is None) == (other is None)
    assert one is None or one.table == other.table


def test_a_chain_that_lacks_a_delta_is_told(tmp_path):
    schema = a_schema()
    other = ObjectStore(tmp_path / "other")
    tails, _ = a_chain(other, schema, {}, [{1: {}}, {2: {}}])
    store = ObjectStore(tmp_path / "packs")
    with store.write() as writer:
        writer.put(other.get(tails[1]))
    with pytest.raises(NotFound, match=tails[0][:12]):
        TableReader(store).layers(tails[1])


def test_a_segment_with_another_number_of_rows_is_damaged(tmp_path):
    schema = a_schema()
    snapshot = a_snapshot(tmp_path, schema, {1: {}, 2: {}})
    (entry,) = snapshot.base.segments
    lying = segment.SegmentEntry(entry.name, 5, entry.first, entry.last)
    with pytest.raises(Damaged, match="2 rows"):
        snapshot.reader.segment(lying, schema.columns)


def test_a_version_is_a_value():
    assert TableVersion("s", None, None, 0) == TableVersion("s", None, None, 0)
    assert hash(TableVersion("s", "b", "t", 3))


def test_a_table_of_many_segments_reads_in_key_order(tmp_path):
    rng = np.random.default_rng(3)
    keys = [int(key) for key in rng.permutation(1000)]
    snapshot = a_snapshot(tmp_path, a_schema(), {key: {"int": -key} for key in keys})
    assert len(snapshot.base.segments) == 334
    assert snapshot.stored(["id"])[0].to_pylist() == list(range(1000))
    assert as_model(snapshot.stored(), snapshot.schema)[17] == {"int": -17}
