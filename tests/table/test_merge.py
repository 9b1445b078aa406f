"""Merging knows labels: three-way for each cell, element by element for sets."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sw2.table.merge import merge_elements

TAGS = st.sets(st.integers(0, 5)).map(sorted)


@given(TAGS, TAGS, TAGS)
def test_tags_merge_as_sets_do(base, ours, theirs):
    merged, contested = merge_elements(base, ours, theirs)
    added = (set(ours) - set(base)) | (set(theirs) - set(base))
    assert merged == sorted((set(base) & set(ours) & set(theirs)) | added)
    assert not contested


@given(TAGS, TAGS, TAGS)
def test_it_is_one_which_side_is_ours(base, ours, theirs):
    assert merge_elements(base, ours, theirs) == merge_elements(base, theirs, ours)


def a_box(id="b1", label=0, x=0.0):
    return {"id": id, "label": label, "x": x, "y": 0.0, "w": 1.0, "h": 1.0}


BOXES = {
    "added on both sides": ([], [a_box("b1")], [a_box("b2")], [a_box("b1"), a_box("b2")]),
    "the same added twice": ([], [a_box()], [a_box()], [a_box()]),
    "moved here, relabelled there": (
        [a_box()],
        [a_box(x=5.0)],
        [a_box(label=3)],
        [a_box(x=5.0, label=3)],
    ),
    "relabelled here, moved there": (
        [a_box()],
        [a_box(label=3)],
        [a_box(x=5.0)],
        [a_box(x=5.0, label=3)],
    ),
    "deleted here, untouched there": ([a_box()], [], [a_box()], []),
    "untouched here, deleted there": ([a_box()], [a_box()], [], []),
    "deleted on both sides": ([a_box()], None, [], []),
    "one deleted, another added": ([a_box("b1")], [], [a_box("b1"), a_box("b2")], [a_box("b2")]),
    "to the same place": ([a_box()], [a_box(x=5.0)], [a_box(x=5.0)], [a_box(x=5.0)]),
    "nothing at all": (None, None, None, None),
}


@pytest.mark.parametrize("what", BOXES)
def test_boxes_merge_one_by_one(what):
    base, ours, theirs, wanted = BOXES[what]
    assert merge_elements(base, ours, theirs) == (wanted, False)


CLASHES = {
    "moved to two places": ([a_box()], [a_box(x=1.0)], [a_box(x=2.0)]),
    "relabelled in two ways": ([a_box()], [a_box(label=1)], [a_box(label=2)]),
    "deleted here, moved there": (
        [a_box(), a_box("b2")],
        [a_box("b2")],
        [a_box(x=2.0), a_box("b2")],
    ),
    "moved here, deleted there": ([a_box()], [a_box(x=2.0)], []),
    "added with one id": ([], [a_box(x=1.0)], [a_box(x=2.0)]),
}


@pytest.mark.parametrize("what", CLASHES)
def test_an_element_that_both_sides_changed_stays_as_ours_has_it(what):
    base, ours, theirs = CLASHES[what]
    assert merge_elements(base, ours, theirs) == (ours, True)
