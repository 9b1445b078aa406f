"""One label out of several votes."""

import numpy as np
import pytest
from crowds import a_crowd
from hypothesis import given
from hypothesis import strategies as st
from published import ANAESTHETISTS

from sw2.errors import InvalidInput
from sw2.votes.consensus import dawid_skene, majority, weighted, weights_by_agreement

VOTES = st.lists(
    st.tuples(st.integers(0, 4), st.integers(0, 3), st.integers(0, 2)), min_size=1, max_size=20
).map(lambda votes: tuple(np.array(part) for part in zip(*votes, strict=True)))


def fitted(crowd, **settings):
    return dawid_skene(crowd.items, crowd.annotators, crowd.labels, *crowd.sizes, **settings)


def right(crowd, labels):
    return (labels == crowd.truth).mean()


def test_the_label_with_most_votes_is_taken_and_a_tie_is_left_open():
    items, labels = [0, 0, 0, 1, 1, 3], [2, 2, 0, 0, 1, 1]
    found = majority(items, labels, n_items=4, n_labels=3)
    assert found.labels.tolist() == [2, -1, -1, 1]
    assert found.confidence == pytest.approx([2 / 3, 0.5, 0, 1])
    broken = majority(items, labels, 4, 3, ties="first")
    assert broken.labels.tolist() == [2, 0, -1, 1]


def test_weights_decide_where_numbers_would_not():
    items, labels = [0, 0, 0, 1, 1], [0, 0, 1, 0, 1]
    found = weighted(items, labels, [0.2, 0.2, 0.9, 0.1, 0.0], n_items=2, n_labels=2)
    assert found.labels.tolist() == [1, 0]
    assert found.confidence == pytest.approx([0.9 / 1.3, 1.0])
    # Sums of the same floats in another order are a tie as well.
    tied = weighted([0] * 6, [0, 0, 0, 1, 1, 1], [0.1, 0.2, 0.3, 0.3, 0.2, 0.1], 1, 2)
    assert tied.labels.tolist() == [-1]


def test_the_weight_of_an_annotator_is_the_agreement_with_the_others():
    items = [0, 0, 0, 1, 1, 1, 2]
    annotators = [0, 1, 2, 0, 1, 2, 3]
    labels = [5, 5, 7, 6, 6, 5, 5]
    found = weights_by_agreement(items, annotators, labels, n_annotators=5)
    assert found == pytest.approx([3 / 6, 3 / 6, 1 / 6, 1 / 2, 1 / 2])
    crowd = a_crowd()
    weights = weights_by_agreement(crowd.items, crowd.annotators, crowd.labels, 10)
    assert np.corrcoef(weights, np.arange(10))[0, 1] > 0.95
    by_weight = weighted(crowd.items, crowd.labels, weights[crowd.annotators], 1500, 4)
    assert right(crowd, by_weight.labels) > right(
        crowd, majority(crowd.items, crowd.labels, 1500, 4).labels
    )


@given(VOTES, st.permutations(range(3)), st.permutations(range(4)), st.randoms())
def test_rules_do_not_care_for_names_and_order(votes, labels, people, random):
    items, who, said = votes
    order = random.sample(range(len(items)), len(items))
    renamed = np.array(labels)[said][order]
    weights = weights_by_agreement(items, who, said, 4)
    other = weights_by_agreement(items[order], np.array(people)[who][order], renamed, 4)
    assert other[np.array(people)] == pytest.approx(weights)
    for one, two in (
        (majority(items, said, 5, 3), majority(items[order], renamed, 5, 3)),
        (
            weighted(items, said, weights[who], 5, 3),
            weighted(items[order], renamed, weights[who][order], 5, 3),
        ),
    ):
        decided = one.labels >= 0
        assert ((two.labels >= 0) == decided).all()
        assert (np.array(labels)[one.labels[decided]] == two.labels[decided]).all()
        assert two.confidence == pytest.approx(one.confidence)


def the_anaesthetists(smoothing):
    items = np.repeat(np.arange(45), 7)
    who = np.tile([0, 0, 0, 1, 2, 3, 4], 45)
    return dawid_skene(items, who, ANAESTHETISTS.ravel() - 1, 45, 5, 4, smoothing)


def test_the_anaesthetists_of_dawid_and_skene():
    # Their table 2: how common each class is, and the error rates of the first observer.
    found = the_anaesthetists(smoothing=0)
    assert found.converged
    assert found.prior == pytest.approx([0.40, 0.42, 0.11, 0.07], abs=5e-3)
    first = [[0.89, 0.11, 0, 0], [0.07, 0.88, 0.05, 0], [0, 0.34, 0.66, 0], [0, 0, 0.56, 0.44]]
    assert found.confusion[0] == pytest.approx(np.array(first), abs=6e-3)
    assert (found.consensus.labels == the_anaesthetists(smoothing=3).consensus.labels).all()


