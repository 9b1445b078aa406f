"""Changing what columns a table has. Each change is staged as an action that touches no row, and is
read, changed and written in one transaction, so that what others do meanwhile is kept."""

from collections.abc import Callable, Iterable, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sw2.errors import InvalidInput
from sw2.repo.repository import Repository
from sw2.repo.state import Action
from sw2.table import Column, ColumnType, MergeRule, Schema
from sw2.table.cells import LABELLED, label_uses
from sw2.table.convert import convert

# A text with more distinct values than this is no category.
MOST_LABELS = 10_000
# Rows that a refusal names.
NAMED = 5


def add(
    repository: Repository, table: str, name: str, kind: ColumnType, labels: Iterable[str] = ()
) -> Action | None:
    """A new column, empty in every row. Raises InvalidInput for a name or type that cannot be."""
    words = f"add column {name} ({kind})"
    return _changed(repository, table, words, lambda schema: schema.add(name, kind, labels))


def rename(repository: Repository, table: str, old: str, new: str) -> Action | None:
    """Another name for a column. Raises NotFound, InvalidInput for a name that is taken."""
    words = f"rename column {old} to {new}"
    return _changed(repository, table, words, lambda schema: schema.rename(old, new))


def drop(repository: Repository, table: str, name: str) -> Action | None:
    """Takes a column away; its past stays in the history. Raises NotFound, InvalidInput for the
    key."""
    return _changed(repository, table, f"drop column {name}", lambda schema: schema.drop(name))


def retype(
    repository: Repository,
    table: str,
    name: str,
    kind: ColumnType,
    labels: Sequence[str] = (),
    lossy: bool = False,
) -> Action | None:
    """Another type for a column; no row is written. labels: of what becomes a category or tags; by
    default its distinct values, the most frequent first.

    Raises InvalidInput where one type cannot become the other, where cells do not convert (lossy:
    they become empty), and where there are more than 10,000 values to be labels."""
    with repository.state.transaction():
        snapshot = repository.snapshot(table=table)
        old = snapshot.schema.column(name)
        cells = snapshot.stored([name])[0]
        if kind in LABELLED and not old.has_labels and not labels:
            snapshot.schema.retype(name, kind)  # tells what cannot be before what is missing
            labels = _values(old, cells)
        new = snapshot.schema.retype(name, kind, labels).column(name)
        lost = pc.and_(pc.is_valid(cells), pc.is_null(new.taken(old.id, cells)))
        if not lossy and (rows := np.flatnonzero(lost.to_numpy(zero_copy_only=False))).size:
            keys = snapshot.stored([snapshot.schema.key])[0].take(pa.array(rows[:NAMED]))
            seen = old.decode(cells.take(pa.array(rows[:NAMED])))
            told = [f"`{k}` ({v})" for k, v in zip(keys.to_pylist(), seen.to_pylist(), strict=True)]
            raise InvalidInput(
                f"{len(rows):,} cells of column `{name}` do not convert to {kind}: "
                + ", ".join(told)
                + (", …" if len(rows) > NAMED else ""),
                hint="Mend them first, or let them become empty (`lossy`, `--lossy`)",
            )
        words = f"make column {name} {kind}"
        return _changed(repository, table, words, lambda schema: schema.retype(name, kind, labels))


def add_labels(
    repository: Repository, table: str, name: str, labels: Sequence[str]
) -> Action | None:
    """Labels that the column lacks, after those it has; retired ones come back."""
    words = f"add label {', '.join(labels)} to {name}"
    return _changed(repository, table, words, lambda schema: schema.with_labels(name, labels))


def rename_label(
    repository: Repository, table: str, name: str, old: str, new: str
) -> Action | None:
    """Another name for a label, in every row that has it. Raises NotFound, InvalidInput for a name
    that is taken."""
    words = f"rename label {old} of {name} to {new}"
    return _changed(repository, table, words, lambda schema: schema.rename_label(name, old, new))


def retire_labels(
    repository: Repository, table: str, name: str, labels: Sequence[str]
) -> Action | None:
    """Takes labels out of use. Raises NotFound, InvalidInput while cells have one of them."""
    with repository.state.transaction():
        snapshot = repository.snapshot(table=table)
        snapshot.schema.retire_labels(name, labels)
        column = snapshot.schema.column(name)
        rows, slots = label_uses(column.type, snapshot.stored([name])[0])
        for label in labels:
            having = np.unique(rows[slots == column.slots.index(label)])
            if having.size:
                keys = snapshot.stored([snapshot.schema.key])[0].take(pa.array(having[:NAMED]))
                more = ", …" if having.size > NAMED else ""
                raise InvalidInput(
                    f"label `{label}` of column `{name}` is that of {having.size:,} rows: "
                    + ", ".join(f"`{key}`" for key in keys.to_pylist())
                    + more,
                    hint="Give them another label first",
                )
        words = f"retire label {', '.join(labels)} of {name}"
        return _changed(repository, table, words, lambda schema: schema.retire_labels(name, labels))


def order_labels(
    repository: Repository, table: str, name: str, labels: Sequence[str]
) -> Action | None:
    """Those labels first, in this order; the others after them as they were."""
    words = f"order labels of {name}"
    return _changed(repository, table, words, lambda schema: schema.order_labels(name, labels))


def set_rule(repository: Repository, table: str, name: str, rule: MergeRule) -> Action | None:
    """How merging settles cells of a column that both sides set."""
    words = f"merge {name} by {rule}"
    return _changed(repository, table, words, lambda schema: schema.with_rule(name, rule))


def _changed(
    repository: Repository, table: str, words: str, change: Callable[[Schema], Schema]
) -> Action | None:
    """Stages what `change` makes of the schema as it is now; None where that is the same."""
    with repository.state.transaction():
        return repository.define(change(repository.schema(table)), words)


def _values(column: Column, cells: pa.ChunkedArray) -> list[str]:
    """The distinct values of cells as texts, the most frequent first, then by name."""
    texts = convert(cells, (column.type, column.slots), ("string", ()))
    counts = pc.value_counts(texts.drop_null())
    if len(counts) > MOST_LABELS:
        raise InvalidInput(
            f"column `{column.name}` has {len(counts):,} distinct values, too many for labels",
            hint=f"A category has at most {MOST_LABELS:,}; keep it {column.type}",
        )
    pairs = zip(counts.field("values").to_pylist(), counts.field("counts").to_pylist(), strict=True)
    return [value for value, _ in sorted(pairs, key=lambda pair: (-pair[1], pair[0]))]
