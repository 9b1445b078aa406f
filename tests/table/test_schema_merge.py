"""Two schemas that came from one are merged property by property; what clashes is told."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from model_tables import ANNE, NOW

from sw2.errors import InvalidInput
from sw2.table import EDIT, Column, Schema, make_delta
from sw2.table.convert import CONVERTS
from sw2.table.schema import RULES
from sw2.table.schema_merge import merge_schemas

BASE = (
    Schema.create("t", "id", {"id": "int"})
    .add("label", "category", ["a", "b", "c"])
    .add("note", "string")
    .add("size", "int")
    .add("boxes", "boxes", ["a", "b"])
)
KINDS = ["int", "string", "float", "category", "tags", "boxes"]


def try_to(schema, work):
    """What cannot be done is not done."""
    try:
        after = work(schema)
        after.check_follows(schema)
        return after
    except (InvalidInput, LookupError):
        return schema


@st.composite
def changed(draw, schema, renaming=True, most=5):
    """A schema after some changes."""
    for _ in range(draw(st.integers(0, most))):
        names = [name for name in schema.names if name != "id"]
        name = draw(st.sampled_from(names)) if names else "x"
        labels = schema.column(name).labels if names else ()
        label = draw(st.sampled_from(labels)) if labels else "a"
        new, kind = draw(st.sampled_from("defxyz")), draw(st.sampled_from(KINDS))
        rule = draw(st.sampled_from(RULES))
        options = {
            "add": lambda s, n=new, k=kind: s.add(n, k, ["p", n] if k in KINDS[3:] else ()),
            "drop": lambda s, n=name: s.drop(n),
            "retype": lambda s, n=name, k=kind, x=new: s.retype(
                n, k, ["p", x] if k in ("category", "tags") else ()
            ),
            "label": lambda s, n=name, x=new: s.with_labels(n, [x]),
            "retire": lambda s, n=name, x=label: s.retire_labels(n, [x]),
            "order": lambda s, n=name, x=label: s.order_labels(n, [x]),
            "rule": lambda s, n=name, r=rule: s.with_rule(n, r),
        }
        if renaming:
            options |= {
                "rename": lambda s, n=name, x=new: s.rename(n, x),
                "rename label": lambda s, n=name, old=label, x=new: s.rename_label(n, old, x),
            }
        schema = try_to(schema, options[draw(st.sampled_from(sorted(options)))])
    return schema


@st.composite
def three(draw, renaming=True):
    base = draw(changed(BASE, most=3))
    return base, draw(changed(base, renaming)), draw(changed(base, renaming))


@settings(max_examples=300)
@given(three())
def test_a_side_that_changed_nothing_gives_the_other(schemas):
    base, side, _ = schemas
    for merge in (merge_schemas(base, base, side), merge_schemas(base, side, base)):
        assert merge.schema == side
        assert not merge.conflicts
    assert merge_schemas(base, side, side).schema == side


@settings(max_examples=300)
@given(three())
def test_what_is_merged_follows_ours_and_can_be_written(schemas):
    base, ours, theirs = schemas
    merge = merge_schemas(base, ours, theirs)
    merged = merge.schema
    merged.check_follows(replace(ours, dropped=()))
    assert Schema.parse(merged.encode()) == merged
    for column in theirs.columns:
        now = merged.by_id(merge.columns.get(column.id, column.id))
        assert now is not None or column.id in merged.dropped
        if now and now.has_labels and column.has_labels:
            numbers = merge.numbers.get(now.id, np.arange(len(column.slots)))
            assert len(numbers) == len(column.slots)
            assert len(set(numbers.tolist())) == len(numbers)
            assert all(0 <= number < len(now.slots) for number in numbers)


def since(now, column):
    """What a column was, from now back to `column`; all of it where it was never that."""
    ids = [link.id for link in now.chain]
    return now.chain[: ids.index(column.id) + 1 if column.id in ids else len(ids)]


def said(merge):
    return {
        c.name: (c.type, set(c.labels), set(c.slots), c.merge, c.name == merge.schema.key)
        for c in merge.schema.columns
    }


@settings(max_examples=300)
@given(three())
def test_either_side_may_be_ours(schemas):
    base, ours, theirs = schemas
    one, other = merge_schemas(base, ours, theirs), merge_schemas(base, theirs, ours)
    assert len(one.schema.columns) == len(other.schema.columns)
    assert {c.what for c in one.conflicts} == {c.what for c in other.conflicts}
    if not one.conflicts:
        assert said(one) == said(other)


@settings(max_examples=300)
@given(three(renaming=False))
def test_every_label_of_either_side_survives_unless_it_was_retired(schemas):
    base, ours, theirs = schemas
    merge = merge_schemas(base, ours, theirs)
    for side in (ours, theirs):
        for column in side.columns:
            now = merge.schema.by_id(merge.columns.get(column.id, column.id))
            if now is not None and all(link.has_labels for link in since(now, column)):
                assert set(column.slots) <= set(now.slots)
                others = theirs if side is ours else ours
                ids = {link.id for link in column.chain}
                twins = [c for c in others.columns if ids & {link.id for link in c.chain}]
                if all(set(column.labels) <= set(twin.labels) for twin in twins):
                    assert set(column.labels) <= set(now.labels)


def test_labels_that_both_added_keep_our_numbers_and_theirs_come_after():
    ours = BASE.with_labels("label", ["d", "e"])
    theirs = BASE.with_labels("label", ["e", "f"])
    merge = merge_schemas(BASE, ours, theirs)
    column = merge.schema.column("label")
    assert column.slots == ("a", "b", "c", "d", "e", "f")
    assert merge.numbers[column.id].tolist() == [0, 1, 2, 4, 5]
    assert not merge.conflicts


def test_a_new_order_here_and_a_new_label_there_join():
    ours = BASE.order_labels("label", ["c", "b"])
    theirs = BASE.with_labels("label", ["d"]).retire_labels("label", ["a"])
    for one, other in ((ours, theirs), (theirs, ours)):
        merge = merge_schemas(BASE, one, other)
        assert merge.schema.column("label").labels == ("c", "b", "d")
        assert not merge.conflicts


def test_a_column_that_both_added_is_one():
    ours = BASE.add("mine", "bool").add("seen", "category", ["x"])
    theirs = BASE.add("seen", "category", ["y", "x"])
    merge = merge_schemas(BASE, ours, theirs)
    assert merge.schema.names == [*BASE.names, "mine", "seen"]
    column = merge.schema.column("seen")
    assert merge.columns == {theirs.column("seen").id: column.id}
    assert (column.slots, merge.numbers[column.id].tolist()) == (("x", "y"), [1, 0])


def test_a_table_that_both_made_is_merged_without_a_base():
    ours, theirs = BASE.with_labels("label", ["d"]), BASE.add("seen", "bool")
    merge = merge_schemas(None, ours, theirs)
    assert merge.schema.names == [*BASE.names, "seen"]
    assert merge.schema.column("label").labels == ("a", "b", "c", "d")
    other = Schema.create("t", "key", {"key": "string"})
    with pytest.raises(InvalidInput, match="`id` here and by `key`"):
        merge_schemas(None, BASE, other)


CLASHES = {
    "name": (lambda s: s.rename("note", "x"), lambda s: s.rename("note", "y"), "note", "x", "y"),
    "label 1": (
        lambda s: s.rename_label("label", "b", "x"),
        lambda s: s.rename_label("label", "b", "y"),
        *("b", "x", "y"),
    ),
    "rule": (lambda s: s.with_rule("note", "ours"), lambda s: s.with_rule("note", "latest"),
             "ask", "ours", "latest"),
    "type": (lambda s: s.retype("note", "int"), lambda s: s.retype("note", "float"),
             "string", "int", "float"),
    "order": (lambda s: s.order_labels("label", ["c"]), lambda s: s.order_labels("label", ["b"]),
              ("a", "b", "c"), ("c", "a", "b"), ("b", "a", "c")),
    "column": (lambda s: s.drop("note"), lambda s: s.retype("note", "text").rename("note", "n"),
               "note", None, "n"),
}  # fmt: skip


@pytest.mark.parametrize("what", CLASHES)
def test_what_both_changed_otherwise_stays_ours_and_is_told(what):
    mine, other, *told = CLASHES[what]
    ours, theirs = mine(BASE), other(BASE)
    (conflict,) = merge_schemas(BASE, ours, theirs).conflicts
    assert (conflict.what, [conflict.base, conflict.ours, conflict.theirs]) == (what, told)
    (conflict,) = merge_schemas(BASE, theirs, ours).conflicts
    assert (conflict.what, [conflict.base, conflict.theirs, conflict.ours]) == (what, told)
    if what != "column":
        assert merge_schemas(BASE, ours, theirs).schema == ours


def test_a_column_dropped_here_and_changed_there_is_kept():
    theirs = BASE.retype("note", "text")
    merge = merge_schemas(BASE, BASE.drop("note"), theirs)
    assert merge.schema.column("note").type == "text"
    assert not merge.schema.dropped
    untouched = merge_schemas(BASE, BASE.drop("note"), BASE.add("more", "int"))
    assert untouched.schema.names == ["id", "label", "size", "boxes", "more"]


def test_a_name_that_two_columns_want_goes_to_ours():
    ours, theirs = BASE.rename("note", "x"), BASE.add("x", "float")
    merge = merge_schemas(BASE, ours, theirs)
    assert merge.schema.names == ["id", "label", "x", "size", "boxes", "x (theirs)"]
    (conflict,) = merge.conflicts
    assert (conflict.what, conflict.base, conflict.ours, conflict.theirs) == (
        *("name", None, None, "x"),
    )
    other = merge_schemas(BASE, theirs, ours)
    assert other.schema.names == ["id", "label", "x (theirs)", "size", "boxes", "x"]


def test_a_name_that_two_labels_want_is_told_from_either_side():
    ours = BASE.rename_label("label", "a", "z")
    theirs = BASE.with_labels("label", ["z"])
    merge = merge_schemas(BASE, ours, theirs)
    assert merge.schema.column("label").slots == ("z", "b", "c", "z (theirs)")
    assert not merge.numbers
    assert [c.what for c in merge.conflicts] == ["label 0"]
    other = merge_schemas(BASE, theirs, ours)
    assert other.schema.column("label").slots == ("a", "b", "c", "z")
    assert [c.what for c in other.conflicts] == ["label 0"]


def test_a_label_renamed_to_one_that_the_other_side_has_too_is_told():
    ours = BASE.with_labels("label", ["d"]).rename_label("label", "d", "e")
    theirs = BASE.with_labels("label", ["d", "e"])
    for one, other in ((ours, theirs), (theirs, ours)):
        merge = merge_schemas(BASE, one, other)
        assert [c.what for c in merge.conflicts] == ["label 3"]
        assert merge.schema.column("label").labels[:4] == one.column("label").labels[:4]


# Their deltas


def a_delta(schema, **cells):
    """Edits of row 1: {column: (old, new)} as people see them."""
    columns = {}
    for name, pair in cells.items():
        column = schema.column(name)
        old, new = (column.encode([cell] if cell is not None else pa.nulls(1)) for cell in pair)
        columns[column.id] = (old, new, pa.array([True]))
    return make_delta(pa.array([1]), np.full(1, EDIT, np.int8), columns, ANNE, NOW)


def told(delta, schema):
    """{column: (old, new)} as people see them."""
    return {
        column.name: tuple(
            column.decode(delta.table[f"{column.id}.{what}"]).to_pylist()[0]
            for what in ("old", "new")
        )
        for column in map(schema.by_id, delta.columns)
    }


def test_their_labels_are_renumbered_in_categories_tags_and_shapes():
    base = BASE.add("tags", "tags", ["a"])
    names = ("label", "boxes", "tags")
    ours = theirs = base
    for name in names:
        ours, theirs = ours.with_labels(name, ["x", "z"]), theirs.with_labels(name, ["y", "z"])
    box = {"id": "1", "x": 0.0, "y": 0.0, "w": 1.0, "h": 1.0}
    cells = {
        "label": ("a", "y"),
        "tags": (None, ["a", "y", "z"]),
        "boxes": (
            [{**box, "label": "a"}],
            [{**box, "label": "z"}, {**box, "id": "2", "label": None}],
        ),
    }
    merge = merge_schemas(base, ours, theirs)
    read = told(merge.take(a_delta(theirs, **cells)), merge.schema)
    assert sorted(read["tags"][1]) == ["a", "y", "z"]
    assert read["label"] == cells["label"]
    assert read["boxes"] == cells["boxes"]


def test_their_cells_of_a_column_that_we_retyped_are_converted():
    ours = BASE.retype("note", "int").retype("label", "string")
    theirs = BASE.with_labels("label", ["new"])
    merge = merge_schemas(BASE, ours, theirs)
    assert not merge.conflicts
    delta = a_delta(theirs, note=("1", "2"), label=("a", "new"))
    assert told(merge.take(delta), merge.schema) == {"note": (1, 2), "label": ("a", "new")}


def test_where_both_retyped_theirs_becomes_ours_if_it_can():
    ours, theirs = BASE.retype("note", "int"), BASE.retype("note", "float")
    merge = merge_schemas(BASE, ours, theirs)
    assert told(merge.take(a_delta(theirs, note=(1.0, 2.5))), merge.schema) == {"note": (1, None)}
    ours = BASE.retype("note", "timestamp")
    merge = merge_schemas(BASE, ours, theirs)
    assert merge.take(a_delta(theirs, note=(1.0, 2.5))).rows == 0
    assert "timestamp" not in CONVERTS["float"]


def test_texts_that_became_labels_on_both_sides_keep_their_cells():
    ours = BASE.retype("note", "category", ["u", "v"]).rename_label("note", "u", "U")
    theirs = BASE.retype("note", "category", ["v", "w"])
    merge = merge_schemas(BASE, ours, theirs)
    column = merge.schema.column("note")
    assert column.slots == ("U", "v", "w")
    texts = pa.array(["u", "v", "w", "x"])
    read = column.decode(column.taken(BASE.column("note").id, texts))
    assert read.to_pylist() == ["U", "v", "w", None]


def test_a_text_that_is_a_label_s_new_name_too_can_be_written():
    ours = BASE.retype("note", "category", ["u"]).rename_label("note", "u", "U")
    ours = ours.with_labels("note", ["u"])
    merged = merge_schemas(BASE, ours, BASE.retype("note", "category", ["w"])).schema
    assert Schema.parse(merged.encode()) == merged
    column = merged.column("note")
    read = column.decode(column.taken(BASE.column("note").id, pa.array(["u", "w"])))
    assert read.to_pylist() == ["U", "w"]


def test_an_old_label_that_we_added_is_read_where_they_made_texts_of_labels():
    ours = BASE.with_labels("label", ["new"]).rename_label("label", "a", "A")
    theirs = BASE.rename_label("label", "b", "B").retype("label", "string")
    merge = merge_schemas(BASE, ours, theirs)
    column: Column = merge.schema.column("label")
    stored = ours.column("label").encode(pa.array(["A", "b", "new"]))
    assert column.taken(BASE.column("label").id, stored).to_pylist() == ["A", "B", "new"]
