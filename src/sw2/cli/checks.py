"""Checks: lint of the data, fsck of the repository."""

import shlex
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from sw2.cli.frame import command
from sw2.cli.progress import progress
from sw2.cli.terminal import Terminal, bold, count, dim, plain

if TYPE_CHECKING:
    from sw2.insight import Finding

COLOURS = {"E": "red", "W": "yellow"}


@command(example="sw2 lint --limit 20\nsw2 lint --code W101 --strict")
@click.option("--limit", type=click.IntRange(1), help="Print at most so many findings.")
@click.option("--code", "codes", multiple=True, help="Only these codes, such as W101; repeatable.")
@click.option("--all", "everything", is_flag=True, help="Also findings that are dealt with.")
@click.option("--strict", is_flag=True, help="Exit with 1 on open warnings too.")
def lint(
    terminal: Terminal,
    limit: int | None,
    codes: tuple[str, ...],
    everything: bool,
    strict: bool,
) -> int:
    """List what is suspect about the data, worst first.

    Labels are judged by the newest finished build; duplicates, leaks between splits and imbalance
    need none. A finding is open until its label is changed or marked as reviewed.

    \b
    W101 wrong label?           W203 same picture, different labels
    W201 duplicate picture      W401 class imbalance
    W202 leak train to test     E301 broken, E302 missing picture

    Exits with 1 when an error (E…) is open, with --strict also for warnings, else with 0."""
    from sw2.build import builds, read_spec
    from sw2.insight import findings

    wanted = {code.upper() for code in codes}
    with terminal.repository() as repository:
        build = next((b for b in builds(repository) if b.status == "done"), None)
        found = findings(repository, build, read_spec(repository, None))
    found = [f for f in found if not wanted or f.code in wanted]
    opened = [f for f in found if not f.resolved]
    listed = found if everything else opened
    document = {
        "build": build.id if build else None,
        "open": len(opened),
        "resolved": len(found) - len(opened),
        "findings": listed[:limit],
    }
    terminal.answer(document, _lines(listed, limit))
    _summary(terminal, found, opened, build is not None)
    return int(any(strict or f.code.startswith("E") for f in opened))


def _lines(found: "list[Finding]", limit: int | None) -> Iterator[str]:
    for finding in found[:limit]:
        code = click.style(finding.code, fg=COLOURS.get(finding.code[0]))
        state = dim(" [resolved]") if finding.resolved else _fix(finding)
        yield f"{plain(finding.key) or 'examples'}: {code} {plain(finding.message)}{state}"


def _fix(finding: "Finding") -> str:
    if finding.code != "W101" or finding.proposed is None:
        return ""
    words = f"sw2 label {shlex.quote(finding.key)} {shlex.quote(finding.proposed)}"
    return dim(f" [fix: {plain(words)}]")


def _summary(
    terminal: Terminal, found: "list[Finding]", opened: "list[Finding]", built: bool
) -> None:
    counts = ", ".join(f"{code} {n:,}" for code, n in Counter(f.code for f in opened).items())
    terminal.say(bold(f"{count(len(opened), 'open finding')}{f': {counts}' if counts else ''}"))
    if len(found) > len(opened):
        terminal.say(f"{count(len(found) - len(opened), 'finding')} dealt with; --all lists them")
    if not built:
        terminal.say("no build is finished, so labels were not judged; next: sw2 build")


@command(example="sw2 fsck")
def fsck(terminal: Terminal) -> int:
    """Check every byte and link of the repository.

    Objects against their names, history, pictures, the stage. Changes nothing. Exits with 1 when
    something is damaged."""
    from sw2.repo import fsck as check

    with terminal.repository() as repository, progress(terminal) as tell:
        faults = check(repository, tell)
    document: dict[str, Any] = {"ok": not faults, "faults": faults}
    lines = [f"{plain(fault.where)}: {plain(fault.what)}" for fault in faults]
    terminal.answer(document, lines or ["the repository is sound"])
    if faults:
        terminal.say(f"{count(len(faults), 'fault')}; restore what is named from a backup")
    return int(bool(faults))
