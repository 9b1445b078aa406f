"""Reading history: log, what lies between two versions, and the past of a cell."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from heapq import heapify, heappop, heappush
from itertools import islice
from typing import TYPE_CHECKING

from sw2.repo.changes import CellChange, Changes, cell_changes, changes_of
from sw2.repo.commits import Commit
from sw2.repo.revisions import ancestors, resolve
from sw2.repo.stage import Staged, staged_delta
from sw2.table import (
    DELETE,
    EDIT,
    INSERT,
    Column,
    Delta,
    Schema,
    Snapshot,
    TableVersion,
    compose,
)

if TYPE_CHECKING:
    from sw2.repo.view import View


@dataclass(frozen=True, slots=True)
class Only:
    """Which commits a log tells. table, path: that changed this table or small file.  author: with
    this in the author's name.  since, until: ms since 1970.  first_parent: not what was merged."""

    table: str | None = None
    path: str | None = None
    author: str | None = None
    since: int | None = None
    until: int | None = None
    first_parent: bool = False


def log(view: "View", limit: int | None, rev: str, only: Only = Only()) -> list[Commit]:
    """Commits that a revision leads to, newest first; of `A..B` those of B that A lacks."""
    if rev == "HEAD" and view.head is None:
        return []
    old, dots, new = rev.partition("..")
    tip = resolve(view, (new or "HEAD") if dots else rev)
    found = _first_parents(view, tip) if only.first_parent else ancestors(view, [tip.name])
    if dots:
        known = {c.name for c in ancestors(view, [resolve(view, old or "HEAD").name])}
        found = (commit for commit in found if commit.name not in known)
    return list(islice((c for c in found if _wanted(view, c, only)), limit))


def _first_parents(view: "View", commit: Commit) -> Iterator[Commit]:
    yield commit
    while commit.parents:
        commit = view.load_commit(commit.parents[0])
        yield commit


def _wanted(view: "View", commit: Commit, only: Only) -> bool:
    if only.author and only.author.lower() not in commit.author.lower():
        return False
    if (only.since and commit.at < only.since) or (only.until and commit.at > only.until):
        return False
    if only.table is None and only.path is None:
        return True
    parents = [view.load_commit(name) for name in commit.parents]
    if only.table and all(
        p.tables.get(only.table) != commit.tables.get(only.table) for p in parents
    ):
        return bool(parents) or only.table in commit.tables
    if only.path and all(p.files.get(only.path) != commit.files.get(only.path) for p in parents):
        return bool(parents) or only.path in commit.files
    return False


def diff(view: "View", old: str | None, new: str, table: str) -> Changes:
    """What changed from one commit to another; of `A...B` from where they parted to B."""
    newer = resolve(view, new)
    older = resolve(view, old) if old is not None else None
    before = older.tables.get(table) if older else None
    after = newer.tables.get(table)
    schemas = [Schema.parse(view.store.get(v.schema)) if v else None for v in (before, after)]
    if after is None or schemas[1] is None:
        gone = between(view, before, after)
        return changes_of(gone, schemas[0] or Schema(table, "", ()))
    return changes_of(between(view, before, after), schemas[1], before=schemas[0])


def between(view: "View", old: TableVersion | None, new: TableVersion | None) -> Delta | None:
    """One delta from `old` to `new`: back to where their chains part, then forward. None where a
    table is not there yet. Reads no segment, unless they stand on different bases."""
    if old is not None and new is not None and old.base == new.base:
        back, forward = _apart(view, old.tail, new.tail)
        return compose([delta.inverse() for delta in back] + forward[::-1])
    deltas = []
    if old is not None and (everything := view.table_at(old).everything()) is not None:
        deltas.append(everything.inverse())
    if new is not None and (everything := view.table_at(new).everything()) is not None:
        deltas.append(everything)
    return compose(deltas)


def _apart(view: "View", one: str | None, other: str | None) -> tuple[list[Delta], list[Delta]]:
    """The deltas of two chains down to the one they share, newest first. Both are walked at once,
    so that it costs what lies between and not how long they are."""
    reader = view.reader
    tails = [one, other]
    walked: list[dict[str | None, list[Delta]]] = [{one: []}, {other: []}]
    deltas: list[list[Delta]] = [[], []]
    while True:
        for side in (0, 1):
            if tails[side] in walked[1 - side]:
                found = [deltas[0], deltas[1]]
                found[1 - side] = walked[1 - side][tails[side]]
                return found[0], found[1]
        for side in (0, 1):
            tail = tails[side]
            if tail is not None:
                delta = reader.delta(tail)
                deltas[side].append(delta)
                tails[side] = delta.parent
                walked[side][delta.parent] = list(deltas[side])


