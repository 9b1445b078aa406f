"""Merging commits: what the tables and files of two become, over where they parted.

The same three-way serves merge, revert, cherry-pick and stash: each names a base, a side that is
brought in, and the commit that it is brought into."""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Literal

from sw2.repo.commits import Commit
from sw2.repo.history import between, merge_bases
from sw2.repo.view import CONFLICTS, View
from sw2.table import Column, Delta, Schema, TableVersion, compose
from sw2.table.merge import CellConflict, Decide, merge_deltas

Side = Literal["ours", "theirs"]


@dataclass(frozen=True)
class State:
    """Tables as a commit has them (None: no tables at all), with changes over them: the merge of
    several merge bases is no commit."""

    commit: Commit | None
    over: dict[str, Delta] = field(default_factory=dict)

    def version(self, table: str) -> TableVersion | None:
        return self.commit.tables.get(table) if self.commit else None


@dataclass(frozen=True)
class CombinedTable:
    """version: what the table is, where one side's can be taken as it is; else `delta` goes from
    ours to what the table becomes.  schema: what it becomes."""

    schema: Schema
    version: TableVersion | None = None
    delta: Delta | None = None
    joined: int = 0
    conflicts: tuple[CellConflict, ...] = ()


@dataclass(frozen=True)
class Combined:
    """files: paths and objects.  torn: files that both sides changed; they stay as ours."""

    tables: dict[str, CombinedTable]
    files: dict[str, str]
    torn: tuple[str, ...]

    @property
    def joined(self) -> int:
        return sum(table.joined for table in self.tables.values())


def base_of(view: View, ours: Commit, theirs: Commit) -> State | None:
    """Where two commits parted. Where branches were merged crosswise there are several such
    commits, and the base is their merge, in which a cell that they dispute is what it was before
    both: so it differs from either. None where the histories have nothing in common."""
    bases = merge_bases(view, ours, theirs)
    if not bases:
        return None
    state = State(bases[0])
    for other in bases[1:]:
        below = base_of(view, bases[0], other) or State(None)
        over = dict(state.over)
        for name in other.tables:
            merged = _table(view, below, state, other, name, "base", None)
            if merged.delta is not None:
                under = [over[name]] if name in over else []
                if (delta := compose([*under, merged.delta])) is not None:
                    over[name] = delta
        state = State(bases[0], over)
    return state


def combine(
    view: View, base: State, ours: Commit, theirs: Commit, prefer: Side | None = None
) -> Combined:
    """What `ours` becomes with all that `theirs` changed since `base`. prefer: the side that wins
    where a column has no rule of its own; None: people decide."""
    tables = {
        name: _table(view, base, State(ours), theirs, name, "ours", prefer)
        for name in theirs.tables
    }
    files, torn = dict(ours.files), []
    before = base.commit.files if base.commit else {}
    for path in sorted({*before, *theirs.files}):
        old, mine, other = before.get(path), ours.files.get(path), theirs.files.get(path)
        if other in (old, mine):
            continue
        if mine not in (old, other) and prefer is None:
            torn.append(path)
        elif other is None:
            files.pop(path, None)
        elif mine == old or prefer == "theirs":
            files[path] = other
    return Combined(tables, files, tuple(torn))


def _table(
    view: View,
    base: State,
    ours: State,
    theirs: Commit,
    name: str,
    undecided: Literal["ours", "base"],
    prefer: Side | None,
) -> CombinedTable:
    mine, other, was = ours.version(name), theirs.tables[name], base.version(name)
    untouched = not ours.over.get(name) and not base.over.get(name)
    schema = Schema.parse(view.store.get((mine or other).schema))
    if untouched and (mine is None or other in (mine, was)):
        return CombinedTable(schema, version=mine or other)
    changed_here = _since(view, base, ours, name)
    if changed_here is None and mine == was and _extends(view, mine, other):
        return CombinedTable(Schema.parse(view.store.get(other.schema)), version=other)
    changed_there = _since(view, base, State(theirs), name)
    decide = _decider(view, ours, theirs, name, prefer)
    merged = merge_deltas(schema, changed_here, changed_there, decide, undecided)
    return CombinedTable(schema, None, merged.delta, merged.joined, tuple(merged.conflicts))


