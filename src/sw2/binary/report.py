"""The report in a binary: how well it does, on what, with how much certainty."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Z95 = 1.959963984540054  # the normal distribution's 97.5 % point


@dataclass(frozen=True, slots=True)
class ClassFigure:
    """precision: None when nothing was predicted as it.  recall: None without a test example."""

    label: str
    precision: float | None
    recall: float | None
    support: int


@dataclass(frozen=True, slots=True)
class Epoch:
    """loss: mean over the training examples, nats.  accuracy: on the test split, fraction."""

    epoch: int
    loss: float
    accuracy: float | None


@dataclass(frozen=True, slots=True)
class ExportCheck:
    """The exported graph against the trained network, on `rows` examples: the test split."""

    rows: int
    argmax_equal: bool
    max_difference: float


@dataclass(frozen=True, slots=True)
class Skipped:
    """An example that the build could not use. code: E301 broken picture, E302 missing picture."""

    key: str
    column: str
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Report:
    """accuracy: on the test split, None when it is empty.  interval: its 95 % Wilson interval.
    confusion: rows are given labels, columns predictions.  notes: what the build wants said."""

    accuracy: float | None
    interval: tuple[float, float] | None
    tested: int
    trained: int
    labels: tuple[str, ...]
    confusion: tuple[tuple[int, ...], ...]
    classes: tuple[ClassFigure, ...]
    epochs: tuple[Epoch, ...]
    export: ExportCheck
    skipped: tuple[Skipped, ...]
    notes: tuple[str, ...]


def wilson(right: int, total: int) -> tuple[float, float]:
    """95 % interval of a proportion. Source: Wilson 1927, "Probable inference, the law of
    succession, and statistical inference", J. Am. Stat. Assoc. 22. (0, 1) when total is 0."""
    if total == 0:
        return 0.0, 1.0
    share, z2 = right / total, Z95**2 / total
    centre = (share + z2 / 2) / (1 + z2)
    half = Z95 / (1 + z2) * math.sqrt(share * (1 - share) / total + z2 / (4 * total))
    return max(0.0, centre - half), min(1.0, centre + half)


def measure(
    given: NDArray[np.integer], predicted: NDArray[np.integer], labels: tuple[str, ...]
) -> tuple[tuple[tuple[int, ...], ...], tuple[ClassFigure, ...]]:
    """Confusion (K, K) and the figures of each class. given, predicted: (N,) label indexes."""
    size = len(labels)
    flat = np.bincount(given.astype(np.int64) * size + predicted, minlength=size * size)
    matrix = flat.reshape(size, size)
    classes = []
    for index, label in enumerate(labels):
        right, support, said = matrix[index, index], matrix[index].sum(), matrix[:, index].sum()
        classes.append(
            ClassFigure(
                label,
                float(right / said) if said else None,
                float(right / support) if support else None,
                int(support),
            )
        )
    return tuple(tuple(int(n) for n in row) for row in matrix), tuple(classes)