def test_every_iteration_makes_the_votes_more_likely():
    likelihood = the_anaesthetists(smoothing=0).likelihood
    assert (np.diff(likelihood) >= -1e-9).all()
    assert len(likelihood) > 5


@pytest.mark.parametrize("seed", range(3))
def test_knowing_how_people_err_beats_the_majority(seed):
    crowd = a_crowd(seed=seed)
    most = majority(crowd.items, crowd.labels, len(crowd.truth), 4, ties="first")
    assert right(crowd, fitted(crowd).consensus.labels) > right(crowd, most.labels) + 0.03


def test_how_each_annotator_errs_is_recovered():
    crowd = a_crowd(n=6000, votes=6)
    found = fitted(crowd)
    assert np.abs(found.confusion - crowd.confusion).max() < 0.12
    assert np.abs(found.confusion - crowd.confusion).mean() < 0.015
    assert found.prior == pytest.approx(np.bincount(crowd.truth) / 6000, abs=0.01)


def test_confidence_is_how_often_the_label_is_right_and_errors_lie_where_it_is_low():
    crowd = a_crowd(n=6000, votes=4)
    found = fitted(crowd).consensus
    assert found.confidence.mean() == pytest.approx(right(crowd, found.labels), abs=0.02)
    unsure = found.confidence < np.quantile(found.confidence, 0.1)
    assert unsure[found.labels != crowd.truth].mean() > 0.8


def test_other_names_give_the_same_model():
    crowd = a_crowd(n=400)
    labels, people, items = (np.random.default_rng(n).permutation(n) for n in (4, 10, 400))
    order = np.random.default_rng(1).permutation(len(crowd.items))
    one = fitted(crowd)
    other = dawid_skene(
        items[crowd.items][order],
        people[crowd.annotators][order],
        labels[crowd.labels][order],
        400,
        10,
        4,
    )
    assert other.posteriors[np.ix_(items, labels)] == pytest.approx(one.posteriors, abs=1e-6)
    assert other.confusion[np.ix_(people, labels, labels)] == pytest.approx(one.confusion, abs=1e-6)
    assert (labels[one.consensus.labels] == other.consensus.labels[items]).all()


def test_who_has_not_voted_is_taken_to_err_as_all_do_and_what_nobody_saw_stays_open():
    found = dawid_skene([0, 0, 1, 1], [0, 1, 0, 1], [0, 0, 1, 1], 3, 3, 2)
    assert found.consensus.labels.tolist() == [0, 1, -1]
    assert found.consensus.confidence[2] == 0
    assert found.posteriors[2] == pytest.approx(found.prior)
    assert found.confusion[2] == pytest.approx(np.eye(2), abs=0.2)
    assert found.confusion.sum(axis=2) == pytest.approx(np.ones((3, 2)))


@given(VOTES, st.sampled_from([0.0, 3.0]))
def test_any_votes_give_probabilities(votes, smoothing):
    found = dawid_skene(*votes, 5, 4, 3, smoothing=smoothing)
    assert found.posteriors.sum(axis=1) == pytest.approx(np.ones(5))
    assert found.confusion.sum(axis=2) == pytest.approx(np.ones((4, 3)))
    assert ((found.consensus.labels >= 0) <= found.voted).all()
    again = dawid_skene(*votes, 5, 4, 3, smoothing=smoothing)
    assert (found.posteriors == again.posteriors).all()


def test_no_votes_and_one_label_are_no_trouble():
    empty = majority([], [], 2, 3)
    assert (empty.labels.tolist(), empty.confidence.tolist()) == ([-1, -1], [0, 0])
    assert weights_by_agreement([], [], [], 2).tolist() == [0.5, 0.5]
    only = dawid_skene([0, 1], [0, 0], [0, 0], 2, 1, 1)
    assert only.consensus.labels.tolist() == [0, 0]
    with pytest.raises(InvalidInput, match="0 votes"):
        dawid_skene([], [], [], 2, 1, 2)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: majority([0, 1], [0], 2, 1), "one length"),
        (lambda: majority([0, 2], [0, 0], 2, 1), "number 2"),
        (lambda: majority([0, -1], [0, 0], 2, 1), "number -1"),
        (lambda: weighted([0], [0], [-1.0], 1, 1), "weight of 0 or more"),
        (lambda: weighted([0], [0], [1.0, 1.0], 1, 1), "weight of 0 or more"),
        (lambda: dawid_skene([0], [3], [0], 1, 1, 1), "number 3"),
        (lambda: dawid_skene([0], [0], [0], 1, 1, 1, smoothing=-1), "smoothing -1"),
    ],
)
def test_what_cannot_be_used_is_refused(call, message):
    with pytest.raises(InvalidInput, match=message):
        call()
