"""Columns of a repository change without a row being written; cells may be of any shape."""

import pyarrow as pa
import pytest
from model_repository import ANNE, BOB, a_repository, rows_of, sound

from sw2.errors import InvalidInput, NotFound
from sw2.repo import Edit, Repository, schemas
from sw2.table import Schema

BOX = {"id": "b1", "label": "cat", "x": 1.0, "y": 2.0, "w": 3.0, "h": 4.0}
TABLE = "examples"


@pytest.fixture
def repository(tmp_path):
    rows = {
        "a": {"label": "cat", "split": "1", "count": 1},
        "b": {"label": "dog", "split": "2", "count": 0},
        "c": {"label": "cat", "split": "x", "count": 7},
    }
    return a_repository(tmp_path, rows)


def column_of(repository, name, rev=None):
    return dict(zip(*repository.read(["id", name], rev).to_pydict().values(), strict=True))


def test_a_column_is_retyped_without_writing_a_row(repository):
    before = set(repository.store.names())
    schemas.retype(repository, TABLE, "count", "float")
    assert len(set(repository.store.names()) - before) == 1
    assert column_of(repository, "count") == {"a": 1.0, "b": 0.0, "c": 7.0}
    repository.edit([Edit("a", "count", 0.5)], BOB, "half")
    repository.commit("floats", "bob")
    assert column_of(repository, "count") == {"a": 0.5, "b": 0.0, "c": 7.0}
    assert column_of(repository, "count", "HEAD~1") == {"a": 1, "b": 0, "c": 7}
    assert repository.diff("HEAD~1", "HEAD").pairs("count") == [(1.0, 0.5, 1)]
    assert sound(repository)


def test_an_edit_before_a_retyping_is_in_one_commit_with_it(repository):
    repository.edit([Edit("a", "split", "3")], ANNE, "x")
    schemas.retype(repository, TABLE, "split", "int", lossy=True)
    repository.edit([Edit("b", "split", 9)], ANNE, "x")
    assert [(e.key, e.old, e.new) for e in repository.pending().edits] == [("a", 1, 3), ("b", 2, 9)]
    repository.commit("numbers", "anne")
    assert column_of(repository, "split") == {"a": 3, "b": 9, "c": None}


def test_a_retyping_is_undone_and_redone(repository):
    schemas.retype(repository, TABLE, "count", "bool", lossy=True)
    assert column_of(repository, "count") == {"a": True, "b": False, "c": None}
    repository.undo()
    assert column_of(repository, "count") == {"a": 1, "b": 0, "c": 7}
    repository.redo()
    assert column_of(repository, "count")["c"] is None


def test_cells_that_do_not_convert_are_told_and_nothing_changes(repository):
    with pytest.raises(InvalidInput, match=r"1 cells of column `split` .* int: `c` \(x\)") as told:
        schemas.retype(repository, TABLE, "split", "int")
    assert "lossy" in told.value.hint
    assert repository.status().clean


def test_texts_become_labels_the_most_frequent_first(repository):
    repository.edit([Edit("c", "split", "2")], ANNE, "x")
    schemas.retype(repository, TABLE, "split", "category")
    assert repository.schema().column("split").labels == ("2", "1")
    assert column_of(repository, "split") == {"a": "1", "b": "2", "c": "2"}
    schemas.rename_label(repository, TABLE, "split", "2", "two")
    schemas.retype(repository, TABLE, "split", "tags")
    assert column_of(repository, "split") == {"a": ["1"], "b": ["two"], "c": ["two"]}
    assert sound(repository)


def test_too_many_values_are_no_labels(repository, monkeypatch):
    monkeypatch.setattr(schemas, "MOST_LABELS", 2)
    with pytest.raises(InvalidInput, match="3 distinct values"):
        schemas.retype(repository, TABLE, "split", "category")


def test_a_label_is_retired_once_no_cell_has_it(repository):
    with pytest.raises(InvalidInput, match="`cat` of column `label` is that of 2 rows: `a`, `c`"):
        schemas.retire_labels(repository, TABLE, "label", ["owl", "cat"])
    schemas.retire_labels(repository, TABLE, "label", ["owl"])
    assert repository.schema().column("label").labels == ("cat", "dog")
    with pytest.raises(InvalidInput, match="`owl` is a retired label"):
        repository.edit([Edit("a", "label", "owl")], ANNE, "x")
    assert column_of(repository, "label", "HEAD") == {"a": "cat", "b": "dog", "c": "cat"}


