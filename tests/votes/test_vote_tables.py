"""Votes in a repository: staged, counted and taken back like every other edit."""

import pyarrow as pa
import pytest
from crowds import a_crowd
from hypothesis import given, settings
from hypothesis import strategies as st
from voting import ANN, BOB, a_repository, labels_of, most, sound, vote

from sw2.errors import InvalidInput, NotFound
from sw2.repo import Edit
from sw2.table import Schema
from sw2.values import Origin
from sw2.votes import Vote, cast, recount, rule_of, set_rule, tally, votes_on, withdraw


@pytest.fixture
def repository(tmp_path):
    repository = a_repository(tmp_path)
    yield repository
    repository.close()


@pytest.fixture
def ruled(repository):
    set_rule(repository, "majority", ANN)
    repository.commit("majority decides", "ann")
    return repository


def undone(repository):
    count = 0
    while repository.undo():
        count += 1
    return count


def test_votes_without_a_rule_are_kept_and_decide_nothing(repository):
    found = vote(repository, "a ann cat, b ann dog .8")
    assert (found.staged, found.decisions) == (True, [])
    assert labels_of(repository) == {"a": "owl"}
    rows = repository.read(table="votes").to_pylist()
    assert [(r["id"], r["example"], r["annotator"], r["label"], r["confidence"]) for r in rows] == [
        ("a@ann", "a", "ann", "cat", None),
        ("b@ann", "b", "ann", "dog", 0.8),
    ]
    assert rows[0]["at"].year >= 2024
    repository.commit("votes", "ann")
    assert repository.read(table="votes", rev="HEAD").num_rows == 2
    assert sound(repository)


def test_votes_and_what_they_decide_are_one_step(ruled):
    found = vote(ruled, "a ann cat, a bob cat, a eve dog, b ann dog")
    assert labels_of(ruled) == {"a": "cat", "b": "dog"}
    decision = found.decisions[0]
    assert (decision.example, decision.old, decision.new) == ("a", "owl", "cat")
    assert decision.confidence == pytest.approx(2 / 3)
    assert ruled.undo().label == "vote: 4 examples"
    assert (labels_of(ruled), ruled.undo()) == ({"a": "owl"}, None)
    ruled.redo()
    assert labels_of(ruled) == {"a": "cat", "b": "dog"}
    assert sound(ruled)


def test_a_consensus_says_by_which_rule_and_from_where(ruled):
    vote(ruled, "b ann dog")
    newest = ruled.history("b", "label")[0]
    assert newest.origin == Origin("consensus majority", "rule", source="votes")
    assert ruled.history("b@ann", "label", table="votes")[0].origin == ANN


def test_a_tie_empties_the_cell_and_another_vote_fills_it(ruled):
    vote(ruled, "a ann cat")
    vote(ruled, "a bob dog")
    assert "a" not in labels_of(ruled)
    vote(ruled, "a eve dog")
    assert labels_of(ruled)["a"] == "dog"


def test_a_vote_replaces_the_annotators_earlier_one(ruled):
    vote(ruled, "b ann dog")
    vote(ruled, "b ann cat")
    assert labels_of(ruled)["b"] == "cat"
    assert ruled.read(table="votes").num_rows == 1
    again = vote(ruled, "b ann cat")
    assert (again.staged, undone(ruled)) == (False, 2)


def test_a_direct_edit_stands_until_the_next_vote_on_that_example(ruled):
    vote(ruled, "b ann dog, c ann dog")
    ruled.edit([Edit("b", "label", "owl"), Edit("c", "label", "owl")], BOB, "by hand")
    vote(ruled, "b bob dog")
    assert {k: labels_of(ruled)[k] for k in "bc"} == {"b": "dog", "c": "owl"}


def test_withdrawn_votes_no_longer_count(ruled):
    vote(ruled, "a ann cat, a bob dog, a eve dog")
    found = withdraw(ruled, [("a", "bob"), ("a", "eve")], ANN)
    assert labels_of(ruled)["a"] == "cat"
    assert found.decisions[0].new == "cat"
    withdraw(ruled, [("a", "ann")], ANN)
    assert (labels_of(ruled), ruled.read(table="votes").num_rows) == ({}, 0)
    assert ruled.undo().label == "withdraw a@ann"
    assert labels_of(ruled)["a"] == "cat"
    with pytest.raises(NotFound, match="no vote `a@bob`"):
        withdraw(ruled, [("a", "ann"), ("a", "bob")], ANN)
    assert labels_of(ruled)["a"] == "cat"
    assert sound(ruled)


def test_each_column_has_its_own_votes_and_rule(ruled):
    vote(ruled, "a ann cat")
    set_rule(ruled, "majority", ANN, column="count")
    cast(ruled, [Vote("a", "ann", 3), Vote("a", "bob", 4), Vote("a", "eve", 4)], ANN, "count")
    assert ruled.read(["label", "count"]).to_pylist()[0] == {"label": "cat", "count": 4}
    withdraw(ruled, [("a", "ann")], ANN, "count")
    row = ruled.read(table="votes").to_pylist()[0]
    assert (row["id"], row["label"], row["count"]) == ("a@ann", "cat", None)
    withdraw(ruled, [("a", "ann")], ANN)
    assert [row["id"] for row in ruled.read(table="votes").to_pylist()] == ["a@bob", "a@eve"]
    assert rule_of(ruled, "label") == rule_of(ruled, "count") == "majority"
    assert rule_of(ruled, "good") is None


