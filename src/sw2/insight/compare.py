"""Two builds on the same test examples, judged by the labels as they are now."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sw2.binary import wilson
from sw2.binary.report import Z95
from sw2.build import Build

if TYPE_CHECKING:
    from sw2.repo import Repository


@dataclass(frozen=True, slots=True)
class Comparison:
    """before, after: ids of builds.  Accuracies are fractions of the `tested` examples that were
    test examples of both; intervals are 95 %.  better, worse: keys that became right, or wrong."""

    before: str
    after: str
    before_accuracy: float
    before_interval: tuple[float, float]
    after_accuracy: float
    after_interval: tuple[float, float]
    difference: float
    difference_interval: tuple[float, float]
    better: tuple[str, ...]
    worse: tuple[str, ...]
    tested: int


def compare(before: Build, after: Build, labels: Mapping[str, str]) -> Comparison:
    """labels: by key, as they are now (`labels_now`). Raises NotFound while a build is not done."""
    old, new = tested_as(before), tested_as(after)
    common = [key for key in new if key in old and key in labels]
    was = [old[key] == labels[key] for key in common]
    now = [new[key] == labels[key] for key in common]
    better = tuple(k for k, a, b in zip(common, was, now, strict=True) if b and not a)
    worse = tuple(k for k, a, b in zip(common, was, now, strict=True) if a and not b)
    count = len(common)
    return Comparison(
        before=before.id,
        after=after.id,
        before_accuracy=sum(was) / max(1, count),
        before_interval=wilson(sum(was), count),
        after_accuracy=sum(now) / max(1, count),
        after_interval=wilson(sum(now), count),
        difference=(len(better) - len(worse)) / max(1, count),
        difference_interval=paired_interval(len(better), len(worse), count),
        better=better,
        worse=worse,
        tested=count,
    )


def labels_now(repository: "Repository", target: str = "label") -> dict[str, str]:
    """The labels as they stand, edits that are not committed included, by key."""
    key = repository.schema().key
    table = repository.read([key, target])
    pairs = zip(table[key].to_pylist(), table[target].to_pylist(), strict=True)
    return {str(name): str(label) for name, label in pairs if label is not None}


def tested_as(build: Build) -> dict[str, str]:
    """Predicted label names of the test examples, by key."""
    signals, labels = build.signals(), build.report().labels
    rows = zip(signals.keys, signals.split, signals.prediction, strict=True)
    return {key: labels[predicted] for key, split, predicted in rows if split == "test"}


def paired_interval(better: int, worse: int, total: int) -> tuple[float, float]:
    """95 % interval of the difference of two accuracies on the same `total` examples.

    Source: Bonett & Price 2012, "Adjusted Wald confidence interval for a difference of binomial
    proportions based on paired data", J. Educ. Behav. Stat. 37: Wald's after adding one example to
    each of the two kinds that differ. (-1, 1) when total is 0."""
    if total == 0:
        return -1.0, 1.0
    gain, loss = (better + 1) / (total + 2), (worse + 1) / (total + 2)
    half = Z95 * math.sqrt((gain + loss - (gain - loss) ** 2) / (total + 2))
    return max(-1.0, gain - loss - half), min(1.0, gain - loss + half)
