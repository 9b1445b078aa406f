"""Commits: diff, commit, log, show."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from sw2.cli.changes import change_document, change_lines
from sw2.cli.environment import author as author_of
from sw2.cli.frame import Usage, command
from sw2.cli.terminal import Terminal, bold, count, date, dim, person, plain

if TYPE_CHECKING:
    from sw2.repo import Commit


@command(example="sw2 diff\nsw2 diff HEAD~1 HEAD")
@click.argument("revisions", metavar="[REV_A [REV_B]]", nargs=-1)
def diff(terminal: Terminal, revisions: tuple[str, ...]) -> None:
    """Show what is staged, or what differs between commits.

    Without a revision: what is staged, against the last commit. With one: from it to the last
    commit. With two: from the first to the second. A revision is HEAD, a branch, or the beginning
    of a commit's id, each with ~N for N commits before."""
    if len(revisions) > 2:
        raise Usage(f"{len(revisions)} revisions given", hint="Give none, one or two")
    with terminal.repository() as repository:
        if not revisions:
            changes = repository.pending()
        else:
            old, new = revisions[0], revisions[1] if len(revisions) == 2 else "HEAD"
            changes = repository.diff(old, new)
        terminal.answer(change_document(changes), change_lines(changes))
        if not changes.rows:
            terminal.say("nothing is staged" if not revisions else "no difference")


@command(example='sw2 commit -m "Correct coats that were labelled shirts"')
@click.option("-m", "--message", required=True, help="Why, in a few words.")
@click.option("--author", help="Who, instead of SW2_AUTHOR, git's user or the login name.")
def commit(terminal: Terminal, message: str, author: str | None) -> None:
    """Record what is staged, with a message.

    Takes every staged edit, and sw2.toml and README.md as they are in the folder. Only the edits
    are written, so a commit costs what was edited."""
    with terminal.repository() as repository:
        made = repository.commit(message, author_of(author))
        terminal.answer(commit_document(made), [_line(made)])
    terminal.say("next: sw2 build")


@command(example="sw2 log --limit 5")
@click.option("--limit", type=click.IntRange(1), help="At most so many commits.")
@click.argument("revision", default="HEAD")
def log(terminal: Terminal, revision: str, limit: int | None) -> None:
    """List commits, newest first.

    Each line: id, date, edits, author, message."""
    with terminal.repository() as repository:
        commits = repository.log(limit, revision)
        terminal.answer([commit_document(c) for c in commits], map(_line, commits))
        if not commits:
            terminal.say("nothing is committed yet")


@command(example="sw2 show HEAD~1")
@click.argument("revision", default="HEAD")
def show(terminal: Terminal, revision: str) -> None:
    """Show one commit and what it changed."""
    with terminal.repository() as repository:
        found = repository.commit_of(revision)
        changes = repository.diff(found.parents[0] if found.parents else None, found.name)
        document = commit_document(found) | {"changes": change_document(changes)}
        terminal.answer(document, (*_head(found), *change_lines(changes)))


def commit_document(commit: "Commit") -> dict[str, Any]:
    return {
        "id": commit.name,
        "parents": commit.parents,
        "author": commit.author,
        "at": commit.at,
        "message": commit.message,
        "edits": commit.edits,
    }


def _line(commit: "Commit") -> str:
    first = plain(commit.message.split("\n", 1)[0])
    edits = count(commit.edits, "edit")
    name = click.style(commit.short, fg="yellow")
    return f"{name}  {date(commit.at)}  {edits:>12}  {dim(person(commit.author))}  {first}"


def _head(commit: "Commit") -> Iterator[str]:
    yield f"commit {click.style(commit.name, fg='yellow')}"
    yield f"author {plain(commit.author)}"
    yield f"date   {date(commit.at)}"
    yield ""
    yield from (bold(f"    {plain(line)}") for line in commit.message.split("\n"))
    yield ""
