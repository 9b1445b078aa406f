"""A repository from day to day: edit, look, undo, commit, and ask who said what when."""

import os

import numpy as np
import pyarrow as pa
import pytest
from model_repository import (
    ANNE,
    BOB,
    LABELS,
    a_repository,
    a_schema,
    a_table,
    labels_of,
    rows_of,
    sound,
)

from sw2.repo import Edit, Repository
from sw2.repo import stage as stages
from sw2.values import Origin


@pytest.fixture
def repository(tmp_path):
    return a_repository(tmp_path)


def test_a_repository_is_found_from_below(repository):
    below = repository.root / "data" / "train"
    below.mkdir(parents=True)
    assert Repository.open(below).root == repository.root
    assert Repository.open(below).name == repository.root.name
    assert Repository.open(below).branch == "main"


def test_several_cells_are_edited_as_one_action(repository):
    edits = [Edit("a", "label", "owl"), Edit("b", "count", 3), Edit("b", "label", None)]
    action = repository.edit(edits, ANNE, "three cells")
    assert (action.label, action.table) == ("three cells", "examples")
    assert rows_of(repository) == {"a": {"label": "owl"}, "b": {"count": 3}, "c": {}}
    assert repository.undo() == action
    assert labels_of(repository) == {"a": "cat", "b": "dog", "c": None}


def test_the_last_of_two_edits_of_a_cell_holds(repository):
    repository.edit([Edit("a", "label", "dog"), Edit("a", "label", "owl")], ANNE, "x")
    assert labels_of(repository)["a"] == "owl"


def test_an_edit_that_changes_nothing_is_no_action(repository):
    assert repository.edit([Edit("a", "label", "cat"), Edit("c", "label", None)], ANNE, "x") is None
    assert repository.edit([], ANNE, "x") is None
    assert repository.stage_rows(a_table({"a": {"label": "cat"}}), ANNE, "x") is None
    assert repository.define(repository.schema(), "x") is None
    assert repository.status().clean


def test_a_new_action_ends_what_could_be_redone(repository):
    repository.edit([Edit("a", "label", "owl")], ANNE, "x")
    repository.undo()
    repository.edit([Edit("b", "label", "owl")], ANNE, "y")
    assert repository.redo() is None
    assert labels_of(repository) == {"a": "cat", "b": "owl", "c": None}


def test_an_import_can_be_undone_and_done_again(tmp_path):
    repository = Repository.init(tmp_path)
    rows = a_table({"a": {"label": "cat"}})
    repository.stage_rows(rows, ANNE, "import", a_schema())
    assert repository.pending().inserted == ["a"]
    repository.undo()
    assert repository.tables() == []
    repository.redo()
    assert labels_of(repository) == {"a": "cat"}
    repository.undo()
    repository.stage_rows(a_table({"b": {"label": "dog"}}), ANNE, "another", a_schema())
    assert repository.commit("import", "anne").changed == {"examples": (0, 1, 0)}
    assert labels_of(repository) == {"b": "dog"}
    assert sound(repository)


def test_staged_rows_leave_out_columns_that_keep_their_cells(repository):
    repository.stage_rows(a_table({"b": {"count": 5}, "d": {"count": 6}}), BOB, "counts")
    assert rows_of(repository)["b"] == {"label": "dog", "count": 5}
    assert rows_of(repository)["d"] == {"count": 6}
    assert (repository.status().edited, repository.status().inserted) == (1, 1)


def test_a_new_label_can_be_used_at_once_and_its_name_changed(repository):
    repository.define(repository.schema().with_labels("label", ["emu"]), "new label")
    repository.edit([Edit("a", "label", "emu")], ANNE, "x")
    assert labels_of(repository)["a"] == "emu"
    first = repository.commit("emu", "anne")
    assert repository.schema(rev="HEAD~1").column("label").labels == LABELS
    back = repository.diff(first.name, "HEAD~1")
    assert [(e.old, e.new) for e in back.edits] == [("emu", "cat")]


def test_a_column_added_later_is_null_before(repository):
    repository.define(repository.schema().add("seen", "bool"), "add seen")
    repository.edit([Edit("a", "seen", True)], ANNE, "x")
    repository.commit("seen", "anne")
    assert repository.read(["seen"])[0].to_pylist() == [True, None, None]
    assert repository.read(rev="HEAD~1").column_names == ["id", "label", "split", "score", "count"]
    assert [(e.column, e.old, e.new) for e in repository.diff("HEAD~1", "HEAD").edits] == [
        ("seen", None, True)
    ]
    assert repository.diff("HEAD", "HEAD~1").edits == []


def test_a_comparison_before_the_table_was_there(tmp_path):
    repository = Repository.init(tmp_path)
    (tmp_path / "README.md").write_text("a table is to come")
    repository.commit("nothing yet", "anne")
    repository.stage_rows(a_table({"a": {"label": "cat"}}), ANNE, "import", a_schema())
    repository.commit("import", "anne")
    assert repository.diff("HEAD~1", "HEAD").inserted == ["a"]
    assert repository.diff("HEAD", "HEAD~1").deleted == ["a"]
    assert repository.diff(None, "HEAD").inserted == ["a"]
    assert repository.diff(None, "HEAD~1").rows == 0


