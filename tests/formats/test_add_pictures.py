import time

import pytest
from folders import a_folder, a_picture, a_table, cells, rows

from sw2.errors import InvalidInput
from sw2.formats import add_pictures
from sw2.progress import Event
from sw2.repo import Edit, fsck
from sw2.values import Origin

PERSON = Origin("Ann")


def labelled(tmp_path, text, *paths):
    folder = a_folder(tmp_path / "pictures", *paths)
    return folder, a_table(tmp_path / "labels.csv", text)


def test_folders_of_classes_become_labelled_examples(repository, tmp_path):
    folder = a_folder(tmp_path / "p", "train/coat/1.png", "train/bag/1.png", "test/coat/2.png")
    report = add_pictures(repository, folder)
    assert (report.added, report.updated, report.unchanged) == (3, 0, 0)
    assert report.labels == {"bag": 1, "coat": 2}
    assert report.splits == {"train": 2, "test": 1}
    assert rows(repository)["p/test/coat/2.png"] | {"image": ""} == {
        "image": "",
        "label": "coat",
        "split": "test",
        "reviewed": False,
    }
    assert repository.media(rows(repository)["p/train/coat/1.png"]["image"]) == a_picture(0)


def test_a_labels_file_names_pictures_from_its_own_folder_or_from_theirs(repository, tmp_path):
    text = "path,label,split,colour,size\npictures/1.png,coat,training,red,3\n2.png,bag,test,,4\n"
    report = add_pictures(repository, *labelled(tmp_path, text, "1.png", "2.png"))
    assert report.added == 2
    assert not report.skipped
    found = rows(repository)
    assert [found[f"pictures/{n}.png"]["label"] for n in (1, 2)] == ["coat", "bag"]
    assert [found[f"pictures/{n}.png"]["split"] for n in (1, 2)] == ["train", "test"]
    assert found["pictures/1.png"]["colour"] == "red"
    assert found["pictures/2.png"]["colour"] is None
    assert [found[f"pictures/{n}.png"]["size"] for n in (1, 2)] == [3, 4]


def test_a_name_without_its_suffix_is_found(repository, tmp_path):
    folder, labels = labelled(tmp_path, "id,label\n00017,coat\n", "00017.jpg")
    (folder / "00017.jpg").write_bytes(a_picture(kind="JPEG"))
    assert add_pictures(repository, folder, labels).labels == {"coat": 1}


def test_a_flat_folder_has_no_labels(repository, tmp_path):
    report = add_pictures(repository, a_folder(tmp_path / "p", "1.png", "2.png"))
    assert report.unlabelled == 2
    assert set(cells(repository, "label").values()) == {None}


def test_labels_are_numbered_in_natural_order(repository, tmp_path):
    add_pictures(repository, a_folder(tmp_path / "p", "10/1.png", "9/1.png", "b/1.png"))
    assert repository.schema().column("label").labels == ("9", "10", "b")


def test_a_new_label_comes_after_those_that_are_numbered(repository, tmp_path):
    add_pictures(repository, a_folder(tmp_path / "p", "b/1.png"))
    add_pictures(repository, a_folder(tmp_path / "q", "a/1.png"))
    assert repository.schema().column("label").labels == ("b", "a")


def test_without_a_split_exact_duplicates_fall_on_the_same_side(repository, tmp_path):
    folder = a_folder(tmp_path / "p", *(f"{n}.png" for n in range(100)))
    for n in range(100):
        (folder / f"again-{n}.png").write_bytes(a_picture(n))
    report = add_pictures(repository, folder)
    split = cells(repository, "split")
    assert all(split[f"p/{n}.png"] == split[f"p/again-{n}.png"] for n in range(100))
    assert 20 <= report.splits["test"] <= 70
    assert any("without a split" in note for note in report.notes)


def test_inside_the_repository_ids_are_paths_from_its_root(repository):
    folder = a_folder(repository.root / "raw" / "pictures", "coat/1.png")
    add_pictures(repository, folder)
    assert list(rows(repository)) == ["raw/pictures/coat/1.png"]


def test_a_prefix_tells_folders_of_one_name_apart(repository, tmp_path):
    for place in ("a", "b"):
        folder = a_folder(tmp_path / place / "pictures", "1.png")
        add_pictures(repository, folder, prefix=place)
    assert list(rows(repository)) == ["a/1.png", "b/1.png"]


