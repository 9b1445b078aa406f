"""Builds: start one, list them."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING, Any

import click

from sw2.cli.frame import command
from sw2.cli.progress import progress
from sw2.cli.terminal import Terminal, bold, count, date, dim, percent, plain

if TYPE_CHECKING:
    from sw2.build import Build
    from sw2.insight import Comparison
    from sw2.repo import Repository


@command(example="sw2 build")
@click.argument("revision", default="HEAD")
def build(terminal: Terminal, revision: str) -> None:
    """Build the last commit into a program.

    sw2.toml says what to build; the same commit gives the same bits again, so what was built
    before is answered at once. Ctrl-C stops it and keeps its state: the next `sw2 build` goes on
    from there. A second Ctrl-C kills it."""
    from sw2.build import build_before, read_spec
    from sw2.insight import compare, findings, labels_now

    with terminal.repository() as repository:
        commit = repository.commit_of(revision)
        _tell_staged(terminal, repository)
        made = make(terminal, repository, commit.name)
        spec = read_spec(repository, commit.name)
        before = build_before(repository, made)
        labels = labels_now(repository, spec.target)
        comparison = compare(before, made, labels) if before else None
        found = findings(repository, made, spec)
        suspects = sum(f.code == "W101" and not f.resolved for f in found)
        skipped = made.report().skipped
        document = build_document(made) | {"comparison": comparison, "suspects": suspects}
        terminal.answer(document, _lines(made, comparison, suspects))
        for note in made.report().notes:
            terminal.say(f"note: {plain(note)}")
        for one in skipped:
            terminal.say(f"skipped: {plain(one.key)}: {one.code} {plain(one.message)}")
    terminal.say("next: sw2 lint / sw2 ide")


@command(example="sw2 builds")
@click.option("--limit", type=click.IntRange(1), help="At most so many builds.")
def builds(terminal: Terminal, limit: int | None) -> None:
    """List builds, newest first.

    The beginning of an id names its program for `sw2 run` and `sw2 inspect`."""
    from sw2.build import builds as all_of

    with terminal.repository() as repository:
        found = all_of(repository)[:limit]
        terminal.answer([build_document(b) for b in found], map(_line, found))
    if not found:
        terminal.say("there is no build yet; next: sw2 build")


def make(terminal: Terminal, repository: "Repository", commit: str) -> "Build":
    """Builds with a progress bar; the first Ctrl-C stops cleanly."""
    from sw2.build import build as run

    with _stoppable(terminal) as stop, progress(terminal) as tell:
        return run(repository, commit, tell, stop)


def build_document(build: "Build") -> dict[str, Any]:
    state = build.state
    return {
        "id": build.id,
        "key": build.key,
        "status": build.status,
        "commit": build.commit,
        "cached": build.cached,
        "started_at": state.started_at,
        "ended_at": state.ended_at,
        "accuracy": state.accuracy,
        "interval": state.interval,
        "tested": state.tested,
        "binary": build.binary if build.status == "done" else None,
        "error": state.error,
    }


def _tell_staged(terminal: Terminal, repository: "Repository") -> None:
    status = repository.status()
    staged = status.edited + status.inserted + status.deleted
    if staged:
        terminal.say(f"{count(staged, 'staged edit')} not in this build: it builds a commit")


@contextmanager
def _stoppable(terminal: Terminal) -> Iterator[Callable[[], bool]]:
    """Inside, the first Ctrl-C asks for a clean stop; the second interrupts at once, which loses
    what was done since the last checkpoint (ten seconds at most)."""
    asked: list[int] = []

    def ask(number: int, frame: FrameType | None) -> None:
        asked.append(number)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        terminal.say("stopping; the state is kept and `sw2 build` resumes it. Ctrl-C again kills")

    before = signal.signal(signal.SIGINT, ask)
    try:
        yield lambda: bool(asked)
    finally:
        signal.signal(signal.SIGINT, before)


def _lines(build: "Build", comparison: "Comparison | None", suspects: int) -> Iterator[str]:
    state = build.state
    if build.cached:
        yield (
            f"build {build.id} is up to date: the data of commit {build.commit[:10]}, sw2.toml "
            f"and the tools are the same as on {date(state.started_at)}"
        )
    else:
        took = ((state.ended_at or state.started_at) - state.started_at) / 1000
        yield f"build {build.id} of commit {build.commit[:10]} done in {took:.1f} s"
    if state.accuracy is not None:
        yield bold(f"accuracy {_figure(state.accuracy, state.interval)}") + (
            f" on {count(state.tested, 'test example')}"
        )
    else:
        yield "accuracy unknown: no test example has a label"
    if comparison is not None:
        yield from _compared(comparison)
    yield f"{count(suspects, 'suspect label')} to look at"
    yield dim(str(build.binary))


def _compared(comparison: "Comparison") -> Iterator[str]:
    before = _figure(comparison.before_accuracy, comparison.before_interval)
    after = _figure(comparison.after_accuracy, comparison.after_interval)
    yield f"before: {before}  (build {comparison.before})"
    yield f"after:  {after}"
    low, high = comparison.difference_interval
    points = f"{100 * comparison.difference:+.1f} points ({100 * low:+.1f} to {100 * high:+.1f})"
    better, worse = len(comparison.better), len(comparison.worse)
    yield (
        f"change: {points}, {better:,} better, {worse:,} worse of {comparison.tested:,} tested, "
        "judged by the labels of today"
    )


def _figure(share: float, interval: tuple[float, float] | None) -> str:
    if interval is None:
        return percent(share)
    return f"{percent(share)} ({100 * interval[0]:.1f} to {100 * interval[1]:.1f})"


def _line(build: "Build") -> str:
    state = build.state
    figure = percent(state.accuracy) if state.accuracy is not None else ""
    name = click.style(build.id, fg="yellow")
    why = f"  {plain(state.error.message)}" if state.error else ""
    when = date(state.started_at)
    return f"{name}  {when}  {build.status:<11} {figure:>7}  commit {build.commit[:10]}{why}"
