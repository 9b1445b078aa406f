"""What an import changes: the rows that are new or differ, and the cells that people have set."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import pyarrow as pa

from sw2.formats.guess import fits, parse
from sw2.formats.report import Kept, Skipped
from sw2.formats.scan import natural
from sw2.formats.source import Source
from sw2.formats.splits import split_of
from sw2.formats.store import Stored
from sw2.repo import EXAMPLES, CellChange, Repository
from sw2.table import Schema

OWN = {"id": "string", "image": "image", "label": "category", "split": "category"}
SPLIT_ORDER = ("train", "val", "test")
PLAIN = ("bool", "int", "float", "string", "category", "text")
Row = dict[str, Any]


@dataclass
class Plan:
    """schema: what the table's schema is to be.  rows: new and changed ones, whole, in order."""

    schema: Schema
    rows: list[Row] = field(default_factory=list)
    added: int = 0
    updated: int = 0
    unchanged: int = 0
    kept: list[Kept] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)
    drawn: Counter[str] = field(default_factory=Counter)
    labels: Counter[str | None] = field(default_factory=Counter)
    splits: Counter[str] = field(default_factory=Counter)

    def table(self) -> pa.Table:
        """The rows as `Repository.stage_rows` takes them."""
        return pa.table(
            {
                name: _array([r.get(name) for r in self.rows], self.schema, name)
                for name in self.used
            }
        )

    @property
    def used(self) -> list[str]:
        """Columns that the import speaks of; the others keep their cells."""
        names = {name for row in self.rows for name in row}
        return [name for name in self.schema.names if name in names]


def plan(repository: Repository, source: Source, stored: Sequence[Stored], overwrite: bool) -> Plan:
    """Compares what is to be imported with the table as it stands.

    An empty label or cell in the source says nothing, so it never clears one. overwrite: take the
    source's labels and splits even where somebody has set another since."""
    schema, extras, skipped = _schema(_old_schema(repository), source, stored)
    plan = Plan(schema, skipped=skipped)
    old = _old_rows(repository, schema)
    hands = None if overwrite else _Hands(repository)
    for entry in stored:
        before, wished = old.get(entry.id), _wished(entry, extras)
        row = wished | {"reviewed": False}
        if before is not None:
            row = before | _news(entry.id, before, wished, hands, plan)
        if row["split"] is None:
            row["split"] = drawn = split_of(entry.name)
            plan.drawn[drawn] += 1
        if before is None:
            plan.added += 1
        elif row != before:
            plan.updated += 1
        else:
            plan.unchanged += 1
        if row != before:
            plan.rows.append(row)
        plan.labels[row["label"]] += 1
        plan.splits[row["split"]] += 1
    plan.schema = _with_split(plan)
    return plan


def _news(id: str, before: Row, wished: Row, hands: "_Hands | None", plan: Plan) -> Row:
    """The cells that the source changes. A decision made by hand is kept, and told."""
    news = {n: v for n, v in wished.items() if v is not None and before[n] != v}
    for name in ("label", "split"):
        by = hands.who(id, name) if hands and name in news else None
        if by is not None:
            told = (str(before[name] or ""), str(news.pop(name)))
            plan.kept.append(Kept(id, name, *told, by))
    if "label" in news and before["reviewed"]:
        news["reviewed"] = False  # whoever reviewed the label has not seen this one
    return news


def _wished(entry: Stored, extras: Mapping[str, str]) -> Row:
    """The cells that the source gives a row; None where it says nothing."""
    item = entry.item
    row: Row = {
        "id": entry.id,
        "image": entry.name,
        "label": item.label or None,
        "split": item.split or None,
    }
    for name, type_ in extras.items():
        value = item.extras.get(name, "")
        row[name] = parse(value, type_) if fits(value, type_) else None
    return row


def _old_schema(repository: Repository) -> Schema:
    if EXAMPLES in repository.tables():
        return repository.schema()
    return Schema.create(EXAMPLES, "id", {**OWN, "reviewed": "bool"})  # type: ignore[dict-item]


