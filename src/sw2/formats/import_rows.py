"""Rows of a file into a table, as one undoable action."""

import json
import os
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from blake3 import blake3

from sw2.errors import InvalidInput
from sw2.formats.report import Skipped
from sw2.formats.row_cells import as_cells, kind_of, labels_in
from sw2.formats.row_files import RowFile, read_rows, values_of
from sw2.formats.scan import natural
from sw2.progress import Event, Progress, silent
from sw2.repo import Repository
from sw2.repo.stage import staged_delta
from sw2.table import EDIT, Column, Schema, Snapshot, keys_of
from sw2.table.cells import TYPES
from sw2.table.schema import KEY_TYPES
from sw2.table.version import ascending
from sw2.values import Origin


@dataclass(frozen=True, slots=True)
class RowsReport:
    """Counts are of rows.  columns: each column of the file and its type.  missing: rows that are
    not in the table and were left out, for only updates were wanted."""

    table: str
    key: str
    columns: Mapping[str, str]
    added: int = 0
    updated: int = 0
    unchanged: int = 0
    deleted: int = 0
    missing: int = 0
    skipped: tuple[Skipped, ...] = ()
    labels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Wanted:
    """key: the column that names rows.  types: of columns, instead of what they look like.
    new_labels: may columns that are there get more labels?  update_only: add no row.
    replace: delete the rows that the file has not."""

    key: str | None = None
    types: Mapping[str, str] = field(default_factory=dict)
    new_labels: bool = False
    update_only: bool = False
    replace: bool = False


def import_rows(
    repository: Repository,
    path: str | os.PathLike[str],
    table: str,
    wanted: Wanted = Wanted(),
    *,
    by: str,
    progress: Progress = silent,
) -> RowsReport:
    """Reads CSV, TSV, JSON lines, Parquet or Arrow, and inserts or updates its rows.

    Rows that cannot be used are reported with their line, the rest is staged as one action. A
    table without a key column gets `id`, made of what the row says, so that the same row is the
    same however the file is sorted. Raises InvalidInput when the file, a type, or a label cannot be
    used at all; then nothing is changed."""
    progress(Event("reading"))
    file = read_rows(Path(path))
    with repository.step():
        here = table in repository.tables()
        plan = _planned(file, table, repository.schema(table) if here else None, wanted)
        progress(Event("staging", 0, plan.rows.num_rows))
        return _staged(repository, plan, wanted, here, by, file.name)


@dataclass(frozen=True, slots=True)
class _Plan:
    schema: Schema
    rows: pa.Table
    skipped: tuple[Skipped, ...]
    labels: dict[str, tuple[str, ...]]


def _planned(file: RowFile, table: str, older: Schema | None, wanted: Wanted) -> _Plan:
    if odd := set(wanted.types) - set(file.columns):
        raise InvalidInput(
            f"`{file.name}` has no column `{min(odd)}`", hint=f"It has {', '.join(file.columns)}"
        )
    schema = older or _new_schema(file, table, wanted)
    if older is not None and wanted.key not in (None, older.key):
        raise InvalidInput(
            f"table `{table}` names its rows by `{older.key}`, not `{wanted.key}`",
            hint=f"Leave `--key` out, or rename the column to `{older.key}`",
        )
    cells: dict[str, pa.Array] = {}
    skipped = list(file.skipped)
    bad = np.zeros(file.rows, bool)
    added: dict[str, tuple[str, ...]] = {}
    for name, values in file.columns.items():
        kind = "json" if name in file.mixed else kind_of(values)
        schema = _with_column(schema, name, kind, wanted)
        column = schema.column(name)
        cells[name], odd_cells = as_cells(values, column)
        skipped += _misfits(file, name, values, column, odd_cells & ~bad)
        bad |= odd_cells
        if column.has_labels:
            fresh = older is None or older.by_id(column.id) is None
            schema, new = _with_labels(schema, name, cells[name], fresh or wanted.new_labels)
            added |= {name: new} if new else {}
    if schema.key not in cells:
        cells = {schema.key: _content_ids(cells, schema), **cells}
    rows = pa.table(cells)
    bad, more = _bad_keys(file, rows[schema.key].combine_chunks(), schema.key, bad)
    skipped = sorted([*skipped, *more], key=lambda each: each.line)
    rows = rows.filter(pa.array(~bad)) if bad.any() else rows
    return _Plan(schema, rows, tuple(skipped), added)


def _new_schema(file: RowFile, table: str, wanted: Wanted) -> Schema:
    if wanted.key is not None and wanted.key not in file.columns:
        raise InvalidInput(
            f"`{file.name}` has no column `{wanted.key}`",
            hint=f"It has {', '.join(file.columns)}",
        )
    key = wanted.key or "id"
    kind = "string"
    if key in file.columns:
        guess = wanted.types.get(key) or kind_of(file.columns[key])
        kind = guess if guess in KEY_TYPES else "string"
    return Schema.create(table, key, {key: kind})  # type: ignore[dict-item]