def test_changes_of_others_between_are_kept(repository):
    other = Repository.open(repository.root)
    schemas.add_labels(repository, TABLE, "label", ["emu"])
    schemas.add_labels(other, TABLE, "label", ["fox"])
    schemas.order_labels(repository, TABLE, "label", ["fox"])
    schemas.rename(other, TABLE, "count", "number")
    schemas.set_rule(repository, TABLE, "number", "latest")
    schemas.drop(other, TABLE, "score")
    schemas.add(repository, TABLE, "boxes", "boxes", ["cat"])
    schema = repository.schema()
    assert schema.column("label").labels == ("fox", "cat", "dog", "owl", "emu")
    assert schema.names == ["id", "label", "split", "number", "boxes"]
    assert schema.column("number").merge == "latest"
    other.close()


def test_what_is_not_there_cannot_change(repository):
    with pytest.raises(NotFound, match="no column `colour`"):
        schemas.drop(repository, TABLE, "colour")
    with pytest.raises(NotFound, match="no table `votes`"):
        schemas.drop(repository, "votes", "colour")
    schemas.add(repository, TABLE, "boxes", "boxes")
    with pytest.raises(InvalidInput, match="cannot become int"):
        schemas.retype(repository, TABLE, "boxes", "int")


# Cells that are lists and dicts

SHAPED = {
    "boxes": ([BOX], [BOX, BOX | {"id": "b2", "label": None}]),
    "tags": (["dog", "cat"], ["dog"]),
    "polygons": ([{"id": "p", "label": "dog", "rings": [[0.0, 0.0, 1.0, 0.0, 0.0, 1.0]]}], []),
    "masks": ([{"id": "m", "label": "cat", "height": 2, "width": 3, "counts": [1, 5]}], None),
    "keypoints": ([{"id": "k", "label": None, "points": [1.0, 2.0, 2.0]}], []),
    "spans": ([{"id": "s", "label": "cat", "start": 0, "end": 4}], []),
    "regions": ([{"id": "r", "label": "cat", "start": 0.5, "end": 4.0}], None),
    "json": ('{"a": [1]}', "[1,2]"),
}


@pytest.mark.parametrize("kind", SHAPED)
def test_cells_of_any_shape_are_edited_committed_compared_and_undone(repository, kind):
    first, second = SHAPED[kind]
    seen = sorted(first) if kind == "tags" else first
    schemas.add(repository, TABLE, "x", kind, () if kind == "json" else ("cat", "dog"))
    repository.edit([Edit("a", "x", first)], ANNE, "first")
    assert column_of(repository, "x") == {"a": seen, "b": None, "c": None}
    repository.commit("first", "anne")
    repository.edit([Edit("a", "x", second), Edit("b", "x", first)], BOB, "second")
    (one, other) = repository.pending().edits
    assert ((one.old, one.new), (other.old, other.new)) == ((seen, second), (None, seen))
    assert repository.edit([Edit("a", "x", second)], BOB, "again") is None
    repository.commit("second", "bob")
    assert repository.diff("HEAD~1", "HEAD").edits[0].new == second
    assert [change.new for change in repository.history("a", "x")] == [second, seen]
    assert column_of(repository, "x", "HEAD~1")["a"] == seen
    repository.edit([Edit("a", "x", None)], ANNE, "none")
    repository.undo()
    assert column_of(repository, "x")["a"] == second
    assert repository.diff("HEAD~1", "HEAD").pairs("x")
    assert sound(repository)


def test_rows_with_shapes_are_brought_in_from_arrow_and_lie_in_segments(tmp_path):
    repository = Repository.init(tmp_path)
    schema = Schema.create("examples", "id", {"id": "int"}).add("boxes", "boxes", ["cat"])
    schema = schema.add("tags", "tags", ["cat", "dog"])
    rows = pa.table({"id": [2, 1], "boxes": [[BOX], None], "tags": [["dog", "cat"], []]})
    repository.stage_rows(rows, ANNE, "import", schema)
    repository.commit("import", "anne")
    fresh = Repository.open(tmp_path)
    assert rows_of(fresh) == {1: {"tags": []}, 2: {"boxes": [BOX], "tags": ["cat", "dog"]}}
    assert fresh.stage_rows(rows, ANNE, "again") is None
    assert sound(repository)
    fresh.close()


def test_a_cell_that_does_not_fit_is_told_and_nothing_changes(repository):
    schemas.add(repository, TABLE, "boxes", "boxes", ["cat"])
    edits = [Edit("a", "boxes", []), Edit("b", "boxes", [BOX | {"w": -1}])]
    with pytest.raises(InvalidInput, match="column `boxes`, cell 1: element 0: `w` is -1") as told:
        repository.edit(edits, ANNE, "x")
    assert "at least 0" in told.value.hint
    assert column_of(repository, "boxes") == {"a": None, "b": None, "c": None}
