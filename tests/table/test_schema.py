"""Columns keep who they are when names and labels change; cells that do not fit are told."""

import json
from dataclasses import replace

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from model_tables import CELLS, LABELS, a_schema, a_snapshot

from sw2.errors import Damaged, InvalidInput, NotFound
from sw2.table import Column, Schema

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
        (lambda: SCHEMA.drop("id"), "cannot be dropped"),
        (lambda: SCHEMA.retype("id", "string"), "cannot be given another type"),
        (lambda: SCHEMA.retype("boxes", "int"), "is boxes, it cannot become int"),
        (lambda: SCHEMA.retype("int", "int"), "cannot become int"),
        (lambda: SCHEMA.retype("int", "image"), "cannot become image"),
        (lambda: SCHEMA.rename_label("category", "cat", "dog"), "`cat` to `dog`"),
        (lambda: SCHEMA.rename_label("category", "cta", "x"), "no label `cta`"),
        (lambda: SCHEMA.retire_labels("category", ["cat", "cat"]), "named twice"),
        (lambda: SCHEMA.order_labels("category", ["x"]), "no label `x`"),
        (lambda: SCHEMA.order_labels("int", ["x"]), "is int"),
        (lambda: SCHEMA.with_rule("int", "dice"), "no merge rule `dice`"),
        (lambda: SCHEMA.add("x", "int", ["a"]), "is int"),
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
    follows(SCHEMA._with(replace(column, slots=("CAT", *LABELS[1:]))))
    follows(SCHEMA, Schema("examples", "", ()))


def test_a_schema_that_would_leave_cells_unreadable_is_refused():
    column, number = SCHEMA.column("category"), SCHEMA.column("int")
    for wrong in (
        SCHEMA._with(replace(column, slots=LABELS[:2])),
        SCHEMA._with(replace(column, slots=("cat", "cat", "owl", "x"))),
        SCHEMA._with(replace(number, type="float")),
        SCHEMA._with(replace(number, name="float")),
        replace(SCHEMA, columns=SCHEMA.columns[:-1]),
        replace(SCHEMA, key="string"),
        replace(SCHEMA, key="nothing"),
    ):
        with pytest.raises(InvalidInput) as told:
            follows(wrong)
        assert told.value.message


# Slots


LABELLED = SCHEMA.with_labels("category", ["emu"])


def labels_of(schema):
    return schema.column("category").labels


def test_labels_are_retired_reordered_and_renamed_without_touching_cells():
    schema = LABELLED.retire_labels("category", ["dog"]).order_labels("category", ["emu", "owl"])
    schema = schema.rename_label("category", "emu", "rhea")
    column = schema.column("category")
    assert column.labels == ("rhea", "owl", "cat", "—")
    assert (column.slots, column.order) == (("cat", "dog", "owl", "—", "rhea"), (4, 2, 0, 3))
    follows(schema, LABELLED)
    stored = column.encode(pa.array(["owl", "rhea", None]))
    assert stored.to_pylist() == [2, 4, None]
    assert column.decode(stored).to_pylist() == ["owl", "rhea", None]


def test_a_retired_label_is_read_but_not_written_until_it_is_added_again():
    schema = LABELLED.retire_labels("category", ["dog"])
    column = schema.column("category")
    cells = column.decode(pa.array([1, 0, None], pa.int32()))
    assert cells.to_pylist() == ["dog", "cat", None]
    assert cells.dictionary.to_pylist() == ["cat", "owl", "—", "emu", "dog"]
    with pytest.raises(InvalidInput, match="`dog` is a retired label"):
        column.encode(pa.array(["dog"]))
    again = schema.with_labels("category", ["dog"])
    assert labels_of(again) == ("cat", "owl", "—", "emu", "dog")
    assert again.column("category").slots == LABELLED.column("category").slots


def test_a_label_that_gets_its_first_name_again_leaves_no_trace():
    away = LABELLED.rename_label("category", "emu", "rhea")
    assert away.with_labels("category", ["emu"]).column("category").born[-1] == "emu#2"
    assert away.rename_label("category", "rhea", "emu") == LABELLED


def test_labels_in_the_order_of_their_slots_are_written_as_ever():
    there = LABELLED.order_labels("category", ["emu"]).order_labels("category", labels_of(LABELLED))
    assert there == LABELLED
    assert there.encode() == LABELLED.encode()


@given(st.permutations(range(5)), st.integers(0, 5))
def test_a_category_reads_as_its_slots_say_in_any_order(order, live):
    column = replace(LABELLED.column("category"), order=tuple(order[:live]))
    stored = pa.array([4, None, 0, 1, 2, 3, 0], pa.int32())
    names = [None if slot is None else column.slots[slot] for slot in stored.to_pylist()]
    decoded = column.decode(stored)
    assert decoded.to_pylist() == names
    assert decoded.dictionary.to_pylist()[:live] == list(column.labels)
    assert column.decode(pa.chunked_array([stored, stored])).to_pylist() == names * 2