def _with_column(schema: Schema, name: str, looks: str, wanted: Wanted) -> Schema:
    said = wanted.types.get(name)
    if said is not None and said not in TYPES:
        raise InvalidInput(
            f"column `{name}`: there is no type `{said}`",
            hint=f"Types: {', '.join(TYPES)}",
        )
    if name not in schema.names:
        return schema.add(name, said or looks)  # type: ignore[arg-type]
    if said not in (None, schema.column(name).type):
        raise InvalidInput(
            f"column `{name}` of table `{schema.table}` is {schema.column(name).type}, not {said}",
            hint="Leave its `--type` out",
        )
    return schema


def _with_labels(
    schema: Schema, name: str, cells: pa.Array, allowed: bool
) -> tuple[Schema, tuple[str, ...]]:
    known = set(schema.column(name).labels)
    new = tuple(sorted((label for label in labels_in(cells) if label not in known), key=natural))
    if new and not allowed:
        listed = ", ".join(new[:20]) + (f" and {len(new) - 20} more" if len(new) > 20 else "")
        raise InvalidInput(
            f"column `{name}` of table `{schema.table}` has no label {listed}",
            hint="`--new-labels` adds them; nothing was changed",
        )
    return (schema.with_labels(name, new) if new else schema), new


def _misfits(file: RowFile, name: str, values: pa.Array, column: Column, odd: Any) -> list[Skipped]:
    return [
        Skipped(
            file.name,
            f"`{values[int(at)].as_py()}` is no {column.type}, which column `{name}` holds",
            int(file.lines[at]),
        )
        for at in np.flatnonzero(odd)
    ]


def _bad_keys(file: RowFile, keys: pa.Array, key: str, bad: Any) -> tuple[Any, list[Skipped]]:
    """Rows that are named by nothing, or like one before them; those told already are left out."""
    told: list[Skipped] = []
    if keys.null_count:
        empty = keys.is_null().to_numpy(zero_copy_only=False) & ~bad
        told += [
            Skipped(file.name, f"no `{key}`", int(file.lines[at])) for at in np.flatnonzero(empty)
        ]
        bad = bad | empty
    valid = keys.drop_null()
    if not ascending(valid) and pc.count_distinct(valid).as_py() < len(valid):
        first: dict[Any, int] = {}
        bad = bad.copy()
        for at, value in enumerate(keys.to_pylist()):
            if not bad[at] and first.setdefault(value, at) != at:
                where = int(file.lines[first[value]])
                told.append(Skipped(file.name, f"`{value}` is on line {where} already",
                                    int(file.lines[at])))  # fmt: skip
                bad[at] = True
    return bad, told


def _content_ids(cells: Mapping[str, pa.Array], schema: Schema) -> pa.Array:
    """A name for each row made of its cells: 16 hex digits of the BLAKE3 of their JSON, and `#2`,
    `#3` … for rows that say the same."""
    if schema.key_column.type != "string":
        raise InvalidInput(
            f"the file has no column `{schema.key}`, which names the rows of table"
            f" `{schema.table}`",
            hint="Add it to the file",
        )
    names = sorted(cells)
    seen: Counter[str] = Counter()
    ids = []
    for row in zip(*(values_of(cells[name]) for name in names), strict=True):
        said = {name: cell for name, cell in zip(names, row, strict=True) if cell is not None}
        id = blake3(json.dumps(said, sort_keys=True).encode()).hexdigest()[:16]
        seen[id] += 1
        ids.append(id if seen[id] == 1 else f"{id}#{seen[id]}")
    return pa.array(ids, pa.string())


def _staged(
    repository: Repository, plan: _Plan, wanted: Wanted, here: bool, by: str, name: str
) -> RowsReport:
    schema, rows, table = plan.schema, plan.rows, plan.schema.table
    origin, label = Origin(by, "import", source=name), f"import {name} into {table}"
    before = repository.snapshot(table=table) if here else None
    found = np.zeros(rows.num_rows, bool)
    if before is not None:
        found, _ = before.lookup(rows[schema.key].combine_chunks(), [])
    missing = 0
    if wanted.update_only and not found.all():
        missing = int((~found).sum())
        rows, found = rows.filter(pa.array(found)), found[found]
    action = repository.stage_rows(rows, origin, label, schema, table)
    gone = _gone(before, rows, plan.skipped) if wanted.replace and before is not None else []
    repository.delete_rows(gone, origin, label, table)
    added, updated = int((~found).sum()), 0
    if action is not None and (delta := staged_delta(action, repository.reader)) is not None:
        updated = sum(1 for _ in keys_of(delta, EDIT))
    columns = {c: schema.column(c).type for c in schema.names if c in rows.column_names}
    return RowsReport(
        table,
        schema.key,
        columns,
        added,
        updated,
        rows.num_rows - added - updated,
        len(gone),
        missing,
        plan.skipped,
        plan.labels,
    )


def _gone(before: Snapshot, rows: pa.Table, skipped: tuple[Skipped, ...]) -> list[int | str]:
    """Keys that the file has not."""
    if skipped:
        raise InvalidInput(
            f"{skipped[0]}; with lines left out, `--replace` would delete the rows they mean",
            hint="Mend the file, or import without `--replace`",
        )
    key = before.schema.key
    held = before.read([key])[key]
    gone: list[int | str] = held.filter(
        pc.invert(pc.is_in(held, value_set=rows[key].combine_chunks()))
    ).to_pylist()
    return gone
