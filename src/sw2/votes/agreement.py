"""How far annotators agree beyond chance: kappa and alpha, each with its interval.

All are 1 where everybody agrees and 0 where they agree as often as chance would have it. Labels are
numbers; a missing vote is -1 among labels and NaN among ratings. Intervals are percentiles of a
bootstrap over units (Efron & Tibshirani 1993, chapter 13). Units that say the same are drawn
together, which is the same distribution and does not grow with their number."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sw2.errors import InvalidInput

Level = Literal["nominal", "ordinal", "interval", "ratio"]
Weights = Literal["linear", "quadratic"]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

RESAMPLES = 1000
CONFIDENCE = 0.95
# Cells that are held at once: resamples x different units, and units x different values.
CELLS, COUNTS = 1 << 22, 1 << 27


@dataclass(frozen=True, slots=True)
class Agreement:
    """value: the coefficient; None where it is undefined, and `missing` says what would be needed.
    low, high: its interval; None where fewer than two units count.  units: that count.
    votes: on those units."""

    value: float | None
    low: float | None
    high: float | None
    units: int
    votes: int
    missing: str = ""


@dataclass(frozen=True, slots=True)
class PairAgreement:
    """Two annotators (numbers), on the units that both voted on.  share: of votes that are the
    same, None without any."""

    first: int
    second: int
    share: float | None
    kappa: Agreement


@dataclass(frozen=True, slots=True)
class LabelAgreement:
    """One label against all others.  votes: for it, on units with two votes or more.

    share: of the votes beside a vote for it, those that are for it too (specific agreement, Fleiss,
    Levin & Paik 2003, section 18.1); None without votes.  alpha: Krippendorff's, of the label
    against the rest."""

    label: int
    votes: int
    share: float | None
    alpha: Agreement


def cohen_kappa(
    a: ArrayLike,
    b: ArrayLike,
    weights: Weights | None = None,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Agreement:
    """Cohen's kappa of two annotators. a, b: (N,) labels, -1 where there is no vote.

    weights: how a disagreement grows with the distance of the labels' numbers; None: all weigh the
    same. Source: Cohen 1960, "A coefficient of agreement for nominal scales"; Cohen 1968, "Weighted
    kappa". Raises InvalidInput when the two differ in length or a label is no whole number."""
    ours, theirs = _labels(a), _labels(b)
    if ours.shape != theirs.shape:
        raise InvalidInput(
            f"kappa compares votes on the same units, not {len(ours)} with {len(theirs)}",
            hint="Give both annotators a place for each unit, -1 where there is no vote",
        )
    if weights not in (None, *get_args(Weights)):
        raise InvalidInput(f"there are no `{weights}` weights", hint="Use linear or quadratic")
    both = (ours >= 0) & (theirs >= 0)
    if not both.any():
        return _undefined(0, 0, "units that both voted on")
    ours, theirs = ours[both], theirs[both]
    values, places = np.unique(np.concatenate([ours, theirs]), return_inverse=True)
    cells = places.reshape(2, -1).T
    apart = np.abs(values[:, None] - values[None, :]).astype(float)
    power = {None: 0, "linear": 1, "quadratic": 2}[weights]
    apart = np.where(apart > 0, apart**power, 0.0)
    rows, times = np.unique(cells, axis=0, return_counts=True)
    one, other = (np.eye(len(values))[rows[:, side]] for side in (0, 1))
    observed = apart[rows[:, 0], rows[:, 1]]

    def kappa(drawn: Floats) -> Floats:
        expected = ((drawn @ one @ apart) * (drawn @ other)).sum(axis=1)
        return 1 - _ratio(drawn.sum(axis=1) * (drawn @ observed), expected)

    return _agreement(kappa, times, 2 * int(both.sum()), resamples, seed)


def fleiss_kappa(counts: ArrayLike, resamples: int = RESAMPLES, seed: int = 0) -> Agreement:
    """Fleiss' kappa. counts: (N, K) how many voted for each label, the same number on each unit.

    Source: Fleiss 1971, "Measuring nominal scale agreement among many raters". Raises InvalidInput
    when units differ in their number of votes."""
    table = _counts(counts)
    totals = table.sum(axis=1)
    if len(np.unique(totals)) > 1:
        raise InvalidInput(
            f"Fleiss' kappa needs as many votes on each unit; here they are {int(totals.min())} to"
            f" {int(totals.max())}",
            hint="Krippendorff's alpha takes units with missing votes",
        )
    each = int(totals[0]) if len(totals) else 0
    if each < 2:
        return _undefined(len(table), len(table) * each, "two votes or more on each unit")
    rows, times = np.unique(table, axis=0, return_counts=True)
    agreeing = (rows * (rows - 1)).sum(axis=1) / (each * (each - 1))

    def kappa(drawn: Floats) -> Floats:
        units = drawn.sum(axis=1)
        shares = drawn @ rows / (units * each)[:, None]
        chance = (shares**2).sum(axis=1)
        return 1 - _ratio(1 - drawn @ agreeing / units, 1 - chance)

    return _agreement(kappa, times, int(totals.sum()), resamples, seed)


