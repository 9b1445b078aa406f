"""A scan says what a read says, piece by piece, and opens only the segments it needs."""

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from model_tables import CELLS, KEYS, a_schema, a_snapshot, a_step, cells_in, cells_of

from sw2.errors import Damaged, NotFound
from sw2.store import ObjectStore
from sw2.table import TableReader, segment


@pytest.fixture(autouse=True)
def small_segments(monkeypatch):
    """Tables of a few rows get several segments, as tables of a million have."""
    monkeypatch.setattr(segment, "ROWS", 3)


@st.composite
def tables(draw):
    """A schema, the base's rows, and deltas over them that insert before, between and after."""
    key = draw(st.sampled_from(["int", "string"]))
    schema = a_schema(key)
    base = model = draw(st.dictionaries(KEYS[key], cells_of(), max_size=10))
    deltas = []
    for _ in range(draw(st.integers(0, 3))):
        wishes = st.dictionaries(KEYS[key], st.none() | cells_of(), max_size=8)
        delta, model = a_step(model, schema, draw(wishes))
        deltas.append(delta)
    return schema, base, deltas


def numbers(schema, keys, *wishes):
    """Rows named by numbers, and deltas made of `wishes` over them."""
    model, deltas = {key: {"int": key} for key in keys}, []
    base = dict(model)
    for wish in wishes:
        delta, model = a_step(model, schema, wish)
        deltas.append(delta)
    return base, deltas


def joined(batches, table):
    return pa.Table.from_batches(list(batches), table.schema)


def text(table):
    """Cells as text, for NaN is NaN; times as numbers, for Python's end with year 9999."""
    return [str(cells_in(column)) for column in table.columns]


@given(tables(), st.data())
def test_a_scan_says_what_a_read_says(tmp_path_factory, table, data):
    schema, base, deltas = table
    snapshot = a_snapshot(tmp_path_factory.mktemp("store"), schema, base, *deltas)
    names = data.draw(st.lists(st.sampled_from(["id", *CELLS]), min_size=1, unique=True))
    rows = data.draw(st.integers(1, 4))
    batches = list(snapshot.scan(names, batch_rows=rows))
    whole = snapshot.read(names)
    assert text(joined(batches, whole)) == text(whole)
    assert all(0 < batch.num_rows <= rows for batch in batches)


@given(tables(), st.data())
def test_a_scan_of_a_range_says_what_is_inside(tmp_path_factory, table, data):
    schema, base, deltas = table
    snapshot = a_snapshot(tmp_path_factory.mktemp("store"), schema, base, *deltas)
    bounds = st.none() | KEYS[schema.key_column.type]
    first, last = data.draw(bounds), data.draw(bounds)
    inside = [
        key
        for key in snapshot.read(["id"])["id"].to_pylist()
        if (first is None or first <= key) and (last is None or key <= last)
    ]
    batches = snapshot.scan(["id"], first, last)
    assert [key for batch in batches for key in batch["id"].to_pylist()] == inside


@given(tables())
def test_parts_cover_every_row_once_and_hold_a_segments_rows_at_most(tmp_path_factory, table):
    schema, base, deltas = table
    snapshot = a_snapshot(tmp_path_factory.mktemp("store"), schema, base, *deltas)
    parts = list(snapshot.parts())
    read = [snapshot.read_part(part, ["id"]) for part in parts]
    assert pa.concat_tables([snapshot.read(["id"])[:0], *read])["id"].to_pylist() == (
        snapshot.read(["id"])["id"].to_pylist()
    )
    assert all(part.stop - part.start <= 3 for part in parts if part.entry is None)


class Counting(ObjectStore):
    """A store that remembers what was asked of it."""

    def __init__(self, folder):
        super().__init__(folder)
        self.asked = []

    def get(self, name):
        self.asked.append(name)
        return super().get(name)


def counted(folder, keys, *wishes):
    schema = a_schema()
    base, deltas = numbers(schema, keys, *wishes)
    snapshot = a_snapshot(folder, schema, base, *deltas)
    reader = TableReader(Counting(folder))
    return type(snapshot)(reader, schema, snapshot.base, snapshot.layers), reader


def test_only_segments_that_meet_the_range_are_read(tmp_path):
    snapshot, reader = counted(tmp_path, range(0, 30, 2), {9: {"int": 9}})
    found = [key for batch in snapshot.scan(["id"], 7, 9) for key in batch["id"].to_pylist()]
    assert found == [8, 9]
    assert reader.store.asked == [snapshot.base.segments[1].name]


def test_a_range_between_segments_reads_none(tmp_path):
    snapshot, reader = counted(tmp_path, range(0, 30, 2), {5: {"int": 5}})
    assert [b["id"].to_pylist() for b in snapshot.scan(["id"], 5, 5)] == [[5]]
    assert reader.store.asked == []


def test_a_scan_reads_a_segment_when_it_comes_to_it_and_keeps_none(tmp_path):
    snapshot, reader = counted(tmp_path, range(30))
    batches = snapshot.scan(["id"])
    next(batches)
    assert len(reader.store.asked) == 1
    list(batches)
    list(snapshot.scan(["id"]))
    assert len(reader.store.asked) == 20


def test_a_scan_of_an_unknown_column_says_which_there_are(tmp_path):
    snapshot, _ = counted(tmp_path, range(3))
    with pytest.raises(NotFound, match="no column `colour`"):
        list(snapshot.scan(["colour"]))


def test_a_scan_of_a_damaged_segment_says_so(tmp_path):
    snapshot, _ = counted(tmp_path, range(9))
    for pack in tmp_path.rglob("*.pack"):
        raw = bytearray(pack.read_bytes())
        raw[40] ^= 1
        pack.write_bytes(raw)
    with pytest.raises(Damaged):
        list(snapshot.scan(["id"]))
