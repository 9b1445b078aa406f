"""The check of a whole repository: every byte, every link. Changes nothing."""

from collections.abc import Iterator
from dataclasses import dataclass

import pyarrow.compute as pc

from sw2.errors import Sw2Error
from sw2.progress import Event, Progress, silent
from sw2.repo.commits import Commit
from sw2.repo.stage import staged_delta
from sw2.repo.view import View
from sw2.table import MEDIA_TYPES, Schema, Snapshot


@dataclass(frozen=True, slots=True)
class Fault:
    """where: a pack, object, commit, branch or row.  what: the damage, in words."""

    where: str
    what: str


def fsck(repository: View, progress: Progress = silent) -> list[Fault]:
    """Everything that is wrong with a repository; empty when it is sound.

    Checked: the database; each object against its name; each branch, commit, schema, base,
    segment, delta and small file; each picture that any version mentions; each staged action."""
    faults: list[Fault] = []
    for done, fault in enumerate(_all(repository)):
        progress(Event("checking", done, message=fault.where))
        faults.append(fault)
    return list(dict.fromkeys(faults))


def _all(repository: View) -> Iterator[Fault]:
    try:
        yield from (Fault("state.sqlite", text) for text in repository.state.check())
        branches = repository.state.refs()
        if branches and repository.branch not in branches:
            yield Fault("state.sqlite", f"there is no branch `{repository.branch}`")
    except Sw2Error as error:
        yield Fault("state.sqlite", error.message)
        branches = {}
    yield from (Fault(fault.where, fault.what) for fault in repository.store.verify())
    seen: set[str] = set()
    for branch, target in branches.items():
        yield from _history(repository, branch, target, seen)
    try:
        yield from _stage(repository)
    except Sw2Error as error:
        yield Fault("stage", error.message)


def _history(repository: View, branch: str, name: str, seen: set[str]) -> Iterator[Fault]:
    waiting, where = [name], f"branch {branch}"
    commits: list[Commit] = []
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        try:
            commits.append(repository.load_commit(name))
        except Sw2Error as error:
            yield Fault(where, f"commit {name[:10]}: {error.message}")
            continue
        where = f"commit {commits[-1].short}"
        waiting.extend(commits[-1].parents)
    # Oldest first, so that each chain of deltas extends the one read before it.
    for commit in reversed(commits):
        yield from _commit(repository, commit)


def _commit(repository: View, commit: Commit) -> Iterator[Fault]:
    where = f"commit {commit.short}"
    for path, name in commit.files.items():
        if not repository.store.has(name):
            yield Fault(where, f"file `{path}` is not in the store")
    for table, version in commit.tables.items():
        try:
            snapshot = repository.at(commit, table)
            if snapshot.rows != version.rows:
                yield Fault(where, f"table `{table}` has {snapshot.rows} rows, not {version.rows}")
            yield from _cells(repository, snapshot)
        except Sw2Error as error:
            yield Fault(where, f"table `{table}`: {error.message}")


def _cells(repository: View, snapshot: Snapshot) -> Iterator[Fault]:
    """Pictures that are not there. Raises Damaged where a cell has no label."""
    schema = snapshot.schema
    media = [column for column in schema.columns if column.type in MEDIA_TYPES]
    # Reading every column also proves that every segment decodes.
    rows = snapshot.stored()
    for column in schema.columns:
        if column.has_labels:
            column.decode(rows[column.id])
    for column in media:
        names = rows[column.id]
        for name in pc.unique(names).to_pylist():
            if name is not None and not repository.store.has(name.hex()):
                at = pc.index(names, name).as_py()
                key = rows[schema.key_column.id][at].as_py()
                yield Fault(f"row {key}", f"{column.name} {name.hex()[:12]} is not in the store")


def _stage(repository: View) -> Iterator[Fault]:
    for action in repository.state.actions():
        try:
            staged_delta(action, repository.reader)
            if action.schema is not None:
                Schema.parse(repository.store.get(action.schema))
        except Sw2Error as error:
            yield Fault(f"staged edit {action.id}", f"{action.label}: {error.message}")
    for table in repository.tables():
        try:
            yield from _cells(repository, repository.snapshot(table=table))
        except Sw2Error as error:
            yield Fault("stage", f"table `{table}`: {error.message}")
