"""Restore: rows, or some cells of them, as they were at another revision, as staged edits."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pyarrow as pa

from sw2.errors import NotFound
from sw2.repo.ledger import EXAMPLES
from sw2.table import Schema
from sw2.values import Origin

if TYPE_CHECKING:
    from sw2.repo.repository import Repository
    from sw2.repo.state import Action


def restore(
    repository: "Repository",
    keys: Sequence[int | str] | None,
    origin: Origin,
    rev: str = "HEAD",
    columns: Sequence[str] | None = None,
    table: str = EXAMPLES,
) -> "Action | None":
    """Makes rows what they were at a revision: cells set back, deleted rows brought back, rows that
    were not there deleted; one step. keys: None for the whole table.  columns: only these.

    None when nothing differs. Raises NotFound for a row that neither has."""
    with repository.state.transaction(), repository.step():
        then, now = repository.snapshot(rev, table), repository.snapshot(table=table)
        key = now.schema.key
        if keys is None:
            held = [s.read([s.schema.key])[0].to_pylist() for s in (then, now)]
            keys = list(dict.fromkeys([*held[0], *held[1]]))
        was, _ = then.lookup(keys, [])
        here, _ = now.lookup(keys, [])
        for known, k in zip(was | here, keys, strict=True):
            if not known:
                raise NotFound(f"there is no row `{k}` in table `{table}`, then or now")
        words = f"restore {keys[0] if len(keys) == 1 else f'{len(keys)} rows'} from {rev}"
        wanted = [k for k, there in zip(keys, was, strict=True) if there]
        gone = [k for k, a, b in zip(keys, was, here, strict=True) if b and not a]
        names = [n for n in columns or then.schema.names if n != key and n in now.schema.names]
        rows = _rows(then.schema, then.lookup(wanted, names)[1], key, wanted, names)
        action = repository.stage_rows(rows, origin, words, table=table)
        if columns is None:
            action = repository.delete_rows(gone, origin, words, table) or action
    return action


def _rows(
    schema: Schema, stored: pa.Table, key: str, keys: list[int | str], names: list[str]
) -> pa.Table:
    cells = {name: schema.column(name) for name in names}
    return pa.table(
        {key: pa.array(keys, schema.key_column.stored)}
        | {name: c.decode(stored[c.id]) for name, c in cells.items()}
    )
