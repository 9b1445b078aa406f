"""How suspect each label is, from one ordinary training run.

Three rankings are added, which do better together than any alone over symmetric and class-pair
noise on two data sets (docs/design/003-build-and-suspicion.md has the figures):
the area under the margin (Pleiss et al. 2020), which is best where labels are wrong at random;
the evidence for the given label, and how far the evidence for another exceeds it, which is best
where two classes are confused. Evidence is the mean of what the network thought over its epochs
and of what the twenty nearest training examples are labelled."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from sw2.build import Build, Signals
from sw2.insight.nearest import votes

NEIGHBOURS = 20
# The excess of evidence that counts as a wrong label. How many rows exceed it comes within 20 % of
# the number of wrong labels in 10 of 14 noise settings on two data sets.
CLEAR = 0.5


@dataclass(frozen=True, slots=True)
class Suspicion:
    """For N examples in the order of the signals.

    score: (N,) float32 from 0 to 1, 1 is the most suspect; 0 without a label.
    proposed: (N,) int32, the label with the most evidence.  probability: (N,) float32, how much.
    listed: (N,) bool, worth a person's look: as many as there seem to be wrong labels."""

    keys: tuple[str, ...]
    score: NDArray[np.float32]
    proposed: NDArray[np.int32]
    probability: NDArray[np.float32]
    listed: NDArray[np.bool_]


@lru_cache(maxsize=4)
def suspicion_of(build: Build) -> Suspicion:
    """The suspicion of a finished build; kept in memory, for a build never changes.

    Raises NotFound while the build is not done."""
    return suspects(build.signals(), build.features())


def suspects(signals: Signals, features: NDArray[np.floating]) -> Suspicion:
    """features: (N, F), rows as in `signals`.

    Examples that were trained on and those held out are ranked apart, for the network knows the
    former. A score of the latter is multiplied by the program's accuracy on them: where it errs
    often, its doubt is more often its own mistake."""
    given = signals.given
    trained = (np.array(signals.split, dtype=object) == "train") & (given >= 0)
    held_out = ~trained & (given >= 0)
    proof = evidence(signals, features, np.flatnonzero(trained))
    rows = np.arange(len(given))
    own = proof[rows, np.maximum(given, 0)]
    others = proof.copy()
    others[rows, np.maximum(given, 0)] = -1
    excess = others.max(axis=1) - own
    score = np.zeros(len(given), np.float32)
    listed = np.zeros(len(given), bool)
    for group in (np.flatnonzero(trained), np.flatnonzero(held_out)):
        if not len(group):
            continue
        doubts = (-signals.margin[group], -own[group], excess[group])
        rank = sum(percentile(doubt) for doubt in doubts) / 3
        count = int((excess[group] > CLEAR).sum())
        top = group[np.argsort(-rank, kind="stable")[:count]]
        listed[top] = excess[top] > 0
        score[group] = rank
    if held_out.any():
        score[held_out] *= (signals.prediction == given)[held_out].mean()
    proposed = proof.argmax(axis=1).astype(np.int32)
    return Suspicion(signals.keys, score, proposed, proof[rows, proposed], listed)


def evidence(
    signals: Signals, features: NDArray[np.floating], voters: NDArray[np.int64]
) -> NDArray[np.float32]:
    """(N, K) rows sum to 1: probabilities over epochs and neighbours' labels, half each."""
    shares = votes(features, signals.given, voters, NEIGHBOURS)
    padded = np.zeros_like(signals.average)
    padded[:, : shares.shape[1]] = shares
    # A row without a single neighbour has the network's word alone.
    voted = padded.sum(axis=1, keepdims=True) > 0
    return np.where(voted, (signals.average + padded) / 2, signals.average)


def percentile(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """(N,) the share of values that are smaller, ties in the middle; from 0 to 1."""
    ordered = np.sort(values)
    below = np.searchsorted(ordered, values, "left")
    through = np.searchsorted(ordered, values, "right")
    return ((below + through) / (2 * len(values))).astype(np.float32)
