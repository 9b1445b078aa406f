"""What cannot be done is told: what, where, and how to mend it; and nothing is changed."""

import pyarrow as pa
import pytest
from model_repository import ANNE, a_repository, a_schema, a_table, rows_of, sound

from sw2.errors import InvalidInput, NotFound
from sw2.repo import Edit, Repository, revisions
from sw2.table import Schema


@pytest.fixture(scope="module")
def repository(tmp_path_factory):
    repository = a_repository(tmp_path_factory.mktemp("strings"))
    repository.edit([Edit("a", "count", 1)], ANNE, "staged")
    return repository


@pytest.fixture(scope="module")
def numbered(tmp_path_factory):
    return a_repository(tmp_path_factory.mktemp("ints"), {1: {"label": "cat"}, 2: {"label": "dog"}})


def refused(repository, kind, told, work):
    """Whether `work` is refused in those words, with a hint, and nothing is changed by it."""
    before = rows_of(repository), repository.state.actions(), list(repository.store.names())
    with pytest.raises(kind, match=told) as error:
        work(repository)
    assert error.value.hint, error.value.message
    assert before == (
        rows_of(repository),
        repository.state.actions(),
        list(repository.store.names()),
    )


def edit(*cells):
    return lambda repository: repository.edit([Edit(*cell) for cell in cells], ANNE, "x")


EDITS = {
    "unknown row": (NotFound, "no row `z`", edit(("z", "label", "cat"))),
    "one unknown row of two": (NotFound, "`z`", edit(("a", "label", "owl"), ("z", "count", 1))),
    "unknown column": (NotFound, "no column `colour`", edit(("a", "colour", "red"))),
    "unknown label": (InvalidInput, "`dgo` is not a label", edit(("a", "label", "dgo"))),
    "label by number": (InvalidInput, "takes label names", edit(("a", "label", 1))),
    "text for a number": (InvalidInput, "`count` holds int", edit(("a", "count", "many"))),
    "fraction for an integer": (InvalidInput, "`count`", edit(("a", "count", 1.5))),
    "too large": (InvalidInput, "`count`", edit(("a", "count", 2**70))),
    "mixed": (InvalidInput, "`count`", edit(("a", "count", "x"), ("b", "count", 3))),
    "an object": (InvalidInput, "`split`", edit(("a", "split", object()))),
    "no text": (InvalidInput, "`split`", edit(("a", "split", "\ud800"))),
    "the key": (InvalidInput, "`id` names the row", edit(("a", "id", "z"))),
    "no key": (InvalidInput, "has no `id`", edit((None, "label", "cat"))),
    "a key of another type": (InvalidInput, "named by strings", edit((7, "label", "cat"))),
    "a key that is no text": (InvalidInput, "named by strings", edit(("\ud800", "label", "cat"))),
}


@pytest.mark.parametrize("what", EDITS)
def test_an_edit_that_cannot_be_is_told(repository, what):
    refused(repository, *EDITS[what])


@pytest.mark.parametrize(
    ("key", "column", "value", "near"),
    [
        ("train/0100.png", "label", "dgo", "dog"),
        ("train/0100.png", "lable", "dog", "label"),
        ("train/100.png", "label", "dog", "train/0100.png"),
        ("train/0250.jpg", "label", "dog", "train/0250.png"),
    ],
)
def test_the_nearest_name_is_told(tmp_path, key, column, value, near):
    repository = a_repository(
        tmp_path, {f"train/{n:04}.png": {"label": "cat"} for n in range(0, 1000, 50)}
    )
    with pytest.raises((InvalidInput, NotFound)) as told:
        repository.edit([Edit(key, column, value)], ANNE, "x")
    assert f"Did you mean `{near}`?" in told.value.hint


def test_nothing_is_told_as_near_that_is_not(repository, numbered):
    for where, key in ((repository, "something else"), (numbered, 12)):
        with pytest.raises(NotFound) as told:
            where.edit([Edit(key, "label", "cat")], ANNE, "x")
        assert told.value.hint == "Rows are named by their `id`"


@pytest.mark.parametrize("key", ["1", 1.5, True, 2**70, None, b"1"])
def test_a_row_named_by_a_number_is_not_named_by_other_things(numbered, key):
    refused(numbered, InvalidInput, "named by ints|has no `id`", edit((key, "label", "cat")))


ROWS = {
    "a key twice": (InvalidInput, "`q` is given 2 times", {"id": ["q", "q"]}),
    "a null key": (InvalidInput, "has no `id`", {"id": pa.array(["q", None])}),
    "no key column": (InvalidInput, "has no `id`", {"label": ["cat"]}),
    "unknown column": (NotFound, "no column `colour`", {"id": ["q"], "colour": ["red"]}),
    "unknown label": (InvalidInput, "`emu` is not", {"id": ["q"], "label": ["emu"]}),
    "wrong type": (InvalidInput, "`count`", {"id": ["q"], "count": ["many"]}),
    "keys of a wrong type": (InvalidInput, "`id`", {"id": [[1]]}),
}


