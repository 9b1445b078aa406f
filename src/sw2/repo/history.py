"""Reading history: revisions, log, diff and the past of a cell."""

import re
from typing import TYPE_CHECKING

from sw2.errors import NotFound
from sw2.repo.changes import CellChange, Changes, cell_changes, changes_of
from sw2.repo.commits import Commit
from sw2.repo.stage import staged_delta
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

SHORTEST = 4


def resolve(repository: "View", rev: str) -> Commit:
    """The commit that `rev` names. Raises NotFound, telling what there is."""
    match = re.fullmatch(r"(.+?)(?:~(\d*))?", rev)
    name, steps = (match[1], match[2]) if match else (rev, None)
    commit = repository.load_commit(_start(repository, name))
    for _ in range(0 if steps is None else int(steps or 1)):
        if not commit.parents:
            raise NotFound(f"`{rev}` is before the first commit", hint="See `sw2 log`")
        commit = repository.load_commit(commit.parents[0])
    return commit


def _start(repository: "View", name: str) -> str:
    if name in ("HEAD", "@"):
        if repository.head is None:
            raise NotFound("nothing is committed yet", hint="Run `sw2 commit -m MESSAGE`")
        return repository.head
    refs = repository.state.refs()
    if name in refs:
        return refs[name]
    if re.fullmatch(f"[0-9a-f]{{{SHORTEST},64}}", name) and repository.head:
        found = [c.name for c in log(repository, None, "HEAD") if c.name.startswith(name)]
        if len(found) == 1:
            return found[0]
        if found:
            raise NotFound(
                f"`{name}` is the beginning of {len(found)} commits", hint="Give more digits"
            )
    raise NotFound(
        f"there is no revision `{name}`", hint="See `sw2 log`; branches: " + ", ".join(refs)
    )


def log(repository: "View", limit: int | None, rev: str) -> list[Commit]:
    commits: list[Commit] = []
    if rev == "HEAD" and repository.head is None:
        return commits
    commit = resolve(repository, rev)
    while limit is None or len(commits) < limit:
        commits.append(commit)
        if not commit.parents:
            break
        commit = repository.load_commit(commit.parents[0])
    return commits


def diff(repository: "View", old: str | None, new: str, table: str) -> Changes:
    newer = resolve(repository, new)
    older = resolve(repository, old) if old is not None else None
    after = newer.tables.get(table)
    before = older.tables.get(table) if older else None
    if before is not None and after is not None and before.base == after.base:
        schemas = [Schema.parse(repository.store.get(v.schema)) for v in (before, after)]
        return changes_of(between(repository, before, after), schemas[1], before=schemas[0])
    # Bases differ where one side has no rows yet.
    held, had = _keys(repository, newer, table), _keys(repository, older, table)
    return Changes(
        inserted=[key for key in held if key not in had],
        deleted=[key for key in had if key not in held],
    )


def _keys(repository: "View", commit: Commit | None, table: str) -> dict[int | str, None]:
    """The keys of a table at a commit, in order; none where it has no such table."""
    if commit is None or table not in commit.tables:
        return {}
    snapshot = repository.at(commit, table)
    return dict.fromkeys(snapshot.read([snapshot.schema.key])[0].to_pylist())


def between(repository: "View", old: TableVersion, new: TableVersion) -> Delta | None:
    """One delta from `old` to `new`, which stand on one base: back to where their chains part,
    then forward."""
    back, forward = repository.reader.chain(old.tail), repository.reader.chain(new.tail)
    shared = 0
    for (one, _), (other, _) in zip(back, forward, strict=False):
        if one != other:
            break
        shared += 1
    undone = [delta.inverse() for _, delta in back[shared:][::-1]]
    return compose(undone + [delta for _, delta in forward[shared:]])


def of_cell(repository: "View", key: int | str, name: str, table: str) -> list[CellChange]:
    column = repository.schema(table).column(name)
    found: list[CellChange] = []
    for action in repository.state.actions():
        if action.table == table and (delta := staged_delta(action, repository.reader)):
            found = _of(delta, column, key, None) + found
        if action.table == table and action.base is not None:
            found = _from_base(repository, None, action.base, table, column, key) + found
    for commit in log(repository, None, "HEAD"):
        version = commit.tables.get(table)
        parent = repository.load_commit(commit.parents[0]) if commit.parents else None
        before = parent.tables.get(table) if parent else None
        if version is None or version == before:
            continue
        for _, delta in repository.reader.chain(version.tail, before.tail if before else None)[
            ::-1
        ]:
            found += _of(delta, column, key, commit.name)
        if version.base and (before is None or before.base != version.base):
            found += _from_base(repository, commit.name, version.base, table, column, key)
    return found


def _of(delta: Delta, column: Column, key: int | str, commit: str | None) -> list[CellChange]:
    if column.id not in delta.columns:
        return []
    changes = cell_changes(delta, column, commit, ops=(EDIT, INSERT, DELETE))
    return [change for change in changes if change.key == key and change.old != change.new]


def _from_base(
    repository: "View",
    commit: str | None,
    name: str,
    table: str,
    column: Column,
    key: int | str,
) -> list[CellChange]:
    base = repository.reader.base(name)
    schema = repository.schema(table)
    found, cells = Snapshot(repository.reader, schema, base).lookup([key], [column.name])
    value = column.decode(cells[column.id])[0].as_py() if found[0] else None
    if value is None:
        return []
    return [CellChange(key, column.name, None, value, base.origin, base.at, commit)]
