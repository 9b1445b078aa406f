"""The input of `versioning.py`, from seeds: one and the same for sw2 and for its peers.

A table of 6 columns (id; label, one of 10; annotator, one of 20; confidence, 3 decimals; split;
updated_at in ms) and batches of edits to scattered rows of it."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

ROWS, EDITS, MORE = 1_000_000, 200, 1_000
NAMES = ["id", "label", "annotator", "confidence", "split", "updated_at"]
LABELS = [f"class-{number}" for number in range(10)]
ANNOTATORS = [f"annotator-{number:02d}" for number in range(20)]
SPLITS = ["train", "val", "test"]
WORDS = {"label": LABELS, "annotator": ANNOTATORS, "split": SPLITS}
START, DAY = 1_700_000_000_000, 86_400_000
# Of each kind of row that both sides of a merge change.
SHARED = 20
# id -> column -> its new value
Cells = dict[int, dict[str, Any]]


def table(rows: int = ROWS) -> dict[str, np.ndarray[Any, Any]]:
    """Columns of numpy arrays; text columns as numbers of their words."""
    rng = np.random.default_rng(2017)
    return {
        "id": key_of(np.arange(rows, dtype=np.int64)),
        "label": rng.integers(0, 10, rows),
        "annotator": rng.integers(0, 20, rows),
        "confidence": rng.integers(0, 1001, rows) / 1000,
        "split": rng.choice(3, rows, p=[0.8, 0.1, 0.1]),
        "updated_at": START + np.sort(rng.integers(0, 30 * DAY, rows)),
    }


def spelled(name: str, values: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """A column of `table` with its words."""
    return np.array(WORDS[name])[values] if name in WORDS else values


def key_of(row: Any) -> Any:
    return row * 3 + 7


def row_of(key: int) -> int:
    return (key - 7) // 3


def batches(edits: int = EDITS, rows: int = ROWS, seed: int = 1998) -> Iterator[Cells]:
    """Endless batches: `edits` scattered rows, four columns of each."""
    rng = np.random.default_rng(seed)
    for number in itertools.count():
        places = np.sort(rng.choice(rows, edits, replace=False))
        yield _decided(rng, places, START + 40 * DAY + number * 3_600_000)


def _decided(rng: np.random.Generator, places: Any, at: int) -> Cells:
    return {
        int(key_of(place)): {
            "label": LABELS[rng.integers(10)],
            "annotator": ANNOTATORS[rng.integers(20)],
            "confidence": int(rng.integers(1001)) / 1000,
            "updated_at": at + index * 7_919,
        }
        for index, place in enumerate(places)
    }


@dataclass(frozen=True)
class Sides:
    """Two sides of a merge that change 1,000 rows each. Of 20 rows both change the label, each to
    its own (conflicts); of 20 one changes the label, the other the confidence (joined); of 20
    both change the label to the same (same)."""

    ours: Cells
    theirs: Cells
    conflicts: frozenset[int]
    joined: frozenset[int]


def sides(seed: int = 0) -> Sides:
    rng = np.random.default_rng([1789, seed])
    columns = table()
    places = rng.choice(ROWS, 3 * SHARED + 2 * (MORE - 3 * SHARED), replace=False)
    shared, own = places[: 3 * SHARED], np.split(places[3 * SHARED :], 2)
    ours, theirs = (
        _decided(rng, np.sort(own[side]), START + (50 + side) * DAY) for side in range(2)
    )
    for number, place in enumerate(shared):
        key, label = int(key_of(place)), int(columns["label"][place])
        other = {"confidence": round(columns["confidence"][place] * 1000 + 1) % 1001 / 1000}
        theirs_of = [_label(label + 2), other, _label(label + 1)]
        ours[key], theirs[key] = _label(label + 1), theirs_of[number // SHARED]
    keys = [frozenset(key_of(part).tolist()) for part in np.split(shared, 3)]
    return Sides(ours, theirs, keys[0], keys[1])


def _label(number: int) -> dict[str, Any]:
    return {"label": LABELS[number % 10]}


def by_columns(cells: Cells) -> dict[tuple[str, ...], list[tuple[Any, ...]]]:
    """The rows of a batch by which columns they change: (*values, id) each."""
    found: dict[tuple[str, ...], list[tuple[Any, ...]]] = {}
    for key, row in cells.items():
        found.setdefault(tuple(row), []).append((*row.values(), key))
    return found


class Csv:
    """The table as lines of text, for peers that know files only."""

    def __init__(self) -> None:
        columns = [spelled(name, values).tolist() for name, values in table().items()]
        self.rows = [list(row) for row in zip(*columns, strict=True)]
        self.lines = [_line(row) for row in self.rows]

    def change(self, cells: Cells) -> None:
        for key, values in cells.items():
            place = row_of(key)
            for name, value in values.items():
                self.rows[place][NAMES.index(name)] = value
            self.lines[place] = _line(self.rows[place])

    def write(self, path: Path) -> None:
        path.write_bytes((",".join(NAMES) + "\n" + "".join(self.lines)).encode())


def _line(row: list[Any]) -> str:
    return ",".join(map(str, row)) + "\n"
