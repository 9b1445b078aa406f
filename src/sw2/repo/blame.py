"""Blame of a whole column: who decided each cell, when, from what, and in which commit."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from sw2.repo.commits import Commit
from sw2.repo.revisions import ancestors
from sw2.table import DELETE, Column, Delta, Schema, TableVersion, find, one_chunk
from sw2.values import Origin

# A table of places is made for integer keys that span at most so many times their number.
SPARSE = 16

if TYPE_CHECKING:
    from sw2.repo.view import View


class _Places:
    """Rows of keys, asked for a delta at a time: a thousand bisections of a million keys take
    0.3 s, which one table of them all saves."""

    def __init__(self, keys: pa.Array) -> None:
        self.keys = keys
        self._rows: Any = None
        self._by_text: dict[str, int] = {}
        self._first = 0
        if not len(keys):
            return
        if pa.types.is_integer(keys.type):
            values = keys.to_numpy()
            self._first, last = int(values[0]), int(values[-1])
            if last - self._first <= SPARSE * len(keys):
                self._rows = np.full(last - self._first + 1, -1, np.int32)
                self._rows[values - self._first] = np.arange(len(keys))
        else:
            self._by_text = {key: row for row, key in enumerate(keys.to_pylist())}

    def find(self, keys: pa.Array) -> Any:
        """Rows of keys, -1 for those that are not there. int64 (N,)."""
        if self._by_text:
            return np.array([self._by_text.get(key, -1) for key in keys.to_pylist()], np.int64)
        if self._rows is None:
            return find(self.keys, keys)
        at = keys.to_numpy() - self._first
        there = (at >= 0) & (at < len(self._rows))
        return np.where(there, self._rows[np.where(there, at, 0)], -1)


@dataclass
class _Blamed:
    """For each row who decided it, as a number into `decisions`; -1 while not known."""

    rows: Any
    decisions: dict[tuple[Origin, str], int] = field(default_factory=dict)

    def number(self, origin: Origin, commit: str) -> int:
        return self.decisions.setdefault((origin, commit), len(self.decisions))


def blame_column(view: "View", name: str, rev: str, table: str) -> pa.Table:
    """Of each row at a revision, in key order: key, value, by, kind, source, why, at (ms since
    1970), commit. A merged cell is told of the commit that set it, not of the merge. Null where
    nobody decided the cell."""
    tip = view.commit_of(rev)
    snapshot = view.at(tip, table)
    column, key = snapshot.schema.column(name), snapshot.schema.key
    read = snapshot.read([key, name])
    keys = one_chunk(snapshot.stored([key])[0])
    blamed = _Blamed(np.full(len(keys), -1, np.int64))
    times = np.zeros(len(keys), np.int64)
    asked: dict[str, Any] = {tip.name: np.ones(len(keys), bool)}
    places, into = _Places(keys), (blamed, times, asked)
    for commit in ancestors(view, [tip.name]):
        open_rows = asked.pop(commit.name, None)
        if open_rows is not None and open_rows.any():
            _blame(view, commit, table, snapshot.schema, column, places, open_rows, into)
    return _told(read, key, name, blamed, times)


def _blame(
    view: "View",
    commit: Commit,
    table: str,
    schema: Schema,
    column: Column,
    places: _Places,
    rows: Any,
    into: tuple[_Blamed, Any, dict[str, Any]],
) -> None:
    """Settles the rows that `commit` decided, and hands the others to its parents."""
    blamed, times, asked = into
    keys, only = places.keys, [link.id for link in column.chain]
    version = commit.tables.get(table)
    parents = [view.load_commit(parent) for parent in commit.parents]
    before = parents[0].tables.get(table) if parents else None
    if version is not None and version != before:
        until = before.tail if before else None
        for _, delta in view.reader.chain(version.tail, until, only)[::-1]:
            at, origins, when = _touched(delta.under(schema), column, places, rows)
            for parent in parents[1:]:
                kept = _same_there(view, parent, commit, table, column, keys, at)
                asked.setdefault(parent.name, np.zeros(len(keys), bool))[at[kept]] = True
                rows[at[kept]] = False
                at, origins, when = at[~kept], origins[~kept], when[~kept]
            numbers = np.array([blamed.number(o, commit.name) for o in delta.origins], np.int64)
            blamed.rows[at], times[at], rows[at] = numbers[origins], when, False
        if version.base is not None and (before is None or before.base != version.base):
            _blame_base(view, version, commit, table, column, keys, rows, blamed, times)
    if parents:
        earlier = asked.get(parents[0].name)
        asked[parents[0].name] = rows if earlier is None else earlier | rows


def _touched(delta: Delta, column: Column, places: _Places, rows: Any) -> tuple[Any, Any, Any]:
    """Which of the open rows a delta decides, and by whom and when."""
    nothing = np.zeros(0, np.int64)
    if column.id not in delta.columns:
        return nothing, nothing, nothing
    table = delta.table
    sets = table[f"{column.id}.set"].to_numpy() & (table["op"].to_numpy() != DELETE)
    at = places.find(one_chunk(table["key"]))
    chosen = np.flatnonzero(sets & (at >= 0) & rows[at])
    origin, when = (values.to_numpy()[chosen] for values in delta.decided(column.id))
    return at[chosen], origin, when


def _same_there(
    view: "View",
    parent: Commit,
    commit: Commit,
    table: str,
    column: Column,
    keys: pa.Array,
    at: Any,
) -> Any:
    """Which cells of a merge another parent of it has as they are. bool (N,)."""
    if table not in parent.tables or not len(at):
        return np.zeros(len(at), bool)
    cells = []
    for one in (parent, commit):
        snapshot = view.at(one, table)
        own = snapshot.schema.by_id(column.id)
        if own is None:
            return np.zeros(len(at), bool)
        found, held = snapshot.lookup(keys.take(pa.array(at)), [own.name])
        values = own.decode(held[own.id]).to_pylist()
        cells.append(list(zip(found.tolist(), values, strict=True)))
    return np.array([one == other for one, other in zip(*cells, strict=True)], bool)


def _blame_base(
    view: "View",
    version: TableVersion,
    commit: Commit,
    table: str,
    column: Column,
    keys: pa.Array,
    rows: Any,
    blamed: _Blamed,
    times: Any,
) -> None:
    base = view.reader.base(version.base or "")
    there = view.table_at(TableVersion(version.schema, version.base, None, base.rows))
    at = np.flatnonzero(rows)
    own = there.schema.by_id(column.id)
    found, held = there.lookup(keys.take(pa.array(at)), [own.name] if own else [])
    if own is not None:
        found = found & one_chunk(held[own.id]).is_valid().to_numpy(zero_copy_only=False)
    blamed.rows[at[found]] = blamed.number(base.origin, commit.name)
    times[at[found]] = base.at
    rows[at[found]] = False


def _told(read: pa.Table, key: str, name: str, blamed: _Blamed, times: Any) -> pa.Table:
    unknown = blamed.rows < 0
    codes = pa.array(blamed.rows, pa.int32(), mask=unknown)

    def words(values: list[str]) -> pa.Array:
        places: dict[str, int] = {}
        numbers = [places.setdefault(value, len(places)) for value in values]
        return pa.DictionaryArray.from_arrays(
            pa.array(numbers, pa.int32()).take(codes), pa.array(list(places), pa.string())
        )

    origins = [origin for origin, _ in blamed.decisions]
    return pa.table(
        {
            "key": read[key],
            "value": read[name],
            "by": words([origin.by for origin in origins]),
            "kind": words([origin.kind for origin in origins]),
            "source": words([origin.source for origin in origins]),
            "why": words([origin.why for origin in origins]),
            "at": pa.array(times, mask=unknown),
            "commit": words([commit for _, commit in blamed.decisions]),
        }
    )
