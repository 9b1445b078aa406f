"""Merging commits: what the tables and files of two become, over where they parted.

The same three-way serves merge, revert, cherry-pick and stash: each names a base, a side that is
brought in, and the commit that it is brought into."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Literal

import pyarrow as pa

from sw2.repo.commits import Commit
from sw2.repo.history import Between, between
from sw2.repo.ledger import CONFLICTS
from sw2.repo.log import merge_bases
from sw2.repo.view import View
from sw2.table import Column, Delta, Schema, TableVersion, compose
from sw2.table.merge import CellConflict, Decide, merge_deltas
from sw2.table.schema_merge import SchemaConflict, joint, merge_schemas

Side = Literal["ours", "theirs"]


@dataclass(frozen=True)
class State:
    """Tables as a commit has them (None: no tables at all), with changes over them and the schemas
    that those are read by: the merge of several merge bases is no commit."""

    commit: Commit | None
    over: dict[str, Between] = field(default_factory=dict)

    def version(self, table: str) -> TableVersion | None:
        return self.commit.tables.get(table) if self.commit else None

    def schema(self, view: View, table: str) -> Schema | None:
        if table in self.over:
            return self.over[table].schema
        version = self.version(table)
        return view.schema_of(version) if version else None


@dataclass(frozen=True)
class CombinedTable:
    """version: what the table is, where one side's can be taken as it is; `delta` goes from there,
    or else from ours, to what the table becomes.  schema: what it becomes.  disputed: what both
    sides did to a column or its labels, where ours is kept."""

    schema: Schema
    version: TableVersion | None = None
    delta: Delta | None = None
    joined: int = 0
    conflicts: tuple[CellConflict, ...] = ()
    disputed: tuple[SchemaConflict, ...] = ()


@dataclass(frozen=True)
class Combined:
    """files: paths and objects.  torn: files that both sides changed; they stay as ours."""

    tables: dict[str, CombinedTable]
    files: dict[str, str]
    torn: tuple[str, ...]

    @property
    def joined(self) -> int:
        return sum(table.joined for table in self.tables.values())


@dataclass(frozen=True)
class Rules:
    """prefer: the side that wins where a column has no rule of its own; None: people decide.
    undecided: whose cells stay meanwhile.  schemas: whether columns and labels are merged too, or
    stay as ours has them."""

    prefer: Side | None = None
    undecided: Literal["ours", "base"] = "ours"
    schemas: bool = True


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
            merged = _table(view, below, state, other, name, Rules(undecided="base"))
            if merged.version is None:
                deltas = [over[name].delta if name in over else None, merged.delta]
                over[name] = Between(_composed(deltas), merged.schema)
            elif merged.version != state.version(name):
                over[name] = between(view, state.version(name), merged.version)
        state = State(bases[0], over)
    return state


def combine(
    view: View, base: State, ours: Commit, theirs: Commit, rules: Rules = Rules()
) -> Combined:
    """What `ours` becomes with all that `theirs` changed since `base`."""
    tables = {
        name: _table(view, base, State(ours), theirs, name, rules)
        for name in theirs.tables
        if rules.schemas or name in ours.tables
    }
    files, torn = dict(ours.files), []
    before = base.commit.files if base.commit else {}
    for path in sorted({*before, *theirs.files}):
        old, mine, other = before.get(path), ours.files.get(path), theirs.files.get(path)
        if other in (old, mine):
            continue
        if mine not in (old, other) and rules.prefer is None:
            torn.append(path)
        elif other is None:
            files.pop(path, None)
        elif mine == old or rules.prefer == "theirs":
            files[path] = other
    return Combined(tables, files, tuple(torn))


def _table(
    view: View, base: State, ours: State, theirs: Commit, name: str, rules: Rules
) -> CombinedTable:
    mine, other, was = ours.version(name), theirs.tables[name], base.version(name)
    plain = name not in ours.over and name not in base.over
    if plain and (mine is None or other in (mine, was)):
        return CombinedTable(view.schema_of(mine or other), version=mine or other)
    keeps = rules.schemas or (mine is not None and mine.schema == other.schema)
    if plain and keeps and mine == was and _extends(view, mine, other):
        return CombinedTable(view.schema_of(other), version=other)
    here = _since(view, base, ours, name)
    there = _since(view, base, State(theirs), name)
    own = ours.schema(view, name)
    assert own is not None  # one of the first two ways was taken else
    # Where columns stay as they are, theirs are taken for what they came from.
    start = base.schema(view, name) if rules.schemas else there.schema
    merge = merge_schemas(start, own, there.schema)
    merged = merge_deltas(
        merge.schema,
        here.delta.under(merge.schema) if here.delta else None,
        merge.take(there.delta) if there.delta else None,
        _decider(view, ours, theirs, name, rules.prefer),
        rules.undecided,
    )
    disputed = () if rules.prefer else tuple(merge.conflicts)
    conflicts = tuple(merged.conflicts)
    return CombinedTable(merge.schema, None, merged.delta, merged.joined, conflicts, disputed)


def _since(view: View, base: State, side: State, name: str) -> Between:
    """What a side changed since the base, by the side's labels and what it has no more."""
    apart = between(view, base.version(name), side.version(name))
    if name in base.over:
        under, merge = base.over[name], joint(apart.schema, base.over[name].schema)
        back = merge.take(under.delta).inverse() if under.delta else None
        forward = apart.delta.under(merge.schema) if apart.delta else None
        apart = Between(_composed([back, forward]), merge.schema)
    if name in side.over:
        over = side.over[name]
        forward = apart.delta.under(over.schema) if apart.delta else None
        apart = Between(_composed([forward, over.delta]), over.schema)
    return apart


def _composed(deltas: Iterable[Delta | None]) -> Delta | None:
    return compose([delta for delta in deltas if delta is not None])


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
        rule = "ask" if column is None else column.merge
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
    counts = Counter(map(str, said.values()))
    cells = column.decode(pa.array([conflict.ours, conflict.theirs], column.stored)).to_pylist()
    mine, other = (counts[str(value)] for value in cells)
    if mine == other:
        return None
    return "ours" if mine > other else "theirs"


def _voices(
    view: View, version: TableVersion, column: Column, key: int | str
) -> Iterator[tuple[int, str, Any]]:
    """(when, who, what) of each time that a cell was set, as people see it: labels may have other
    numbers on another branch."""
    schema = view.schema_of(version)
    own = schema.by_id(column.id)
    for _, delta in view.reader.chain(version.tail) if own else ():
        only = delta.only([key])
        rows = only.under(schema) if only else None
        if own is None or rows is None or own.id not in rows.columns:
            continue
        if rows.table[f"{own.id}.set"][0].as_py():
            origin, at = (values[0].as_py() for values in rows.decided(own.id))
            value = own.decode(rows.table[f"{own.id}.new"])[0].as_py()
            yield at, rows.origins[origin].by, value


def since_parent(view: View, commit: Commit) -> State:
    """What a commit stands on: its first parent, or nothing."""
    return State(view.load_commit(commit.parents[0]) if commit.parents else None)