@pytest.mark.parametrize("what", ROWS)
def test_rows_that_cannot_be_staged_are_told(repository, what):
    kind, told, columns = ROWS[what]
    refused(repository, kind, told, lambda r: r.stage_rows(pa.table(columns), ANNE, "x"))


@pytest.mark.parametrize("what", ROWS)
def test_rows_that_cannot_begin_a_table_are_told(tmp_path, what):
    repository = Repository.init(tmp_path)
    kind, told, columns = ROWS[what]
    with pytest.raises(kind, match=told) as error:
        repository.stage_rows(pa.table(columns), ANNE, "x", a_schema())
    assert error.value.hint
    assert repository.tables() == []
    assert sound(repository)


def test_a_column_twice_is_told(repository):
    rows = pa.Table.from_arrays(
        [pa.array(["q"]), pa.array([1]), pa.array([2])], ["id", *2 * ["count"]]
    )
    refused(repository, InvalidInput, "given twice", lambda r: r.stage_rows(rows, ANNE, "x"))


def test_a_new_table_without_columns_is_told(repository):
    rows = pa.table({"id": ["q"]})
    refused(
        repository,
        InvalidInput,
        "is new",
        lambda r: r.stage_rows(rows, ANNE, "x", table="other"),
    )


def test_a_schema_that_would_leave_cells_unreadable_is_refused(repository):
    other = Schema.create("examples", "id", {"id": "string", "label": "string"})
    refused(repository, InvalidInput, "`label`", lambda r: r.define(other, "x"))
    refused(
        repository,
        InvalidInput,
        "`label`",
        lambda r: r.stage_rows(a_table({"q": {"label": "x"}}), ANNE, "x", other),
    )


REVS = {
    "unknown": "nonsense",
    "empty": "",
    "too short": "a1",
    "before the first": "HEAD~9",
    "no such hash": "0123456789",
}


@pytest.mark.parametrize("what", REVS)
def test_a_revision_that_is_not_there_is_told(repository, what):
    rev = REVS[what]
    refused(repository, NotFound, f"`{rev}`", lambda r: r.read(rev=rev))


def test_a_beginning_that_several_commits_share_is_told(repository, monkeypatch):
    twins = [repository.commit_of("HEAD")] * 2
    monkeypatch.setattr(revisions, "ancestors", lambda *_: twins)
    with pytest.raises(NotFound, match="beginning of 2 commits") as told:
        repository.commit_of(repository.head[:6])
    assert told.value.hint == "Give more digits"


@pytest.mark.parametrize("rev", ["HEAD", "@", "main", "main~0", "@~", "HEAD~1"])
def test_a_revision_has_several_names(tmp_path, rev):
    repository = a_repository(tmp_path)
    repository.edit([Edit("a", "label", "owl")], ANNE, "x")
    newest = repository.commit("x", "anne")
    wanted = newest.parents[0] if rev in ("@~", "HEAD~1") else newest.name
    assert repository.commit_of(rev).name == wanted
    assert repository.commit_of(wanted[:8]).name == wanted


def test_nothing_committed_yet_is_told(tmp_path):
    repository = Repository.init(tmp_path)
    for work in (lambda: repository.commit_of("HEAD"), lambda: repository.read(rev="HEAD")):
        with pytest.raises(NotFound, match="nothing is committed") as told:
            work()
        assert "sw2 commit" in told.value.hint
    assert repository.log() == []
    with pytest.raises(NotFound, match="no table `examples` yet") as told:
        repository.read()
    assert "sw2 add" in told.value.hint
    assert repository.undo() is None
    assert repository.redo() is None
    assert repository.status().clean


OTHERS = {
    "unknown table": (NotFound, "no table `other`", lambda r: r.read(table="other")),
    "table at a commit": (NotFound, "`other`", lambda r: r.read(rev="HEAD", table="other")),
    "unknown column": (NotFound, "`colour`", lambda r: r.read(["colour"])),
    "history of nothing": (NotFound, "`colour`", lambda r: r.history("a", "colour")),
    "media": (NotFound, "object `zzz`", lambda r: r.media("zzz")),
    "file": (NotFound, "`sw2.toml`", lambda r: r.file("sw2.toml")),
    "committed file": (NotFound, "`sw2.toml`", lambda r: r.file("sw2.toml", "HEAD")),
    "no message": (InvalidInput, "needs a message", lambda r: r.commit("  ", "anne")),
}


@pytest.mark.parametrize("what", OTHERS)
def test_asking_for_what_is_not_there_is_told(repository, what):
    refused(repository, *OTHERS[what])


def test_committing_nothing_is_told(tmp_path):
    repository = a_repository(tmp_path)
    refused(repository, InvalidInput, "nothing to commit", lambda r: r.commit("again", "anne"))
