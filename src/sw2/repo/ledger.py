"""A repository's commits, refs and small files. Reads no table, and so imports no Arrow: what the
log and the status of a clean stage tell is told at once."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from sw2.errors import Damaged, NotARepository, NotFound
from sw2.repo import files
from sw2.repo.commits import Commit, parse_commit
from sw2.repo.log import Only, log, merge_bases
from sw2.repo.revisions import resolve
from sw2.repo.state import State
from sw2.store import ObjectStore

FOLDER = ".sw2"
EXAMPLES = "examples"
# Rows of a merge that wait for a decision (`repo/conflicts.py`).
CONFLICTS = "conflicts"
# Parsed commits kept in memory.
COMMITS_KEPT = 10_000


@dataclass(frozen=True, slots=True)
class Status:
    """What `sw2 status` tells. edited, inserted, deleted: rows staged and not committed.
    conflicts: rows of a merge that wait for a decision."""

    branch: str
    head: Commit | None
    rows: int
    edited: int
    inserted: int
    deleted: int
    files: list[str]
    conflicts: int = 0

    @property
    def clean(self) -> bool:
        return not (self.edited or self.inserted or self.deleted or self.files)


class Ledger:
    """Open one with `Ledger.open`. Nothing here changes it. Threads may share one."""

    def __init__(self, root: Path, state: State) -> None:
        self.root = root
        self.folder = root / FOLDER
        self.state = state
        self.store = ObjectStore(self.folder / "packs", self.folder / "cache" / "packs")
        self._commits: dict[str, Commit] = {}

    @classmethod
    def open(cls, path: str | os.PathLike[str] = ".") -> Self:
        """The repository that `path` lies in. Raises NotARepository when there is none."""
        start = Path(path).resolve()
        for root in (start, *start.parents):
            if (root / FOLDER).is_dir():
                return cls(root, State(root / FOLDER / "state.sqlite"))
        raise NotARepository(
            f"there is no repository in `{start}` or above it", hint="Run `sw2 init` to make one"
        )

    def close(self) -> None:
        self.state.close()

    @property
    def name(self) -> str:
        return self.state.meta("name") or self.root.name

    @property
    def branch(self) -> str:
        return self.state.meta("branch") or "main"

    @property
    def head(self) -> str | None:
        """Name of the commit that the branch points to. Raises Damaged when the branch is lost, for
        a history would begin anew."""
        branch = self.branch
        target = self.state.ref(branch)
        if target is None and (others := self.state.refs()):
            raise Damaged(
                f"there is no branch `{branch}`, only {', '.join(others)}",
                hint="Run `sw2 fsck`, and restore `.sw2/state.sqlite` from a backup",
            )
        return target

    def commit_of(self, rev: str) -> Commit:
        """The commit of a revision (`repo/revisions.py`)."""
        return resolve(self, rev)

    def load_commit(self, name: str) -> Commit:
        commit = self._commits.get(name)
        if commit is None:
            commit = self._commits[name] = parse_commit(name, self.store.get(name))
            for oldest in list(self._commits)[:-COMMITS_KEPT]:
                self._commits.pop(oldest, None)
        return commit

    def log(self, limit: int | None = None, rev: str = "HEAD", **only: Any) -> list[Commit]:
        """Commits, newest first; of `A..B` those of B that A lacks. only: see `Only`."""
        return log(self, limit, rev, Only(**only))

    def parting(self, ours: Commit, theirs: Commit) -> Commit:
        """The commit at which two histories parted. Raises NotFound when they have none in
        common."""
        bases = merge_bases(self, ours, theirs)
        if not bases:
            raise NotFound(
                f"{ours.short} and {theirs.short} have no commit in common", hint="See `sw2 log`"
            )
        return bases[0]

    def clean_status(self) -> Status | None:
        """The status where nothing is staged; None where something is, for then tables are read."""
        if self.state.actions():
            return None
        head = self.commit_of("HEAD") if self.head else None
        rows, conflicts = (
            head.tables[table].rows if head and table in head.tables else 0
            for table in (EXAMPLES, CONFLICTS)
        )
        return Status(self.branch, head, rows, 0, 0, 0, files.changed(self.root, head), conflicts)

    def file(self, path: str, rev: str | None = None) -> bytes:
        """A small file at a commit, or from the working folder (rev None)."""
        if rev is None:
            if (raw := files.working(self.root, path)) is None:
                raise NotFound(
                    f"there is no file `{path}` in `{self.root}`", hint=f"Write `{path}`"
                )
            return raw
        commit = self.commit_of(rev)
        if path not in commit.files:
            raise NotFound(
                f"commit {commit.short} has no file `{path}`",
                hint=f"Write `{path}` and run `sw2 commit`",
            )
        return self.store.get(commit.files[path])
