"""Branches and tags: made, deleted, checked out, moved."""

from typing import TYPE_CHECKING

from sw2.errors import Conflict, InvalidInput, NotFound
from sw2.repo import files
from sw2.repo.commits import Commit
from sw2.repo.history import between
from sw2.repo.log import is_before
from sw2.repo.revisions import TAGS, branches, check_name, previous_branch, tags
from sw2.repo.state import Move
from sw2.values import now_ms

if TYPE_CHECKING:
    from sw2.repo.repository import Repository


def create_branch(repository: "Repository", name: str, rev: str = "HEAD") -> Commit:
    """A branch that points to `rev`. Raises InvalidInput for a name that is taken or is none."""
    check_name(name)
    with repository.state.transaction():
        commit = repository.commit_of(rev)
        if name in branches(repository):
            raise InvalidInput(f"there is a branch `{name}` already", hint="Choose another name")
        repository.state.move(name, None, commit.name, now_ms(), f"branch: from {rev}")
    return commit


def delete_branch(repository: "Repository", name: str, force: bool = False) -> Commit:
    """Forgets a branch. Raises Conflict when it is checked out, or has commits that the branch
    checked out lacks (not with `force`; the reflog still leads to them)."""
    with repository.state.transaction():
        target = _branch(repository, name)
        if name == repository.branch:
            raise Conflict(f"branch `{name}` is checked out", hint="`sw2 switch` to another first")
        commit = repository.load_commit(target)
        if not force and not is_before(repository, commit, repository.commit_of("HEAD")):
            raise Conflict(
                f"branch `{name}` has commits that `{repository.branch}` lacks",
                hint=f"`sw2 merge {name}` first, or `sw2 branch -D {name}` to drop them",
            )
        repository.state.move(name, target, "", now_ms(), "branch: deleted")
    return commit


def rename_branch(repository: "Repository", old: str, new: str) -> Commit:
    """Gives a branch another name, its record under the old one."""
    with repository.state.transaction():
        checked_out = old == repository.branch
        commit = create_branch(repository, new, old)
        if checked_out:
            _check_out(repository, new, commit)
        repository.state.move(old, commit.name, "", now_ms(), f"branch: renamed to {new}")
    return commit


def switch(repository: "Repository", name: str, create: bool = False, rev: str = "HEAD") -> Commit:
    """Checks a branch out. Staged edits come along where both branches have the same of the tables
    they touch; else Conflict, and nothing is changed."""
    with repository.state.transaction():
        if create:
            create_branch(repository, name, rev)
        name = previous_branch(repository) if name == "-" else name
        wanted = repository.load_commit(_branch(repository, name))
        head = repository.commit_of("HEAD")
        for table in repository.tables():
            touched = repository.staged(table).touched
            if touched and head.tables.get(table) != wanted.tables.get(table):
                raise Conflict(
                    f"edits of `{table}` are staged, and `{name}` has another `{table}`",
                    hint="Run `sw2 commit` or `sw2 stash` first",
                )
        files.check_replaceable(repository.root, head.files, wanted.files)
        _check_out(repository, name, wanted)
        files.replace_files(repository.root, repository.store, head.files, wanted.files)
    return wanted


def reset(repository: "Repository", rev: str, hard: bool = False) -> Commit:
    """Moves the branch to a revision. What lay between becomes staged edits, one step; with `hard`
    it is gone with all that is staged, and small files are as at the revision."""
    with repository.state.transaction():
        head, wanted = repository.commit_of("HEAD"), repository.commit_of(rev)
        if hard:
            repository.state.clear()
            files.replace_files(repository.root, repository.store, {}, wanted.files)
        elif any(repository.staged(table).touched for table in repository.tables()):
            raise InvalidInput(
                "edits are staged, and what lies between would be mixed with them",
                hint="Run `sw2 commit` or `sw2 stash` first, or --hard to drop them",
            )
        repository.state.move(
            repository.branch, head.name, wanted.name, now_ms(), f"reset: to {rev}"
        )
        if not hard:
            with repository.step():
                for table, version in head.tables.items():
                    apart = between(repository, wanted.tables.get(table), version)
                    schema = repository.schema_of(version)
                    repository.stage_delta(schema, apart.delta, f"reset from {head.short}")
    return wanted


def create_tag(repository: "Repository", name: str, rev: str = "HEAD") -> Commit:
    """A name for a commit that stays. Raises InvalidInput for one that is taken or is none."""
    check_name(name)
    with repository.state.transaction():
        commit = repository.commit_of(rev)
        if name in tags(repository):
            raise InvalidInput(f"there is a tag `{name}` already", hint="Delete it first: -d")
        repository.state.move(TAGS + name, None, commit.name, now_ms(), f"tag: {rev}")
    return commit


def delete_tag(repository: "Repository", name: str) -> None:
    """Forgets a tag. Raises NotFound when there is none of that name."""
    with repository.state.transaction():
        held = tags(repository).get(name)
        if held is None:
            raise NotFound(f"there is no tag `{name}`", hint="`sw2 tag` lists them")
        repository.state.move(TAGS + name, held, "", now_ms(), "tag: deleted")


def protect(repository: "Repository", name: str, on: bool = True) -> None:
    """A protected branch takes no merge that leaves conflicts open."""
    with repository.state.transaction():
        _branch(repository, name)
        held = [n for n in (repository.state.meta("protected") or "").split("\n") if n != name]
        repository.state.set_meta("protected", "\n".join([*filter(None, held), *([name] * on)]))


def _branch(repository: "Repository", name: str) -> str:
    """Where a branch points. Raises NotFound when there is none of that name."""
    held = branches(repository)
    if name not in held:
        raise NotFound(
            f"there is no branch `{name}`",
            hint=f"`sw2 switch -c {name}` makes it; there are: {', '.join(held) or 'none'}",
        )
    return held[name]


def _check_out(repository: "Repository", name: str, commit: Commit) -> None:
    before = repository.branch
    if name != before:
        words = f"switch: {before} -> {name}"
        repository.state.record(Move("HEAD", repository.head, commit.name, now_ms(), words))
        repository.state.set_meta("branch", name)
