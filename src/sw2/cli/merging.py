"""Merging: two branches, one commit taken back or taken over, and the conflicts that wait."""

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from sw2.cli.environment import author as author_of
from sw2.cli.frame import Usage, command
from sw2.cli.history import commit_document
from sw2.cli.terminal import Terminal, bold, count, dim, person, plain

if TYPE_CHECKING:
    from sw2.repo import MergeReport

AUTHOR = click.option("--author", help="Who, instead of SW2_AUTHOR, git's user or the login name.")


@command(example="sw2 merge relabel-coats\nsw2 merge relabel-coats -X theirs")
@click.argument("revision")
@click.option("-m", "--message", help="Why, instead of `Merge branch …`.")
@click.option(
    "-X", "prefer", type=click.Choice(["ours", "theirs"]), help="The side that wins every conflict."
)
@click.option("--no-ff", is_flag=True, help="Make a merge commit where moving the branch would do.")
@AUTHOR
def merge(
    terminal: Terminal,
    revision: str,
    message: str | None,
    prefer: Any,
    no_ff: bool,
    author: str | None,
) -> None:
    """Bring another branch into this one, cell by cell.

    Different cells of one row join, the same new value is no conflict, tags and boxes merge one by
    one, and a column may have a rule (`sw2 schema --rule`). What is left waits as rows of
    `sw2 conflicts`, with this branch's value kept until somebody settles it."""
    with terminal.repository() as repository:
        report = repository.merge(revision, author_of(author), message, prefer, not no_ff)
        _tell(terminal, report)


@command(example="sw2 revert HEAD~1")
@click.argument("revision")
@AUTHOR
def revert(terminal: Terminal, revision: str, author: str | None) -> None:
    """Take a commit back, by a commit.

    Cells that somebody decided anew since then are conflicts: they keep the later decision."""
    with terminal.repository() as repository:
        _tell(terminal, repository.revert(revision, author_of(author)))


@command(example="sw2 cherry-pick relabel-coats~1")
@click.argument("revision")
def cherry_pick(terminal: Terminal, revision: str) -> None:
    """Take one commit over to this branch.

    What it changed becomes a commit here, by the same author."""
    with terminal.repository() as repository:
        _tell(terminal, repository.cherry_pick(revision))


@command(example="sw2 conflicts\nsw2 conflicts --assign carol examples/pictures/7.png/label")
@click.argument("ids", metavar="[ID]…", nargs=-1)
@click.option("--assign", "assignee", metavar="PERSON", help="Ask PERSON to settle these (or all).")
@click.option("--unassign", is_flag=True, help="Take the request back.")
@click.option("--of", "of", metavar="PERSON", help="Only those that PERSON was asked to settle.")
@click.option("--rev", help="As they were at a revision.")
@AUTHOR
def conflicts(
    terminal: Terminal,
    ids: tuple[str, ...],
    assignee: str | None,
    unassign: bool,
    of: str | None,
    rev: str | None,
    author: str | None,
) -> None:
    """List the conflicts that wait for a decision.

    Each line: id, base -> ours | theirs, who decided on either side, who is asked to settle it.
    They are rows of the table `conflicts`; `sw2 settle` decides them."""
    from sw2.repo import open_conflicts
    from sw2.values import Origin

    with terminal.repository() as repository:
        if assignee or unassign:
            wanted = ids or tuple(open_conflicts(repository)["id"].to_pylist())
            repository.assign(wanted, assignee, Origin(author_of(author)))
        rows = open_conflicts(repository, rev).to_pylist()
    rows = [row for row in rows if not ids or row["id"] in ids]
    rows = [row for row in rows if of is None or row["assignee"] == of]
    terminal.answer(rows, map(_conflict, rows), paged=True)
    terminal.say(f"{count(len(rows), 'conflict')} open" if rows else "no conflict is open")


@command(
    example="sw2 settle --theirs examples/pictures/7.png/label\n"
    "sw2 settle --value Coat examples/pictures/7.png/label\nsw2 settle --ours --all"
)
@click.argument("ids", metavar="[ID]…", nargs=-1)
@click.option("--ours", "choice", flag_value="ours", help="As this branch had it.")
@click.option("--theirs", "choice", flag_value="theirs", help="As the other branch had it.")
@click.option("--base", "choice", flag_value="base", help="As it was before both.")
@click.option("--value", help="Another cell: text, or JSON for other types.")
@click.option("--all", "everything", is_flag=True, help="All that are open.")
@AUTHOR
def settle(
    terminal: Terminal,
    ids: tuple[str, ...],
    choice: str | None,
    value: str | None,
    everything: bool,
    author: str | None,
) -> None:
    """Decide conflicts.

    Sets the cell and takes the conflict off the list, as one staged step that `sw2 undo` takes
    back. Some may be committed before others."""
    from sw2.repo import count_open, open_conflicts
    from sw2.values import Origin

    if (choice is None) == (value is None):
        raise Usage("one decision is needed", hint="--ours, --theirs, --base or --value")
    with terminal.repository() as repository:
        if everything:
            ids = tuple(open_conflicts(repository)["id"].to_pylist())
        origin = Origin(author_of(author))
        action = repository.settle(ids, choice or "value", origin, _cell(value))
        left = count_open(repository)
    terminal.answer({"settled": ids, "open": left}, [plain(action.label)])
    terminal.say(
        f"{count(left, 'conflict')} left" if left else 'none left; next: sw2 commit -m "…"'
    )


def _cell(value: str | None) -> Any:
    if value is None:
        return None
    try:
        return json.loads(value)
    except json.JSONDecodeError:
        return value


def _tell(terminal: Terminal, report: "MergeReport") -> None:
    changed = report.changed or {}
    document = {
        "how": report.how,
        "commit": commit_document(report.commit),
        "conflicts": report.conflicts,
        "joined": report.joined,
        "changed": {table: sum(counts) for table, counts in changed.items()},
    }
    terminal.answer(document, _told(report))
    if report.conflicts:
        terminal.say("next: sw2 conflicts, then sw2 settle")


def _told(report: "MergeReport") -> Iterator[str]:
    commit = report.commit
    name = click.style(commit.short, fg="yellow")
    yield f"{report.how}: {name} {plain(commit.message.splitlines()[0])}"
    words = ("edited", "added", "deleted")
    for table, counts in (report.changed or {}).items():
        told = [f"{n:,} {word}" for n, word in zip(counts, words, strict=True) if n]
        yield f"{plain(table)}: {', '.join(told) or 'columns changed'}"
    if report.joined:
        yield f"{count(report.joined, 'row')} changed on both sides, joined"
    if report.conflicts:
        yield bold(f"{count(report.conflicts, 'conflict')} to settle, ours kept meanwhile")


def _conflict(row: dict[str, Any]) -> str:
    base, ours, theirs = (_short(row[side]) for side in ("base", "ours", "theirs"))
    who = f"{person(row['ours_by'] or '')} | {person(row['theirs_by'] or '')}"
    asked = f"  asked: {plain(row['assignee'])}" if row["assignee"] else ""
    return (
        f"{plain(row['id'])}  {base} -> {click.style(ours, fg='green')} | "
        f"{click.style(theirs, fg='cyan')}  {dim(f'({who})')}{asked}"
    )


def _short(cell: str | None) -> str:
    if cell is None:
        return "(none)"
    value = json.loads(cell)
    text = plain(value if isinstance(value, str) else cell)
    return text if len(text) <= 40 else text[:39] + "…"
