"""The stage's undo and redo."""

from typing import TYPE_CHECKING

from sw2.cli.frame import command
from sw2.cli.terminal import Terminal, plain
from sw2.errors import NotFound

if TYPE_CHECKING:
    from sw2.repo import Action


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
