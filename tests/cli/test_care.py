"""fold, gc and doctor on the command line."""

import time

import pytest
from command_line import environment

from sw2.cli import care
from sw2.repo import Edit, Repository
from sw2.values import Origin


def committed(folder, count):
    with_rows = Repository.open(folder)
    key = with_rows.read()["id"][0].as_py()
    for number in range(count):
        label = ("across", "down")[number % 2]
        if with_rows.edit([Edit(key, "label", label)], Origin("ann"), label):
            with_rows.commit(f"{number}", "ann")
    with_rows.close()


def states(document):
    return {check["check"]: check["state"] for check in document["checks"]}


def test_fold_says_what_it_wrote_and_then_that_there_is_nothing(repository):
    committed(repository.folder, 66)
    assert "folded: 0 runs, 1 base" in repository.ok("fold")
    assert repository.ok("fold") == "nothing to fold\n"
    assert repository.json("fold", "--again")["bases"] == 1
    assert repository.ok("fsck") == "the repository is sound\n"


def test_a_quiet_fold_says_nothing(repository):
    assert repository.run("fold", "--quiet").output == ""


@pytest.mark.parametrize("forbidden", ["", "1"])
def test_a_commit_starts_a_fold_that_outlives_it(repository, monkeypatch, forbidden):
    committed(repository.folder, 65)
    monkeypatch.setenv("SW2_NO_BACKGROUND", forbidden)
    monkeypatch.setenv("PYTHONPATH", environment()["PYTHONPATH"])
    (repository.folder / "sw2.toml").write_text('[program]\nname = "bars"\n')
    repository.ok("commit", "-m", "name it")
    deadline = time.monotonic() + 30
    opened = Repository.open(repository.folder)
    while not forbidden and not opened.state.folds.all():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert bool(opened.state.folds.all()) == (not forbidden)


def test_gc_tells_what_would_go_and_then_takes_it(repository):
    opened = Repository.open(repository.folder)
    with opened.write_media() as put:
        put(b"nobody's picture")
    opened.close()
    assert "would remove 1 object, 1 pack" in repository.ok("gc", "--dry-run", "--grace", "0")
    assert repository.json("gc", "--grace", "0")["objects"] == 1
    assert "removed 0 objects" in repository.ok("gc")
    assert repository.ok("fsck") == "the repository is sound\n"


def test_doctor_looks_at_the_installation_alone_where_there_is_no_repository(cli):
    document = cli.json("doctor")
    assert document["ok"]
    assert {"sw2", "libraries", "extra sign", "author", "clock", "disk"} <= set(states(document))
    assert "packs" not in states(document)


def test_doctor_looks_at_the_repository_too(repository):
    document = repository.json("doctor")
    assert document["ok"]
    assert {"packs", "fold", "gc", "stage", "state.sqlite", "file system"} <= set(states(document))
    assert "ok    state.sqlite" in repository.ok("doctor")


def test_doctor_says_when_folding_is_worthwhile(repository):
    committed(repository.folder, 65)
    assert states(repository.json("doctor"))["fold"] == "warn"
    repository.ok("fold")
    assert states(repository.json("doctor"))["fold"] == "ok"


def test_doctor_fails_on_a_pack_that_cannot_be_read(repository):
    opened = Repository.open(repository.folder)
    pack = next(iter(opened.store.packs()))
    opened.close()
    pack.write_bytes(pack.read_bytes()[:-1])
    result = repository.run("doctor")
    assert result.exit_code == 1
    assert "sw2 fsck" in result.output


def test_doctor_fails_on_a_database_that_cannot_be_read(repository):
    (repository.folder / ".sw2" / "state.sqlite").write_bytes(b"nothing" * 999)
    document = repository.json("doctor")
    assert not document["ok"]
    assert states(document)["repository"] == "fail"


def test_doctor_warns_of_an_author_that_is_a_login_name(repository, monkeypatch):
    monkeypatch.setenv("SW2_AUTHOR", "root")
    assert states(repository.json("doctor"))["author"] == "warn"


@pytest.mark.parametrize(
    ("number", "words"), [(12, "12 bytes"), (3400, "3.4 KB"), (5.2e9, "5.2 GB")]
)
def test_sizes_are_told_in_units(number, words):
    assert care.size(number) == words
