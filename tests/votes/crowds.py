"""Annotators made up: what is true, and what each says of it."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Crowd:
    """truth: (N,).  items, annotators, labels: (V,).  confusion: (A, K, K)."""

    truth: np.ndarray
    items: np.ndarray
    annotators: np.ndarray
    labels: np.ndarray
    confusion: np.ndarray

    @property
    def sizes(self):
        return len(self.truth), len(self.confusion), self.confusion.shape[1]


def a_crowd(n=1500, annotators=10, labels=4, votes=4, seed=0, care=(0.4, 0.95)):
    """`votes` annotators on each item; each is right as often as his care, and errs his own way."""
    rng = np.random.default_rng(seed)
    right = np.linspace(*care, annotators)[:, None, None]
    errors = rng.dirichlet(np.full(labels, 0.4), (annotators, labels))
    confusion = right * np.eye(labels) + (1 - right) * errors
    truth = rng.choice(labels, n, p=np.arange(1, labels + 1) / np.arange(1, labels + 1).sum())
    items = np.repeat(np.arange(n), votes)
    who = np.concatenate([rng.permutation(annotators)[:votes] for _ in range(n)])
    said = (confusion[who, truth[items]].cumsum(axis=1) < rng.random((len(items), 1))).sum(axis=1)
    return Crowd(truth, items, who, np.minimum(said, labels - 1), confusion)
