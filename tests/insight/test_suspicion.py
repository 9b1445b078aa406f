"""Wrong labels come first, by signals of one training run."""

import numpy as np
import pytest

from sw2.build import Signals
from sw2.insight import neighbours, suspects, votes


def some_signals(n=300, k=3, flipped=0.1, seed=0, tests=0):
    """Clusters of features, a network that knows them, and some labels moved to another class.

    Returns the signals, the features and which labels are wrong."""
    rng = np.random.default_rng(seed)
    true = rng.integers(0, k, n).astype(np.int32)
    wrong = np.zeros(n, bool)
    wrong[rng.choice(n, int(flipped * n), replace=False)] = True
    given = np.where(wrong, (true + rng.integers(1, k, n)) % k, true).astype(np.int32)
    logits = 3 * np.eye(k)[true] + rng.normal(0, 0.8, (n, k))
    shares = (np.exp(logits) / np.exp(logits).sum(1, keepdims=True)).astype(np.float32)
    rows = np.arange(n)
    others = logits.copy()
    others[rows, given] = -np.inf
    loss = -np.log(shares[rows, given])
    signals = Signals(
        keys=tuple(f"{i:04d}" for i in range(n)),
        split=("test",) * tests + ("train",) * (n - tests),
        given=given,
        prediction=shares.argmax(1).astype(np.int32),
        probabilities=shares,
        average=shares,
        loss=loss,
        losses=loss[:, None],
        margin=(logits[rows, given] - others.max(1)).astype(np.float32),
        entropy=-(shares * np.log(shares)).sum(1),
    )
    features = 4 * np.eye(k)[true] + rng.normal(0, 1, (n, k))
    return signals, features.astype(np.float32), wrong


def test_wrong_labels_come_first_and_the_right_one_is_proposed():
    signals, features, wrong = some_signals()
    found = suspects(signals, features)
    first = np.argsort(-found.score)[: wrong.sum()]
    assert wrong[first].mean() > 0.9
    assert (found.proposed[wrong] != signals.given[wrong]).mean() > 0.9


def test_as_many_are_listed_as_there_seem_to_be():
    signals, features, wrong = some_signals(flipped=0.1)
    found = suspects(signals, features)
    assert found.listed.sum() == pytest.approx(wrong.sum(), rel=0.3)
    assert (found.proposed != signals.given)[found.listed].all()
    clean, features, _ = some_signals(flipped=0.0)
    assert suspects(clean, features).listed.sum() < 9


def test_held_out_examples_are_ranked_among_themselves():
    signals, features, wrong = some_signals(n=400, tests=100)
    found = suspects(signals, features)
    worst = np.argsort(-found.score[:100])[: wrong[:100].sum()]
    assert wrong[:100][worst].mean() > 0.8
    accuracy = (signals.prediction == signals.given)[:100].mean()
    assert found.score[:100].max() == pytest.approx(accuracy, abs=0.01)


def test_an_unlabelled_example_is_not_suspect_and_gets_a_proposal():
    signals, features, _ = some_signals()
    signals.given[0] = -1
    found = suspects(signals, features)
    assert (found.score[0], found.listed[0]) == (0, False)
    assert found.proposed[0] == signals.prediction[0]


def test_scores_lie_between_0_and_1():
    found = suspects(*some_signals(seed=3)[:2])
    assert 0 <= found.score.min() <= found.score.max() <= 1
    assert 0 <= found.probability.min() <= found.probability.max() <= 1


def test_neighbours_equal_those_of_brute_force():
    features = np.random.default_rng(0).normal(size=(50, 8))
    order, distance = neighbours(features, 7, k=5)
    unit = features / np.linalg.norm(features, axis=1, keepdims=True)
    expected = sorted(set(range(50)) - {7}, key=lambda i: -float(unit[i] @ unit[7]))[:5]
    assert order.tolist() == expected
    assert distance == pytest.approx([1 - float(unit[i] @ unit[7]) for i in expected], abs=1e-6)


def test_neighbours_of_few_rows_and_of_zeros():
    assert neighbours(np.eye(2), 0, k=5)[0].tolist() == [1]
    assert neighbours(np.zeros((3, 4)), 1, k=2)[1].tolist() == [1, 1]


def test_votes_cross_blocks_and_leave_the_row_itself_out(monkeypatch):
    features = np.random.default_rng(0).normal(size=(90, 6))
    given = np.random.default_rng(1).integers(0, 4, 90).astype(np.int32)
    voters = np.arange(0, 90, 2)
    whole = votes(features, given, voters, k=3)
    near = [i for i in neighbours(features, 4, k=89)[0] if i % 2 == 0][:3]
    assert whole[4] == pytest.approx(np.bincount(given[near], minlength=4) / 3)
    monkeypatch.setattr("sw2.insight.nearest.BLOCK", 7)
    assert (votes(features, given, voters, k=3) == whole).all()


def test_votes_without_voters_are_zero():
    assert votes(np.eye(3), np.array([-1, -1, -1], np.int32), np.zeros(0, int)).sum() == 0
