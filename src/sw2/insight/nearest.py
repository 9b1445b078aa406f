"""Exact nearest neighbours by cosine, in blocks, so that memory does not grow with N squared."""

import numpy as np
from numpy.typing import NDArray

BLOCK = 1024


def neighbours(
    features: NDArray[np.floating], index: int, k: int = 5
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """The k rows nearest to row `index`, itself left out, nearest first.

    features: (N, F). Returns indexes (k,) and cosine distances (k,) from 0 to 2; fewer than k when
    there are fewer other rows. Equal distances keep the order of the rows."""
    unit = normalised(features)
    distance = 1 - unit @ unit[index]
    distance[index] = np.inf
    order = np.argsort(distance, kind="stable")[: min(k, len(unit) - 1)]
    return order, np.maximum(distance[order], 0).astype(np.float32)


def votes(
    features: NDArray[np.floating], given: NDArray[np.int32], voters: NDArray[np.int64], k: int = 20
) -> NDArray[np.float32]:
    """(N, K) the share of each label among a row's k nearest voters; no row votes for itself.

    given: (N,) label indexes, -1 without one; K is the largest plus one.  voters: indexes of
    labelled rows. All zeros for a row without another voter."""
    unit = normalised(features)
    shares = np.zeros((len(unit), int(given.max(initial=0)) + 1), np.float32)
    place = np.full(len(unit), -1)
    place[voters] = np.arange(len(voters))
    for start in range(0, len(unit), BLOCK):
        rows = np.arange(start, min(start + BLOCK, len(unit)))
        closeness = unit[rows] @ unit[voters].T
        own = place[rows] >= 0
        closeness[np.flatnonzero(own), place[rows][own]] = -np.inf
        # A row that may vote has one voter less.
        count = min(k, len(voters) - int(own.any()))
        if count < 1:
            continue
        nearest = np.argpartition(-closeness, count - 1, axis=1)[:, :count]
        labels = given[voters][nearest]
        for column in range(count):
            shares[rows, labels[:, column]] += 1 / count
    return shares


def normalised(features: NDArray[np.floating]) -> NDArray[np.float32]:
    """Rows of length 1; rows of zeros stay zeros, at distance 1 from everything."""
    wide = np.asarray(features, dtype=np.float32)
    length = np.linalg.norm(wide, axis=1, keepdims=True)
    return np.asarray(wide / np.where(length > 0, length, 1), dtype=np.float32)
