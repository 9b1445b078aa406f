"""Commits out of commits: merge, revert, cherry-pick, stash, and the staging of what they bring."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import pyarrow as pa

from sw2.errors import Conflict, InvalidInput, NotFound
from sw2.repo import files
from sw2.repo.commits import Commit, encode_commit
from sw2.repo.conflicts import conflict_rows, conflict_schema
from sw2.repo.history import between
from sw2.repo.ledger import CONFLICTS
from sw2.repo.log import is_before
from sw2.repo.merging import (
    Combined,
    CombinedTable,
    Rules,
    Side,
    State,
    base_of,
    combine,
    since_parent,
)
from sw2.repo.revisions import STASH, branches
from sw2.repo.stage import counts_of
from sw2.store import ObjectWriter
from sw2.table import Delta, Schema, TableVersion, compose
from sw2.values import Origin, now_ms

if TYPE_CHECKING:
    from sw2.repo.repository import Repository

How = Literal["up to date", "fast-forward", "merge", "revert", "cherry-pick", "unstash"]


@dataclass(frozen=True, slots=True)
class MergeReport:
    """commit: what the branch points to now.  conflicts: rows that wait for a decision.  joined:
    rows that both sides changed, of which both changes are kept.  changed: by table, rows edited,
    inserted and deleted on this side."""

    how: How
    commit: Commit
    conflicts: int = 0
    joined: int = 0
    changed: dict[str, tuple[int, int, int]] | None = None


def merge(
    repository: "Repository",
    rev: str,
    author: str,
    message: str | None = None,
    prefer: Side | None = None,
    fast_forward: bool = True,
) -> MergeReport:
    """Brings what `rev` has into the branch. Where nobody can decide, ours stays and a row of
    `conflicts` waits. Raises InvalidInput when edits are staged, NotFound for another history,
    Conflict where a protected branch would get open conflicts."""
    with repository.state.transaction():
        ours, theirs = _clean_head(repository, "merge"), repository.commit_of(rev)
        if is_before(repository, theirs, ours):
            return MergeReport("up to date", ours)
        if fast_forward and is_before(repository, ours, theirs):
            advance(repository, ours, theirs, f"merge {rev}: fast-forward")
            return MergeReport("fast-forward", theirs)
        base = base_of(repository, ours, theirs)
        if base is None:
            raise NotFound(
                f"`{rev}` and `{repository.branch}` have no commit in common",
                hint="Export the rows of one and import them into the other",
            )
        combined = combine(repository, base, ours, theirs, Rules(prefer))
        words = message or f"Merge {_spoken(repository, rev, theirs)} into {repository.branch}"
        return _record(
            repository, "merge", combined, theirs, (ours.name, theirs.name), author, words
        )


def revert(repository: "Repository", rev: str, author: str) -> MergeReport:
    """Makes a commit that takes another back. Later decisions about its cells are conflicts; the
    columns and labels that it added stay, for other cells may use them."""
    with repository.state.transaction():
        ours, undone = _clean_head(repository, "revert"), repository.commit_of(rev)
        if not undone.parents:
            raise InvalidInput(
                f"commit {undone.short} is the first: there is nothing before it",
                hint="Make a new repository, or delete the rows",
            )
        before = repository.load_commit(undone.parents[0])
        combined = combine(repository, State(undone), ours, before, Rules(schemas=False))
        words = (
            f'Revert "{undone.message.splitlines()[0]}"\n\nThis takes commit {undone.name} back.'
        )
        origin = Origin(author, "person", undone.short, f"revert {undone.short}")
        combined = _decided(combined, origin)
        return _record(repository, "revert", combined, before, (ours.name,), author, words)


def cherry_pick(repository: "Repository", rev: str) -> MergeReport:
    """Makes what one commit changed a commit of this branch as well, by the same author."""
    with repository.state.transaction():
        ours, picked = _clean_head(repository, "cherry-pick"), repository.commit_of(rev)
        combined = combine(repository, since_parent(repository, picked), ours, picked)
        words = f"{picked.message}\n\n(from commit {picked.name})"
        return _record(
            repository, "cherry-pick", combined, picked, (ours.name,), picked.author, words
        )


def stash(repository: "Repository", author: str, message: str = "") -> Commit:
    """Puts what is staged, and changed files, aside; the branch is as it was committed. Raises
    InvalidInput when there is nothing."""
    with repository.state.transaction():
        head = repository.commit_of("HEAD")
        words = message.strip() or f"on {repository.branch}: {head.short}"
        put_aside = repository.draft(words, author, (head.name,), head)
        number = 1 + max((int(n.removeprefix(STASH)) for n, _ in stashes(repository)), default=0)
        repository.state.move(f"{STASH}{number}", None, put_aside.name, put_aside.at, "stash")
        repository.state.clear()
        files.replace_files(repository.root, repository.store, put_aside.files, head.files)
    return put_aside


def stashes(repository: "Repository") -> list[tuple[str, Commit]]:
    """(ref, commit) of what is put aside, newest first."""
    found = [n for n in repository.state.refs() if n.startswith(STASH)]
    found.sort(key=lambda name: -int(name.removeprefix(STASH)))
    return [(name, repository.load_commit(repository.state.ref(name) or "")) for name in found]


def unstash(repository: "Repository", author: str, keep: bool = False) -> MergeReport:
    """Stages what was put aside last. keep: leave it there too. Where the branch has other words
    for a cell meanwhile, ours stays, a conflict waits, and the entry is kept."""
    with repository.state.transaction():
        if not (found := stashes(repository)):
            raise NotFound("nothing is put aside", hint="`sw2 stash` puts staged edits aside")
        ref, put_aside = found[0]
        ours = _clean_head(repository, "unstash")
        combined = combine(repository, since_parent(repository, put_aside), ours, put_aside)
        conflicts = _stage(repository, combined, ours, put_aside, f"unstash: {put_aside.message}")
        files.replace_files(repository.root, repository.store, ours.files, combined.files)
        if not keep and not conflicts:
            drop_stash(repository, ref)
        return MergeReport("unstash", ours, conflicts, combined.joined)


def drop_stash(repository: "Repository", ref: str) -> None:
    """Forgets what was put aside under a ref. Raises NotFound when there is none."""
    held = repository.state.ref(ref)
    if held is None or not ref.startswith(STASH):
        raise NotFound(f"nothing is put aside as `{ref}`", hint="See `sw2 stash --list`")
    repository.state.move(ref, held, "", now_ms(), "stash: drop")


def advance(repository: "Repository", old: Commit, new: Commit, why: str) -> None:
    """Moves the branch, and the small files with it."""
    files.check_replaceable(repository.root, old.files, new.files)
    repository.state.move(repository.branch, old.name, new.name, now_ms(), why)
    files.replace_files(repository.root, repository.store, old.files, new.files)


def protected(repository: "Repository") -> list[str]:
    """Branches that take no open conflicts."""
    return [name for name in (repository.state.meta("protected") or "").split("\n") if name]


def _clean_head(repository: "Repository", verb: str) -> Commit:
    head = repository.commit_of("HEAD")
    if any(repository.staged(table).touched for table in repository.tables()):
        raise InvalidInput(
            f"edits are staged: {verb} needs a branch without any",
            hint="Run `sw2 commit` or `sw2 stash` first",
        )
    return head


def _spoken(repository: "Repository", rev: str, commit: Commit) -> str:
    return f"branch {rev}" if rev in branches(repository) else f"commit {commit.short}"


def _decided(combined: Combined, origin: Origin) -> Combined:
    """With another word about who decided what is brought in: the one who reverts."""
    tables = {}
    for name, table in combined.tables.items():
        delta = table.delta
        if delta is not None:
            delta = replace(delta, origins=tuple(origin for _ in delta.origins))
        tables[name] = replace(table, delta=delta)
    return replace(combined, tables=tables)


def _record(
    repository: "Repository",
    how: How,
    combined: Combined,
    theirs: Commit,
    parents: tuple[str, ...],
    author: str,
    message: str,
) -> MergeReport:
    """Makes a commit of what was combined, and moves the branch to it."""
    ours = repository.load_commit(parents[0])
    combined, conflicts = _with_conflicts(repository, combined, ours, theirs)
    if conflicts and repository.branch in protected(repository):
        raise Conflict(
            f"{conflicts} conflicts, and `{repository.branch}` is protected",
            hint="Merge on another branch, settle them there, and merge that one",
        )
    files.check_replaceable(repository.root, ours.files, combined.files)
    tables, changed = dict(ours.tables), {}
    at = max(now_ms(), *(repository.load_commit(p).at + 1 for p in (*parents, theirs.name)))
    with repository.store.write() as writer:
        for name, table in combined.tables.items():
            tables[name] = _written(repository, writer, ours.tables.get(name), table)
            if tables[name] != ours.tables.get(name):
                changed[name] = counts_of(_from_ours(repository, ours.tables.get(name), table))
        if len(parents) == 1 and not changed and combined.files == ours.files:
            raise InvalidInput(
                f"nothing to {how}: the branch says so already", hint="See `sw2 log`"
            )
        commit = Commit("", parents, author, at, message, tables, combined.files, changed)
        commit = replace(commit, name=writer.put(encode_commit(commit)))
    repository.state.move(repository.branch, ours.name, commit.name, at, f"{how}: {message}")
    files.replace_files(repository.root, repository.store, ours.files, commit.files)
    return MergeReport(how, commit, conflicts, combined.joined, changed)


def _written(
    repository: "Repository", writer: ObjectWriter, old: TableVersion | None, table: CombinedTable
) -> TableVersion:
    if table.version is not None and table.delta is None:
        return table.version
    return put_table(repository, writer, table.version or old, table.schema, table.delta)


def put_table(
    repository: "Repository",
    writer: ObjectWriter,
    old: TableVersion | None,
    schema: Schema,
    delta: Delta | None,
) -> TableVersion:
    """Writes a delta over a table; returns what a commit is to say of it."""
    name = writer.put(schema.encode())
    tail = old.tail if old else None
    if delta is not None:
        tail = writer.put(*repository.reader.encode(replace(delta, parent=tail)))
    _, inserted, deleted = counts_of(delta)
    rows = (old.rows if old else 0) + inserted - deleted
    return TableVersion(name, old.base if old else None, tail, rows)


def _with_conflicts(
    repository: "Repository", combined: Combined, ours: Commit, theirs: Commit
) -> tuple[Combined, int]:
    """With what could not be decided as rows of the table `conflicts`, and how many those are."""
    rows = conflict_rows(repository, combined, ours, theirs)
    if not rows.num_rows:
        return combined, 0
    schema = conflict_schema()
    here = combined.tables.get(CONFLICTS) or CombinedTable(schema, ours.tables.get(CONFLICTS))
    standing = repository.table_at(here.version or ours.tables.get(CONFLICTS))
    layers = (here.delta,) if here.delta else ()
    snapshot = replace(standing, schema=schema, layers=layers)
    stored = pa.table({c.id: c.encode(rows[c.name]) for c in schema.columns})
    new = snapshot.difference(stored, Origin("merge", "rule"), now_ms())
    delta = compose([step for step in (here.delta, new) if step is not None])
    over = CombinedTable(schema, here.version, delta)
    return replace(combined, tables=combined.tables | {CONFLICTS: over}), rows.num_rows


def _from_ours(
    repository: "Repository", old: TableVersion | None, table: CombinedTable
) -> Delta | None:
    """What a table becomes, as one delta over ours."""
    if table.version is None:
        return table.delta
    steps = [between(repository, old, table.version).delta, table.delta]
    return compose([step for step in steps if step is not None])


def _stage(
    repository: "Repository", combined: Combined, ours: Commit, theirs: Commit, words: str
) -> int:
    """Stages what was combined as one step; returns how many conflicts wait."""
    combined, conflicts = _with_conflicts(repository, combined, ours, theirs)
    with repository.step():
        for name, table in combined.tables.items():
            delta = _from_ours(repository, ours.tables.get(name), table)
            repository.stage_delta(table.schema, delta, words)
    return conflicts
