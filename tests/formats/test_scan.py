import os
import unicodedata

import pytest
from folders import a_folder
from hypothesis import given
from hypothesis import strategies as st

from sw2.errors import InvalidInput
from sw2.formats.scan import SPLITS, Place, natural, places, scan


def listed(folder):
    return [found.relative for found in scan(folder).pictures]


def test_pictures_come_in_natural_order(tmp_path):
    assert listed(a_folder(tmp_path, "10.png", "2.png", "1.png")) == ["1.png", "2.png", "10.png"]


def test_hidden_files_and_other_files_are_left_alone(tmp_path):
    a_folder(tmp_path, "a.png", ".sw2/b.png", "c/.d.png", "__MACOSX/e.png")
    (tmp_path / "notes.txt").write_text("x")
    found = scan(tmp_path)
    assert [f.relative for f in found.pictures] == ["a.png"]
    assert found.others == {".txt": 1}


def test_a_loop_of_links_ends(tmp_path):
    a_folder(tmp_path, "a/1.png")
    os.symlink(tmp_path, tmp_path / "a" / "again")
    assert listed(tmp_path) == ["a/1.png"]


def test_names_are_composed_so_that_ids_do_not_depend_on_the_platform(tmp_path):
    a_folder(tmp_path, unicodedata.normalize("NFD", "café.png"))
    assert listed(tmp_path) == [unicodedata.normalize("NFC", "café.png")]


def test_a_name_that_is_not_utf8_is_told(tmp_path):
    with open(os.fsencode(tmp_path) + b"/\xff.png", "wb") as file:
        file.write(b"x")
    skipped = scan(tmp_path).skipped
    assert [(s.path, s.reason) for s in skipped] == [("\\xff.png", "the file's name is not UTF-8")]


def test_a_folder_that_is_not_there_is_an_error(tmp_path):
    with pytest.raises(InvalidInput, match="does not exist"):
        scan(tmp_path / "none")


@pytest.mark.parametrize(
    ("paths", "expected"),
    [
        (["1.png", "2.png"], [Place(), Place()]),
        (["coat/1.png", "shirt/1.png"], [Place("coat"), Place("shirt")]),
        (["Train/coat/1.png", "valid/coat/1.png"], [Place("coat", "train"), Place("coat", "val")]),
        (["coat/train/1.png", "bag/test/1.png"], [Place("coat", "train"), Place("bag", "test")]),
        (["train/1.png", "test/1.png"], [Place("", "train"), Place("", "test")]),
        (["all/coat/1.png", "all/bag/1.png"], [Place("coat"), Place("bag")]),
        (
            ["all/train/coat/1.png", "all/train/bag/1.png"],
            [Place(x, "train") for x in ("coat", "bag")],
        ),
        (["coat/red/1.png", "shirt/1.png"], [Place("coat"), Place("shirt")]),
        (["1.png", "coat/1.png"], [Place(), Place("coat")]),
    ],
)
def test_folders_name_labels_and_splits(paths, expected):
    assert places(paths) == expected


def test_a_class_may_be_called_train():
    assert places(["train/1.png", "bus/1.png"]) == [Place("train"), Place("bus")]


names = st.sampled_from(["coat", "bag", "10", "9", "dress up"])


@given(st.lists(st.tuples(st.sampled_from(sorted(SPLITS)), names), min_size=1))
def test_split_and_class_are_read_back_as_they_were_laid_out(rows):
    paths = [f"{split}/{label}/{i}.png" for i, (split, label) in enumerate(rows)]
    assert places(paths) == [Place(label, SPLITS[split]) for split, label in rows]


@given(st.lists(st.text(max_size=8)))
def test_natural_order_is_total(texts):
    assert sorted(sorted(texts, key=natural, reverse=True), key=natural) == sorted(
        texts, key=lambda t: natural(t)
    )
