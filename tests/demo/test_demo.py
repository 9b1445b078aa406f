"""The sample repository: whole, honest about its errors, and safe to make twice."""

import csv
import hashlib
import io
import re
import subprocess
import sys
import zipfile
from importlib import resources
from pathlib import Path

import pytest

from sw2.build import Spec
from sw2.demo import SPEC, create, planted
from sw2.errors import InvalidInput
from sw2.repo import Edit, Repository, fsck
from sw2.values import Origin

DATA = Path(str(resources.files("sw2.demo"))) / "data"
SOURCE = Path("/usr/share/datasets/fashion-mnist")


@pytest.fixture(scope="module")
def demo(tmp_path_factory) -> Repository:
    return create(tmp_path_factory.mktemp("made") / "demo")


def answers() -> dict[str, str]:
    with (DATA / "answer-key.csv").open(newline="") as file:
        return {row["path"]: row["true_label"] for row in csv.DictReader(file)}


def test_it_holds_5000_pictures_of_ten_equal_classes_before_the_errors_were_planted(demo):
    table = demo.read(["id", "label", "split"])
    truth = answers()
    pairs = zip(table["id"].to_pylist(), table["label"].to_pylist(), strict=True)
    labels = [truth.get(key, label) for key, label in pairs]
    assert table.num_rows == 5000
    assert {labels.count(label) for label in set(labels)} == {500}
    assert table["split"].to_pylist().count("test") == 1000
    assert fsck(demo) == []


def test_250_training_labels_are_wrong_and_the_key_knows_them(demo):
    table = demo.read(["id", "label", "split"])
    rows = {row["id"]: row for row in table.to_pylist()}
    truth = answers()
    assert len(truth) == 250
    assert all(rows[key]["label"] != label for key, label in truth.items())
    assert {rows[key]["split"] for key in truth} == {"train"}


def test_names_of_files_do_not_give_the_label_away():
    with zipfile.ZipFile(DATA / "fashion-5000.zip") as archive:
        names = [name for name in archive.namelist() if name.endswith(".png")]
    assert all(re.fullmatch(r"pictures/(train|test)/\d{5}\.png", name) for name in names)


def test_the_file_is_the_one_whose_hash_its_readme_names():
    digest = hashlib.sha256((DATA / "fashion-5000.zip").read_bytes()).hexdigest()
    assert digest in (DATA / "README.md").read_text()


@pytest.mark.slow
@pytest.mark.skipif(not SOURCE.exists(), reason=f"no {SOURCE}: Debian's dataset-fashion-mnist")
def test_it_can_be_made_again_byte_for_byte():
    tool = Path(__file__).parents[2] / "tools" / "make_fashion_sample.py"
    subprocess.run([sys.executable, tool, "--check", SOURCE], check=True)


def test_the_spec_has_at_most_eight_lines():
    assert Spec.parse(SPEC).name == "fashion"
    assert len(SPEC.splitlines()) <= 8


def test_planted_counts_the_labels_that_are_right_again(tmp_path):
    repository = create(tmp_path / "demo")
    right = list(answers().items())[:7]
    repository.edit([Edit(k, "label", v) for k, v in right], Origin("Ann"), "fix")
    assert planted(repository) == (250, 7)


def test_a_second_time_opens_what_is_there(tmp_path):
    first = create(tmp_path / "demo")
    first.edit([Edit(next(iter(answers())), "reviewed", True)], Origin("Ann"), "keep")
    again = create(tmp_path / "demo")
    assert again.head == first.head
    assert again.status().edited == 1


def test_a_half_made_one_is_finished(tmp_path, monkeypatch):
    def killed(*arguments, **options):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Repository, "commit", killed)
        with pytest.raises(KeyboardInterrupt):
            create(tmp_path / "demo")
    finished = create(tmp_path / "demo")
    assert finished.status().rows == 5000
    assert finished.status().clean
    assert planted(finished) == (250, 0)


def test_a_folder_with_other_things_in_it_is_left_alone(tmp_path):
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(InvalidInput, match="holds other files"):
        create(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_a_damaged_sample_says_so(tmp_path, monkeypatch):
    broken = io.BytesIO()
    with zipfile.ZipFile(broken, "w") as archive:
        archive.writestr("labels.csv", "path,label,split\npictures/train/00001.png,Bag,train\n")
        archive.writestr("pictures/train/00001.png", b"not a picture")
    monkeypatch.setattr("sw2.demo.sample", broken.getvalue)
    with pytest.raises(InvalidInput, match="damaged"):
        create(tmp_path / "demo")
