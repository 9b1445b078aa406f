"""Steps of the stage: several actions, in whichever tables, that are undone and redone as one."""

import sqlite3

import pyarrow as pa
import pytest
from model_repository import ANNE, BOB, a_repository, labels_of, rows_of, sound

from sw2.errors import NotFound
from sw2.repo import Edit, Repository
from sw2.repo.database import FORMAT
from sw2.repo.state import Action
from sw2.table import Schema


def votes(repository):
    schema = Schema.create("votes", "id", {"id": "string"}).add("label", "string")
    rows = pa.table({"id": ["a@anne"], "label": ["dog"]})
    repository.stage_rows(rows, ANNE, "vote", schema, table="votes")


def test_a_step_over_two_tables_is_undone_and_redone_as_one(tmp_path):
    repository = a_repository(tmp_path)
    with repository.step():
        repository.edit([Edit("a", "label", "dog")], ANNE, "settle")
        votes(repository)
    repository.edit([Edit("b", "label", "owl")], BOB, "after")
    assert repository.undo().label == "after"
    assert repository.undo().label == "settle"
    assert labels_of(repository)["a"] == "cat"
    assert repository.tables() == ["examples"]
    assert repository.undo() is None
    assert repository.redo().label == "settle"
    assert (labels_of(repository)["a"], repository.tables()) == ("dog", ["examples", "votes"])
    assert repository.redo().label == "after"
    assert sound(repository)


def test_a_step_that_fails_half_way_leaves_nothing(tmp_path):
    repository = a_repository(tmp_path)

    def half():
        with repository.step():
            repository.edit([Edit("a", "label", "dog")], ANNE, "settle")
            repository.edit([Edit("nobody", "label", "dog")], ANNE, "settle")

    with pytest.raises(NotFound):
        half()
    assert labels_of(repository)["a"] == "cat"
    repository.edit([Edit("a", "label", "owl")], ANNE, "owl")
    assert (repository.undo().label, repository.undo()) == ("owl", None)


def test_the_number_of_an_action_is_never_given_again(tmp_path):
    repository = a_repository(tmp_path)
    first = repository.edit([Edit("a", "label", "dog")], ANNE, "first")
    repository.undo()
    second = repository.edit([Edit("a", "label", "owl")], ANNE, "second")
    repository.commit("both", "Anne")
    third = repository.edit([Edit("b", "label", "owl")], ANNE, "third")
    assert first.id < second.id < third.id
    assert [third] == repository.state.actions()


def test_edits_do_not_make_the_database_grow(tmp_path):
    repository = a_repository(tmp_path)
    action = Action(0, "large", 0, "examples", delta=bytes(60_000))
    sizes = []
    for _ in range(5):
        repository.state.push(action)
        repository.state.clear()
        repository.close()
        sizes.append((tmp_path / ".sw2/state.sqlite").stat().st_size)
        repository = Repository.open(tmp_path)
    assert len(set(sizes)) == 1
    assert sizes[0] < 8 * 4096 + 64_000


def test_rows_are_deleted_and_come_back(tmp_path):
    repository = a_repository(tmp_path)
    before = rows_of(repository)
    repository.delete_rows(["b", "a"], BOB, "delete two")
    assert list(rows_of(repository)) == ["c"]
    assert repository.pending().deleted == ["a", "b"]
    repository.undo()
    assert rows_of(repository) == before
    repository.redo()
    repository.commit("two fewer", "bob")
    assert list(rows_of(repository, "HEAD")) == ["c"]
    assert repository.diff("HEAD", "HEAD~1").inserted == ["a", "b"]
    with pytest.raises(NotFound, match="no row `a`"):
        repository.delete_rows(["c", "a"], BOB, "again")
    assert repository.status().clean
    assert sound(repository)


def test_a_database_of_the_first_format_is_brought_to_this_one(tmp_path):
    repository = a_repository(tmp_path)
    repository.edit([Edit("a", "label", "dog")], ANNE, "one")
    repository.edit([Edit("a", "label", "owl")], ANNE, "two")
    repository.close()
    database = sqlite3.connect(tmp_path / ".sw2" / "state.sqlite")
    database.executescript(
        "ALTER TABLE action DROP COLUMN step; DROP TABLE fold;"
        "UPDATE meta SET value = '1' WHERE key = 'format'"
    )
    database.close()
    renewed = Repository.open(tmp_path)
    assert renewed.state.meta("format") == FORMAT
    assert [renewed.undo().label, renewed.undo().label, renewed.undo()] == ["two", "one", None]
    assert sound(renewed)
