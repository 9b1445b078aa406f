"""Conflicts are rows: listed, assigned, settled one at a time, committed half settled."""

import pytest
from model_repository import ANNE, BOB, a_repository, a_table, labels_of, rows_of, sound

from sw2.errors import Conflict, InvalidInput, NotFound
from sw2.repo import Edit, count_open, open_conflicts, protect, schemas
from sw2.values import Origin


@pytest.fixture
def repository(tmp_path):
    """a: relabelled in two ways. b: deleted here, edited there. c: edited here, deleted there.
    d: other columns on either side. e: the same on both. f: added on both, with another count."""
    repository = a_repository(tmp_path, {key: {"label": "cat", "count": 1} for key in "abcde"})
    repository.create_branch("side")
    edits = {"a": "dog", "c": "dog", "d": "owl", "e": "owl"}
    repository.edit([Edit(k, "label", v) for k, v in edits.items()], ANNE, "ours")
    repository.delete_rows(["b"], ANNE, "ours")
    repository.stage_rows(a_table({"f": {"label": "dog", "count": 1}}), ANNE, "ours")
    repository.commit("ours", "anne")
    repository.switch("side")
    edits = [Edit("a", "label", "owl"), Edit("b", "label", "dog"), Edit("d", "count", 7)]
    repository.edit([*edits, Edit("e", "label", "owl")], BOB, "theirs")
    repository.delete_rows(["c"], BOB, "theirs")
    repository.stage_rows(a_table({"f": {"label": "dog", "count": 2}}), BOB, "theirs")
    repository.commit("theirs", "bob")
    repository.switch("main")
    return repository


def waiting(repository, rev=None):
    return {row["id"]: row for row in open_conflicts(repository, rev).to_pylist()}


def test_a_merge_keeps_ours_and_lists_what_it_cannot_decide(repository):
    report = repository.merge("side", "anne")
    assert (report.how, report.conflicts, report.joined) == ("merge", 4, 1)
    assert rows_of(repository) == {
        "a": {"label": "dog", "count": 1},
        "c": {"label": "dog", "count": 1},
        "d": {"label": "owl", "count": 7},
        "e": {"label": "owl", "count": 1},
        "f": {"label": "dog", "count": 1},
    }
    found = waiting(repository)
    kinds = {id: row["kind"] for id, row in found.items()}
    assert kinds == {
        "examples/a/label": "edit/edit",
        "examples/b": "delete/edit",
        "examples/c": "edit/delete",
        "examples/f/count": "edit/edit",
    }
    told = found["examples/a/label"]
    assert (told["base"], told["ours"], told["theirs"]) == ('"cat"', '"dog"', '"owl"')
    assert (told["ours_by"], told["theirs_by"]) == ("anne", "bob")
    assert repository.status().conflicts == 4
    assert repository.status().clean
    assert sound(repository)


SETTLED = {
    ("examples/a/label", "ours"): {"a": {"label": "dog", "count": 1}},
    ("examples/a/label", "theirs"): {"a": {"label": "owl", "count": 1}},
    ("examples/a/label", "base"): {"a": {"label": "cat", "count": 1}},
    ("examples/b", "ours"): {"b": None},
    ("examples/b", "theirs"): {"b": {"label": "dog", "count": 1}},
    ("examples/b", "base"): {"b": {"label": "cat", "count": 1}},
    ("examples/c", "ours"): {"c": {"label": "dog", "count": 1}},
    ("examples/c", "theirs"): {"c": None},
    ("examples/f/count", "theirs"): {"f": {"label": "dog", "count": 2}},
}


@pytest.mark.parametrize("what", SETTLED, ids=" ".join)
def test_a_conflict_is_settled_and_the_decision_undone(repository, what):
    repository.merge("side", "anne")
    before, (id, choice) = rows_of(repository), what
    repository.settle([id], choice, BOB)
    for key, row in SETTLED[what].items():
        assert rows_of(repository).get(key) == row
    assert id not in waiting(repository)
    assert count_open(repository) == 3
    repository.undo()
    assert rows_of(repository) == before
    assert len(waiting(repository)) == 4


def test_a_conflict_may_be_settled_with_another_value(repository):
    repository.merge("side", "anne")
    repository.settle(["examples/a/label"], "value", BOB, "cat")
    assert labels_of(repository)["a"] == "cat"
    assert repository.history("a", "label")[0].origin == BOB
    with pytest.raises(InvalidInput, match="about a whole row"):
        repository.settle(["examples/b"], "value", BOB, "cat")
    with pytest.raises(InvalidInput, match="count"):
        repository.settle(["examples/f/count"], "value", BOB, "many")
    assert set(waiting(repository)) == {"examples/b", "examples/c", "examples/f/count"}