def test_adding_again_changes_nothing(repository, tmp_path):
    folder = a_folder(tmp_path / "p", "coat/1.png", "bag/1.png")
    add_pictures(repository, folder)
    repository.commit("add", "Ann")
    report = add_pictures(repository, folder)
    assert (report.added, report.updated, report.unchanged) == (0, 0, 2)
    assert repository.status().clean


def test_new_pictures_are_added_to_those_that_are_there(repository, tmp_path):
    add_pictures(repository, a_folder(tmp_path / "p", "coat/1.png"))
    repository.commit("add", "Ann")
    report = add_pictures(repository, a_folder(tmp_path / "p", "coat/1.png", "bag/2.png"))
    assert (report.added, report.unchanged) == (1, 1)
    assert len(rows(repository)) == 2


def test_one_undo_takes_an_import_back(repository, tmp_path):
    add_pictures(repository, a_folder(tmp_path / "p", "coat/1.png", "bag/1.png"))
    assert repository.undo().label == "add 2 examples from p"
    assert repository.status().rows == 0


def test_a_label_changed_in_the_file_is_an_edit_from_that_file(repository, tmp_path):
    folder, labels = labelled(tmp_path, "path,label\n1.png,coat\n2.png,bag\n", "1.png", "2.png")
    add_pictures(repository, folder, labels)
    repository.commit("add", "Ann")
    a_table(labels, "path,label\n1.png,shirt\n2.png,bag\n")
    report = add_pictures(repository, folder, labels, by="Bob")
    assert (report.updated, report.unchanged) == (1, 1)
    newest = repository.history("pictures/1.png", "label")[0]
    assert (newest.old, newest.new) == ("coat", "shirt")
    assert newest.origin == Origin("Bob", "import", "labels.csv")


@pytest.mark.parametrize("committed", [False, True])
def test_a_label_that_somebody_set_is_kept_and_told(repository, tmp_path, committed):
    folder, labels = labelled(tmp_path, "path,label\n1.png,coat\n2.png,bag\n", "1.png", "2.png")
    add_pictures(repository, folder, labels)
    repository.commit("add", "Ann")
    repository.edit([Edit("pictures/1.png", "label", "bag")], PERSON, "fix")
    if committed:
        repository.commit("fix", "Ann")
    report = add_pictures(repository, folder, labels)
    assert (report.updated, report.unchanged) == (0, 2)
    assert [(k.id, k.value, k.offered, k.by) for k in report.kept] == [
        ("pictures/1.png", "bag", "coat", "Ann")
    ]
    assert cells(repository, "label")["pictures/1.png"] == "bag"


def test_a_label_that_somebody_reviewed_is_kept_too(repository, tmp_path):
    folder, labels = labelled(tmp_path, "path,label\n1.png,coat\n2.png,bag\n", "1.png", "2.png")
    add_pictures(repository, folder, labels)
    repository.edit([Edit("pictures/1.png", "reviewed", True)], PERSON, "keep")
    a_table(labels, "path,label\n1.png,bag\n2.png,bag\n")
    assert [k.by for k in add_pictures(repository, folder, labels).kept] == ["Ann"]


def test_labels_set_by_people_are_overwritten_when_asked(repository, tmp_path):
    folder, labels = labelled(tmp_path, "path,label\n1.png,coat\n2.png,bag\n", "1.png", "2.png")
    add_pictures(repository, folder, labels)
    edits = [Edit("pictures/1.png", "label", "bag"), Edit("pictures/1.png", "reviewed", True)]
    repository.edit(edits, PERSON, "fix")
    report = add_pictures(repository, folder, labels, overwrite=True)
    assert (report.updated, report.kept) == (1, ())
    row = rows(repository)["pictures/1.png"]
    assert (row["label"], row["reviewed"]) == ("coat", False)


def test_an_empty_label_in_the_file_clears_none(repository, tmp_path):
    folder, labels = labelled(tmp_path, "path,label\n1.png,coat\n", "1.png")
    add_pictures(repository, folder, labels)
    a_table(labels, "path,label\n1.png,\n")
    assert add_pictures(repository, folder, labels).unchanged == 1
    assert add_pictures(repository, folder).unchanged == 1
    assert cells(repository, "label") == {"pictures/1.png": "coat"}


