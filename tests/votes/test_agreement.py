"""Agreement beyond chance: published figures, and what must hold for any votes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from published import ALPHAS, COHEN, FLEISS, FLEISS_LABELS, KRIPPENDORFF, SAS

from sw2.errors import InvalidInput
from sw2.votes.agreement import (
    alpha_of_counts,
    cohen_kappa,
    counts_of,
    fleiss_kappa,
    krippendorff_alpha,
    pairwise,
    per_label,
)

LEVELS = list(ALPHAS)
RATINGS = st.tuples(st.integers(2, 4), st.integers(2, 8)).flatmap(
    lambda shape: arrays(np.int64, shape, elements=st.integers(-1, 3))
)


def both(table):
    """The votes of two annotators from the table of how often each pair occurs."""
    cells = np.repeat(np.arange(table.size), table.ravel())
    return np.divmod(cells, len(table))


def numbers(ratings):
    """Labels as alpha takes them: NaN for no vote."""
    return np.where(ratings < 0, np.nan, ratings)


def alpha(ratings, level="nominal"):
    return krippendorff_alpha(numbers(ratings), level, resamples=0).value


def close(one, other):
    return one == other or one == pytest.approx(other, abs=1e-9)


def test_kappa_of_cohens_clinicians():
    assert cohen_kappa(*both(COHEN)).value == pytest.approx(0.492, abs=5e-4)


def test_kappa_with_weights_is_what_sas_prints():
    assert cohen_kappa(*both(SAS)).value == pytest.approx(0.4842, abs=5e-5)
    assert cohen_kappa(*both(SAS), "linear").value == pytest.approx(0.4701, abs=5e-5)


def test_kappa_of_fleiss_psychiatrists():
    assert fleiss_kappa(FLEISS).value == pytest.approx(0.430, abs=5e-4)
    for own, published in zip(FLEISS.T, FLEISS_LABELS, strict=True):
        kappa = fleiss_kappa(np.column_stack([own, 6 - own])).value
        assert kappa == pytest.approx(published, abs=5e-4)


@pytest.mark.parametrize("level", LEVELS)
def test_alpha_of_krippendorffs_observers(level):
    found = krippendorff_alpha(KRIPPENDORFF, level)
    assert found.value == pytest.approx(ALPHAS[level], abs=5e-4)
    assert (found.units, found.votes) == (11, 40)


def test_alpha_is_pi_of_scott_but_for_the_size_of_the_sample():
    # Krippendorff 2011: alpha = 1 - (1 - pi) (n - 1) / n, for n votes, two complete annotators.
    a, b = both(COHEN)
    votes = np.concatenate([a, b])
    chance = (np.bincount(votes) / len(votes)) ** 2
    pi = ((a == b).mean() - chance.sum()) / (1 - chance.sum())
    found = krippendorff_alpha([a, b]).value
    assert found == pytest.approx(1 - (1 - pi) * (len(votes) - 1) / len(votes))


def test_quadratic_weights_are_those_of_the_intraclass_correlation():
    # Fleiss & Cohen 1973: kappa = 1 - mean (a-b)^2 / (var a + var b + (mean a - mean b)^2).
    a, b = both(COHEN)
    expected = a.var() + b.var() + (a.mean() - b.mean()) ** 2
    found = cohen_kappa(a, b, "quadratic").value
    assert found == pytest.approx(1 - ((a - b) ** 2).mean() / expected)


@given(RATINGS, st.sampled_from(LEVELS), st.randoms(use_true_random=False))
def test_the_order_of_annotators_and_units_does_not_matter(ratings, level, random):
    rows, columns = (random.sample(range(n), n) for n in ratings.shape)
    assert close(alpha(ratings[rows][:, columns], level), alpha(ratings, level))


@given(RATINGS, st.permutations(range(4)))
def test_the_names_of_labels_do_not_matter(ratings, names):
    renamed = np.where(ratings < 0, -1, np.array(names)[ratings])
    assert close(alpha(renamed), alpha(ratings))
    one, other = (cohen_kappa(r[0], r[1], resamples=0).value for r in (ratings, renamed))
    assert close(one, other)


@given(arrays(np.int64, 6, elements=st.integers(0, 3)), st.sampled_from(LEVELS))
def test_perfect_agreement_is_1_and_one_label_alone_says_nothing(labels, level):
    expected = 1.0 if len(set(labels)) > 1 else None
    assert alpha(np.tile(labels, (3, 1)), level) == expected
    assert cohen_kappa(labels, labels, "quadratic").value == expected
    assert fleiss_kappa(counts_of(np.arange(6), labels, 6, 4) * 3).value == expected


def test_votes_at_random_agree_as_chance_has_it():
    rng = np.random.default_rng(7)
    ratings = rng.choice(4, (3, 4000), p=[0.6, 0.2, 0.1, 0.1])
    counts = counts_of(np.tile(np.arange(4000), 3), ratings.ravel(), 4000, 4)
    assert abs(cohen_kappa(ratings[0], ratings[1]).value) < 0.04
    assert abs(fleiss_kappa(counts).value) < 0.03
    for level in LEVELS:
        assert abs(alpha(ratings, level)) < 0.03


def test_the_interval_holds_the_value_and_narrows_with_more_units():
    rng = np.random.default_rng(3)
    truth = rng.integers(0, 3, 2000)
    votes = [np.where(rng.random(2000) < 0.2, rng.integers(0, 3, 2000), truth) for _ in range(2)]
    few, many = (krippendorff_alpha([v[:size] for v in votes]) for size in (60, 2000))
    for found in (few, many):
        assert found.low < found.value < found.high
    assert many.high - many.low < 0.4 * (few.high - few.low)
    assert krippendorff_alpha([v[:60] for v in votes]) == few


def test_the_interval_covers_as_often_as_it_says():
    rng = np.random.default_rng(11)

    def sample(size):
        truth = rng.integers(0, 2, size)
        return [np.where(rng.random(size) < 0.3, 1 - truth, truth) for _ in range(2)]

    true = cohen_kappa(*sample(1_000_000), resamples=0).value
    found = [cohen_kappa(*sample(200), resamples=300) for _ in range(200)]
    covered = np.mean([one.low <= true <= one.high for one in found])
    assert 0.90 <= covered <= 0.99


def test_what_is_missing_is_said_where_nothing_can_be_computed():
    assert krippendorff_alpha([[1, 2, 3]]).missing == "units with two votes or more"
    assert krippendorff_alpha([[1, np.nan], [np.nan, 1]]).value is None
    assert krippendorff_alpha([[1, 1], [1, 1]]).missing == "votes for a second label"
    assert cohen_kappa([1, -1], [-1, 2]).missing == "units that both voted on"
    assert cohen_kappa([], []).value is None
    assert fleiss_kappa(np.empty((0, 3))).value is None
    assert fleiss_kappa([[1, 0], [0, 1]]).missing == "two votes or more on each unit"
    assert (cohen_kappa([1], [2]).value, cohen_kappa([1], [2]).low) == (0.0, None)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: cohen_kappa([1, 2], [1]), "same units"),
        (lambda: cohen_kappa([1.5], [1]), "whole numbers"),
        (lambda: cohen_kappa(["cat"], [1]), "must be numbers"),
        (lambda: cohen_kappa([1], [1], "cubic"), "`cubic`"),
        (lambda: fleiss_kappa([[2, 0], [2, 1]]), "2 to 3"),
        (lambda: fleiss_kappa([[2, -1]]), "counts"),
        (lambda: krippendorff_alpha([1, 2]), "1 dimensions"),
        (lambda: krippendorff_alpha([[1, 2], [1, 2]], "cardinal"), "`cardinal`"),
        (lambda: krippendorff_alpha([[-1, 2], [1, 2]], "ratio"), "begins at 0"),
        (lambda: counts_of([0], [0], 1 << 20, 1 << 20), "too many"),
    ],
)
def test_what_cannot_be_used_is_refused(call, message):
    with pytest.raises(InvalidInput, match=message):
        call()


def test_each_two_annotators_are_compared_where_both_voted():
    items = [0, 1, 2, 0, 1, 2, 2, 9]
    people = [0, 0, 0, 1, 1, 1, 5, 7]
    found = {(p.first, p.second): p for p in pairwise(items, people, [0, 1, 1, 0, 1, 0, 1, 1])}
    assert found[0, 1].kappa.value == pytest.approx(0.4)
    assert (found[0, 1].share, found[0, 5].share) == (pytest.approx(2 / 3), 1.0)
    assert (found[1, 7].share, found[1, 7].kappa.value) == (None, None)
    assert len(found) == 6


def test_agreement_on_a_label_is_that_of_the_label_against_the_rest():
    counts = [[2, 0, 0], [2, 0, 0], [0, 1, 1], [0, 2, 0], [0, 0, 1]]
    first, second, third = per_label(counts)
    assert (first.votes, first.share, first.alpha.value) == (4, 1.0, 1.0)
    assert second.share == pytest.approx(2 / 3)
    assert (third.votes, third.share) == (1, 0.0)
    assert second.alpha.value == alpha_of_counts([[0, 2], [0, 2], [1, 1], [2, 0]]).value


def test_the_unit_of_measurement_does_not_matter():
    for scale in (1e-9, 1e9):
        found = krippendorff_alpha(KRIPPENDORFF * scale, "interval").value
        assert found == pytest.approx(ALPHAS["interval"], abs=5e-4)
