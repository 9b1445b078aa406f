"""init, add, label, status, diff, commit, log, show, blame, history, undo, redo, fsck."""

import re

import pytest
from command_line import CommandLine

from sw2.build import Spec


def without_times(text):
    text = re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d", "DATE", text)
    return re.sub(r"\b[0-9a-f]{10,64}\b", "ID", text)


def test_init_makes_a_repository_with_a_spec(cli):
    result = cli.run("init", "data", "--name", "my data")
    assert result.stdout == f"empty repository in {cli.folder}/data\n"
    assert result.stderr == "next: sw2 add FOLDER\n"
    spec = Spec.parse((cli.folder / "data" / "sw2.toml").read_text())
    assert spec == Spec(name="my-data")


def test_init_twice_is_an_error(cli):
    cli.ok("init")
    assert cli.json("init")["kind"] == "invalid-input"


def test_add_reports_what_it_took_and_what_it_left(cli):
    cli.pictures("pictures", across=2, down=1)
    (cli.folder / "pictures" / "down" / "broken.png").write_bytes(b"no picture")
    cli.ok("init")
    result = cli.run("add", "pictures")
    assert result.exit_code == 0
    assert result.stdout.startswith("examples: 3 added\nlabels: across 2, down 1\nsplits: ")
    assert "note: 3 pictures came without a split" in result.stdout
    assert "skipped: down/broken.png: not a picture: 10 bytes" in result.stderr
    assert "1 item skipped, the rest was taken\n" in result.stderr


def test_add_as_json_says_the_same(cli):
    cli.pictures("pictures", across=2, down=1)
    cli.ok("init")
    report = cli.json("add", "pictures")
    assert (report["added"], report["labels"]) == (3, {"across": 2, "down": 1})
    assert cli.json("add", "pictures")["unchanged"] == 3


def test_labels_that_people_set_are_kept_and_can_be_overwritten(repository):
    (repository.folder / "labels.csv").write_text("path,label\nacross/0.png,across\n")
    repository.ok("label", "pictures/across/0.png", "down")
    result = repository.run("add", "pictures", "--labels", "labels.csv")
    assert "kept: pictures/across/0.png: label down (set by Ann), not across\n" in result.stderr
    repository.ok("add", "pictures", "--labels", "labels.csv", "--overwrite-labels")
    newest = repository.json("history", "pictures/across/0.png", "--column", "label")["changes"][0]
    assert (newest["new"], newest["origin"]["source"]) == ("across", "labels.csv")


def test_status_goes_from_empty_to_committed(cli):
    cli.pictures("pictures", across=1, down=1)
    cli.ok("init", ".", "--name", "bars")
    assert cli.ok("status") == (
        "bars on main, 0 examples\nnothing is committed yet\n"
        "staged: sw2.toml changed\nnext: sw2 add FOLDER\n"
    )
    cli.ok("add", "pictures")
    assert "staged: 2 added, sw2.toml changed\n" in cli.ok("status")
    cli.ok("commit", "-m", "Import")
    assert without_times(cli.ok("status")) == (
        "bars on main, 2 examples\nlast commit: ID Import\nnothing is staged\nnext: sw2 build\n"
    )


def test_a_label_is_set_shown_undone_and_redone(repository):
    key = "pictures/across/0.png"
    assert repository.ok("label", key, "down") == f"down: {key}\n"
    assert repository.ok("diff") == (
        f"{key}  label: across -> down  (Ann)\n\n     1  label: across -> down\n1 example edited\n"
    )
    assert repository.ok("undo") == f"undone: down: {key}\n"
    assert repository.run("diff").stderr == "nothing is staged\n"
    assert repository.ok("redo") == f"redone: down: {key}\n"
    assert repository.json("diff")["pairs"] == {"label": [["across", "down", 1]]}


def test_a_label_may_be_set_by_a_path_from_here(repository):
    inside = CommandLine(repository.folder / "pictures" / "across")
    assert inside.ok("label", "0.png", "down") == "down: pictures/across/0.png\n"


def test_several_examples_get_one_label_in_one_step(repository):
    keys = [f"pictures/across/{n}.png" for n in range(3)]
    assert repository.ok("label", *keys, "down") == "down: 3 examples\n"
    repository.ok("undo")
    assert repository.json("status")["edited"] == 0