def test_another_picture_under_the_same_name_is_an_edit(repository, tmp_path):
    folder = a_folder(tmp_path / "p", "coat/1.png")
    add_pictures(repository, folder)
    before = cells(repository, "split")
    (folder / "coat/1.png").write_bytes(a_picture(99))
    assert add_pictures(repository, folder).updated == 1
    assert repository.media(rows(repository)["p/coat/1.png"]["image"]) == a_picture(99)
    assert cells(repository, "split") == before


def test_every_bad_item_is_told_with_its_place_and_the_rest_goes_on(repository, tmp_path):
    text = (
        "path,label\n1.png,coat\nnone.png,bag\n1.png,shirt\nbad.png,bag\n../../x.png,bag\n"
        "1.png,coat\nempty.png,bag\n"
    )
    paths = ("1.png", "bad.png", "empty.png", "extra.png")
    folder, labels = labelled(tmp_path, text, *paths)
    (folder / "bad.png").write_bytes(b"no picture")
    (folder / "empty.png").write_bytes(b"")
    report = add_pictures(repository, folder, labels)
    assert report.added == 1
    told = [str(skipped) for skipped in report.skipped]
    assert told[0] == "labels.csv:3: there is no picture `none.png`"
    assert told[1] == "labels.csv:4: `1.png` is on line 2 already, 'coat' there, 'shirt' here"
    assert told[2].startswith("labels.csv:6: `../../x.png` lies outside of")
    assert told[3] == "labels.csv:7: `1.png` is on line 2 already, with the same label"
    assert told[4] == "extra.png: no line in labels.csv names it"
    assert told[5].startswith("bad.png: not a picture")
    assert told[6].startswith("empty.png: the picture is empty")


def test_a_value_that_does_not_fit_its_column_is_told(repository, tmp_path):
    folder, labels = labelled(tmp_path, "path,label,size\n1.png,a,3\n2.png,b,4\n", "1.png", "2.png")
    add_pictures(repository, folder, labels)
    a_table(labels, "path,label,size\n1.png,a,large\n2.png,b,5\n")
    report = add_pictures(repository, folder, labels)
    assert [str(s) for s in report.skipped] == [
        "labels.csv:2: `large` is no int, which column `size` holds; left out"
    ]
    assert cells(repository, "size") == {"pictures/1.png": 3, "pictures/2.png": 5}


def test_a_labels_file_that_was_not_asked_for_is_pointed_at(repository, tmp_path):
    folder = a_folder(tmp_path / "p", "1.png")
    a_table(folder / "labels.csv", "path,label\n1.png,coat\n")
    assert any("labels.csv was not read" in n for n in add_pictures(repository, folder).notes)


def test_an_empty_folder_is_told_and_stages_nothing(repository, tmp_path):
    (tmp_path / "p").mkdir()
    assert "the folder holds no pictures" in add_pictures(repository, tmp_path / "p").notes
    assert repository.status().rows == 0


def test_a_missing_folder_is_an_error(repository, tmp_path):
    with pytest.raises(InvalidInput, match="does not exist"):
        add_pictures(repository, tmp_path / "none")


def test_an_interrupted_import_leaves_a_sound_repository(repository, tmp_path):
    folder = a_folder(tmp_path / "p", *(f"{n}.png" for n in range(200)))

    def interrupt(event: Event) -> None:
        if event.done == 128:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        add_pictures(repository, folder, progress=interrupt)
    assert fsck(repository) == []
    assert add_pictures(repository, folder).added == 200
    assert fsck(repository) == []


def test_progress_goes_from_none_to_all(repository, tmp_path):
    events: list[Event] = []
    add_pictures(repository, a_folder(tmp_path / "p", "1.png"), progress=events.append)
    told = [(e.done, e.total) for e in events if e.stage == "pictures"]
    assert (told[0], told[-1]) == ((0, 1), (1, 1))


@pytest.mark.slow
def test_twenty_thousand_pictures_take_a_few_seconds(repository, tmp_path):
    folder = tmp_path / "p"
    folder.mkdir()
    for n in range(20_000):
        (folder / f"{n}.png").write_bytes(a_picture(n))
    started = time.process_time()
    assert add_pictures(repository, folder).added == 20_000
    assert time.process_time() - started < 15