def test_conflicts_are_committed_half_settled_and_merged_settled(repository):
    repository.merge("side", "anne")
    repository.create_branch("helper")
    repository.settle(["examples/a/label"], "theirs", ANNE)
    repository.commit("half", "anne")
    assert set(waiting(repository, "HEAD")) == {"examples/b", "examples/c", "examples/f/count"}
    repository.switch("helper")
    assert len(waiting(repository)) == 4
    repository.settle(["examples/b", "examples/c"], "ours", BOB)
    repository.commit("the other half", "bob")
    repository.switch("main")
    report = repository.merge("helper", "anne")
    assert report.conflicts == 0
    assert set(waiting(repository)) == {"examples/f/count"}
    assert labels_of(repository)["a"] == "owl"
    assert sound(repository)


def test_a_conflict_is_assigned_and_the_request_taken_back(repository):
    repository.merge("side", "anne")
    repository.assign(["examples/a/label", "examples/b"], "carol", ANNE)
    assert waiting(repository)["examples/b"]["assignee"] == "carol"
    repository.commit("asked carol", "anne")
    repository.assign(["examples/b"], None, ANNE)
    assert waiting(repository)["examples/b"]["assignee"] is None
    with pytest.raises(NotFound, match="no open conflict `examples/z`"):
        repository.assign(["examples/z"], "carol", ANNE)


@pytest.mark.parametrize(("prefer", "label"), [("ours", "dog"), ("theirs", "owl")])
def test_a_side_may_be_preferred_for_all(repository, prefer, label):
    report = repository.merge("side", "anne", prefer=prefer)
    assert report.conflicts == 0
    assert labels_of(repository)["a"] == label
    assert ("b" in rows_of(repository), "c" in rows_of(repository)) == (
        (prefer == "theirs"),
        (prefer == "ours"),
    )
    assert sound(repository)


def test_a_protected_branch_takes_no_open_conflicts(repository):
    protect(repository, "main")
    head = repository.head
    with pytest.raises(Conflict, match="`main` is protected"):
        repository.merge("side", "anne")
    assert repository.head == head
    assert not open_conflicts(repository).num_rows
    protect(repository, "main", on=False)
    assert repository.merge("side", "anne").conflicts == 4


def test_a_small_file_that_both_sides_changed_is_a_conflict(repository, tmp_path):
    spec = tmp_path / "sw2.toml"
    spec.write_text("[program]\nname = 'ours'\n")
    repository.commit("ours", "anne")
    repository.switch("side")
    assert not spec.exists()
    spec.write_text("[program]\nname = 'theirs'\n")
    repository.commit("theirs", "bob")
    repository.switch("main")
    assert "ours" in spec.read_text()
    repository.merge("side", "anne")
    assert "ours" in spec.read_text()
    repository.settle(["/sw2.toml"], "theirs", ANNE)
    assert "theirs" in spec.read_text()
    repository.commit("settled", "anne")
    assert repository.file("sw2.toml", "HEAD") == spec.read_bytes()


def test_edits_come_along_to_a_branch_that_has_the_same_rows(repository):
    repository.create_branch("twin")
    repository.edit([Edit("a", "label", "owl")], ANNE, "mine")
    repository.switch("twin")
    assert labels_of(repository)["a"] == "owl"
    assert repository.undo().label == "mine"
    repository.redo()
    with pytest.raises(Conflict, match=r"staged, and `side` has another"):
        repository.switch("side")
    assert repository.branch == "twin"


def test_a_file_that_was_changed_is_not_overwritten(repository, tmp_path):
    (tmp_path / "README.md").write_text("ours")
    repository.commit("ours", "anne")
    (tmp_path / "README.md").write_text("not committed")
    with pytest.raises(InvalidInput, match=r"`README.md` has changes"):
        repository.switch("side")
    assert (tmp_path / "README.md").read_text() == "not committed"
    assert repository.branch == "main"


def test_what_is_put_aside_comes_back_over_what_was_decided_meanwhile(repository):
    repository.edit([Edit("a", "label", "owl"), Edit("d", "count", 9)], BOB, "later")
    repository.stash("bob", "for later")
    assert labels_of(repository)["a"] == "dog"
    assert repository.status().clean
    repository.edit([Edit("a", "label", "cat")], ANNE, "now")
    repository.commit("now", "anne")
    report = repository.unstash("bob")
    assert (report.conflicts, rows_of(repository)["d"]["count"]) == (1, 9)
    assert labels_of(repository)["a"] == "cat"
    assert waiting(repository)["examples/a/label"]["theirs"] == '"owl"'
    assert repository.undo().label.startswith("unstash")
    assert repository.status().clean
    assert sound(repository)


def test_rows_and_cells_are_restored_from_any_revision(repository):
    repository.restore(["a", "b", "f"], ANNE, "HEAD~1")
    assert rows_of(repository)["a"]["label"] == "cat"
    assert rows_of(repository)["b"] == {"label": "cat", "count": 1}
    assert "f" not in rows_of(repository)
    repository.undo()
    assert repository.status().clean
    repository.edit([Edit("a", "label", "owl"), Edit("a", "count", 5)], ANNE, "x")
    repository.restore(["a"], ANNE, columns=["label"])
    assert rows_of(repository)["a"] == {"label": "dog", "count": 5}
    repository.restore(None, ANNE)
    assert rows_of(repository) == rows_of(repository, "HEAD")
    with pytest.raises(NotFound, match="no row `nobody`"):
        repository.restore(["nobody"], ANNE)


