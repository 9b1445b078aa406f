"""Votes and consensus rules in a repository: ordinary tables, so they are staged, undone,
committed, merged and asked like everything else.

`votes` has a row for each example and annotator (`id` is EXAMPLE@ANNOTATOR), with one column for
each column voted on. `consensus` has a row for each column that votes decide (`id` is
TABLE/COLUMN). A cell that votes decide is what the votes say and nothing else: empty where they do
not decide, whatever stood there before."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, get_args

import pyarrow as pa

from sw2.errors import InvalidInput, NotFound
from sw2.repo import EXAMPLES, Edit, Repository, View
from sw2.table import Column, Schema
from sw2.values import Origin, now_ms
from sw2.votes.tally import FIXED, Key, Rule, Tally, ballots, check_discrete, has_votes, tally

CONSENSUS = "consensus"
RULES: tuple[Rule, ...] = get_args(Rule)
VOTABLE = ("category", "bool", "int", "float", "string")


@dataclass(frozen=True, slots=True)
class Vote:
    """What an annotator says of an example. confidence: from 0 to 1, None where it is not told."""

    example: Key
    annotator: str
    value: Any
    confidence: float | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """A cell that votes changed. new: None where they do not decide.  confidence: of the leading
    value, from 0 to 1; a share of votes or weight, or a probability, as the rule has it."""

    example: Key
    old: Any
    new: Any
    confidence: float


@dataclass(frozen=True)
class Cast:
    """staged: whether anything differed from what stood there.  decisions: the cells that votes
    decided anew."""

    staged: bool
    decisions: list[Decision] = field(default_factory=list)


def cast(
    repository: Repository,
    votes: Sequence[Vote],
    origin: Origin,
    column: str = "label",
    table: str = EXAMPLES,
) -> Cast:
    """Stages votes, and what they decide where the column has a rule, as one undoable step.

    A vote replaces the annotator's earlier one on that example. The table of votes, its column and
    its labels are made as needed. Raises NotFound for an example or column that is not there,
    InvalidInput for a value that does not fit; then nothing is changed."""
    if not votes:
        return Cast(False)
    for vote in votes:
        _check(vote)
    with repository.step():
        target = _votable(repository, column, table)
        _check_examples(repository, [vote.example for vote in votes], table)
        schema = _ballot_schema(repository, target, table)
        new = _unlike(repository, votes, schema.table, column)
        if not new:
            return Cast(False)
        rows, words = _rows(new, schema.column(column)), _words(new)
        repository.stage_rows(rows, origin, words, schema, schema.table)
        return Cast(True, recount(repository, column, table, [vote.example for vote in new]))


def withdraw(
    repository: Repository,
    votes: Sequence[tuple[Key, str]],
    origin: Origin,
    column: str = "label",
    table: str = EXAMPLES,
) -> Cast:
    """Takes votes back, given as (example, annotator), and stages what the others decide, as one
    undoable step. Raises NotFound for a vote that is not there; then nothing is changed."""
    if not votes:
        return Cast(False)
    ids = list(dict.fromkeys(f"{example}@{annotator}" for example, annotator in votes))
    words = f"withdraw {ids[0]}" if len(ids) == 1 else f"withdraw {len(ids):,} votes"
    with repository.step():
        snapshot = repository.snapshot(table=ballots(table))
        own = snapshot.schema.column(column)
        voted = [name for name in snapshot.schema.names if name not in FIXED]
        rows = snapshot.lookup(ids, voted)[1].to_pylist()
        if missing := [one for one, row in zip(ids, rows, strict=True) if row[own.id] is None]:
            raise NotFound(
                f"there is no vote `{missing[0]}` on column `{column}`", hint="See `sw2 votes`"
            )
        # A row stays while it holds a vote on another column.
        only = [sum(cell is not None for cell in row.values()) == 1 for row in rows]
        gone = [one for one, last in zip(ids, only, strict=True) if last]
        edits = [Edit(one, column, None) for one, last in zip(ids, only, strict=True) if not last]
        repository.delete_rows(gone, origin, words, ballots(table))
        if edits:
            repository.edit(edits, origin, words, ballots(table))
        return Cast(True, recount(repository, column, table, [example for example, _ in votes]))


def rule_of(repository: View, column: str = "label", table: str = EXAMPLES) -> Rule | None:
    """How votes decide a column; None where they do not. Raises InvalidInput for a rule that this
    version does not know."""
    if CONSENSUS not in repository.tables():
        return None
    _, cells = repository.snapshot(table=CONSENSUS).lookup([f"{table}/{column}"], ["rule"])
    rule = cells.column(0)[0].as_py()
    return None if rule is None else _known(rule)


def set_rule(
    repository: Repository,
    rule: Rule | None,
    origin: Origin,
    column: str = "label",
    table: str = EXAMPLES,
) -> Cast:
    """Says how votes decide a column (None: no longer), and recounts every example that has votes,
    as one undoable step. The rule that stands already only recounts. Cells keep what they hold when
    a rule is taken away. Raises InvalidInput for a rule or a column that does not fit."""
    row, words = f"{table}/{column}", f"consensus of {column}: {rule or 'none'}"
    with repository.step():
        held = rule_of(repository, column, table)
        if rule is None:
            if held is not None:
                repository.delete_rows([row], origin, words, CONSENSUS)
            return Cast(held is not None)
        check_discrete(column, _votable(repository, column, table).type)
        known = CONSENSUS in repository.tables()
        schema = (
            repository.schema(CONSENSUS)
            if known
            else Schema.create(CONSENSUS, "id", {"id": "string", "rule": "string"})
        )
        rows = pa.table({"id": [row], "rule": [_known(rule)]})
        action = repository.stage_rows(rows, origin, words, schema, CONSENSUS)
        decisions = recount(repository, column, table)
        return Cast(action is not None or bool(decisions), decisions)


def recount(
    repository: Repository,
    column: str = "label",
    table: str = EXAMPLES,
    examples: Sequence[Key] | None = None,
) -> list[Decision]:
    """Stages the cells that the votes decide otherwise than they stand, as one action.

    examples: only those, None: all that have votes. The model of Dawid and Skene always decides
    all. Nothing is done where the column has no rule or nobody has voted. Raises InvalidInput when
    a vote is for a label that the column has not."""
    rule = rule_of(repository, column, table)
    if rule is None or not has_votes(repository, column, table):
        return []
    votes = tally(repository, column, table, examples if rule == "majority" else None)
    _check_labels(votes, column, table)
    found = votes.decide(rule)
    decided = dict(
        zip(votes.examples, zip(found.labels, found.confidence, strict=True), strict=True)
    )
    touched = votes.examples if examples is None or rule == "dawid-skene" else []
    touched = list(dict.fromkeys((*touched, *(examples or []))))
    decisions = []
    for example, row in zip(touched, _held(repository, touched, [column], table), strict=True):
        label, confidence = decided.get(example, (-1, 0.0))
        after = votes.values[label] if label >= 0 else None
        if row is not None and row[column] != after:
            decisions.append(Decision(example, row[column], after, float(confidence)))
    if decisions:
        edits = [Edit(decision.example, column, decision.new) for decision in decisions]
        by = Origin(f"consensus {rule}", "rule", source=ballots(table))
        repository.edit(edits, by, f"consensus of {column}: {rule}", table)
    return decisions


def _check(vote: Vote) -> None:
    where = f"the vote on `{vote.example}`"
    if not vote.annotator or not isinstance(vote.annotator, str):
        raise InvalidInput(f"{where} has no annotator", hint="Say who votes")
    if vote.value is None:
        raise InvalidInput(
            f"{where} by `{vote.annotator}` has no value", hint="Withdraw a vote to take it back"
        )
    if vote.confidence is not None and not 0 <= vote.confidence <= 1:
        raise InvalidInput(
            f"{where} has confidence {vote.confidence:g}", hint="Give a number from 0 to 1"
        )


def _votable(repository: View, column: str, table: str) -> Column:
    """The column that is voted on. Raises InvalidInput where that makes no sense."""
    schema = repository.schema(table)
    found = schema.column(column)
    if column == schema.key or column in FIXED or found.type not in VOTABLE:
        raise InvalidInput(
            f"column `{column}` of table `{table}` cannot be voted on",
            hint=f"Vote on a column of type {', '.join(VOTABLE)} that is not called"
            f" {', '.join(FIXED)}",
        )
    return found


def _check_examples(repository: View, examples: list[Key], table: str) -> None:
    snapshot = repository.snapshot(table=table)
    kind = {"int": int, "string": str}[snapshot.schema.key_column.type]
    odd = [one for one in examples if type(one) is not kind]
    missing = odd
    if not odd:
        found, _ = snapshot.lookup(examples, [])
        missing = [one for one, here in zip(examples, found, strict=True) if not here]
    if missing:
        raise NotFound(
            f"there is no row `{missing[0]}` in table `{table}`",
            hint=f"Rows are named by their `{snapshot.schema.key}`",
        )


def _check_labels(votes: Tally, column: str, table: str) -> None:
    if (votes.said >= votes.known).any():
        raise InvalidInput(
            f"votes are for `{votes.values[int(votes.said.max())]}`, which is no label of column"
            f" `{column}`",
            hint=f"Rename it in table `{ballots(table)}` as well, or add it to `{column}`",
        )


def _ballot_schema(repository: View, target: Column, table: str) -> Schema:
    """The schema of the votes with the column and all its labels."""
    name = ballots(table)
    if name in repository.tables():
        schema = repository.schema(name)
        if target.name not in schema.names:
            schema = schema.add(target.name, target.type)
    else:
        key = repository.schema(table).key_column.type
        schema = Schema.create(name, "id", {"id": "string", "example": key, "annotator": "string"})
        schema = schema.add(target.name, target.type)
        schema = schema.add("confidence", "float").add("at", "timestamp")
    own = schema.column(target.name)
    if own.type != target.type:
        raise InvalidInput(
            f"column `{target.name}` is {target.type} in `{table}` and {own.type} in `{name}`",
            hint="Give the column of the votes the same type, or vote on another column",
        )
    return schema.with_labels(own.name, target.labels) if own.type == "category" else schema


def _unlike(repository: View, votes: Sequence[Vote], table: str, column: str) -> list[Vote]:
    """The votes that say another thing than the table does. Raises InvalidInput where the id is
    taken: an `@` may stand in the name of an example as well as in that of an annotator."""
    if table not in repository.tables():
        return list(votes)
    ids, names = [_id(vote) for vote in votes], ["example", "annotator", column, "confidence"]
    new = []
    for vote, row in zip(votes, _held(repository, ids, names, table), strict=True):
        if row is not None and (row["example"], row["annotator"]) != (vote.example, vote.annotator):
            raise InvalidInput(
                f"the id `{_id(vote)}` is that of a vote by `{row['annotator']}` on"
                f" `{row['example']}`",
                hint="Give the annotator another name",
            )
        if row is None or (row.get(column), row["confidence"]) != (vote.value, vote.confidence):
            new.append(vote)
    return new


def _held(
    repository: View, keys: Sequence[Key], names: Sequence[str], table: str
) -> list[dict[str, Any] | None]:
    """Rows as people see them, for each key; None where there is none. Columns that the table has
    not are left out."""
    snapshot = repository.snapshot(table=table)
    columns = [snapshot.schema.column(name) for name in names if name in snapshot.schema.names]
    found, cells = snapshot.lookup(keys, [column.name for column in columns])
    rows = pa.table({column.name: column.decode(cells[column.id]) for column in columns})
    return [row if here else None for row, here in zip(rows.to_pylist(), found, strict=True)]


def _id(vote: Vote) -> str:
    return f"{vote.example}@{vote.annotator}"


def _words(votes: Sequence[Vote]) -> str:
    said = {vote.value for vote in votes}
    what = f"{votes[0].example}" if len(votes) == 1 else f"{len(votes):,} examples"
    return f"vote {votes[0].value}: {what}" if len(said) == 1 else f"vote: {what}"


def _known(rule: str) -> Rule:
    for known in RULES:
        if rule == known:
            return known
    raise InvalidInput(f"there is no consensus rule `{rule}`", hint=f"Rules: {', '.join(RULES)}")


def _rows(votes: Sequence[Vote], column: Column) -> pa.Table:
    try:
        values = pa.array([vote.value for vote in votes])
    except (pa.ArrowException, TypeError, ValueError, OverflowError) as error:
        raise InvalidInput(
            f"column `{column.name}`: {error}", hint="Give values that are all of its type"
        ) from error
    return pa.table(
        {
            "id": [_id(vote) for vote in votes],
            "example": [vote.example for vote in votes],
            "annotator": [vote.annotator for vote in votes],
            column.name: values,
            "confidence": pa.array([vote.confidence for vote in votes], pa.float64()),
            "at": pa.array([now_ms()] * len(votes), pa.timestamp("ms")),
        }
    )
