"""Branches and tags: made, listed, checked out, moved; and the record of where they pointed."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from sw2.cli.frame import Usage, command
from sw2.cli.history import commit_document
from sw2.cli.terminal import Terminal, bold, count, date, dim, plain

if TYPE_CHECKING:
    from sw2.repo import Commit, Repository


@command(
    example="sw2 branch\nsw2 branch relabel-coats\nsw2 branch -m relabel-coats coats\n"
    "sw2 branch --protect main"
)
@click.argument("names", metavar="[NAME [REVISION]]", nargs=-1)
@click.option("-d", "--delete", is_flag=True, help="Delete a branch that is merged.")
@click.option("-D", "drop", is_flag=True, help="Delete a branch with what only it has.")
@click.option(
    "-m", "--move", is_flag=True, help="Rename: the branch that is checked out, or OLD NEW."
)
@click.option("--protect/--unprotect", default=None, help="Whether it takes open conflicts.")
def branch(
    terminal: Terminal,
    names: tuple[str, ...],
    delete: bool,
    drop: bool,
    move: bool,
    protect: bool | None,
) -> None:
    """List, make, rename, delete or protect branches.

    Without a name: all branches, `*` before the one that is checked out. A protected branch takes
    no merge that leaves conflicts open."""
    from sw2.repo import protect as set_protected
    from sw2.repo import rename_branch

    if len(names) > 2:
        raise Usage(f"{len(names)} names given", hint="Give a name, and perhaps a revision")
    with terminal.repository() as repository:
        if not names and not move:
            _list(terminal, repository)
        elif delete or drop:
            for name in names:
                gone = repository.delete_branch(name, force=drop)
                _told(terminal, f"deleted branch {name} (was {gone.short})", name, gone)
        elif move:
            old, new = names if len(names) == 2 else (repository.branch, *names)
            _told(terminal, f"{old} is now {new}", new, rename_branch(repository, old, new))
        elif protect is not None:
            for name in names:
                set_protected(repository, name, protect)
                words = f"{name} is {'protected' if protect else 'no longer protected'}"
                terminal.answer({"branch": name, "protected": protect}, [words])
        else:
            made = repository.create_branch(names[0], *names[1:])
            _told(terminal, f"branch {names[0]} at {made.short}", names[0], made)


@command(example="sw2 switch relabel-coats\nsw2 switch -c relabel-bags\nsw2 switch -")
@click.argument("name")
@click.argument("revision", default="HEAD")
@click.option("-c", "--create", is_flag=True, help="Make the branch first, at REVISION.")
def switch(terminal: Terminal, name: str, revision: str, create: bool) -> None:
    """Check another branch out.

    Staged edits come along where both branches have the same of the tables they touch; else
    nothing is changed. `-` is the branch that was left last."""
    with terminal.repository() as repository:
        commit = repository.switch(name, create, revision)
        here = repository.branch
        document = {"branch": here, "head": commit_document(commit)}
        terminal.answer(document, [f"on {bold(plain(here))}, {_at(commit)}"])


@command(example="sw2 tag v1\nsw2 tag")
@click.argument("name", required=False)
@click.argument("revision", default="HEAD")
@click.option("-d", "--delete", is_flag=True, help="Delete the tag.")
def tag(terminal: Terminal, name: str | None, revision: str, delete: bool) -> None:
    """List tags, or name a commit for good."""
    from sw2.repo import delete_tag, tags

    with terminal.repository() as repository:
        if name is None:
            found = {n: repository.load_commit(to) for n, to in sorted(tags(repository).items())}
            listed = [{"tag": n, "commit": commit_document(c)} for n, c in found.items()]
            terminal.answer(listed, [f"{plain(n)}  {_at(c)}" for n, c in found.items()])
        elif delete:
            delete_tag(repository, name)
            terminal.answer({"tag": name, "deleted": True}, [f"deleted tag {plain(name)}"])
        else:
            commit = repository.tag(name, revision)
            document = {"tag": name, "commit": commit_document(commit)}
            terminal.answer(document, [f"tag {plain(name)} at {commit.short}"])


@command(example="sw2 reset HEAD~1\nsw2 reset --hard main@{yesterday}")
@click.argument("revision")
@click.option("--hard", is_flag=True, help="Drop what lay between, and all that is staged.")
@click.option("--soft", is_flag=True, help="Stage what lay between (the default).")
def reset(terminal: Terminal, revision: str, hard: bool, soft: bool) -> None:
    """Move the branch to another commit.

    What lay between becomes staged edits, to be committed anew; with --hard it is dropped, and
    only `sw2 reflog` still leads there."""
    if hard and soft:
        raise Usage("--hard and --soft exclude each other", hint="Choose one")
    with terminal.repository() as repository:
        commit = repository.reset(revision, hard)
        document = {"branch": repository.branch, "head": commit_document(commit)}
        terminal.answer(document, [f"{repository.branch} is at {_at(commit)}"])


@command(example="sw2 reflog\nsw2 reflog main --limit 5")
@click.argument("branch", default="HEAD")
@click.option("--limit", type=click.IntRange(1), help="At most so many moves.")
def reflog(terminal: Terminal, branch: str, limit: int | None) -> None:
    """List where a branch pointed, newest first.

    `BRANCH@{1}` names the commit of the line with that number, `BRANCH@{yesterday}` the one of
    that time."""
    from sw2.repo import reflog as moves_of

    with terminal.ledger() as repository:
        moves = moves_of(repository, branch)[:limit]
    lines = [
        f"{click.style(move.new[:10] or '(deleted)', fg='yellow')}  {plain(branch)}@{{{number}}}"
        f"  {date(move.at)}  {plain(move.why.splitlines()[0])}"
        for number, move in enumerate(moves)
    ]
    terminal.answer(moves, lines, paged=True)


def _list(terminal: Terminal, repository: "Repository") -> None:
    from sw2.repo import branches, protected

    kept, here = protected(repository), repository.branch
    found = {name: repository.load_commit(to) for name, to in sorted(branches(repository).items())}
    document = [
        {"branch": n, "current": n == here, "protected": n in kept, "head": commit_document(c)}
        for n, c in found.items()
    ]

    def lines() -> Iterator[str]:
        width = max(map(len, found), default=0)
        for name, commit in found.items():
            mark = click.style(f"* {plain(name):<{width}}", fg="green") if name == here else None
            told = dim("  protected") if name in kept else ""
            yield f"{mark or f'  {plain(name):<{width}}'}  {_at(commit)}{told}"

    terminal.answer(document, lines())
    if not found:
        terminal.say("nothing is committed yet")


def _told(terminal: Terminal, words: str, name: str, commit: "Commit") -> None:
    document: dict[str, Any] = {"branch": name, "head": commit_document(commit)}
    terminal.answer(document, [plain(words)])


def _at(commit: "Commit") -> str:
    first = plain(commit.message.split("\n", 1)[0])
    return f"{click.style(commit.short, fg='yellow')} {first} {dim(count(commit.edits, 'edit'))}"