def _since(view: View, base: State, side: State, name: str) -> Delta | None:
    """What a side changed since the base."""
    steps = [between(view, base.version(name), side.version(name)), side.over.get(name)]
    if (under := base.over.get(name)) is not None:
        steps.insert(0, under.inverse())
    return compose([step for step in steps if step is not None])


def _extends(view: View, old: TableVersion | None, new: TableVersion) -> bool:
    """Whether the chain of `new` goes on from `old`, so that `new` can stand in its place."""
    if old is None or old.base != new.base:
        return old is None
    tail = new.tail
    while tail is not None and tail != old.tail:
        tail = view.reader.delta(tail).parent
    return tail == old.tail


def _decider(view: View, ours: State, theirs: Commit, name: str, prefer: Side | None) -> Decide:
    rules: dict[str, Callable[[Column, CellConflict], Side | None]] = {
        "ask": lambda column, conflict: None,
        "ours": lambda column, conflict: "ours",
        "theirs": lambda column, conflict: "theirs",
        "latest": _latest,
        "higher-confidence": partial(_surer, view, ours, theirs, name),
        "majority": partial(_more, view, ours, theirs, name),
    }

    def decide(column: Column | None, conflict: CellConflict) -> Side | None:
        if name == CONFLICTS:
            # What one side has settled is settled; of other words about it, ours do.
            return "theirs" if conflict.kind == "edit/delete" else "ours"
        rule = "ask" if column is None else getattr(column, "merge", "ask")
        return (rules[rule](column, conflict) if column else None) or prefer

    return decide


def _latest(column: Column, conflict: CellConflict) -> Side | None:
    """The later decision; None where both are of the same millisecond."""
    if conflict.ours_at == conflict.theirs_at:
        return None
    return "ours" if conflict.ours_at > conflict.theirs_at else "theirs"


def _surer(
    view: View, ours: State, theirs: Commit, name: str, column: Column, conflict: CellConflict
) -> Side | None:
    """The side whose row has the higher number in `<column>_confidence`, or else `confidence`."""
    found = []
    for commit in (ours.commit, theirs):
        assert commit is not None  # a side that has the table is a commit
        snapshot = view.at(commit, name)
        wanted = (f"{column.name}_confidence", "confidence")
        own = next((n for n in wanted if n in snapshot.schema.names), None)
        if own is None:
            return None
        there, cells = snapshot.lookup([conflict.key], [own])
        found.append(cells[snapshot.schema.column(own).id][0].as_py() if there[0] else None)
    mine, other = (float("-inf") if value is None else float(value) for value in found)
    if mine == other:
        return None
    return "ours" if mine > other else "theirs"


def _more(
    view: View, ours: State, theirs: Commit, name: str, column: Column, conflict: CellConflict
) -> Side | None:
    """The value that more people gave the cell, of those who set it to either since its row came
    in; each counts once, with what they said last. None where it is a tie."""
    assert ours.commit is not None  # a side that has the table is a commit
    said: dict[str, Any] = {}
    voices = [
        (at, by, value)
        for commit in (ours.commit, theirs)
        for at, by, value in _voices(view, commit.tables[name], column, conflict.key)
    ]
    for _, by, value in sorted(voices, key=lambda voice: voice[0]):
        said[by] = value
    counts = Counter(json.dumps(value) for value in said.values())
    mine, other = (counts[json.dumps(value)] for value in (conflict.ours, conflict.theirs))
    if mine == other:
        return None
    return "ours" if mine > other else "theirs"


def _voices(
    view: View, version: TableVersion, column: Column, key: int | str
) -> Iterator[tuple[int, str, Any]]:
    """(when, who, stored cell) of each time that a cell was set."""
    for _, delta in view.reader.chain(version.tail):
        if column.id not in delta.columns:
            continue
        rows = delta.only([key])
        if rows is not None and rows.table[f"{column.id}.set"][0].as_py():
            origin, at = (values[0].as_py() for values in rows.decided(column.id))
            yield at, rows.origins[origin].by, rows.table[f"{column.id}.new"][0].as_py()


def since_parent(view: View, commit: Commit) -> State:
    """What a commit stands on: its first parent, or nothing."""
    return State(view.load_commit(commit.parents[0]) if commit.parents else None)


def told_of(delta: Delta | None, **origin: Any) -> Delta | None:
    """A delta with other words about who decided it."""
    if delta is None:
        return None
    return replace(delta, origins=tuple(replace(o, **origin) for o in delta.origins))
