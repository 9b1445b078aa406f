"""Every fault in the data is found before training, and costs only its own row."""

from dataclasses import replace

import numpy as np
import pytest
from tiny_builds import some_rows

from sw2.build import Spec
from sw2.build.data import label_indexes, picture_shape, prepare, settle_splits
from sw2.errors import BuildFailed, NotFound
from sw2.media import Probe
from sw2.progress import silent


def prepared(rows, media, **spec):
    return prepare(rows, media.__getitem__, Spec(**spec), silent)


def test_all_faults_are_found_at_once_and_skipped():
    rows, media = some_rows(train=10, test=4)
    media["0001.png"] = b"not a picture"
    media["0002.png"] = media["0002.png"][:60]
    names = [None if key == "0003.png" else key for key in rows.media]
    data = prepared(replace(rows, media=tuple(names)), media)
    found = {row.key: row.code for row in data.skipped}
    assert found == {"0001.png": "E301", "0002.png": "E301", "0003.png": "E302"}
    assert len(data.keys) == len(data.pictures) == len(rows.keys) - 3


def test_media_that_the_store_lacks_is_a_fault_of_the_row():
    rows, media = some_rows(train=10, test=4)

    def lost(name):
        if name == "0000.png":
            raise NotFound("object 0000.png is not in the store")
        return media[name]

    assert prepare(rows, lost, Spec(), silent).skipped[0].code == "E302"


def test_a_class_without_a_training_example_and_missing_labels_are_said():
    rows, media = some_rows(train=10, test=4)
    given = rows.given.copy()
    given[(given == 2) & (np.array(rows.split) == "train")] = -1
    notes = " ".join(prepared(replace(rows, given=given), media).notes)
    assert "`blob` has no training example" in notes
    assert "10 examples have no label" in notes


def test_without_a_test_split_a_fifth_of_each_class_is_held_out_by_the_seed():
    given = np.repeat([0, 1], [50, 10]).astype(np.int32)
    split, notes = settle_splits([""] * 60, given, seed=3)
    held = np.array(split) == "test"
    assert (held[:50].sum(), held[50:].sum()) == (10, 2)
    assert "There is no test split: 12 of 60" in notes[0]
    assert settle_splits([""] * 60, given, seed=3)[0] == split


def test_nothing_to_learn_is_refused_with_the_causes():
    rows, media = some_rows(train=4, test=1)
    with pytest.raises(BuildFailed, match="two are needed"):
        prepared(replace(rows, given=np.zeros_like(rows.given)), media)
    broken = dict.fromkeys(media, b"x")
    with pytest.raises(BuildFailed, match=r"0 usable.*\n  0000.png: not a picture"):
        prepared(rows, broken)


def test_the_picture_size_comes_from_the_data():
    small, large = Probe(28, 28, "L", "image/png"), Probe(200, 100, "RGB", "image/png")
    assert picture_shape([small, small, large], 0) == (28, 28, 3)
    assert picture_shape([small], 0) == (28, 28, 1)
    assert picture_shape([large], 0) == (32, 64, 3)
    assert picture_shape([large], 100) == (50, 100, 3)


def test_labels_of_a_plain_column_are_its_sorted_values():
    given, labels = label_indexes(["b", None, "a", ""], ())
    assert (given.tolist(), labels) == ([1, -1, 0, -1], ("a", "b"))
