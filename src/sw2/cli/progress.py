"""Progress of long work on stderr: a bar on a terminal, now and then a line elsewhere."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

from sw2.cli.terminal import Terminal, percent, plain
from sw2.progress import Event, Progress

if TYPE_CHECKING:
    from rich.progress import Progress as Bar
    from rich.progress import TaskID

SECONDS_BEFORE_A_BAR = 0.5
SECONDS_BETWEEN_LINES = 10.0
FIGURES: dict[str, Callable[[float], str]] = {
    "loss": lambda value: f"loss {value:.3f}",
    "accuracy": lambda value: f"accuracy {percent(value)}",
}


@contextmanager
def progress(terminal: Terminal) -> Iterator[Progress]:
    """What to give as `progress` to the work inside the block."""
    if sys.stderr.isatty():
        with ExitStack() as stack:
            yield _OnTerminal(terminal, stack)
    else:
        yield _Elsewhere(terminal)


def figures(event: Event) -> str:
    """`loss 0.412  accuracy 88.2 %`, from an event's metrics."""
    shown = [tell(event.metrics[name]) for name, tell in FIGURES.items() if name in event.metrics]
    return "  ".join(shown)


class _OnTerminal:
    """rich is imported once the work has taken half a second."""

    def __init__(self, terminal: Terminal, stack: ExitStack) -> None:
        self._terminal = terminal
        self._stack = stack
        self._started = time.monotonic()
        self._bar: Bar | None = None
        self._task: TaskID | None = None

    def __call__(self, event: Event) -> None:
        if self._bar is None:
            if time.monotonic() - self._started < SECONDS_BEFORE_A_BAR:
                return
            self._bar = self._stack.enter_context(_bar(self._terminal))
        settings: dict[str, Any] = {
            "description": plain(event.stage),
            "completed": event.done,
            "total": event.total,
            "figures": figures(event),
        }
        if self._task is None:
            self._task = self._bar.add_task(**settings)
        else:
            self._bar.update(self._task, **settings)


def _bar(terminal: Terminal) -> "Bar":
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[figures]}"),
        TimeRemainingColumn(compact=True),
        console=Console(stderr=True, no_color=not terminal.coloured),
        transient=True,
    )


class _Elsewhere:
    """Messages as they come; the position every ten seconds."""

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal
        self._told = time.monotonic()

    def __call__(self, event: Event) -> None:
        now = time.monotonic()
        if event.message:
            self._terminal.say(f"{event.stage}: {plain(event.message)}")
        elif now - self._told >= SECONDS_BETWEEN_LINES:
            of = f" of {event.total:,}" if event.total is not None else ""
            self._terminal.say(f"{event.stage}: {event.done:,}{of}  {figures(event)}".rstrip())
        else:
            return
        self._told = now
