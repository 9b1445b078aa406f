"""What the votes of a repository tell."""

import pytest
from crowds import a_crowd
from published import ANAESTHETISTS, FLEISS
from voting import ANN, a_repository, vote

from sw2.errors import InvalidInput, NotFound
from sw2.votes import Vote, agreement_of, annotators, cast, needing_votes, set_rule, votes_on


@pytest.fixture
def repository(tmp_path):
    return a_repository(tmp_path)


def the_psychiatrists(root):
    """Fleiss' patients, with the votes dealt out to six annotators."""
    names = [f"{number:02}" for number in range(30)]
    repository = a_repository(root, names, tuple("12345"))
    votes = []
    for name, counts in zip(names, FLEISS, strict=True):
        said = [label for label, times in zip("12345", counts, strict=True) for _ in range(times)]
        votes += [Vote(name, f"p{who}", label) for who, label in enumerate(said)]
    cast(repository, votes, ANN)
    return repository


def test_agreement_of_complete_votes_has_fleiss_kappa_too(tmp_path):
    found = agreement_of(the_psychiatrists(tmp_path))
    assert found.fleiss.value == pytest.approx(0.430, abs=5e-4)
    # alpha corrects for the size of the sample: 1 - (1 - kappa) (n - 1) / n.
    assert found.alpha.value == pytest.approx(1 - (1 - found.fleiss.value) * 179 / 180)
    assert (found.votes, found.examples, found.annotators, found.level) == (180, 30, 6, "nominal")
    assert (found.labels, found.pairs) == ([], [])


def test_agreement_by_label_and_of_pairs(repository):
    vote(repository, "a ann cat, a bob cat, b ann cat, b bob dog, c ann dog, c bob dog, d eve owl")
    found = agreement_of(repository, labels=True, pairs=True)
    assert found.fleiss is None
    labels = {one.label: one for one in found.labels}
    assert (labels["cat"].votes, labels["cat"].share) == (3, pytest.approx(2 / 3))
    assert (labels["owl"].votes, labels["owl"].share) == (0, None)
    pairs = {(one.first, one.second): one for one in found.pairs}
    assert pairs["ann", "bob"].kappa.value == pytest.approx(0.4)
    assert pairs["ann", "eve"].kappa.missing == "units that both voted on"


def test_numbers_agree_by_their_differences(repository):
    scores = {"a": (1, 1.5), "b": (7, 7.5), "c": (3, 3.5)}
    votes = [
        Vote(k, who, v) for k, pair in scores.items() for who, v in zip("xy", pair, strict=True)
    ]
    cast(repository, votes, ANN, "score")
    assert agreement_of(repository, "score").level == "interval"
    assert agreement_of(repository, "score").alpha.value > 0.95
    assert agreement_of(repository, "score", level="nominal").alpha.value == 0
    with pytest.raises(InvalidInput, match="cells are float"):
        annotators(repository, "score")
    vote(repository, "a ann cat")
    with pytest.raises(InvalidInput, match="no differences"):
        agreement_of(repository, level="interval")


def test_each_annotator_is_held_against_the_consensus(repository):
    vote(
        repository,
        "a x cat, a y cat, a z dog, b x cat, b y cat, b z dog, c x owl, d x cat, d y owl",
    )
    found = {one.annotator: one for one in annotators(repository)}
    assert [(one.votes, one.compared) for one in found.values()] == [(4, 3), (3, 2), (2, 2)]
    assert (found["x"].agreement, found["z"].agreement) == (1.0, 0.0)
    assert found["z"].confusion == [("cat", "dog", 2)]
    assert found["x"].confusion == [("cat", "cat", 2), ("owl", "owl", 1)]
    set_rule(repository, "dawid-skene", ANN)
    assert annotators(repository)[0].compared == 4


def test_who_errs_most_agrees_least(tmp_path):
    crowd = a_crowd(n=300, annotators=6, labels=3)
    names = [f"{number:03}" for number in range(300)]
    repository = a_repository(tmp_path, names)
    said = zip(crowd.items, crowd.annotators, crowd.labels, strict=True)
    votes = [Vote(names[i], f"p{who}", ("cat", "dog", "owl")[label]) for i, who, label in said]
    cast(repository, votes, ANN)
    shares = [one.agreement for one in annotators(repository)]
    assert shares == sorted(shares)


def test_examples_that_are_least_sure_come_first(tmp_path):
    names = [f"{number:02}" for number in range(46)]
    repository = a_repository(tmp_path, names, tuple("1234"))
    votes = [
        Vote(name, f"p{who}", str(label))
        for name, row in zip(names[:45], ANAESTHETISTS, strict=True)
        for who, label in enumerate(row)
    ]
    cast(repository, votes, ANN)
    found = needing_votes(repository, 45)
    assert len(found) == 45
    sure = [round(one.probability, 9) for one in found]
    assert sure == sorted(sure)
    assert {one.votes for one in found} == {7}
    # Those that everybody sees alike are the surest, whichever they are.
    assert all(len(set(one.said)) > 1 for one in found[:10])
    assert needing_votes(repository, 3) == found[:3]
    assert needing_votes(repository, 0) == []


def test_an_open_question_has_no_leading_label(repository):
    vote(repository, "a ann cat, a bob dog, b ann cat, b bob cat, c ann dog, c bob dog")
    first = needing_votes(repository)[0]
    assert (first.example, first.leading, first.votes) == ("a", None, 2)
    assert (first.said, first.probability) == (["cat", "dog"], pytest.approx(0.5))


def test_votes_are_listed_by_example_and_annotator(repository):
    vote(repository, "b bob dog .5, a eve owl, a ann cat")
    rows = [
        (r["example"], r["annotator"], r["label"], r["confidence"]) for r in votes_on(repository)
    ]
    assert rows == [("a", "ann", "cat", None), ("a", "eve", "owl", None), ("b", "bob", "dog", 0.5)]
    assert len(votes_on(repository, ["b", "c"])) == 1


def test_without_votes_it_says_so(repository):
    for call in (agreement_of, annotators, needing_votes, votes_on):
        with pytest.raises(NotFound, match="nobody has voted"):
            call(repository)
    vote(repository, "a ann cat")
    with pytest.raises(NotFound, match="nobody has voted on column `count`"):
        agreement_of(repository, "count")
    assert agreement_of(repository).alpha.missing == "units with two votes or more"
