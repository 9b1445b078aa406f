"""Upkeep: fold, gc, doctor."""

import os
import subprocess
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from sw2.cli.environment import author as author_of
from sw2.cli.environment import background
from sw2.cli.frame import command
from sw2.cli.progress import progress
from sw2.cli.terminal import Terminal, bold, count, plain

if TYPE_CHECKING:
    from sw2.cli.examination import Finding
    from sw2.repo import GcReport, Repository

MARKS = {"ok": ("ok  ", "green"), "warn": ("warn", "yellow"), "fail": ("fail", "red")}


@command(example="sw2 fold")
@click.option("--again", is_flag=True, help="Drop every fold and write it anew.")
@click.option("--quiet", is_flag=True, help="Say nothing; take little of the processor.")
def fold(terminal: Terminal, again: bool, quiet: bool) -> None:
    """Make old commits as quick to read as new ones.

    Writes shortcuts beside the history: no commit changes. `sw2 commit` starts this by itself when
    it is worthwhile, so it is seldom needed by hand."""
    from sw2.progress import silent
    from sw2.repo import fold as work

    if quiet and hasattr(os, "nice"):
        os.nice(10)
    with terminal.repository() as repository, progress(terminal) as tell:
        done = work(repository, silent if quiet else tell, again=again)
    if quiet:
        return
    if done.busy:
        terminal.answer(done, ["another process is folding"])
    elif done.runs or done.bases:
        written = f"{count(done.runs, 'run')}, {count(done.bases, 'base')}, {size(done.bytes)}"
        terminal.answer(done, [f"folded: {written}"])
    else:
        terminal.answer(done, ["nothing to fold"])


def fold_when_due(repository: "Repository") -> None:
    """Starts `sw2 fold` as a process that outlives this one and holds no terminal."""
    from sw2.repo import due

    if background() and due(repository):
        subprocess.Popen(
            [sys.executable, "-c", "from sw2.cli import main; main()", "fold", "--quiet"],
            cwd=repository.root,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )


@command(example="sw2 gc --dry-run\nsw2 gc")
@click.option("--dry-run", is_flag=True, help="Only tell what would be removed.")
@click.option(
    "--grace", type=click.FloatRange(0), default=14, help="Days for which all is kept; 14."
)
def gc(terminal: Terminal, dry_run: bool, grace: float) -> None:
    """Remove what no branch, tag, stage or build needs any more.

    What became unreachable within the grace time stays, and so does what a branch pointed to in
    the last 90 days. Others may work meanwhile, unless the grace is shorter than their work."""
    from sw2.repo import gc as work

    with terminal.repository() as repository, progress(terminal) as tell:
        done = work(repository, int(grace * 86_400_000), dry_run, tell)
    terminal.answer(done, _collected(done, "would remove" if dry_run else "removed"))


def _collected(done: "GcReport", verb: str) -> Iterator[str]:
    told = f"{count(done.objects, 'object')}, {count(done.packs, 'pack')}, {size(done.bytes)}"
    yield f"{verb} {told}; kept {count(done.kept, 'object')}"
    extras = {
        "thin packs rewritten": done.rewritten,
        "small packs gathered": done.gathered,
        "folds dropped": done.notes,
        "temporary files swept": done.temporary,
    }
    yield from (f"{what}: {number:,}" for what, number in extras.items() if number)


@command(example="sw2 doctor")
def doctor(terminal: Terminal) -> int:
    """Examine this installation, and the repository if there is one.

    Each check says ok, warn or fail, and how to mend it. Changes nothing. Exits with 1 when
    something fails. `sw2 fsck` reads every byte; this does not."""
    from sw2.cli.examination import examine

    found = examine(author_of())
    failed = [finding for finding in found if finding.state == "fail"]
    document: dict[str, Any] = {"ok": not failed, "checks": found}
    terminal.answer(document, _findings(found))
    return int(bool(failed))


def _findings(found: "list[Finding]") -> Iterator[str]:
    width = max(len(finding.check) for finding in found)
    for finding in found:
        word, colour = MARKS[finding.state]
        line = (
            f"{click.style(word, fg=colour)}  {finding.check.ljust(width)}  {plain(finding.what)}"
        )
        yield bold(line) if finding.state == "fail" else line
        if finding.remedy:
            yield f"      {' ' * width}  {plain(finding.remedy)}"


def size(number: float) -> str:
    """`12 bytes`, `3.4 MB`."""
    for unit in ("bytes", "KB", "MB", "GB"):
        if number < 1000 or unit == "GB":
            break
        number /= 1000
    return f"{number:.0f} {unit}" if unit == "bytes" else f"{number:.1f} {unit}"