def test_a_column_that_both_sides_renamed_is_a_conflict(repository):
    schemas.rename(repository, "examples", "score", "points")
    schemas.rename_label(repository, "examples", "label", "cat", "tabby")
    schemas.set_rule(repository, "examples", "count", "latest")
    repository.commit("ours", "anne")
    repository.switch("side")
    schemas.rename(repository, "examples", "score", "marks")
    schemas.rename_label(repository, "examples", "label", "cat", "tom")
    schemas.set_rule(repository, "examples", "count", "theirs")
    repository.commit("theirs", "bob")
    repository.switch("main")
    repository.merge("side", "anne")
    disputed = {id for id, row in waiting(repository).items() if row["kind"] == "column"}
    wanted = {"examples//points/name", "examples//label/label 0", "examples//count/rule"}
    assert disputed == wanted
    for id in sorted(wanted):
        repository.settle([id], "theirs", ANNE)
    schema = repository.schema()
    assert "marks" in schema.names
    assert schema.column("label").labels[0] == "tom"
    assert schema.column("count").merge == "theirs"
    repository.commit("settled", "anne")
    assert repository.diff("HEAD~1", "HEAD").columns == [
        "column label: label tabby renamed to tom",
        "column points renamed to marks",
        "column count: merged by latest -> theirs",
    ]
    assert sound(repository)


RULES = {
    "ours": "dog",
    "theirs": "owl",
    "latest": "owl",
    "higher-confidence": "dog",
    "majority": "owl",
}


@pytest.mark.parametrize("rule", RULES)
def test_a_column_may_have_a_rule(tmp_path, rule):
    """Ann says dog at 0.9, first; Bob and then Carol say owl at 0.6."""
    repository = a_repository(tmp_path, {"a": {"label": "cat", "score": 0.0}})
    schemas.rename(repository, "examples", "score", "confidence")
    schemas.set_rule(repository, "examples", "label", rule)
    repository.commit("rule", "anne")
    repository.create_branch("side")
    for branch, label, sure, people in (
        ("main", "dog", 0.9, [ANNE]),
        ("side", "owl", 0.6, [BOB, Origin("carol")]),
    ):
        repository.switch(branch)
        for who in people:
            if repository.edit([Edit("a", "label", None)], who, "look again"):
                repository.commit("look again", who.by)
            repository.edit([Edit("a", "label", label)], who, "say")
            repository.edit([Edit("a", "confidence", sure)], who, "say")
            repository.commit(f"{who.by} says {label}", who.by)
    repository.switch("main")
    repository.merge("side", "anne")
    assert labels_of(repository)["a"] == RULES[rule]
    assert set(waiting(repository)) == {"examples/a/confidence"}


def test_a_majority_that_is_a_tie_asks(tmp_path):
    repository = a_repository(tmp_path)
    schemas.set_rule(repository, "examples", "label", "majority")
    repository.commit("rule", "anne")
    repository.create_branch("side")
    for branch, label, who in (("main", "owl", ANNE), ("side", "dog", BOB)):
        repository.switch(branch)
        repository.edit([Edit("a", "label", label)], who, "say")
        repository.commit("say", who.by)
    repository.switch("main")
    assert repository.merge("side", "anne").conflicts == 1


def test_tags_and_boxes_merge_one_by_one(tmp_path):
    repository = a_repository(tmp_path)
    schemas.add(repository, "examples", "marks", "tags", ["new", "dark", "sale"])
    schemas.add(repository, "examples", "parts", "boxes", ["head", "tail"])
    box = {"id": "b1", "label": "head", "x": 0.0, "y": 0.0, "w": 1.0, "h": 1.0}
    repository.edit([Edit("a", "marks", ["new"]), Edit("a", "parts", [box])], ANNE, "x")
    repository.commit("base", "anne")
    repository.create_branch("side")
    schemas.add_labels(repository, "examples", "marks", ["ours"])
    moved = box | {"x": 5.0}
    repository.edit([Edit("a", "marks", ["new", "ours"]), Edit("a", "parts", [moved])], ANNE, "x")
    repository.commit("ours", "anne")
    repository.switch("side")
    schemas.add_labels(repository, "examples", "marks", ["theirs"])
    other = {"id": "b2", "label": "tail", "x": 1.0, "y": 1.0, "w": 2.0, "h": 2.0}
    relabelled = box | {"label": "tail"}
    repository.edit(
        [Edit("a", "marks", ["theirs"]), Edit("a", "parts", [relabelled, other])], BOB, "x"
    )
    repository.commit("theirs", "bob")
    repository.switch("main")
    assert repository.merge("side", "anne").conflicts == 0
    row = repository.read(["id", "marks", "parts"]).to_pylist()[0]
    assert row["marks"] == ["ours", "theirs"]
    assert row["parts"] == [box | {"x": 5.0, "label": "tail"}, other]
    assert sound(repository)
