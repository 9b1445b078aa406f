"""Cells of tags and shapes: what fits, what does not and why, and the ids of elements."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from model_tables import ALL_CELLS, a_schema, exact, stored_array

from sw2.errors import Damaged, InvalidInput
from sw2.table import same
from sw2.table.cells import LABELLED, MEDIA_TYPES, SHAPES, STORED, label_uses, renumbered

SCHEMA = a_schema()
for name in STORED:
    if name not in SCHEMA.names:
        SCHEMA = SCHEMA.add(name, name, ["cat", "dog", "owl", "—"] if name in LABELLED else ())
BOX = {"x": 1, "y": 2, "w": 3, "h": 4}
RING = [0, 0, 1, 0, 0, 1]
GOOD = {
    "boxes": BOX,
    "polygons": {"rings": [RING]},
    "masks": {"height": 2, "width": 3, "counts": [0, 2, 4]},
    "keypoints": {"points": [1, 2, 0, 3, 4, 2]},
    "spans": {"start": 0, "end": 0},
    "regions": {"start": 0.5, "end": 1},
}


def encode(kind, cell):
    return SCHEMA.column(kind).encode([cell])


def seen(kind, cell):
    return SCHEMA.column(kind).decode(encode(kind, cell)).to_pylist()[0]


@pytest.mark.parametrize("kind", SHAPES)
def test_an_element_is_read_as_it_was_given_and_has_an_id(kind):
    (element,) = seen(kind, [GOOD[kind] | {"label": "dog"}])
    assert len(element.pop("id")) == 8
    assert element == GOOD[kind] | {"label": "dog"}
    assert encode(kind, [GOOD[kind]]).type == STORED[kind]


@pytest.mark.parametrize("kind", SHAPES)
def test_what_was_read_is_written_as_it_was(kind):
    column = SCHEMA.column(kind)
    stored = column.encode([[GOOD[kind]], None, [], [GOOD[kind] | {"id": "mine", "label": "owl"}]])
    read = column.decode(stored)
    for cells in (read, read.to_pylist(), pa.chunked_array([read.slice(0, 1), read.slice(1)])):
        assert column.encode(cells).equals(stored)


def test_the_same_element_gets_the_same_id_whoever_adds_it():
    other = a_schema().order_labels("boxes", ["dog"]).with_labels("boxes", ["emu"])
    (one,) = other.column("boxes").encode([[BOX | {"label": "dog"}]]).to_pylist()[0]
    (two,) = encode("boxes", [{k: float(v) for k, v in BOX.items()} | {"label": "dog"}])[0].as_py()
    assert one["id"] == two["id"]
    ids = {seen("boxes", [BOX | {"label": label}])[0]["id"] for label in ("cat", "dog", None)}
    assert len(ids) == 3


def test_equal_elements_are_one_and_ids_that_are_given_stay():
    assert len(seen("boxes", [BOX, BOX, BOX | {"label": "cat"}])) == 2
    assert [e["id"] for e in seen("boxes", [BOX | {"id": "b"}, BOX | {"id": "a"}])] == ["b", "a"]
    assert len(seen("boxes", [BOX | {"id": "b"}] * 2)) == 1
    (made,) = seen("boxes", [BOX])
    taken = seen("boxes", [BOX | {"id": made["id"], "x": 9}, BOX])
    assert len({e["id"] for e in taken}) == 2


BAD = [
    ("boxes", [BOX | {"w": -1}], "element 0: `w` is -1", "at least 0"),
    ("boxes", [BOX, BOX | {"x": "1"}], "element 1: `x` is '1'", "number"),
    ("boxes", [BOX | {"x": float("nan")}], "`x` is nan", "number"),
    ("boxes", [BOX | {"x": True}], "`x` is True", "number"),
    ("boxes", [{"x": 1}], "`y` is missing", "number"),
    ("boxes", [BOX | {"z": 1}], "no field `z`", "id, label, x, y, w, h"),
    ("boxes", [BOX | {"label": "cta"}], "`cta` is not a label", "Did you mean `cat`?"),
    ("boxes", [BOX | {"label": 7}], "`7` is not a label", "Its labels"),
    ("boxes", [BOX | {"id": 7}], "`id` is 7", "text"),
    ("boxes", [BOX | {"id": "a"}, BOX | {"id": "a", "x": 9}], "`id` is a", "own id"),
    ("boxes", [7], "7 is no element", "dict"),
    ("boxes", BOX, "is no list of elements", "list"),
    ("boxes", "boxes", "is no list of elements", "list"),
    ("polygons", [{"rings": [[0, 0, 1, 1]]}], "a ring of 4 numbers", "three points"),
    ("polygons", [{"rings": [[*RING, 1]]}], "a ring of 7 numbers", "three points"),
    ("polygons", [{"rings": 3}], "`rings` is 3", "list"),
    ("masks", [{"height": 2, "width": 2, "counts": [3]}], "`counts` of 3 pixels", "width, 4"),
    ("masks", [{"height": 0, "width": 2, "counts": []}], "`height` is 0", "at least 1"),
    ("masks", [{"height": 2, "width": 2, "counts": [5, -1]}], "`counts` is -1", "at least 0"),
    ("keypoints", [{"points": [1, 2]}], "`points` is", "visibility"),
    ("keypoints", [{"points": [1, 2, 3]}], "`points` is", "visibility"),
    ("spans", [{"start": 3, "end": 2}], "`end` is 2, before", "start first"),
    ("spans", [{"start": -1, "end": 2}], "`start` is -1", "at least 0"),
    ("spans", [{"start": 0, "end": 2.5}], "`end` is 2.5", "whole"),
    ("spans", [{"start": 0, "end": 1 << 63}], "`end` is 9223372036854775808", "whole"),
    ("regions", [{"start": 3, "end": 2}], "`end` is 2.0, before", "start first"),
    ("tags", "cat", "'cat' is no list of labels", "list"),
    ("tags", ["cat", "emu"], "`emu` is not a label", "Its labels"),
    ("tags", [None], "`None` is not a label", "Its labels"),
    ("json", "{", "is not JSON", "JSON"),
    ("json", "NaN", "is not JSON", "JSON"),
    ("json", {1, 2}, "is not JSON", "JSON"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "cell", "told", "remedy"), BAD, ids=lambda v: str(v)[:24])
def test_a_cell_that_does_not_fit_is_told_with_its_place_and_what_would(kind, cell, told, remedy):
    with pytest.raises(InvalidInput) as error:
        SCHEMA.column(kind).encode([None, cell])
    assert error.value.message.startswith(f"column `{kind}`, cell 1: ")
    assert told in error.value.message
    assert remedy in error.value.hint


def test_tags_are_a_set():
    assert encode("tags", ["owl", "cat", "owl"]).to_pylist() == [[0, 2]]
    assert seen("tags", {"owl", "cat"}) == ["cat", "owl"]


def test_json_is_taken_as_text_or_as_what_it_says():
    cells = ['{"b": 1}', {"b": 1, "a": [None]}, [1.5], 7, True]
    stored = SCHEMA.column("json").encode(cells)
    assert stored.to_pylist() == ['{"b": 1}', '{"a":[null],"b":1}', "[1.5]", "7", "true"]


@pytest.mark.parametrize("kind", MEDIA_TYPES)
def test_media_are_named_in_hex(kind):
    assert seen(kind, "ab" * 32) == "ab" * 32


@pytest.mark.parametrize("kind", LABELLED)
def test_a_slot_without_a_label_is_damaged(kind):
    cell = {"category": 9, "tags": [9]}.get(kind, [{"id": "a", "label": 9}])
    with pytest.raises(Damaged, match="without a label"):
        SCHEMA.column(kind).decode(pa.array([cell], STORED[kind]))
    with pytest.raises(Damaged, match="without a label"):
        renumbered(pa.array([cell], STORED[kind]), np.zeros(4, np.int32))


@pytest.mark.parametrize("kind", LABELLED)
@given(data=st.data())
def test_renumbered_cells_say_the_same_under_renumbered_labels(kind, data):
    cells = data.draw(st.lists(st.none() | ALL_CELLS[kind], max_size=5))
    stored = stored_array(cells, STORED[kind])
    numbers = np.array(data.draw(st.permutations(range(4))), np.int32)
    moved = renumbered(stored, numbers)
    rows, slots = label_uses(kind, stored)
    now = sorted(zip(*(part.tolist() for part in label_uses(kind, moved)), strict=True))
    if kind == "tags":
        expected = sorted({(r, int(numbers[s])) for r, s in zip(rows, slots, strict=True)})
    else:
        expected = sorted((r, int(numbers[s])) for r, s in zip(rows, slots, strict=True))
    assert now == expected
    if kind != "tags":
        back = renumbered(moved, np.argsort(numbers).astype(np.int32))
        assert exact(back.to_pylist()) == exact(stored.to_pylist())


@pytest.mark.parametrize("kind", ["boxes", "tags", "vector", "masks"])
def test_ten_thousand_cells_are_compared_without_python(kind):
    rng = np.random.default_rng(1)
    cell = {
        "boxes": lambda: [{"id": str(n), "label": n % 4, **BOX} for n in range(rng.integers(6))],
        "tags": lambda: sorted(set(rng.integers(0, 4, 3).tolist())),
        "vector": lambda: rng.random(3).tolist(),
        "masks": lambda: [{"id": "m", "label": None, "height": 1, "width": 1, "counts": [0, 1]}],
    }[kind]
    cells = [cell() if n % 7 else None for n in range(10_000)]
    others = [cell() if n % 5 else old for n, old in enumerate(cells)]
    one, other = (pa.array(each, STORED[kind]) for each in (cells, others))
    told = same(one, other)
    assert told.tolist() == [
        a == b for a, b in zip(one.to_pylist(), other.to_pylist(), strict=True)
    ]
