"""Votes of a repository as arrays, and what a rule makes of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from sw2.errors import InvalidInput, NotFound
from sw2.repo import EXAMPLES, View
from sw2.votes.consensus import (
    Consensus,
    dawid_skene,
    majority,
    weighted,
    weights_by_agreement,
)

Rule = Literal["majority", "weighted", "dawid-skene"]
Key = int | str
# Columns of a votes table that are no votes.
FIXED = ("id", "example", "annotator", "confidence", "at")
# Types of columns on which a rule can decide: those whose values repeat.
DISCRETE = ("category", "bool", "int", "string")


@dataclass(frozen=True)
class Tally:
    """The votes on one column. examples: (N,) ids, sorted.  annotators: (A,) sorted.  values: (K,)
    of a category its labels in order, then any that only votes have; else those given, ascending.
    items, who, said: (V,) places in the three.  confidence: (V,) as stated, NaN where not.
    known: how many of the values are labels that the examples have."""

    examples: list[Key]
    annotators: list[str]
    values: list[Any]
    items: NDArray[np.int64]
    who: NDArray[np.int64]
    said: NDArray[np.int64]
    confidence: NDArray[np.float64]
    known: int

    @property
    def sizes(self) -> tuple[int, int, int]:
        return len(self.examples), len(self.annotators), len(self.values)

    def decide(self, rule: Rule) -> Consensus:
        """What the rule makes of the votes: for each example a place in `values`, or -1."""
        n, people, k = self.sizes
        if not len(self.items):
            return Consensus(np.full(n, -1, np.int64), np.zeros(n))
        if rule == "majority":
            return majority(self.items, self.said, n, k)
        if rule == "dawid-skene":
            return dawid_skene(self.items, self.who, self.said, n, people, k).consensus
        own = weights_by_agreement(self.items, self.who, self.said, people)
        stated = np.where(np.isnan(self.confidence), 1.0, self.confidence)
        return weighted(self.items, self.said, own[self.who] * stated, n, k)


def ballots(table: str = EXAMPLES) -> str:
    """The table that holds the votes on another."""
    return "votes" if table == EXAMPLES else f"{table}_votes"


def has_votes(repository: View, column: str = "label", table: str = EXAMPLES) -> bool:
    """Whether there is a table of votes with that column."""
    name = ballots(table)
    return name in repository.tables() and column in repository.schema(name).names


def check_votes(repository: View, column: str | None, table: str = EXAMPLES) -> None:
    """Raises NotFound where nobody has voted, on that column or (None) on any."""
    if not (
        has_votes(repository, column, table) if column else ballots(table) in repository.tables()
    ):
        raise NotFound(
            "nobody has voted" + (f" on column `{column}`" if column else ""),
            hint="Vote with `sw2 vote EXAMPLE LABEL`",
        )


def tally(
    repository: View,
    column: str = "label",
    table: str = EXAMPLES,
    examples: Sequence[Key] | None = None,
) -> Tally:
    """All votes on a column, or those on some examples, which are listed even without votes.

    Raises NotFound when there is no such column, or nobody has voted on it."""
    target = repository.schema(table).column(column)
    check_votes(repository, column, table)
    votes = repository.snapshot(table=ballots(table))
    rows = votes.read(["example", "annotator", column, "confidence"]).combine_chunks()
    rows = rows.filter(pc.is_valid(rows[column]))
    keys = rows["example"].type
    if examples is not None:
        rows = rows.filter(pc.is_in(rows["example"], pa.array(list(examples), keys)))
    listed, items = _places(rows["example"], [*(examples or [])])
    people, who = _places(rows["annotator"], [])
    cells = rows[column]
    if target.type == "category":
        cells = cells.cast(pa.string())
        values: list[Any] = list(target.labels)
        values += sorted(set(pc.unique(cells).to_pylist()) - set(values))
        said = pc.index_in(cells, pa.array(values, pa.string())).to_numpy()
    else:
        values, said = _places(cells, [])
    confidence = rows["confidence"].to_numpy().astype(np.float64)
    known = len(target.labels) if target.type == "category" else len(values)
    return Tally(listed, people, values, items, who, said.astype(np.int64), confidence, known)


def check_discrete(column: str, kind: str) -> None:
    """Raises InvalidInput for a column whose values do not repeat."""
    if kind not in DISCRETE:
        raise InvalidInput(
            f"votes on column `{column}` cannot be counted: its cells are {kind}",
            hint=f"Votes are counted on columns of type {', '.join(DISCRETE)}",
        )


def _places(values: pa.ChunkedArray, more: list[Any]) -> tuple[list[Any], NDArray[np.int64]]:
    """The distinct values, sorted, with `more` among them; and where each value is in that."""
    distinct = pc.unique(pa.concat_arrays([*values.chunks, pa.array(more, values.type)]))
    ordered = distinct.take(pc.sort_indices(distinct))
    places = pc.index_in(values, ordered).to_numpy()
    return ordered.to_pylist(), places.astype(np.int64)
