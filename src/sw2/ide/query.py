"""Questions to the board: which rows, in which order, how many of each."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from sw2.errors import InvalidInput
from sw2.ide.board import Board, Bools, Ints
from sw2.ide.schema import Facet, Facets, FacetValue, Order

NONE = "none"
STATES = ("disagree", "edited", "reviewed", "unreviewed")
CHANGES = ("better", "worse")
CURVE = 200


@dataclass(frozen=True)
class Filter:
    """Values of one name are joined by or, names by and. text: part of an id."""

    wanted: dict[str, tuple[str, ...]] = field(default_factory=dict)
    text: str = ""

    def without(self, name: str) -> "Filter":
        return Filter({k: v for k, v in self.wanted.items() if k != name}, self.text)


def select(board: Board, chosen: Filter) -> Bools:
    """(N,) which rows a filter leaves."""
    mask = np.ones(len(board), bool)
    for name, values in chosen.wanted.items():
        if values:
            if name not in _MASKS:
                raise InvalidInput(f"there is no filter `{name}`", hint=f"Use {', '.join(_MASKS)}")
            mask &= np.logical_or.reduce([_MASKS[name](board, value) for value in values])
    if chosen.text:
        text = chosen.text.lower()
        mask &= np.array([text in key.lower() for key in board.ids], bool)
    return mask


def ordered(board: Board, chosen: Filter, order: Order) -> Ints:
    """Rows that the filter leaves, in order."""
    rows = np.flatnonzero(select(board, chosen))
    program = board.program
    if order == "recent":
        return rows[np.argsort(-board.touched_at[rows], kind="stable")]
    if program is None or order == "id":
        return rows
    if order == "uncertain":
        top = np.sort(program.probabilities[rows], axis=1)
        margin = top[:, -1] - top[:, -2] if top.shape[1] > 1 else top[:, -1]
        return rows[np.argsort(np.where(program.row[rows] >= 0, margin, np.inf), kind="stable")]
    return rows[np.argsort(program.rank[rows], kind="stable")]


def curve(board: Board, rows: Ints) -> list[float]:
    """Up to CURVE losses evenly spaced along the order; rows without a loss count as 0."""
    if board.program is None or not len(rows):
        return []
    picked = rows[np.linspace(0, len(rows) - 1, min(CURVE, len(rows))).astype(int)]
    return [round(float(v), 4) for v in np.nan_to_num(board.loss[picked], nan=0.0)]


def facets(board: Board, chosen: Filter) -> Facets:
    """Counts of every value. A facet's counts ignore its own filter, so that a second value can be
    added to the first."""
    found = []
    for name, values in _values(board).items():
        mask = select(board, chosen.without(name))
        counted = [(value, _MASKS[name](board, value)) for value in values]
        found.append(
            Facet(
                name=name,
                values=[
                    FacetValue(value=v, count=int((m & mask).sum()), total=int(m.sum()))
                    for v, m in counted
                ],
            )
        )
    filtered = int(select(board, chosen).sum())
    return Facets(total=len(board), filtered=filtered, facets=found)


def _values(board: Board) -> dict[str, list[str]]:
    """The facets in the order they are shown, and their values."""
    unlabelled = [NONE] if (board.given < 0).any() else []
    found = {"label": [*board.labels, *unlabelled], "state": list(STATES)}
    if board.columns.split:
        found = {"split": sorted(set(board.split.tolist())), **found}
    if board.program is None:
        found["state"] = [state for state in STATES if state != "disagree"]
        return found
    found["prediction"] = list(board.labels)
    found["finding"] = [*sorted(set(board.finding.tolist()) - {""}), NONE]
    if (board.program.before >= 0).any():
        found["change"] = list(CHANGES)
    return found


def _label(board: Board, value: str) -> Bools:
    return board.given == (-1 if value == NONE else _number(board, value))


def _prediction(board: Board, value: str) -> Bools:
    if board.program is None:
        return np.zeros(len(board), bool)
    return board.program.prediction == _number(board, value)


def _number(board: Board, value: str) -> int:
    if value not in board.labels:
        raise InvalidInput(f"`{value}` is not a label", hint=f"Labels: {', '.join(board.labels)}")
    return board.labels.index(value)


def _state(board: Board, value: str) -> Bools:
    if value == "edited":
        return board.edited
    if value == "reviewed":
        return board.reviewed
    if value == "unreviewed":
        return ~board.reviewed
    if value != "disagree":
        raise InvalidInput(f"there is no state `{value}`", hint=f"States: {', '.join(STATES)}")
    if board.program is None:
        return np.zeros(len(board), bool)
    known = (board.program.prediction >= 0) & (board.given >= 0)
    return known & (board.program.prediction != board.given)


def _change(board: Board, value: str) -> Bools:
    """Test examples that the newest program gets right and the one before did not, and the reverse,
    judged by the labels as they are now."""
    if value not in CHANGES:
        raise InvalidInput(f"there is no change `{value}`", hint=f"Use {' or '.join(CHANGES)}")
    program = board.program
    if program is None:
        return np.zeros(len(board), bool)
    judged = (board.given >= 0) & (program.before >= 0) & program.tested
    now, then = program.prediction == board.given, program.before == board.given
    return judged & (now & ~then if value == "better" else then & ~now)


_MASKS: dict[str, Callable[[Board, str], Bools]] = {
    "split": lambda board, value: board.split == value,
    "label": _label,
    "prediction": _prediction,
    "finding": lambda board, value: board.finding == ("" if value == NONE else value),
    "state": _state,
    "change": _change,
}
