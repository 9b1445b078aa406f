"""Blame of a whole column: who decided each cell, when, from what, and in which commit."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from sw2.repo.commits import Commit
from sw2.repo.revisions import ancestors
from sw2.table import Column, Decided, Schema, TableVersion, find, one_chunk, parse_decided
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


# Deltas whose rows are looked up together, for to look up 200 takes no longer than to ask for it.
TOGETHER = 64


@dataclass
class _Blamed:
    """For each row who decided it, as a number into `decisions`, -1 while not known, and when."""

    places: _Places
    rows: Any
    times: Any
    decisions: dict[tuple[Origin, str], int] = field(default_factory=dict)

    def numbers(self, origins: Sequence[Origin], commit: str) -> Any:
        known = self.decisions
        numbers = [known.setdefault((origin, commit), len(known)) for origin in origins]
        return np.array(numbers, np.int64)


@dataclass
class _Line:
    """A line of history that is followed back.  rows: those not settled, bool (N,).  waiting: what
    the deltas passed so far decided, with who as numbers into all decisions, newest first."""

    rows: Any
    waiting: list[tuple[pa.Array, Any, Any]] = field(default_factory=list)

    def settle(self, blamed: _Blamed) -> None:
        """The newest word on a row that is not settled stands."""
        if not self.waiting:
            return
        keys, numbers, times = zip(*self.waiting[::-1], strict=True)
        self.waiting = []
        at = blamed.places.find(pa.concat_arrays(keys))
        chosen = (at >= 0) & self.rows[at]
        at = at[chosen]
        # Of a row that comes several times the last one stays, which is the newest.
        blamed.rows[at] = np.concatenate(numbers)[chosen]
        blamed.times[at] = np.concatenate(times)[chosen]
        self.rows[at] = False


def blame_column(view: "View", name: str, rev: str, table: str) -> pa.Table:
    """Of each row at a revision, in key order: key, value, by, kind, source, why, at (ms since
    1970), commit. A merged cell is told of the commit that set it, not of the merge. Null where
    nobody decided the cell."""
    tip = view.commit_of(rev)
    snapshot = view.at(tip, table)
    key = snapshot.schema.key
    read = snapshot.read([key, name])
    keys = one_chunk(read[key])
    count = len(keys)
    blamed = _Blamed(_Places(keys), np.full(count, -1, np.int32), np.zeros(count, np.int64))
    walk = _Walk(view, table, snapshot.schema, snapshot.schema.column(name), blamed)
    walk.lines[tip.name] = _Line(np.ones(count, bool))
    for commit in ancestors(view, [tip.name]):
        line = walk.lines.pop(commit.name, None)
        if line is not None and line.rows.any():
            walk.through(commit, line)
    # Where clocks went back, a commit may have been passed before a line came to it.
    for line in walk.lines.values():
        line.settle(blamed)
    return _told(read, key, name, blamed)


@dataclass
class _Walk:
    """Back through history.  lines: by the commit that they come to next."""

    view: "View"
    table: str
    schema: Schema
    column: Column
    blamed: _Blamed
    lines: dict[str, _Line] = field(default_factory=dict)

    def through(self, commit: Commit, line: _Line) -> None:
        """Settles the rows that `commit` decided, and hands the others to its parents."""
        version = commit.tables.get(self.table)
        parents = [self.view.load_commit(parent) for parent in commit.parents]
        before = parents[0].tables.get(self.table) if parents else None
        if version is not None and version != before:
            until = before.tail if before else None
            for each in _decided(self.view, version.tail, until, self.schema, self.column):
                self._take(each, commit, parents[1:], line)
            if version.base is not None and (before is None or before.base != version.base):
                line.settle(self.blamed)
                self._take_base(version, commit, line.rows)
        if not parents or len(line.waiting) >= TOGETHER:
            line.settle(self.blamed)
        if parents:
            self._hand(parents[0].name, line)

    def _hand(self, parent: str, line: _Line) -> None:
        other = self.lines.get(parent)
        if other is not None:
            for each in (line, other):
                each.settle(self.blamed)
            line = _Line(line.rows | other.rows)
        self.lines[parent] = line

    def _take(self, each: Decided, commit: Commit, others: list[Commit], line: _Line) -> None:
        """What a delta decided; other parents are asked for the cells that they have as well."""
        keys, by, when = each.keys, each.by, each.at
        if others and len(keys):
            line.settle(self.blamed)
            at = self.blamed.places.find(keys)
            here = (at >= 0) & line.rows[at]
            for parent in others:
                kept = here.copy()
                kept[here] = _same_there(
                    self.view, parent, commit, self.table, self.column, keys.filter(pa.array(here))
                )
                rows = np.zeros(len(line.rows), bool)
                rows[at[kept]] = True
                self._hand(parent.name, _Line(rows))
                line.rows[at[kept]] = False
                here &= ~kept
            keys, by, when = keys.filter(pa.array(here)), by[here], when[here]
        if len(keys):
            numbers = self.blamed.numbers(each.origins, commit.name)
            line.waiting.append((keys, numbers[by], when))

    def _take_base(self, version: TableVersion, commit: Commit, rows: Any) -> None:
        view, blamed = self.view, self.blamed
        base, schema = view.reader.base(version.base or ""), view.schema_of(version)
        own, key = schema.by_id(self.column.id), schema.key_column
        held = view.reader.columns(base, [key, own] if own else [key])
        held_keys, keys, at = one_chunk(held[key.id]), blamed.places.keys, np.flatnonzero(rows)
        # Most often the keys are those of the base still.
        found = at if held_keys.equals(keys) else find(held_keys, keys.take(pa.array(at)))
        at, found = at[found >= 0], found[found >= 0]
        if own is not None:
            there = one_chunk(held[own.id]).is_valid().to_numpy(zero_copy_only=False)
            at = at[there[found]]
        blamed.rows[at] = blamed.numbers([base.origin], commit.name)[0]
        blamed.times[at] = base.at
        rows[at] = False


def _decided(
    view: "View", tail: str | None, until: str | None, schema: Schema, column: Column
) -> Iterator[Decided]:
    """Who decided what in the deltas after `until` up to `tail`, newest first."""
    while tail is not None and tail != until:
        found = parse_decided(view.store.get(tail), column, schema)
        yield found
        tail = found.parent


def _same_there(
    view: "View", parent: Commit, commit: Commit, table: str, column: Column, keys: pa.Array
) -> Any:
    """Which cells of a merge another parent of it has as they are. bool (N,)."""
    if table not in parent.tables or not len(keys):
        return np.zeros(len(keys), bool)
    cells = []
    for one in (parent, commit):
        snapshot = view.at(one, table)
        own = snapshot.schema.by_id(column.id)
        if own is None:
            return np.zeros(len(keys), bool)
        found, held = snapshot.lookup(keys, [own.name])
        values = own.decode(held[own.id]).to_pylist()
        cells.append(list(zip(found.tolist(), values, strict=True)))
    return np.array([one == other for one, other in zip(*cells, strict=True)], bool)


def _told(read: pa.Table, key: str, name: str, blamed: _Blamed) -> pa.Table:
    unknown = blamed.rows < 0
    codes = pa.array(blamed.rows, mask=unknown)

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
            "at": pa.array(blamed.times, mask=unknown),
            "commit": words([commit for _, commit in blamed.decisions]),
        }
    )
