"""Columns keep who they are when names and labels change; cells that do not fit are told."""

import json
from dataclasses import replace

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from model_tables import CELLS, LABELS, a_schema, a_snapshot

from sw2.errors import Damaged, InvalidInput, NotFound
from sw2.table import Schema

SCHEMA = a_schema()


def test_a_schema_survives_writing_and_reading():
    assert Schema.parse(SCHEMA.encode()) == SCHEMA


def test_two_people_who_add_the_same_column_add_one_column():
    assert SCHEMA.add("seen", "bool") == SCHEMA.add("seen", "bool")
    assert SCHEMA.add("seen", "bool").columns[-1].id != SCHEMA.add("saw", "bool").columns[-1].id


def test_a_renamed_column_keeps_its_identity_and_its_cells(tmp_path):
    renamed = SCHEMA.rename("int", "count").rename("id", "key")
    assert [c.id for c in renamed.columns] == [c.id for c in SCHEMA.columns]
    assert renamed.key == "key"
    snapshot = a_snapshot(tmp_path, SCHEMA, {1: {"int": 5}})
    assert replace(snapshot, schema=renamed).read(["key", "count"]).to_pylist() == [
        {"key": 1, "count": 5}
    ]


def test_a_column_added_where_one_was_renamed_away_is_another():
    again = SCHEMA.rename("int", "count").add("int", "int")
    assert again.column("int").id != again.column("count").id


def test_labels_are_appended_and_keep_their_numbers():
    more = SCHEMA.with_labels("category", ["dog", "emu"])
    assert more.column("category").labels == (*LABELS, "emu")
    assert more.column("category").id == SCHEMA.column("category").id
    assert SCHEMA.with_labels("category", LABELS) == SCHEMA


@pytest.mark.parametrize(
    ("work", "told"),
    [
        (lambda: SCHEMA.add("x", "colour"), "no type `colour`"),
        (lambda: SCHEMA.add("int", "int"), "named `int`"),
        (lambda: SCHEMA.add("", "int"), "named ``"),
        (lambda: SCHEMA.rename("int", "float"), "`float`"),
        (lambda: SCHEMA.with_labels("int", ["a"]), "is int"),
        (lambda: Schema.create("t", "id", {"id": "float"}), "int or string"),
        (lambda: Schema.create("t", "id", {"x": "int"}), "int or string"),
        (lambda: SCHEMA.rename("nothing", "x"), "no column `nothing`"),
    ],
)
def test_a_schema_that_cannot_be_is_told(work, told):
    with pytest.raises((InvalidInput, NotFound), match=told):
        work()


def follows(later, older=SCHEMA):
    later.check_follows(older)


def test_a_schema_may_follow_another_by_what_keeps_stored_cells_readable():
    follows(SCHEMA)
    follows(SCHEMA.add("new", "int").rename("int", "count").with_labels("category", ["emu"]))
    column = SCHEMA.column("category")
    follows(SCHEMA._with(replace(column, labels=("CAT", *LABELS[1:]))))
    follows(SCHEMA, Schema("examples", "", ()))


def test_a_schema_that_would_leave_cells_unreadable_is_refused():
    column, number = SCHEMA.column("category"), SCHEMA.column("int")
    for wrong in (
        SCHEMA._with(replace(column, labels=LABELS[:2])),
        SCHEMA._with(replace(column, labels=("cat", "cat", "owl", "x"))),
        SCHEMA._with(replace(number, type="float")),
        SCHEMA._with(replace(number, name="float")),
        replace(SCHEMA, columns=SCHEMA.columns[:-1]),
        replace(SCHEMA, key="string"),
        replace(SCHEMA, key="nothing"),
    ):
        with pytest.raises(InvalidInput) as told:
            follows(wrong)
        assert told.value.message


# Cells


@pytest.mark.parametrize(
    ("kind", "cells", "told"),
    [
        ("int", ["many"], "`int` holds int cells"),
        ("int", [2.5], "`int` holds int cells"),
        ("float", ["much"], "`float` holds float cells"),
        ("timestamp", ["yesterday"], "`timestamp`"),
        ("image", ["not hex"], "`image`"),
        ("image", ["abcd"], "`image`"),
        ("image", [7], "`image`"),
        ("vector", [3.0], "`vector`"),
        ("category", [3], "`category` takes label names"),
        ("category", ["dgo"], "`dgo` is not a label of column `category`"),
    ],
)
def test_a_cell_that_does_not_fit_is_told_with_what_would(kind, cells, told):
    with pytest.raises(InvalidInput, match=told) as error:
        SCHEMA.column(kind).encode(pa.array(cells))
    assert error.value.hint


def test_the_nearest_label_is_named():
    with pytest.raises(InvalidInput) as told:
        SCHEMA.column("category").encode(pa.array(["cat", "dgo"]))
    assert told.value.hint == "Did you mean `dog`? Its labels: cat, dog, owl, —"


@pytest.mark.parametrize("kind", CELLS)
def test_nothing_fits_every_column(kind):
    column = SCHEMA.column(kind)
    assert column.decode(column.encode(pa.nulls(2))).to_pylist() == [None, None]
    assert not len(column.decode(column.encode(pa.nulls(0))))


def test_people_see_labels_and_names_not_numbers_and_bytes():
    label, image = SCHEMA.column("category"), SCHEMA.column("image")
    for cells in (["owl", None, "cat"], pa.array(["owl", None, "cat"]).dictionary_encode()):
        stored = label.encode(pa.array(cells))
        assert stored.to_pylist() == [2, None, 0]
        assert label.decode(stored).to_pylist() == ["owl", None, "cat"]
    assert image.decode(image.encode(pa.array(["ab" * 32, None]))).to_pylist() == ["ab" * 32, None]


# Bytes that are no schema


@given(st.data())
def test_a_flipped_schema_is_damaged_or_another_schema(data):
    raw = bytearray(SCHEMA.encode())
    for place in data.draw(st.lists(st.integers(0, len(raw) - 1), min_size=1, max_size=3)):
        raw[place] ^= data.draw(st.integers(1, 255))
    try:
        read = Schema.parse(bytes(raw))
    except Damaged:
        return
    assert Schema.parse(read.encode()) == read


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"[]",
        b"null",
        b"[" * 100_000,
        b'{"format": 2}',
        b'{"format": 1, "table": "t", "key": "id", "columns": [1]}',
        b'{"format": 1, "table": "t", "key": "id", "columns": []}',
        json.dumps(json.loads(SCHEMA.encode()) | {"key": "nothing"}).encode(),
        SCHEMA.encode().replace(b'"bool"', b'["bool"]'),
        SCHEMA.encode().replace(b'"cat"', b"7"),
        SCHEMA.encode().replace(SCHEMA.columns[0].id.encode(), SCHEMA.columns[1].id.encode()),
    ],
)
def test_bytes_that_are_no_schema_are_damaged(raw):
    with pytest.raises(Damaged):
        Schema.parse(raw)