def _schema(
    schema: Schema, source: Source, stored: Sequence[Stored]
) -> tuple[Schema, dict[str, str], list[Skipped]]:
    """The schema with the source's columns and labels; the type to read each further column by;
    and the values that do not fit a column that is there already."""
    skipped: list[Skipped] = []
    extras: dict[str, str] = {}
    for name, guessed in source.extras.items():
        if name not in schema.names:
            schema = schema.add(name, guessed)  # type: ignore[arg-type]
        type_ = schema.column(name).type
        if type_ in PLAIN:
            extras[name] = type_
            skipped += _misfits(name, type_, source, stored)
        else:
            skipped.append(Skipped(source.name, f"column `{name}` holds {type_} cells; left out"))
    labels = {entry.item.label for entry in stored if entry.item.label}
    splits = {entry.item.split for entry in stored if entry.item.split}
    for name, values in (("label", labels), ("split", splits), *_categories(extras, stored)):
        new = values - set(schema.column(name).labels)
        schema = schema.with_labels(
            name, sorted(new, key=_split_key if name == "split" else natural)
        )
    return schema, extras, skipped


def _categories(extras: Mapping[str, str], stored: Sequence[Stored]) -> list[tuple[str, set[str]]]:
    names = [name for name, type_ in extras.items() if type_ == "category"]
    return [(n, {v for e in stored if (v := e.item.extras.get(n, ""))}) for n in names]


def _misfits(name: str, type_: str, source: Source, stored: Sequence[Stored]) -> list[Skipped]:
    bad = [
        (entry.item.line, value)
        for entry in stored
        if (value := entry.item.extras.get(name, "")) and not fits(value, type_)
    ]
    if not bad:
        return []
    line, value = bad[0]
    told = f"`{value}` is no {type_}, which column `{name}` holds; left out"
    more = f" (and {len(bad) - 1} more)" if len(bad) > 1 else ""
    return [Skipped(source.name, told + more, line)]


def _with_split(plan: Plan) -> Schema:
    new = plan.drawn.keys() - set(plan.schema.column("split").labels)
    return plan.schema.with_labels("split", sorted(new, key=_split_key))


def _split_key(name: str) -> tuple[int, list[tuple[int, int, str]]]:
    known = SPLIT_ORDER.index(name) if name in SPLIT_ORDER else len(SPLIT_ORDER)
    return known, natural(name)


def _old_rows(repository: Repository, schema: Schema) -> dict[str, Row]:
    if EXAMPLES not in repository.tables():
        return {}
    held = repository.read()
    missing = dict.fromkeys(n for n in schema.names if n not in held.column_names)
    return {row["id"]: row | missing for row in held.to_pylist()}


def _array(values: list[Any], schema: Schema, name: str) -> pa.Array:
    column = schema.column(name)
    as_text = column.type in ("category", "image")
    return pa.array(values, pa.string() if as_text else column.stored)


class _Hands:
    """Who last set the label or split of a row by hand, or reviewed it. Read when first asked."""

    def __init__(self, repository: Repository) -> None:
        self._repository = repository

    def who(self, key: str, column: str) -> str | None:
        columns = (column, "reviewed") if column == "label" else (column,)
        edits = [edit for name in columns if (edit := self._last.get((key, name))) and edit.new]
        by_hand = [edit for edit in edits if edit.origin.kind != "import"]
        return max(by_hand, key=lambda edit: edit.at).origin.by if by_hand else None

    @cached_property
    def _last(self) -> dict[tuple[str, str], CellChange]:
        """The newest edit of each cell that was ever edited."""
        last: dict[tuple[str, str], CellChange] = {}
        for edit in self._newest_first():
            last.setdefault((str(edit.key), edit.column), edit)
        return last

    def _newest_first(self) -> Iterator[CellChange]:
        yield from self._repository.pending().edits
        for commit in self._repository.log():
            if commit.parents:
                yield from self._repository.diff(commit.parents[0], commit.name).edits
