"""Data: add, label, status."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import click

from sw2.cli.environment import author as author_of
from sw2.cli.frame import command
from sw2.cli.history import commit_document
from sw2.cli.terminal import Terminal, bold, count, dim, percent, person, plain

if TYPE_CHECKING:
    from sw2.build import Build
    from sw2.formats import AddReport
    from sw2.repo import Ledger, Status


@command(
    example="sw2 add pictures\nsw2 add pictures --labels labels.csv",
)
@click.argument("folder", type=click.Path())
@click.option("--labels", type=click.Path(), help="CSV file: path, label, perhaps split, more.")
@click.option("--prefix", help="What ids begin with, instead of the folder's place or name.")
@click.option("--overwrite-labels", is_flag=True, help="Also replace what people have set since.")
@click.option("--author", help="Who, instead of SW2_AUTHOR, git's user or the login name.")
def add(
    terminal: Terminal,
    folder: str,
    labels: str | None,
    prefix: str | None,
    overwrite_labels: bool,
    author: str | None,
) -> None:
    """Add a folder of pictures, with or without labels.

    Folders name labels (`coat/1.png`) and splits (`train/coat/1.png`), or a CSV file does. Adding
    a folder again stages only what differs, and keeps labels that people have set. Pictures and
    lines that cannot be used are listed at the end; the rest is staged as one action."""
    from sw2.cli.progress import progress
    from sw2.formats import add_pictures

    with terminal.repository() as repository, progress(terminal) as tell:
        report = add_pictures(
            repository,
            folder,
            labels,
            tell,
            by=author_of(author),
            prefix=prefix,
            overwrite=overwrite_labels,
        )
    terminal.answer(report, _add_lines(report))
    _tell_left_out(terminal, report)


def _add_lines(report: "AddReport") -> Iterator[str]:
    parts = {
        "added": report.added,
        "updated": report.updated,
        "unchanged": report.unchanged,
    }
    told = [f"{number:,} {verb}" for verb, number in parts.items() if number]
    yield bold(f"examples: {', '.join(told) or 'none'}")
    if report.labels:
        yield f"labels: {_counts(report.labels)}"
    if report.unlabelled:
        yield f"without a label: {report.unlabelled:,}"
    if report.splits:
        yield f"splits: {_counts(report.splits)}"
    yield from (dim(f"note: {plain(note)}") for note in report.notes)


def _counts(counts: Any) -> str:
    shown = [f"{plain(name)} {number:,}" for name, number in list(counts.items())[:20]]
    more = f", … {len(counts) - 20} more" if len(counts) > 20 else ""
    return ", ".join(shown) + more


def _tell_left_out(terminal: Terminal, report: "AddReport") -> None:
    for kept in report.kept:
        given = f"{plain(kept.value)} (set by {person(kept.by)}), not {plain(kept.offered)}"
        terminal.say(f"kept: {plain(kept.id)}: {kept.column} {given}")
    if report.kept:
        terminal.say(f"{count(len(report.kept), 'cell')} kept; --overwrite-labels replaces them")
    for skipped in report.skipped:
        terminal.say(f"skipped: {plain(skipped)}")
    if report.skipped:
        terminal.say(f"{count(len(report.skipped), 'item')} skipped, the rest was taken")
    if report.added or report.updated:
        terminal.say('next: sw2 commit -m "…", or sw2 ide to look first')


@command(example="sw2 label pictures/train/00017.png Coat")
@click.argument("examples", nargs=-1, required=True)
@click.argument("label")
@click.option("--new", is_flag=True, help="Allow a label that no example has yet.")
@click.option("--why", default="", help="The reason, kept with the edit.")
@click.option("--author", help="Who, instead of SW2_AUTHOR, git's user or the login name.")
def label(
    terminal: Terminal,
    examples: Sequence[str],
    label: str,
    new: bool,
    why: str,
    author: str | None,
) -> None:
    """Set the label of examples.

    EXAMPLES are ids, or paths from here; LABEL comes last. The edit is staged and on disk when the
    command ends, and the examples count as reviewed. `sw2 undo` takes it back."""
    from sw2.build import read_spec
    from sw2.cli.examples import find_example
    from sw2.repo import Edit
    from sw2.values import Origin

    with terminal.repository() as repository:
        keys = list(dict.fromkeys(find_example(repository, given) for given in examples))
        target, schema = read_spec(repository, None).target, repository.schema()
        origin = Origin(author_of(author), why=why)
        what = keys[0] if len(keys) == 1 else count(len(keys), "example")
        words = f"{label}: {what}"
        if new and label not in schema.column(target).labels:
            action = repository.stage_rows(
                _rows(keys, target, label), origin, words, schema.with_labels(target, [label])
            )
        else:
            edits = [Edit(key, target, label) for key in keys]
            edits += [Edit(key, "reviewed", True) for key in keys if "reviewed" in schema.names]
            action = repository.edit(edits, origin, words)
    document = {"ids": keys, "label": label, "changed": action is not None}
    terminal.answer(document, [plain(words)] if action else ["unchanged"])


def _rows(keys: Sequence[str], target: str, label: str) -> Any:
    import pyarrow as pa

    columns = {"id": keys, target: [label] * len(keys), "reviewed": [True] * len(keys)}
    return pa.table(columns)


@command(example="sw2 status")
def status(terminal: Terminal) -> None:
    """Tell what is staged and what is built."""
    with terminal.ledger() as ledger:
        found = ledger.clean_status()
        if found is None:
            with terminal.repository() as repository:
                found = repository.status()
        newest = _newest_build(ledger)
        terminal.answer(_document(ledger, found, newest), _lines(ledger, found, newest))


def _newest_build(ledger: "Ledger") -> "Build | None":
    folder = ledger.folder / "builds"
    if not folder.is_dir() or not any(folder.iterdir()):
        return None  # and nothing of builds need be imported
    from sw2.build import builds

    return next(iter(builds(ledger)), None)


def _document(repository: "Ledger", status: "Status", newest: "Build | None") -> dict[str, Any]:
    return {
        "name": repository.name,
        "path": repository.root,
        "branch": status.branch,
        "head": commit_document(status.head) if status.head else None,
        "rows": status.rows,
        "edited": status.edited,
        "inserted": status.inserted,
        "deleted": status.deleted,
        "files": status.files,
        "conflicts": status.conflicts,
        "clean": status.clean,
        "build": newest and {"id": newest.id} | {k: getattr(newest.state, k) for k in _SHOWN},
    }


_SHOWN = ("status", "commit", "accuracy", "interval", "tested")


def _lines(repository: "Ledger", status: "Status", newest: "Build | None") -> Iterator[str]:
    head = status.head
    yield f"{bold(plain(repository.name))} on {status.branch}, {count(status.rows, 'example')}"
    if head:
        yield f"last commit: {head.short} {plain(head.message.splitlines()[0])}"
    else:
        yield "nothing is committed yet"
    staged = {"edited": status.edited, "added": status.inserted, "deleted": status.deleted}
    told = [f"{number:,} {verb}" for verb, number in staged.items() if number]
    told += [f"{path} changed" for path in status.files]
    yield f"staged: {', '.join(told)}" if told else "nothing is staged"
    if status.conflicts:
        yield bold(f"{count(status.conflicts, 'conflict')} to settle")
    if newest:
        figure = f", accuracy {percent(newest.state.accuracy)}" if newest.state.accuracy else ""
        yield f"newest build: {newest.id} {newest.status}{figure}"
    yield dim(f"next: {_next(status, newest)}")


def _next(status: "Status", newest: "Build | None") -> str:
    if not status.rows:
        return "sw2 add FOLDER"
    if not status.clean:
        return 'sw2 diff, then sw2 commit -m "…"'
    if status.conflicts:
        return "sw2 conflicts, then sw2 settle"
    if newest is None or status.head is None or newest.commit != status.head.name:
        return "sw2 build"
    return "sw2 lint / sw2 ide"
