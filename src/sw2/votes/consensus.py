"""One label out of several votes: by majority, by weight, or by a model of who errs how.

Votes are three arrays (V,) of whole numbers: which item, which annotator, which label. All rules
give the same answer whatever the order of the votes and the numbering of labels and annotators."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sw2.errors import InvalidInput

Ties = Literal["none", "first"]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

# Two labels are tied when their weights or probabilities differ by less: sums of floats in another
# order do.
TIED = 1e-9
# With 3 votes an item by annotators of very different care, 1 to 3 decide better than 0 where each
# votes little (30 votes: 87.5 % right instead of 85.9 %) and as well where each votes much.
SMOOTHING = 3.0
CELLS = 1 << 26  # of all confusion matrices together: 512 MB
# A probability is never less, so that its logarithm is finite.
LEAST = 1e-12


@dataclass(frozen=True)
class Consensus:
    """labels: (N,) the label decided on, -1 where the votes do not decide.
    confidence: (N,) the share or probability of the leading label; 0 without votes."""

    labels: Ints
    confidence: Floats


@dataclass(frozen=True)
class DawidSkene:
    """posteriors: (N, K) how probable each label is.  confusion: (A, K, K) how probable it is that
    an annotator says the second label where the first is true.  prior: (K,) how common each label
    is.  likelihood: log-likelihood in nats, after each iteration."""

    posteriors: Floats
    confusion: Floats
    prior: Floats
    voted: NDArray[np.bool_]
    likelihood: tuple[float, ...]
    converged: bool

    @property
    def consensus(self) -> Consensus:
        """The most probable label of each item that anybody voted on."""
        return _leading(np.where(self.voted[:, None], self.posteriors, 0.0), "none")


def majority(
    items: ArrayLike, labels: ArrayLike, n_items: int, n_labels: int, ties: Ties = "none"
) -> Consensus:
    """The label with the most votes. ties: "none" leaves an item with two such labels undecided,
    "first" takes the one that comes first. Raises InvalidInput for a number out of range."""
    unit, said = _votes((items, n_items), (labels, n_labels))
    return _shares(unit, said, np.ones(len(unit)), (n_items, n_labels), ties)


def weighted(
    items: ArrayLike,
    labels: ArrayLike,
    weights: ArrayLike,
    n_items: int,
    n_labels: int,
    ties: Ties = "none",
) -> Consensus:
    """The label with the most weight. weights: (V,) of each vote, none negative; those of its
    annotator, times its confidence where it has one. A vote of weight 0 does not count."""
    unit, said = _votes((items, n_items), (labels, n_labels))
    weight = np.asarray(weights, np.float64)
    if weight.shape != unit.shape or not np.isfinite(weight).all() or (weight < 0).any():
        raise InvalidInput(
            "each vote needs a weight of 0 or more", hint="Give 1 to votes that count in full"
        )
    return _shares(unit, said, weight, (n_items, n_labels), ties)


def weights_by_agreement(
    items: ArrayLike, annotators: ArrayLike, labels: ArrayLike, n_annotators: int
) -> Floats:
    """(n_annotators,) the weight of each: of the other votes on the same items, the share that says
    the same. As if one more had agreed and one more not, so that few votes weigh near 1/2."""
    unit, who = _votes((items, None), (annotators, n_annotators))
    _, unit = np.unique(unit, return_inverse=True)
    _, said = np.unique(np.asarray(labels), return_inverse=True)
    cells, place = np.unique(unit * (said.max(initial=0) + 1) + said, return_inverse=True)
    same = np.bincount(place, minlength=len(cells))[place] - 1
    others = np.bincount(unit)[unit] - 1 if len(unit) else same
    agreed = np.bincount(who, same, n_annotators)
    return np.asarray((agreed + 1) / (np.bincount(who, others, n_annotators) + 2), np.float64)


def dawid_skene(
    items: ArrayLike,
    annotators: ArrayLike,
    labels: ArrayLike,
    n_items: int,
    n_annotators: int,
    n_labels: int,
    smoothing: float = SMOOTHING,
    tolerance: float = 1e-6,
    iterations: int = 100,
) -> DawidSkene:
    """The model in which each annotator errs in a way of his own, whoever else votes. Fitted by
    expectation maximisation from the shares of votes; deterministic.

    smoothing: votes that are added to each row of each confusion matrix, spread as everybody's
    votes for that label are, so that who has voted little is taken to err as all do; 0 is the
    maximum likelihood of the source.  tolerance: it ends when no posterior changes by more.
    Source: Dawid & Skene 1979, "Maximum likelihood estimation of observer error-rates using the EM
    algorithm". Raises InvalidInput for a number out of range."""
    unit, who, said = _votes((items, n_items), (annotators, n_annotators), (labels, n_labels))
    if not len(unit) or smoothing < 0 or n_labels < 1 or iterations < 1:
        raise InvalidInput(
            f"{len(unit)} votes, {n_labels} labels, smoothing {smoothing:g} and {iterations}"
            " iterations make no model",
            hint="Give at least one vote, smoothing of 0 or more, and one iteration or more",
        )
    if n_annotators * n_labels**2 > CELLS:
        raise InvalidInput(
            f"{n_annotators:,} annotators with {n_labels:,} labels are too many to model",
            hint="Use the rule majority, or weighted",
        )
    cell = who * n_labels + said
    to_items = _summing(unit, cell, n_items)
    to_cells = _summing(cell, unit, n_annotators * n_labels)
    posteriors = to_items(np.tile(np.eye(n_labels), (n_annotators, 1)))
    voted = posteriors.sum(axis=1) > 0
    posteriors[~voted] = 1
    posteriors /= posteriors.sum(axis=1, keepdims=True)
    likelihood: list[float] = []
    change = np.inf
    while change > tolerance and len(likelihood) < iterations:
        given = to_cells(posteriors).reshape(n_annotators, n_labels, n_labels)
        confusion = _confusion(given.transpose(0, 2, 1), smoothing)
        prior = posteriors[voted].mean(axis=0)
        spoken = np.log(np.maximum(confusion, LEAST)).transpose(0, 2, 1).reshape(-1, n_labels)
        before = posteriors
        posteriors, evidence = _normalised(to_items(spoken) + np.log(np.maximum(prior, LEAST)))
        likelihood.append(float(evidence[voted].sum()))
        change = float(np.abs(posteriors - before)[voted].max())
    return DawidSkene(posteriors, confusion, prior, voted, tuple(likelihood), change <= tolerance)


