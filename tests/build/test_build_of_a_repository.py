"""A build of a commit: its name follows from what the tables and the spec say."""

from dataclasses import replace

import pytest
from tiny_builds import a_repository, some_rows

from sw2.binary import inspect
from sw2.build import build, builds
from sw2.errors import InvalidInput
from sw2.repo import Edit
from sw2.values import Origin

ME = Origin("me")


@pytest.fixture(scope="module")
def repository(tmp_path_factory):
    rows, media = some_rows(train=16, test=6)
    return a_repository(tmp_path_factory.mktemp("repository") / "bars", rows, media)


@pytest.fixture(scope="module")
def first(repository):
    return build(repository)


def test_a_commit_is_built_and_listed(repository, first):
    lock = inspect(first.binary).lock
    assert (first.status, first.cached, first.commit) == ("done", False, repository.head)
    assert (lock.commit, lock.key, lock.seed) == (repository.head, first.key, 1)
    assert first.folder == repository.folder / "builds" / first.key[:16]
    assert [made.id for made in builds(repository)] == [first.id]


def test_marking_an_example_as_reviewed_makes_no_other_build(repository, first):
    repository.edit([Edit("0000.png", "reviewed", True)], ME, "reviewed")
    repository.commit("looked at one", "me")
    again = build(repository)
    assert (again.cached, again.key) == (True, first.key)


def test_a_changed_label_makes_another_build_and_the_old_commit_is_still_there(repository, first):
    repository.edit([Edit("0001.png", "label", "blob")], ME, "label")
    assert build(repository).cached  # an edit that is not committed is not built
    repository.commit("relabel one", "me")
    second = build(repository)
    assert second.key != first.key
    assert build(repository, first.commit).key == first.key
    assert [made.id for made in builds(repository)] == [second.id, first.id]


def test_a_column_that_is_not_there_is_named(tmp_path):
    rows, media = some_rows(train=2, test=1)
    spec = '[data]\ntarget = "lable"\n'
    with pytest.raises(InvalidInput, match=r"target is `lable`") as caught:
        build(a_repository(tmp_path / "r", rows, media, spec))
    assert "id, image, label, split, reviewed" in caught.value.hint
    other = a_repository(tmp_path / "s", replace(rows), media, '[data]\ninput = "label"\n')
    with pytest.raises(InvalidInput, match="a category column"):
        build(other)
