"""Commits: diff, commit, log, show."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import click

from sw2.cli.changes import change_document, change_lines
from sw2.cli.environment import author as author_of
from sw2.cli.frame import Usage, command
from sw2.cli.terminal import Terminal, bold, count, date, dim, person, plain

if TYPE_CHECKING:
    from sw2.repo import Changes, Commit, Ledger, Repository

EXAMPLES = "examples"


@command(example="sw2 diff\nsw2 diff HEAD~1 HEAD\nsw2 diff main...relabel-coats --table votes")
@click.argument("revisions", metavar="[REV_A [REV_B]]", nargs=-1)
@click.option("--table", help="Only this table, instead of all that differ.")
@click.option("--stat", is_flag=True, help="Only how many rows, and how often each pair occurs.")
def diff(terminal: Terminal, revisions: tuple[str, ...], table: str | None, stat: bool) -> None:
    """Show what is staged, or what differs between commits.

    Without a revision: what is staged, against the last commit. With one: from it to the last
    commit. With two, or `A..B`: from the first to the second. With `A...B`: from where they parted
    to B. Each cell is told with its old and new value, who decided it and from what."""
    if len(revisions) > 2:
        raise Usage(f"{len(revisions)} revisions given", hint="Give none, one or two")
    with terminal.repository() as repository:
        found = _changes(repository, revisions, table)
        document = change_document(found.get(table or EXAMPLES))
        document["tables"] = {name: change_document(c) for name, c in found.items()}
        terminal.answer(document, _tables(found, stat), paged=True)
        if not any(changes.rows for changes in found.values()):
            terminal.say("nothing is staged" if not revisions else "no difference")


def _changes(
    repository: "Repository", revisions: tuple[str, ...], table: str | None
) -> "dict[str, Changes]":
    """Changes by table, of those that differ."""
    if not revisions:
        names = [table] if table else repository.tables()
        found = {name: repository.pending(name) for name in names}
    else:
        old, new = _ends(repository, revisions)
        tables = {**old.tables, **new.tables}
        names = [table] if table else [n for n in tables if old.tables.get(n) != new.tables.get(n)]
        found = {name: repository.diff(old.name, new.name, name) for name in names}
    return {name: changes for name, changes in found.items() if changes.rows or name == table}


def _ends(repository: "Repository", revisions: tuple[str, ...]) -> "tuple[Commit, Commit]":
    old, dots, new = revisions[0].partition("..")
    if not dots:
        new = revisions[1] if len(revisions) == 2 else "HEAD"
    elif len(revisions) == 2:
        raise Usage(f"`{revisions[0]}` names two revisions already", hint="Give it alone")
    parted, new = new.startswith("."), new.removeprefix(".")
    ends = repository.commit_of(old or "HEAD"), repository.commit_of(new or "HEAD")
    if parted:
        return repository.parting(*ends), ends[1]
    return ends


def _tables(found: "dict[str, Changes]", stat: bool) -> Iterator[str]:
    for name, changes in found.items():
        if len(found) > 1:
            yield bold(f"table {plain(name)}")
        yield from change_lines(changes, stat)


@command(example='sw2 commit -m "Correct coats that were labelled shirts"')
@click.option("-m", "--message", help="Why, in a few words.")
@click.option("--amend", is_flag=True, help="Instead of the last commit, with its changes.")
@click.option("-S", "--sign", is_flag=True, help="Sign with your Ed25519 SSH key.")
@click.option("--key", type=click.Path(), help="The private key, instead of SW2_SIGNING_KEY.")
@click.option("--author", help="Who, instead of SW2_AUTHOR, git's user or the login name.")
def commit(
    terminal: Terminal,
    message: str | None,
    amend: bool,
    sign: bool,
    key: str | None,
    author: str | None,
) -> None:
    """Record what is staged, with a message.

    Takes every staged edit, and sw2.toml and README.md as they are in the folder. Only the edits
    are written, so a commit costs what was edited."""
    from sw2.cli.care import fold_when_due
    from sw2.cli.signing import signer_of

    if message is None and not amend:
        raise Usage("a commit needs a message", hint='sw2 commit -m "why, in a few words"')
    with terminal.repository() as repository:
        signer = signer_of(terminal, key) if sign or key else None
        made = repository.commit(message or "", author_of(author), amend, signer)
        fold_when_due(repository)
        terminal.answer(commit_document(made), [_line(made)])
    terminal.say("next: sw2 build")


@command(
    example="sw2 log -5\nsw2 log --graph --since yesterday\nsw2 log main..coats --author Ann",
    counted=True,
)
@click.argument("revision", default="HEAD")
@click.option("--limit", "-n", type=click.IntRange(1), help="At most so many; -5 says it too.")
@click.option("--graph", is_flag=True, help="Draw how branches part and meet.")
@click.option("--author", help="Only by authors with this in their name.")
@click.option("--since", help="Only since then: `yesterday`, `2 days ago`, `2026-11-20`.")
@click.option("--until", help="Only until then.")
@click.option("--table", help="Only commits that changed this table.")
@click.option("--path", help="Only commits that changed this file, such as sw2.toml.")
@click.option("--first-parent", is_flag=True, help="Not the commits of merged branches.")
@click.option("--signatures", is_flag=True, help="Say whether each is signed, and by whom.")
def log(
    terminal: Terminal,
    revision: str,
    limit: int | None,
    graph: bool,
    signatures: bool,
    since: str | None,
    until: str | None,
    **only: Any,
) -> None:
    """List commits, newest first.

    Each line: id, date, edits, author, message, and the branches and tags that point there. `A..B`
    lists what B has and A lacks."""
    from sw2.repo import when

    with terminal.ledger() as repository:
        span = {"since": since and when(since), "until": until and when(until)}
        commits = repository.log(limit, revision, **span, **only)
        names = _names(repository)
        document = [commit_document(c) | {"refs": names.get(c.name, [])} for c in commits]
        lines = [_line(c) + _refs(names.get(c.name, [])) for c in commits]
        if signatures:
            from sw2.cli.signing import verdict_of

            marks = [verdict_of(c, None) for c in commits]
            lines = [f"{line}  {mark.told}" for line, mark in zip(lines, marks, strict=True)]
            for each, mark in zip(document, marks, strict=True):
                each["signature"] = mark
        told: Iterable[str] = lines
        if graph:
            from sw2.cli.graph import drawn

            told = drawn([(c.name, c.parents) for c in commits], lines)
        terminal.answer(document, told, paged=True)
        if not commits:
            terminal.say("nothing is committed yet" if repository.head is None else "no commit")


def _names(repository: "Ledger") -> dict[str, list[str]]:
    """Branches and tags by the commit they point to, the one that is checked out first."""
    from sw2.repo import branches, tags

    here, found = repository.branch, dict[str, list[str]]()
    for name, to in sorted(branches(repository).items(), key=lambda pair: pair[0] != here):
        found.setdefault(to, []).append(f"HEAD -> {name}" if name == here else name)
    for name, to in tags(repository).items():
        found.setdefault(to, []).append(f"tag: {name}")
    return found


def _refs(names: list[str]) -> str:
    return click.style(f"  ({plain(', '.join(names))})", fg="green") if names else ""


@command(example="sw2 show HEAD~1")
@click.argument("revision", default="HEAD")
def show(terminal: Terminal, revision: str) -> None:
    """Show one commit and what it changed, in each table."""
    with terminal.repository() as repository:
        found = repository.commit_of(revision)
        old = found.parents[0] if found.parents else None
        changes = {name: repository.diff(old, found.name, name) for name in found.changed}
        document = commit_document(found) | {
            "changes": change_document(changes.get(EXAMPLES)),
            "tables": {name: change_document(c) for name, c in changes.items()},
        }
        terminal.answer(document, (*_head(found), *_tables(changes, False)), paged=True)


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