def of_cell(view: "View", key: int | str, name: str, table: str) -> list[CellChange]:
    """Every change of one cell, newest first."""
    column = view.schema(table).column(name)
    found: list[CellChange] = []
    for action in view.state.actions():
        if action.table == table and (delta := staged_delta(action, view.reader)):
            found = _of(delta, column, key, None) + found
        if action.table == table and action.base is not None:
            found = _from_base(view, None, action.base, table, column, key) + found
    commit = view.commit_of("HEAD") if view.head else None
    while commit is not None:
        changes = _made_by(view, commit, table, column, key)
        merged = _merged_from(view, commit, table, column, key) if changes else None
        if merged is None:
            found += changes
        following = merged or next(iter(commit.parents), None)
        commit = view.load_commit(following) if following else None
    return found


def _made_by(
    view: "View", commit: Commit, table: str, column: Column, key: int | str
) -> list[CellChange]:
    """What a commit did to a cell, against its first parent, newest first."""
    version, before = commit.tables.get(table), None
    if commit.parents:
        before = view.load_commit(commit.parents[0]).tables.get(table)
    if version is None or version == before:
        return []
    found = []
    for _, delta in view.reader.chain(version.tail, before.tail if before else None)[::-1]:
        found += _of(delta, column, key, commit.name)
    if version.base and (before is None or before.base != version.base):
        found += _from_base(view, commit.name, version.base, table, column, key)
    return found


def _merged_from(
    view: "View", commit: Commit, table: str, column: Column, key: int | str
) -> str | None:
    """The other parent of a merge that has the cell as the merge has it, if any."""
    for name in commit.parents[1:]:
        if cell_at(view, view.load_commit(name), table, column, key) == cell_at(
            view, commit, table, column, key
        ):
            return name
    return None


def cell_at(
    view: "View", commit: Commit, table: str, column: Column, key: int | str
) -> tuple[bool, object]:
    """Whether a row is there at a commit, and its cell."""
    if table not in commit.tables:
        return False, None
    snapshot = view.at(commit, table)
    own = snapshot.schema.by_id(column.id)
    found, cells = snapshot.lookup([key], [own.name] if own else [])
    value = own.decode(cells[own.id])[0].as_py() if own and found[0] else None
    return bool(found[0]), value


def _of(delta: Delta, column: Column, key: int | str, commit: str | None) -> list[CellChange]:
    if column.id not in delta.columns:
        return []
    changes = cell_changes(delta, column, commit, ops=(EDIT, INSERT, DELETE))
    return [change for change in changes if change.key == key and change.old != change.new]


def _from_base(
    view: "View", commit: str | None, name: str, table: str, column: Column, key: int | str
) -> list[CellChange]:
    base = view.reader.base(name)
    found, cells = Snapshot(view.reader, view.schema(table), base).lookup([key], [column.name])
    value = column.decode(cells[column.id])[0].as_py() if found[0] else None
    if value is None:
        return []
    return [CellChange(key, column.name, None, value, base.origin, base.at, commit)]


def merge_bases(view: "View", ours: Commit, theirs: Commit) -> list[Commit]:
    """The best common ancestors of two commits: those that are no ancestor of another. More than
    one where branches were merged crosswise; none where the histories have nothing in common.

    Walks no further back than it must. Source: `paint_down_to_common` of git's commit-reach.c."""
    from_ours, from_theirs, stale = 1, 2, 4
    flags = {ours.name: from_ours}
    flags[theirs.name] = flags.get(theirs.name, 0) | from_theirs
    waiting = [
        (-commit.at, commit.name, commit) for commit in {c.name: c for c in (ours, theirs)}.values()
    ]
    heapify(waiting)
    found: dict[str, Commit] = {}
    while any(not flags[name] & stale for _, name, _ in waiting):
        _, _, commit = heappop(waiting)
        painted = flags[commit.name]
        if painted == from_ours | from_theirs:
            found[commit.name] = commit
            painted |= stale
        for name in commit.parents:
            if flags.get(name, 0) | painted != flags.get(name, 0):
                flags[name] = flags.get(name, 0) | painted
                parent = view.load_commit(name)
                heappush(waiting, (-parent.at, name, parent))
    best = [commit for commit in found.values() if not flags[commit.name] & stale]
    return [c for c in best if not any(c != d and is_before(view, c, d) for d in best)]


def is_before(view: "View", old: Commit, new: Commit) -> bool:
    """Whether `old` is `new` or one of its ancestors. A commit is never older than its parents."""
    for commit in ancestors(view, [new.name]):
        if commit.name == old.name:
            return True
        if commit.at < old.at:
            return False
    return False


def rebased(stage: Staged, below: TableVersion | None, view: "View") -> Staged:
    """The same table as a change over an older version, as an amended commit writes it."""
    held = stage.version
    assert held is not None  # else there would be nothing to amend
    base_name = stage.base_name or (held.base if below is None or held.base != below.base else None)
    if base_name is not None:
        below = None
        deltas = [delta for _, delta in view.reader.chain(held.tail)]
    else:
        deltas = [d for d in [between(view, below, held)] if d is not None]
    return replace(
        stage,
        version=below,
        schema_name=stage.schema_name or (held.schema if below != held else None),
        base=view.reader.base(base_name) if base_name else None,
        base_name=base_name,
        delta=compose([*deltas, stage.delta] if stage.delta else deltas),
    )
