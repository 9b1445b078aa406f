"""The stage: undo and redo, putting it aside, making rows what they were."""

from typing import TYPE_CHECKING

import click

from sw2.cli.environment import author as author_of
from sw2.cli.frame import Usage, command
from sw2.cli.history import commit_document
from sw2.cli.terminal import Terminal, count, date, plain
from sw2.errors import NotFound

if TYPE_CHECKING:
    from sw2.repo import Action, Repository


@command(example="sw2 undo")
def undo(terminal: Terminal) -> None:
    """Take the newest staged action back.

    An action is one step: a label set, a folder added. What is committed is not undone here.
    `sw2 redo` carries it out again, until something else is staged."""
    with terminal.repository() as repository:
        action = repository.undo()
    if action is None:
        raise NotFound("nothing to undo: no edit is staged", hint="See `sw2 status`")
    _told(terminal, action, "undone")


@command(example="sw2 redo")
def redo(terminal: Terminal) -> None:
    """Carry the last undone action out again."""
    with terminal.repository() as repository:
        action = repository.redo()
    if action is None:
        raise NotFound("nothing to redo", hint="Only what `sw2 undo` took back can be redone")
    _told(terminal, action, "redone")


def _told(terminal: Terminal, action: "Action", verb: str) -> None:
    document = {"action": verb, "label": action.label, "at": action.at}
    terminal.answer(document, [f"{verb}: {plain(action.label)}"])


@command(example="sw2 stash -m later\nsw2 stash --pop\nsw2 stash --list")
@click.option("-m", "--message", default="", help="What it is.")
@click.option("--pop", is_flag=True, help="Stage what was put aside last, and forget it there.")
@click.option("--apply", "keep", is_flag=True, help="Stage it, and keep it there too.")
@click.option("--list", "listing", is_flag=True, help="List what is put aside, newest first.")
@click.option("--drop", is_flag=True, help="Forget what was put aside last.")
@click.option("--author", help="Who, instead of SW2_AUTHOR, git's user or the login name.")
def stash(
    terminal: Terminal,
    message: str,
    pop: bool,
    keep: bool,
    listing: bool,
    drop: bool,
    author: str | None,
) -> None:
    """Put staged edits aside, and take them back.

    Taken back on a branch that has other words for a cell meanwhile, the branch's stay and a
    conflict waits; the entry is kept then."""
    from sw2.repo import drop_stash, stashes

    with terminal.repository() as repository:
        if listing:
            found = stashes(repository)
            entries = [{"ref": ref, "commit": commit_document(c)} for ref, c in found]
            lines = [f"{ref}  {date(c.at)}  {plain(c.message)}" for ref, c in found]
            terminal.answer(entries, lines)
        elif drop:
            ref, commit = next(iter(stashes(repository)), ("stash/0", None))
            drop_stash(repository, ref)
            terminal.answer({"ref": ref}, [f"forgotten: {plain(commit.message if commit else '')}"])
        elif pop or keep:
            report = repository.unstash(author_of(author), keep)
            words = f"staged again; {count(report.conflicts, 'conflict')} to settle"
            terminal.answer(
                {"conflicts": report.conflicts, "joined": report.joined},
                [words if report.conflicts else "staged again"],
            )
        else:
            made = repository.stash(author_of(author), message)
            document = {"commit": commit_document(made)}
            terminal.answer(document, [f"put aside: {plain(made.message)}"])


@command(
    example="sw2 restore pictures/7.png\nsw2 restore --source HEAD~2 --column label pictures/7.png"
)
@click.argument("examples", nargs=-1)
@click.option("-s", "--source", default="HEAD", help="The revision; by default the last commit.")
@click.option("--column", "columns", multiple=True, help="Only this column; repeatable.")
@click.option("--table", default="examples", help="Of this table.")
@click.option("--all", "everything", is_flag=True, help="The whole table.")
@click.option("--author", help="Who, instead of SW2_AUTHOR, git's user or the login name.")
def restore(
    terminal: Terminal,
    examples: tuple[str, ...],
    source: str,
    columns: tuple[str, ...],
    table: str,
    everything: bool,
    author: str | None,
) -> None:
    """Make examples what they were at a revision.

    Cells are set back, deleted examples come back, and those that were not there go, as one staged
    step. From the last commit: unstages."""
    from sw2.values import Origin

    if bool(examples) == everything:
        raise Usage("say which examples, or --all", hint="`sw2 diff` shows what is staged")
    with terminal.repository() as repository:
        keys = None if everything else _keys(repository, examples, table)
        origin = Origin(author_of(author), why=f"restored from {source}")
        action = repository.restore(keys, origin, source, columns or None, table)
    document = {"restored": keys, "source": source, "changed": action is not None}
    terminal.answer(document, [plain(action.label) if action else "unchanged"])


def _keys(repository: "Repository", given: tuple[str, ...], table: str) -> list[int | str]:
    """Ids as the table has them: numbers where its key is a number, paths as they lie."""
    schema = repository.schema(table)
    if schema.key_column.type == "int":
        return [int(each) if each.lstrip("-").isdigit() else each for each in given]
    return [each.removeprefix("./") for each in given]