def test_a_rule_set_later_counts_all_votes_and_is_undone_as_one(repository):
    vote(repository, "a ann cat, b ann dog, b bob owl")
    found = set_rule(repository, "majority", ANN)
    assert [(d.example, d.new) for d in found.decisions] == [("a", "cat")]
    assert labels_of(repository) == {"a": "cat"}
    assert repository.undo().label == "consensus of label: majority"
    assert (labels_of(repository), rule_of(repository)) == ({"a": "owl"}, None)


def test_the_same_rule_once_more_recounts(ruled):
    vote(ruled, "a ann cat")
    ruled.edit([Edit("a", "label", "dog")], BOB, "by hand")
    assert set_rule(ruled, "majority", ANN).decisions[0].new == "cat"
    again = set_rule(ruled, "majority", ANN)
    assert (again.staged, again.decisions) == (False, [])


def test_a_rule_is_taken_away_and_the_labels_stay(ruled):
    vote(ruled, "a ann cat")
    assert set_rule(ruled, None, ANN).staged
    vote(ruled, "a ann dog")
    assert (rule_of(ruled), labels_of(ruled)) == (None, {"a": "cat"})
    assert not set_rule(ruled, None, ANN).staged
    assert sound(ruled)


def test_weights_are_those_of_agreement_and_stated_confidence(repository):
    vote(repository, "a ann cat .9, a bob dog .2, b ann cat, b bob cat")
    set_rule(repository, "weighted", ANN)
    assert labels_of(repository) == {"a": "cat", "b": "cat"}


def a_voted_repository(root, rule):
    """300 examples that a crowd of made-up annotators has voted on."""
    crowd = a_crowd(n=300, annotators=6, labels=3)
    names = [f"{number:03}" for number in range(300)]
    repository = a_repository(root, examples=names)
    said = zip(crowd.items, crowd.annotators, crowd.labels, strict=True)
    cast(
        repository,
        [Vote(names[i], f"p{who}", ("cat", "dog", "owl")[label]) for i, who, label in said],
        ANN,
    )
    set_rule(repository, rule, ANN)
    repository.commit("votes", "ann")
    truth = [("cat", "dog", "owl")[label] for label in crowd.truth]
    given = labels_of(repository)
    return repository, sum(given.get(n) == t for n, t in zip(names, truth, strict=True))


def test_the_model_decides_better_and_only_cells_that_differ_are_staged(tmp_path):
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    modelled, right = a_voted_repository(tmp_path / "one", "dawid-skene")
    _, by_majority = a_voted_repository(tmp_path / "two", "majority")
    assert right > by_majority + 10
    recount(modelled)
    assert modelled.status().clean
    found = cast(modelled, [Vote("000", "p0", v) for v in ["owl"]], ANN)
    assert modelled.pending().rows == len(found.decisions) < 10


def test_a_label_added_to_the_examples_can_be_voted_for(ruled):
    vote(ruled, "a ann cat")
    ruled.define(ruled.schema().with_labels("label", ["yak"]), "yak")
    vote(ruled, "a bob yak, a eve yak")
    assert labels_of(ruled)["a"] == "yak"
    assert ruled.schema("votes").column("label").labels == ("cat", "dog", "owl", "yak")


def test_votes_for_a_label_that_was_renamed_are_told_of(ruled):
    vote(ruled, "a ann cat")
    schema = ruled.schema()
    renamed = Schema.parse(schema.encode().replace(b'"cat"', b'"tabby"'))
    ruled.define(renamed, "rename")
    with pytest.raises(InvalidInput, match="votes are for `cat`"):
        vote(ruled, "a bob dog")
    assert votes_on(ruled)[0]["label"] == "cat"
    votes_schema = Schema.parse(ruled.schema("votes").encode().replace(b'"cat"', b'"tabby"'))
    ruled.define(votes_schema, "rename in votes")
    vote(ruled, "a bob tabby")
    assert labels_of(ruled)["a"] == "tabby"


def test_votes_on_a_deleted_example_are_passed_over(ruled):
    vote(ruled, "a ann cat, b ann dog")
    ruled.delete_rows(["a"], ANN, "delete")
    assert set_rule(ruled, "dawid-skene", ANN).staged
    assert labels_of(ruled) == {"b": "dog"}


@pytest.mark.parametrize("known", [True, False])
def test_votes_of_two_branches_are_merged_and_a_recount_brings_labels_in_line(repository, known):
    if known:
        vote(repository, "f zoe owl")
    set_rule(repository, "majority", ANN)
    repository.commit("majority decides", "ann")
    repository.switch("bobs", create=True)
    vote(repository, "b bob cat, c bob cat, c eve cat")
    repository.commit("Bob's votes", "bob")
    repository.switch("main")
    vote(repository, "a ann cat, b ann dog, c ann dog")
    repository.commit("Ann's votes", "ann")
    repository.merge("bobs", "ann")
    assert [row["annotator"] for row in votes_on(repository, ["b", "c"])] == ["ann", "bob"] * 2 + [
        "eve"
    ]
    set_rule(repository, "majority", ANN)
    assert labels_of(repository).items() >= {"a": "cat", "c": "cat"}.items()
    assert "b" not in labels_of(repository)
    assert sound(repository)


