"""Conflicts: rows of an ordinary table that wait for a decision.

A merge keeps ours where it cannot decide, and puts the question here. So conflicts are listed,
assigned, settled, undone, committed half settled and merged like everything else."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from sw2.errors import InvalidInput, NotFound
from sw2.repo.changes import Edit
from sw2.repo.commits import Commit
from sw2.repo.ledger import CONFLICTS
from sw2.repo.merging import Combined, CombinedTable
from sw2.repo.view import View
from sw2.table import Schema
from sw2.table.merge import CellConflict
from sw2.table.schema_merge import SchemaConflict
from sw2.values import Origin

if TYPE_CHECKING:
    from sw2.repo.repository import Repository
    from sw2.repo.state import Action

FILE, COLUMN = "file", "column"


def conflict_schema() -> Schema:
    """id: `TABLE/ROW/COLUMN`.  row: the key as JSON; of a column what is disputed, such as `name`.
    base, ours, theirs: the cell as JSON, or the whole row where one side deleted it.  assignee: who
    is asked to decide."""
    schema = Schema.create(CONFLICTS, "id", {"id": "string"})
    for name in ("table", "row", "column", "kind"):
        schema = schema.add(name, "string")
    for name in ("base", "ours", "theirs"):
        schema = schema.add(name, "json")
    for side in ("ours", "theirs"):
        schema = schema.add(f"{side}_by", "string").add(f"{side}_at", "timestamp")
    return schema.add("assignee", "string").add("merged", "string")


def open_conflicts(view: View, rev: str | None = None) -> pa.Table:
    """The conflicts that wait, as they stand or at a revision."""
    tables = view.tables() if rev is None else view.commit_of(rev).tables
    if CONFLICTS not in tables:
        return pa.table({c.name: pa.array([], c.stored) for c in conflict_schema().columns})
    return view.read(rev=rev, table=CONFLICTS)


def count_open(view: View) -> int:
    """How many conflicts wait, without reading them."""
    return view.snapshot(table=CONFLICTS).rows if CONFLICTS in view.tables() else 0


def conflict_rows(view: View, combined: Combined, ours: Commit, theirs: Commit) -> pa.Table:
    """What a merge could not decide, as rows of the table `conflicts`."""
    rows = [
        _row(name, table, conflict) | {"merged": theirs.name}
        for name, table in combined.tables.items()
        for conflict in table.conflicts
    ]
    rows += [
        _disputed(name, table.schema, one) | {"merged": theirs.name}
        for name, table in combined.tables.items()
        for one in table.disputed
    ]
    for path in combined.torn:
        texts = {
            side: json.dumps(_text(view, commit, path))
            for side, commit in (("ours", ours), ("theirs", theirs))
        }
        rows.append({"id": f"/{path}", "row": json.dumps(path), "kind": FILE, **texts})
    schema = conflict_schema()
    return pa.table(
        {c.name: pa.array([r.get(c.name) for r in rows], c.stored) for c in schema.columns}
    )


def settle(
    repository: "Repository", ids: Sequence[str], choice: str, origin: Origin, value: Any = None
) -> "Action":
    """Decides conflicts, as one step: sets the cell and takes the row off the list. choice: `ours`,
    `theirs`, `base`, or `value` for another cell. Raises NotFound for a conflict that is not open,
    InvalidInput for a value where a whole row or file is disputed."""
    rows = _find(repository, ids)
    with repository.step():
        for row in rows:
            if choice != "value":
                value = json.loads(row[choice]) if row[choice] is not None else None
            elif row["kind"] != "edit/edit":
                what = {FILE: "file", COLUMN: "column"}.get(row["kind"], "whole row")
                raise InvalidInput(
                    f"conflict `{row['id']}` is about a {what}, not a cell",
                    hint="Choose a side: --ours, --theirs or --base",
                )
            _apply(repository, row, value, origin)
        first = rows[0]["id"] if len(rows) == 1 else f"{len(rows)} conflicts"
        action = repository.delete_rows(
            [row["id"] for row in rows], origin, f"settle {first}: {choice}", CONFLICTS
        )
    assert action is not None  # there was at least one row
    return action


def assign(
    repository: "Repository", ids: Sequence[str], person: str | None, origin: Origin
) -> "Action | None":
    """Asks a person to decide conflicts; None takes the request back."""
    rows = _find(repository, ids)
    edits = [Edit(row["id"], "assignee", person) for row in rows]
    words = f"assign {len(rows)} to {person}" if person else f"{len(rows)} to nobody"
    return repository.edit(edits, origin, words, CONFLICTS)


def _find(repository: "Repository", ids: Sequence[str]) -> list[dict[str, Any]]:
    held = {row["id"]: row for row in open_conflicts(repository).to_pylist()}
    for one in ids:
        if one not in held:
            near = get_close_matches(one, held, 1)
            raise NotFound(
                f"there is no open conflict `{one}`",
                hint=f"Did you mean `{near[0]}`?" if near else "`sw2 conflicts` lists them",
            )
    if not ids:
        raise InvalidInput("no conflict is named", hint="`sw2 conflicts` lists them")
    return [held[one] for one in dict.fromkeys(ids)]


def _apply(repository: "Repository", row: dict[str, Any], value: Any, origin: Origin) -> None:
    key = json.loads(row["row"])
    if row["kind"] == FILE:
        if value is not None:
            (repository.root / key).write_text(value)
        return
    if row["kind"] == COLUMN:
        _apply_to_column(repository, row, key, value)
        return
    table, words = row["table"], f"settle {row['id']}"
    if row["kind"] == "edit/edit":
        repository.edit([Edit(key, row["column"], value)], origin, words, table)
    elif value is None:
        snapshot = repository.snapshot(table=table)
        if snapshot.lookup([key], [])[0].all():
            repository.delete_rows([key], origin, words, table)
    else:
        cells = {name: [cell] for name, cell in value.items()}
        schema = repository.schema(table)
        cells[schema.key] = [key]
        known = {name: cell for name, cell in cells.items() if name in schema.names}
        repository.stage_rows(pa.table(known), origin, words, table=table)


def _apply_to_column(repository: "Repository", row: dict[str, Any], what: str, value: Any) -> None:
    """Gives a column, or a label of it, what a side gave it. Where that is what it has already,
    nothing is staged."""
    from sw2.repo import schemas

    table, name = row["table"], row["column"]
    ours = json.loads(row["ours"]) if row["ours"] is not None else None
    if value == ours and what != "column":
        return
    if what == "column":
        if value is None:
            schemas.drop(repository, table, name)
    elif what == "name":
        schemas.rename(repository, table, name, value)
    elif what == "order":
        schemas.order_labels(repository, table, name, value)
    elif what == "rule":
        schemas.set_rule(repository, table, name, value)
    elif what == "type":
        schemas.retype(repository, table, name, value, lossy=True)
    elif what.startswith("label "):
        schemas.rename_label(repository, table, name, str(ours), value)


def _disputed(name: str, schema: Schema, conflict: SchemaConflict) -> dict[str, Any]:
    column = schema.by_id(conflict.column)
    called = column.name if column else conflict.column
    sides = {side: getattr(conflict, side) for side in ("base", "ours", "theirs")}
    return {
        "id": f"{name}//{called}/{conflict.what}",
        "table": name,
        "row": json.dumps(conflict.what),
        "column": called,
        "kind": COLUMN,
    } | {
        side: None if v is None else json.dumps(v, ensure_ascii=False) for side, v in sides.items()
    }


def _row(name: str, table: CombinedTable, conflict: CellConflict) -> dict[str, Any]:
    schema = table.schema
    column = schema.by_id(conflict.column) if conflict.column else None
    told = "/".join([name, str(conflict.key), *([column.name] if column else [])])
    return {
        "id": told,
        "table": name,
        "row": json.dumps(conflict.key, ensure_ascii=False),
        "column": column.name if column else None,
        "kind": conflict.kind,
        "ours_by": conflict.ours_by.by,
        "ours_at": datetime.fromtimestamp(conflict.ours_at / 1000, UTC).replace(tzinfo=None),
        "theirs_by": conflict.theirs_by.by,
        "theirs_at": datetime.fromtimestamp(conflict.theirs_at / 1000, UTC).replace(tzinfo=None),
    } | {
        side: _json(schema, conflict.column, getattr(conflict, side))
        for side in ("base", "ours", "theirs")
    }


def _json(schema: Schema, column: str | None, cell: Any) -> str | None:
    if cell is None:
        return None
    if column is not None:
        return json.dumps(_seen(schema, column, cell), ensure_ascii=False, default=_plain)
    cells = {c.name: _seen(schema, i, v) for i, v in cell.items() if (c := schema.by_id(i))}
    return json.dumps(cells, ensure_ascii=False, default=_plain)


def _seen(schema: Schema, column: str, cell: Any) -> Any:
    """A stored cell as people see it."""
    held = schema.by_id(column)
    assert held is not None  # columns that are gone have no conflicts
    return held.decode(pa.array([cell], held.stored))[0].as_py()


def _plain(value: Any) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} has no place in JSON")


def _text(view: View, commit: Commit, path: str) -> str | None:
    name = commit.files.get(path)
    return view.store.get(name).decode(errors="replace") if name else None