def krippendorff_alpha(
    ratings: ArrayLike, level: Level = "nominal", resamples: int = RESAMPLES, seed: int = 0
) -> Agreement:
    """Krippendorff's alpha. ratings: (annotators, units) numbers, NaN where there is no vote.

    level: nominal (same or not), ordinal (order counts), interval (differences count), ratio
    (differences relative to the size). Source: Krippendorff 2011, "Computing Krippendorff's
    alpha-reliability". Raises InvalidInput for another shape, negative ratios or an unknown
    level."""
    table = _numbers(ratings)
    if table.ndim != 2:
        raise InvalidInput(
            f"ratings have {table.ndim} dimensions, not 2", hint="Give a row for each annotator"
        )
    given = ~np.isnan(table)
    values, places = np.unique(table[given], return_inverse=True)
    units = np.nonzero(given)[1]
    return alpha_of_counts(
        counts_of(units, places, table.shape[1], len(values)), values, level, resamples, seed
    )


def alpha_of_counts(
    counts: ArrayLike,
    values: ArrayLike | None = None,
    level: Level = "nominal",
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Agreement:
    """Krippendorff's alpha of votes counted. counts: (units, K).  values: (K,) what the labels mean
    as numbers, ascending; their places if left out. Units with fewer than two votes do not
    count."""
    table = _counts(counts)
    numbers = _numbers(np.arange(table.shape[1]) if values is None else values)
    if level not in get_args(Level):
        raise InvalidInput(f"there is no level `{level}`", hint=f"Use {', '.join(get_args(Level))}")
    if level == "ratio" and (numbers < 0).any():
        raise InvalidInput(
            f"a ratio scale begins at 0, and {numbers.min():g} was given", hint="Use interval"
        )
    table = table[table.sum(axis=1) > 1]
    votes = int(table.sum())
    if not len(table):
        return _undefined(0, 0, "units with two votes or more")
    rows, times = np.unique(table, axis=0, return_counts=True)
    alpha = _ordinal(rows) if level == "ordinal" else _metric(rows, _apart(numbers, level))
    return _agreement(alpha, times, votes, resamples, seed)


def _metric(rows: Floats, apart: Floats) -> Callable[[Floats], Floats]:
    """alpha where the distance of two values does not depend on how often they occur."""
    within = ((rows @ apart) * rows).sum(axis=1) / (rows.sum(axis=1) - 1)

    def alpha(drawn: Floats) -> Floats:
        pooled = drawn @ rows
        expected = ((pooled @ apart) * pooled).sum(axis=1)
        return 1 - (pooled.sum(axis=1) - 1) * _ratio(drawn @ within, expected)

    return alpha


def _ordinal(rows: Floats) -> Callable[[Floats], Floats]:
    """alpha of the ordinal level. Its distance, the number of votes from the middle of one value to
    the middle of the other, is a difference of mid-ranks."""
    votes = rows.sum(axis=1)

    def alpha(drawn: Floats) -> Floats:
        pooled = drawn @ rows
        total = pooled.sum(axis=1)
        ranks = np.cumsum(pooled, axis=1) - pooled / 2
        within = votes * (ranks**2 @ rows.T) - (ranks @ rows.T) ** 2
        observed = (drawn / (votes - 1) * within).sum(axis=1)
        expected = total * (pooled * ranks**2).sum(axis=1) - (pooled * ranks).sum(axis=1) ** 2
        return 1 - (total - 1) * _ratio(observed, expected)

    return alpha


def _apart(values: Floats, level: Level) -> Floats:
    """(K, K) the squared distance of each two values."""
    difference = values[:, None] - values[None, :]
    if level == "nominal":
        return (difference != 0).astype(float)
    if level == "ratio":
        sums = values[:, None] + values[None, :]
        difference = np.divide(difference, sums, out=np.zeros_like(sums), where=sums != 0)
    largest = np.abs(difference).max(initial=0.0)
    return np.asarray((difference / (largest or 1.0)) ** 2, np.float64)


def pairwise(
    items: ArrayLike,
    annotators: ArrayLike,
    labels: ArrayLike,
    weights: Weights | None = None,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> list[PairAgreement]:
    """Cohen's kappa of each two annotators. Three arrays (V,) of whole numbers, one vote a place;
    an annotator votes once on an item."""
    unit, who, said = (np.asarray(values, np.int64) for values in (items, annotators, labels))
    given = {int(one): np.flatnonzero(who == one) for one in np.unique(who)}
    found = []
    for first, second in combinations(given, 2):
        _, left, right = np.intersect1d(
            unit[given[first]], unit[given[second]], return_indices=True
        )
        a, b = said[given[first]][left], said[given[second]][right]
        share = float((a == b).mean()) if len(a) else None
        kappa = cohen_kappa(a, b, weights, resamples, seed)
        found.append(PairAgreement(first, second, share, kappa))
    return found


def per_label(counts: ArrayLike, resamples: int = RESAMPLES, seed: int = 0) -> list[LabelAgreement]:
    """The agreement on each label. counts: (units, K)."""
    table = _counts(counts)
    table = table[table.sum(axis=1) > 1]
    totals = table.sum(axis=1)
    found = []
    for label in range(table.shape[1]):
        own = table[:, label]
        beside = (own * (totals - 1)).sum()
        share = float((own * (own - 1)).sum() / beside) if beside else None
        alpha = alpha_of_counts(
            np.column_stack([own, totals - own]), resamples=resamples, seed=seed
        )
        found.append(LabelAgreement(label, int(own.sum()), share, alpha))
    return found


def counts_of(items: ArrayLike, labels: ArrayLike, n_items: int, n_labels: int) -> Ints:
    """(n_items, n_labels) how often each item was given each label. items, labels: (V,)."""
    if n_items * n_labels > COUNTS:
        raise InvalidInput(
            f"{n_items:,} units with {n_labels:,} different values are too many to compare",
            hint="Round the values",
        )
    cells = np.asarray(items, np.int64) * n_labels + np.asarray(labels, np.int64)
    return np.bincount(cells, minlength=n_items * n_labels).reshape(n_items, n_labels)


def _agreement(
    coefficient: Callable[[Floats], Floats], times: Ints, votes: int, resamples: int, seed: int
) -> Agreement:
    """coefficient: (R, rows) how often each different unit was drawn -> (R,), NaN if undefined."""
    units = int(times.sum())
    value = float(coefficient(times[None, :].astype(float))[0])
    if np.isnan(value):
        return _undefined(units, votes, "votes for a second label")
    if units < 2 or resamples < 1:
        return Agreement(value, None, None, units, votes)
    rng = np.random.default_rng(seed)
    drawn, step = [], max(1, CELLS // len(times))
    for start in range(0, resamples, step):
        size = min(step, resamples - start)
        drawn.append(coefficient(rng.multinomial(units, times / units, size).astype(float)))
    # A resample in which everybody says the same has no coefficient.
    known = np.concatenate(drawn)
    known = known[~np.isnan(known)]
    if not len(known):
        return Agreement(value, None, None, units, votes)
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(known, [tail, 1 - tail])
    return Agreement(value, float(low), float(high), units, votes)


def _undefined(units: int, votes: int, missing: str) -> Agreement:
    return Agreement(None, None, None, units, votes, missing)


def _ratio(above: Floats, below: Floats) -> Floats:
    """NaN where no disagreement is to be expected, for then nothing can be said. The bound is far
    below what one vote for another label makes, and above what rounding does."""
    fits = below > 1e-12
    return np.divide(above, below, out=np.full(len(above), np.nan), where=fits)


def _labels(values: ArrayLike) -> Ints:
    numbers = _numbers(values)
    if numbers.ndim != 1 or (numbers != np.floor(numbers)).any():
        raise InvalidInput(
            "votes are one row of whole numbers", hint="Number the labels; -1 is a missing vote"
        )
    return numbers.astype(np.int64)


def _counts(values: ArrayLike) -> Floats:
    counts = _numbers(values)
    if counts.ndim != 2 or (counts < 0).any() or (counts != np.floor(counts)).any():
        raise InvalidInput(
            f"counts of votes are whole numbers (units, labels), not {np.shape(values)}",
            hint="Count how many annotators gave each label to each unit",
        )
    return counts


def _numbers(values: Any) -> Floats:
    try:
        return np.asarray(values, np.float64)
    except (TypeError, ValueError) as error:
        raise InvalidInput(
            f"votes must be numbers: {error}", hint="Number the labels from 0"
        ) from error
