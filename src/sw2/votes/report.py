"""What the votes of a repository tell: how far people agree, how each does, where one more vote
would help most. Nothing here changes anything."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sw2.errors import InvalidInput
from sw2.repo import EXAMPLES, View
from sw2.votes.agreement import (
    Agreement,
    Level,
    Weights,
    alpha_of_counts,
    counts_of,
    fleiss_kappa,
    pairwise,
    per_label,
)
from sw2.votes.consensus import Consensus, dawid_skene
from sw2.votes.tables import rule_of
from sw2.votes.tally import Key, Tally, ballots, check_discrete, check_votes, tally


@dataclass(frozen=True)
class PairReport:
    """Two annotators on the examples that both voted on. share: of votes that are the same."""

    first: str
    second: str
    share: float | None
    kappa: Agreement


@dataclass(frozen=True)
class LabelReport:
    """One label against all others; see `agreement.LabelAgreement`."""

    label: Any
    votes: int
    share: float | None
    alpha: Agreement


@dataclass(frozen=True)
class AgreementReport:
    """fleiss: None unless every example has as many votes, and the level is nominal."""

    column: str
    level: Level
    votes: int
    examples: int
    annotators: int
    alpha: Agreement
    fleiss: Agreement | None
    labels: list[LabelReport]
    pairs: list[PairReport]


@dataclass(frozen=True)
class AnnotatorReport:
    """votes: how many.  compared: those on examples that the votes decide.  agreement: the share of
    these that the consensus bears out, None without any; the own vote is among those that made
    it.  confusion: (consensus, vote, how often), most first."""

    annotator: str
    votes: int
    compared: int
    agreement: float | None
    confusion: list[tuple[Any, Any, int]]


@dataclass(frozen=True)
class Need:
    """An example whose label is unsure. leading: the most probable value, None where two are.
    probability: of that, given all votes and how each annotator errs."""

    example: Key
    leading: Any
    probability: float
    votes: int
    said: list[Any]


def agreement_of(
    repository: View,
    column: str = "label",
    table: str = EXAMPLES,
    level: Level | None = None,
    labels: bool = False,
    pairs: bool = False,
) -> AgreementReport:
    """How far the votes on a column agree. level: nominal unless told, interval for numbers.
    labels, pairs: with the agreement on each label, of each two annotators (Cohen's kappa; with
    linear weights above the nominal level).

    Raises NotFound when nobody has voted on it, InvalidInput for a level that does not fit."""
    votes = tally(repository, column, table)
    kind = repository.schema(table).column(column).type
    numeric = kind in ("int", "float")
    chosen: Level = level or ("interval" if numeric else "nominal")
    if chosen in ("interval", "ratio") and not numeric:
        raise InvalidInput(
            f"column `{column}` is {kind}: its values have no differences",
            hint="Use nominal, or ordinal where the labels stand in their order",
        )
    counts = counts_of(votes.items, votes.said, votes.sizes[0], votes.sizes[2])
    totals = np.unique(counts.sum(axis=1))
    complete = chosen == "nominal" and len(totals) == 1 and totals[0] > 1
    return AgreementReport(
        column,
        chosen,
        len(votes.items),
        len(votes.examples),
        len(votes.annotators),
        alpha_of_counts(counts, votes.values if numeric else None, chosen),
        fleiss_kappa(counts) if complete else None,
        _labels(votes, counts) if labels else [],
        _pairs(votes, None if chosen == "nominal" else "linear") if pairs else [],
    )


def annotators(
    repository: View, column: str = "label", table: str = EXAMPLES
) -> list[AnnotatorReport]:
    """Each annotator against the consensus of the column's rule (majority where it has none)."""
    votes = tally(repository, column, table)
    check_discrete(column, repository.schema(table).column(column).type)
    found = votes.decide(rule_of(repository, column, table) or "majority")
    agreed = found.labels[votes.items]
    reports = []
    for number, name in enumerate(votes.annotators):
        own = votes.who == number
        compared = own & (agreed >= 0)
        right = (votes.said == agreed)[compared]
        reports.append(
            AnnotatorReport(
                name,
                int(own.sum()),
                int(compared.sum()),
                float(right.mean()) if len(right) else None,
                _confusion(votes, agreed[compared], votes.said[compared]),
            )
        )
    return reports


def needing_votes(
    repository: View, limit: int = 20, column: str = "label", table: str = EXAMPLES
) -> list[Need]:
    """Voted examples whose most probable label is least probable, by the model of Dawid and Skene;
    of equal ones those with fewer votes first. An example without votes is not among them."""
    votes = tally(repository, column, table)
    check_discrete(column, repository.schema(table).column(column).type)
    if not len(votes.items):
        return []
    n, people, k = votes.sizes
    found = dawid_skene(votes.items, votes.who, votes.said, n, people, k).consensus
    each = np.bincount(votes.items, minlength=n)
    order = np.lexsort((np.arange(n), each, found.confidence.round(9)))[: max(0, limit)]
    return [_need(votes, found, int(at), int(each[at])) for at in order]


def _need(votes: Tally, found: Consensus, at: int, count: int) -> Need:
    label = int(found.labels[at])
    return Need(
        votes.examples[at],
        votes.values[label] if label >= 0 else None,
        float(found.confidence[at]),
        count,
        [votes.values[said] for said in sorted(votes.said[votes.items == at])],
    )


def votes_on(
    repository: View, examples: Sequence[Key] | None = None, table: str = EXAMPLES
) -> list[dict[str, Any]]:
    """The rows of the votes table, by example and annotator; of some examples only, if given.
    at: ms since 1970.
    Raises NotFound when nobody has voted."""
    check_votes(repository, None, table)
    rows = repository.read(table=ballots(table)).drop_columns(["id"])
    if examples is not None:
        wanted = pa.array(list(examples), rows["example"].type)
        rows = rows.filter(pc.is_in(rows["example"], wanted))
    at = rows["at"].cast(pa.int64())
    rows = rows.set_column(rows.column_names.index("at"), "at", at)
    return list(rows.sort_by([("example", "ascending"), ("annotator", "ascending")]).to_pylist())


def _labels(votes: Tally, counts: Any) -> list[LabelReport]:
    return [
        LabelReport(votes.values[one.label], one.votes, one.share, one.alpha)
        for one in per_label(counts)
    ]


def _pairs(votes: Tally, weights: Weights | None) -> list[PairReport]:
    names = votes.annotators
    return [
        PairReport(names[pair.first], names[pair.second], pair.share, pair.kappa)
        for pair in pairwise(votes.items, votes.who, votes.said, weights)
    ]


def _confusion(votes: Tally, agreed: Any, said: Any) -> list[tuple[Any, Any, int]]:
    k = len(votes.values)
    cells, times = np.unique(agreed * k + said, return_counts=True)
    most = np.argsort(-times, kind="stable")
    return [
        (votes.values[cells[at] // k], votes.values[cells[at] % k], int(times[at])) for at in most
    ]