def test_a_cell_without_a_label_is_damaged():
    for column in (LABELLED.column("category"), replace(LABELLED.column("category"), order=(1, 0))):
        for slot in (5, -1):
            with pytest.raises(Damaged, match="without a label"):
                column.decode(pa.array([0, slot], pa.int32()))


# Columns that go and change


def test_a_dropped_column_s_name_is_free_for_another():
    schema = SCHEMA.drop("int")
    again = schema.add("int", "int")
    assert again.column("int").id != SCHEMA.column("int").id
    assert again.dropped == (SCHEMA.column("int").id,)
    follows(schema)
    follows(again)


def test_a_column_that_is_dropped_by_mistake_is_not_simply_left_out():
    with pytest.raises(InvalidInput, match="`int`"):
        follows(replace(SCHEMA.drop("int"), dropped=()))


def test_a_retyped_column_is_another_that_knows_what_it_was():
    schema = SCHEMA.retype("int", "string").rename("int", "text 2").retype("text 2", "float")
    column = schema.column("text 2")
    assert [link.type for link in column.chain] == ["float", "string", "int"]
    assert [c.name for c in schema.columns][2] == "text 2"
    follows(schema)
    assert schema.drop("text 2").dropped == tuple(link.id for link in column.chain)
    follows(schema.drop("text 2"))


def test_labels_stay_where_a_category_becomes_tags_and_go_where_it_becomes_text():
    ordered = SCHEMA.order_labels("category", ["owl"])
    tags = ordered.retype("category", "tags", ["emu"]).column("category")
    assert tags.labels == ("owl", "cat", "dog", "—", "emu")
    text = ordered.retype("category", "text").column("category")
    assert (text.slots, text.order, text.was.slots) == ((), None, LABELS)


def test_two_people_who_retype_a_column_alike_make_one():
    one, other = (SCHEMA.retype("string", "category", labels) for labels in ("ab", "bc"))
    assert one.column("string").id == other.column("string").id
    assert one.column("string").id != SCHEMA.retype("string", "tags").column("string").id


RICH = (
    LABELLED.retire_labels("category", ["dog"])
    .retype("string", "category", ["a", "b"])
    .rename_label("string", "a", "A")
    .drop("int")
    .with_rule("category", "latest")
    .add("boxes 2", "boxes", ["x"])
)
RICH = RICH._with(replace(RICH.column("json"), consensus=("majority", "votes")))


def test_a_schema_with_history_survives_writing_and_reading():
    assert Schema.parse(RICH.encode()) == RICH
    follows(RICH, LABELLED)


def test_a_schema_that_uses_nothing_new_is_written_as_it_always_was():
    schema = Schema("t", "id", (Column("00000001", "id", "int"),
                                Column("00000002", "kind", "category", ("a", "b"))))  # fmt: skip
    assert schema.encode() == (
        b'{"columns": [{"id": "00000001", "name": "id", "type": "int"}, {"id": "00000002", '
        b'"labels": ["a", "b"], "name": "kind", "type": "category"}], "format": 1, "key": "id", '
        b'"table": "t"}'
    )
    for new in (
        schema.add("x", "tags"),
        schema.add("x", "int").drop("x"),
        schema.with_rule("kind", "ours"),
        schema.order_labels("kind", ["b"]),
        schema.retype("kind", "text"),
    ):
        assert json.loads(new.encode())["format"] == 2


def test_a_stale_schema_takes_over_what_others_did_meanwhile():
    mine = SCHEMA.with_labels("category", ["fox"])
    theirs = LABELLED.rename_label("category", "cat", "CAT").add("seen", "bool").drop("json")
    kept = mine.keeping_labels(theirs.retype("int", "string"))
    assert kept.column("category").slots == ("CAT", *LABELS[1:], "emu", "cat", "fox")
    assert "seen" in kept.names
    assert "json" not in kept.names
    assert kept.column("int").type == "string"
    follows(kept, theirs)


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


@pytest.mark.parametrize("schema", [SCHEMA, RICH], ids=["plain", "with history"])
@given(data=st.data())
def test_a_flipped_schema_is_damaged_or_another_schema(schema, data):
    raw = bytearray(schema.encode())
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
        b'{"format": 3}',
        RICH.encode().replace(b'"order": [0,', b'"order": [7,'),
        RICH.encode().replace(b'"order": [0,', b'"order": [2,'),
        RICH.encode().replace(b'"order": [0,', b'"order": ["0",'),
        RICH.encode().replace(b'"latest"', b'"dice"'),
        RICH.encode().replace(b'"consensus": ["majority", ', b'"consensus": ['),
        RICH.encode().replace(RICH.dropped[0].encode(), RICH.columns[0].id.encode()),
        RICH.encode().replace(b'"was": {', b'"was": [{').replace(b"}}", b"}]}"),
        json.dumps(json.loads(RICH.encode()) | {"dropped": [7]}).encode(),
        SCHEMA.encode().replace(b'"cat"', b"7"),
        SCHEMA.encode().replace(SCHEMA.columns[0].id.encode(), SCHEMA.columns[1].id.encode()),
    ],
)
def test_bytes_that_are_no_schema_are_damaged(raw):
    with pytest.raises(Damaged):
        Schema.parse(raw)