def test_a_label_that_nobody_uses_needs_new(repository):
    result = repository.run("label", "pictures/across/0.png", "dwon")
    assert result.exit_code == 1
    assert "Did you mean `down`?" in result.stderr
    repository.ok("label", "pictures/across/0.png", "sideways", "--new")
    repository.ok("undo")
    assert repository.json("status")["clean"]


def test_an_unknown_example_names_those_that_end_alike(repository):
    error = repository.json("label", "0.png", "down")
    assert error["kind"] == "not-found"
    assert error["hint"] == "Did you mean `pictures/across/0.png` or `pictures/down/0.png`?"


def test_reviewing_without_a_change_is_shown_as_kept(repository):
    repository.ok("label", "pictures/across/0.png", "across", "--why", "looked twice")
    assert repository.ok("diff") == (
        "pictures/across/0.png  reviewed, label kept  (Ann)\n\n"
        "1 example edited (1 reviewed and kept)\n"
    )


@pytest.mark.parametrize("command", ["undo", "redo"])
def test_nothing_to_take_back_is_an_error(repository, command):
    result = repository.run(command)
    assert result.exit_code == 1
    assert result.stderr.startswith(f"error: nothing to {command}")


def test_commits_are_listed_newest_first(repository):
    repository.ok("label", "pictures/across/0.png", "down")
    repository.ok("commit", "-m", "Turn one\n\nand say why", "--author", "Bob <b@x>")
    assert without_times(repository.ok("log")) == (
        "ID  DATE        1 edit  Bob  Turn one  (HEAD -> main)\n"
        "ID  DATE       6 edits  Ann  Import\n"
    )
    assert [c["author"] for c in repository.json("log", "--limit", "1")] == ["Bob <b@x>"]


def test_a_commit_needs_something_to_record(repository):
    error = repository.json("commit", "-m", "nothing")
    assert error["message"] == "nothing to commit: no edit is staged"


def test_a_commit_is_shown_with_its_edits(repository):
    repository.ok("label", "pictures/across/0.png", "down")
    repository.ok("commit", "-m", "Turn one")
    assert without_times(repository.ok("show")) == (
        "commit ID\nauthor Ann <ann@example.org>\ndate   DATE\n\n    Turn one\n\n"
        "pictures/across/0.png  label: across -> down  (Ann)\n\n"
        "     1  label: across -> down\n1 example edited\n"
    )
    assert "+ pictures/across/0.png\n" in repository.ok("show", "HEAD~1")
    assert repository.json("show")["changes"]["rows"] == 1


def test_diff_reads_in_either_direction(repository):
    repository.ok("label", "pictures/across/0.png", "down")
    repository.ok("commit", "-m", "Turn one")
    assert "label: across -> down" in repository.ok("diff", "HEAD~1")
    assert "label: down -> across" in repository.ok("diff", "HEAD", "HEAD~1")


def test_a_revision_that_is_not_there_is_an_error(repository):
    assert repository.json("show", "nonsense")["kind"] == "not-found"


def test_blame_tells_who_decided_each_cell(repository):
    repository.ok("label", "pictures/across/0.png", "down", "--why", "it lies")
    lines = repository.ok("blame", "pictures/across/0.png").splitlines()
    label = next(line for line in lines if line.startswith("label"))
    assert re.fullmatch(r"label {8}down {13}\S+ \S+  Ann  \(staged\)  it lies", label)
    image = next(line for line in lines if line.startswith("image"))
    assert image.endswith("from pictures")
    assert "Ann (import)" in image


def test_history_lists_every_change_of_a_cell(repository):
    repository.ok("label", "pictures/across/0.png", "down")
    text = repository.ok("history", "pictures/across/0.png", "--column", "label")
    assert without_times(text) == (
        "DATE  label: across -> down  Ann  (staged)\n"
        "DATE  label: across  Ann (import)  ID  from pictures\n"
    )
    changes = repository.json("history", "pictures/across/0.png")["changes"]
    assert {change["column"] for change in changes} == {"image", "label", "split", "reviewed"}


def test_fsck_passes_a_sound_repository_and_names_what_is_damaged(repository):
    assert repository.ok("fsck") == "the repository is sound\n"
    pack = max(repository.folder.glob(".sw2/packs/*/*.pack"), key=lambda p: p.stat().st_size)
    raw = bytearray(pack.read_bytes())
    raw[len(raw) // 3] ^= 0xFF
    pack.chmod(0o644)
    pack.write_bytes(raw)
    result = repository.run("fsck")
    assert result.exit_code == 1
    assert result.stdout != ""
    assert "restore what is named from a backup" in result.stderr