def test_rows_named_by_numbers_and_other_tables_are_voted_on(tmp_path):
    repository = a_repository(tmp_path)
    schema = Schema.create("pages", "number", {"number": "int"}).add("good", "bool")
    repository.stage_rows(pa.table({"number": [7, 8]}), ANN, "pages", schema, table="pages")
    set_rule(repository, "majority", ANN, "good", table="pages")
    cast(repository, [Vote(7, "ann", True), Vote(7, "bob", True)], ANN, "good", table="pages")
    assert repository.read(table="pages").to_pylist()[0] == {"number": 7, "good": True}
    assert repository.tables() == ["consensus", "examples", "pages", "pages_votes"]
    with pytest.raises(NotFound, match="no row `7`"):
        cast(repository, [Vote("7", "ann", True)], ANN, "good", table="pages")


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda r: vote(r, "a ann cat, zz ann cat"), NotFound, "no row `zz`"),
        (lambda r: vote(r, "a ann cat, b ann caat"), InvalidInput, "`caat` is not a label"),
        (lambda r: vote(r, "a ann cat 1.5"), InvalidInput, "confidence 1.5"),
        (lambda r: vote(r, "a ann cat nan"), InvalidInput, "confidence nan"),
        (lambda r: vote(r, "a ann cat, a ann dog"), InvalidInput, "given 2 times"),
        (lambda r: vote(r, "a ann cat", column="labl"), NotFound, "no column `labl`"),
        (lambda r: vote(r, "a ann cat", column="id"), InvalidInput, "cannot be voted on"),
        (lambda r: vote(r, "a ann cat", table="pages"), NotFound, "no table `pages`"),
        (lambda r: cast(r, [Vote("a", "", "cat")], ANN), InvalidInput, "no annotator"),
        (lambda r: cast(r, [Vote("a", "ann", None)], ANN), InvalidInput, "no value"),
        (lambda r: cast(r, [Vote("a", "x", 1), Vote("b", "x", "cat")], ANN), InvalidInput, "label"),
        (lambda r: set_rule(r, "loudest", ANN), InvalidInput, "`loudest`"),
        (lambda r: set_rule(r, "majority", ANN, "score"), InvalidInput, "cells are float"),
        (lambda r: withdraw(r, [("a", "ann")], ANN), NotFound, "no table `votes`"),
    ],
)
def test_what_cannot_be_voted_changes_nothing(ruled, call, error, message):
    with pytest.raises(error, match=message):
        call(ruled)
    assert ruled.status().clean
    assert undone(ruled) == 0


def test_two_votes_never_share_an_id(repository):
    rows = pa.table({"id": ["x", "x@y"]})
    repository.stage_rows(rows, ANN, "odd names")
    vote(repository, "x@y z cat")
    with pytest.raises(InvalidInput, match="that of a vote by `z`"):
        vote(repository, "x y@z dog")


def test_no_votes_are_no_action(repository):
    assert not cast(repository, [], ANN).staged
    assert not withdraw(repository, [], ANN).staged
    assert recount(repository) == []
    assert repository.status().clean


@settings(max_examples=25)
@given(st.lists(st.tuples(*map(st.sampled_from, ("abc", "ABC", (*"cdo", None))))))
def test_after_any_votes_a_label_is_what_most_say(tmp_path_factory, moves):
    repository = a_repository(tmp_path_factory.mktemp("any"))
    set_rule(repository, "majority", ANN)
    held, names, steps = {}, dict(zip("cdo", ("cat", "dog", "owl"), strict=True)), []
    for example, who, short in moves:
        if short is None and (example, who) not in held:
            continue
        steps.append((dict(held), labels_of(repository)))
        if short is None:
            del held[example, who]
            withdraw(repository, [(example, who)], ANN)
        else:
            staged = cast(repository, [Vote(example, who, names[short])], ANN).staged
            if not staged:
                steps.pop()
            held[example, who] = names[short]
        said = [value for (one, _), value in held.items() if one == example]
        assert labels_of(repository).get(example) == most(said)
    for _, labels in reversed(steps):
        repository.undo()
        assert labels_of(repository) == labels
    repository.close()


def test_a_tally_is_the_votes_as_arrays(repository):
    vote(repository, "b bob dog .5, a ann owl, b ann dog")
    found = tally(repository, examples=["b", "c"])
    assert (found.examples, found.annotators) == (["b", "c"], ["ann", "bob"])
    assert (found.items.tolist(), found.who.tolist(), found.said.tolist()) == (
        [0, 0],
        [0, 1],
        [1, 1],
    )
    assert found.values == ["cat", "dog", "owl"]
    assert found.decide("majority").labels.tolist() == [1, -1]