def test_who_said_what_is_told_for_each_cell(repository):
    repository.edit([Edit("a", "label", "owl")], ANNE, "label")
    repository.edit([Edit("a", "count", 3)], BOB, "count")
    staged = repository.history("a", "label")
    assert [(c.old, c.new, c.origin.by, c.commit is None) for c in staged] == [
        ("cat", "owl", "anne", True),
        (None, "cat", "anne", False),
    ]
    commit = repository.commit("both", "anne")
    for column, origin in (("label", ANNE), ("count", BOB)):
        change = repository.history("a", column)[0]
        assert (change.origin, change.commit) == (origin, commit.name)
    assert {(e.column, e.origin.by) for e in repository.diff("HEAD~1", "HEAD").edits} == {
        ("label", "anne"),
        ("count", "bob"),
    }


def test_pairs_count_what_became_what(repository):
    repository.edit([Edit(k, "label", "owl") for k in "ab"] + [Edit("c", "count", 1)], ANNE, "x")
    assert repository.pending().pairs("label") == [("cat", "owl", 1), ("dog", "owl", 1)]
    assert repository.pending().rows == 3


def test_small_files_are_committed_with_the_data(repository):
    (repository.root / "sw2.toml").write_text('task = "classify"')
    assert repository.status().files == ["sw2.toml"]
    repository.commit("spec", "anne")
    (repository.root / "sw2.toml").write_text("changed")
    assert repository.file("sw2.toml", "HEAD") == b'task = "classify"'
    assert repository.file("sw2.toml") == b"changed"


def test_the_name_of_the_data_is_what_it_says_not_who_said_it_when(repository, tmp_path):
    before = repository.data_name("HEAD")
    repository.edit([Edit("a", "label", "owl")], ANNE, "there")
    repository.commit("there", "anne")
    assert repository.data_name("HEAD") != before
    assert repository.data_name("HEAD", ["id", "split"]) == repository.data_name(
        "HEAD~1", ["id", "split"]
    )
    repository.edit([Edit("a", "label", "cat")], BOB, "and back")
    repository.commit("and back", "bob")
    assert repository.data_name("HEAD") == before
    other = a_repository(tmp_path / "other")
    assert other.data_name("HEAD") == before


def test_a_table_of_its_own_has_its_own_history(repository):
    rows = pa.table({"id": ["x"], "label": ["dog"]})
    repository.stage_rows(rows, BOB, "other", a_schema(), table="other")
    repository.commit("other", "bob")
    assert repository.tables() == ["examples", "other"]
    (change,) = repository.history("x", "label", table="other")
    assert (change.old, change.new, change.origin) == (None, "dog", BOB)
    assert labels_of(repository) == {"a": "cat", "b": "dog", "c": None}


def test_an_action_too_large_for_the_database_lies_in_the_store(repository, monkeypatch):
    monkeypatch.setattr(stages, "INLINE_BYTES", 10)
    monkeypatch.setattr("sw2.repo.repository.INLINE_BYTES", 10)
    action = repository.edit([Edit("a", "label", "owl")], ANNE, "x")
    assert action.delta is None
    assert action.object in set(repository.store.names())
    again = Repository.open(repository.root)
    assert labels_of(again)["a"] == "owl"
    again.commit("x", "anne")
    assert labels_of(again)["a"] == "owl"
    assert sound(again)


def test_a_request_that_is_sent_again_is_answered_not_carried_out(repository):
    state = repository.state
    assert state.answer("client-1") is None
    state.remember("client-1", "done", 1)
    assert Repository.open(repository.root).state.answer("client-1") == "done"


def test_media_are_stored_once_and_read_back(repository):
    raws = [os.urandom(100) for _ in range(5)]
    with repository.write_media() as put:
        names = [put(raw) for raw in raws + raws]
    assert names[:5] == names[5:]
    assert [repository.media(name) for name in names[:5]] == raws


# What a commit costs


def bytes_of_a_commit(root, rows):
    """Bytes of the pack that a commit of 200 scattered edits of four columns makes."""
    rng = np.random.default_rng(5)
    schema = a_schema([f"label {n}" for n in range(10)], key="int")
    table = pa.table(
        {
            "id": np.arange(rows),
            "label": [f"label {n}" for n in rng.integers(0, 10, rows)],
            "split": [("train", "test")[n] for n in rng.integers(0, 2, rows)],
            "score": rng.integers(0, 1000, rows) / 1000,
            "count": rng.integers(0, 10, rows),
        }
    )
    repository = Repository.init(root)
    repository.stage_rows(table, ANNE, "import", schema)
    repository.commit("import", "anne")
    before = set(repository.store.folder.glob("??/*.pack"))
    edits = []
    for key in rng.choice(rows, 200, replace=False).tolist():
        edits += [
            Edit(key, "label", f"label {rng.integers(10)}"),
            Edit(key, "split", ("train", "test", "val")[rng.integers(3)]),
            Edit(key, "score", float(rng.integers(1000)) / 1000),
            Edit(key, "count", int(rng.integers(10))),
        ]
    repository.edit(edits, Origin("anne"), "200 edits")
    repository.commit("200 edits", "anne")
    new = set(repository.store.folder.glob("??/*.pack")) - before
    return sum(path.stat().st_size for path in new)


def test_a_commit_costs_what_was_edited_whatever_the_size_of_the_table(tmp_path):
    small, large = (bytes_of_a_commit(tmp_path / str(rows), rows) for rows in (10_000, 200_000))
    assert large < 1.15 * small  # a key among more rows takes more bits
    assert large < 4500
