"""Which commits there are: the log, and how histories are related. Reads no table."""

from collections.abc import Iterator
from dataclasses import dataclass
from heapq import heapify, heappop, heappush
from itertools import islice
from typing import TYPE_CHECKING

from sw2.repo.commits import Commit
from sw2.repo.revisions import ancestors, resolve

if TYPE_CHECKING:
    from sw2.repo.ledger import Ledger


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


def log(ledger: "Ledger", limit: int | None, rev: str, only: Only = Only()) -> list[Commit]:
    """Commits that a revision leads to, newest first; of `A..B` those of B that A lacks."""
    if rev == "HEAD" and ledger.head is None:
        return []
    old, dots, new = rev.partition("..")
    tip = resolve(ledger, (new or "HEAD") if dots else rev)
    found = _first_parents(ledger, tip) if only.first_parent else ancestors(ledger, [tip.name])
    if dots:
        known = {c.name for c in ancestors(ledger, [resolve(ledger, old or "HEAD").name])}
        found = (commit for commit in found if commit.name not in known)
    return list(islice((c for c in found if _wanted(ledger, c, only)), limit))


def _first_parents(ledger: "Ledger", commit: Commit) -> Iterator[Commit]:
    yield commit
    while commit.parents:
        commit = ledger.load_commit(commit.parents[0])
        yield commit


def _wanted(ledger: "Ledger", commit: Commit, only: Only) -> bool:
    if only.author and only.author.lower() not in commit.author.lower():
        return False
    if (only.since and commit.at < only.since) or (only.until and commit.at > only.until):
        return False
    if only.table is None and only.path is None:
        return True
    parents = [ledger.load_commit(name) for name in commit.parents]
    if only.table and all(
        p.tables.get(only.table) != commit.tables.get(only.table) for p in parents
    ):
        return bool(parents) or only.table in commit.tables
    if only.path and all(p.files.get(only.path) != commit.files.get(only.path) for p in parents):
        return bool(parents) or only.path in commit.files
    return False


def merge_bases(ledger: "Ledger", ours: Commit, theirs: Commit) -> list[Commit]:
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
                parent = ledger.load_commit(name)
                heappush(waiting, (-parent.at, name, parent))
    best = [commit for commit in found.values() if not flags[commit.name] & stale]
    return [c for c in best if not any(c != d and is_before(ledger, c, d) for d in best)]


def is_before(ledger: "Ledger", old: Commit, new: Commit) -> bool:
    """Whether `old` is `new` or one of its ancestors. A commit is never older than its parents."""
    for commit in ancestors(ledger, [new.name]):
        if commit.name == old.name:
            return True
        if commit.at < old.at:
            return False
    return False