def _normalised(joint: Floats) -> tuple[Floats, Floats]:
    """From the logarithms of joint probabilities (N, K): the posteriors (N, K), and the logarithm
    of their sums (N,)."""
    top = joint.max(axis=1, keepdims=True)
    scaled = np.exp(joint - top)
    total = scaled.sum(axis=1, keepdims=True)
    return scaled / total, (top + np.log(total))[:, 0]


def _confusion(given: Floats, smoothing: float) -> Floats:
    """(A, K, K) rows that sum to 1. given: expected votes, true label x label said."""
    n_labels = given.shape[2]
    pooled = given.sum(axis=0)
    totals = pooled.sum(axis=1, keepdims=True)
    pooled = np.where(totals > LEAST, pooled / np.maximum(totals, LEAST), 1 / n_labels)
    # A row without votes takes the pooled one, even where nothing is smoothed.
    smoothed = given + max(smoothing, LEAST) * pooled
    return np.asarray(smoothed / smoothed.sum(axis=2, keepdims=True), np.float64)


def _summing(places: Ints, sources: Ints, count: int) -> Callable[[Floats], Floats]:
    """A function that gives, for each of `count` places, the sum of the rows (of any matrix) that
    its votes point to. The order of the votes is found once: an iteration then takes two passes
    over memory, with 100,000 votes 5 ms."""
    order = np.argsort(places, kind="stable")
    present, starts = np.unique(places[order], return_index=True)
    taken = sources[order]

    def summed(rows: Floats) -> Floats:
        out = np.zeros((count, rows.shape[1]))
        out[present] = np.add.reduceat(rows.take(taken, axis=0), starts, axis=0)
        return out

    return summed


def _shares(
    unit: Ints, said: Ints, weight: Floats, shape: tuple[int, int], ties: Ties
) -> Consensus:
    cells = np.bincount(unit * shape[1] + said, weight, shape[0] * shape[1]).reshape(shape)
    totals = cells.sum(axis=1, keepdims=True)
    return _leading(np.divide(cells, totals, out=np.zeros(shape), where=totals > 0), ties)


def _leading(shares: Floats, ties: Ties) -> Consensus:
    """The label with the largest share; rows of zeros are undecided."""
    most = shares.max(axis=1, initial=0.0)
    leaders = (shares >= most[:, None] - TIED) & (shares > 0)
    decided = most > 0 if ties == "first" else leaders.sum(axis=1) == 1
    first = leaders.argmax(axis=1) if shares.shape[1] else np.zeros(len(shares), np.int64)
    return Consensus(np.where(decided, first, -1).astype(np.int64), most)


def _votes(*parts: tuple[ArrayLike, int | None]) -> list[Ints]:
    """Arrays of one length, each within [0, count)."""
    arrays = [np.asarray(values, np.int64) for values, _ in parts]
    if any(array.ndim != 1 or len(array) != len(arrays[0]) for array in arrays):
        raise InvalidInput(
            f"votes are arrays of one length, not {', '.join(str(a.shape) for a in arrays)}",
            hint="Give each vote its item, its annotator and its label",
        )
    for array, (_, count) in zip(arrays, parts, strict=True):
        if len(array) and (array.min() < 0 or (count is not None and array.max() >= count)):
            raise InvalidInput(
                f"a vote has number {array.max() if array.min() >= 0 else array.min()}, and there"
                f" are {count}",
                hint="Number items, annotators and labels from 0; leave missing votes out",
            )
    return arrays
