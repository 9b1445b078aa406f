"""One example: who decided its cells, and how it came to be what it is. Finding it by its id."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sw2.cli.frame import Usage, command
from sw2.cli.terminal import Terminal, date, dim, person, plain
from sw2.errors import NotFound

if TYPE_CHECKING:
    from pyarrow import Table

    from sw2.repo import CellChange, Repository


@command(example="sw2 blame pictures/train/00017.png\nsw2 blame --column label --rev v1")
@click.argument("example", required=False)
@click.option("--column", help="Of this column: without an example, of all rows.")
@click.option("--table", default="examples", help="Of this table.")
@click.option("--rev", default="HEAD", help="As it was at a revision; a whole column only.")
def blame(
    terminal: Terminal, example: str | None, column: str | None, table: str, rev: str
) -> None:
    """Tell who decided each cell of an example, or of a column.

    For each cell: its value, who set it, when, in which commit, and from what. A cell that came
    with a merge is told of the commit that set it."""
    with terminal.repository() as repository:
        if example is None:
            if column is None:
                raise Usage("an example or a column is needed", hint="sw2 blame --column label")
            told = repository.blame_column(column, table, rev)
            rows = told.to_pylist() if terminal.json else told
            terminal.answer(rows, _column_lines(told), paged=True)
            return
        key = find_example(repository, example)
        names = [column] if column else _columns(repository)
        newest = [found[0] for name in names if (found := repository.history(key, name))]
    terminal.answer({"id": key, "cells": newest}, map(_cell, newest))


def _column_lines(told: "Table") -> Iterator[str]:
    for batch in told.to_batches(max_chunksize=4096):
        for row in batch.to_pylist():
            name = click.style((row["commit"] or "")[:10].ljust(10), fg="yellow")
            when = date(row["at"]) if row["at"] is not None else " " * 16
            by = person(row["by"] or "")
            yield f"{name}  {when}  {by:<16}  {plain(row['value']):<16}  {plain(row['key'])}"


@command(example="sw2 history pictures/train/00017.png --column label")
@click.argument("example")
@click.option("--column", help="Only this column.")
def history(terminal: Terminal, example: str, column: str | None) -> None:
    """List every change of an example.

    Newest first; `(staged)` stands where a change is not committed yet."""
    with terminal.repository() as repository:
        key = find_example(repository, example)
        names = [column] if column else _columns(repository)
        changes = [change for name in names for change in repository.history(key, name)]
    changes.sort(key=lambda change: -change.at)
    terminal.answer({"id": key, "changes": changes}, map(_change, changes))


def _columns(repository: "Repository") -> list[str]:
    schema = repository.schema()
    return [name for name in schema.names if name != schema.key]


def find_example(repository: "Repository", given: str) -> str:
    """The id that was meant: the id itself, or a path from the current folder.

    Raises NotFound, with the ids that end alike."""
    snapshot = repository.snapshot()
    path = Path(os.path.abspath(given))
    spellings = [given, given.removeprefix("./")]
    if path.is_relative_to(repository.root):
        spellings.append(path.relative_to(repository.root).as_posix())
    found, _ = snapshot.lookup(spellings, [])
    for spelling, here in zip(spellings, found, strict=True):
        if here:
            return spelling
    key = snapshot.schema.key
    ids = snapshot.read([key])[key].to_pylist()
    near = [id for id in ids if id.endswith(f"/{Path(given).name}")][:3]
    hint = f"Did you mean `{'` or `'.join(near)}`?" if near else "`sw2 ide` lets you search"
    raise NotFound(f"there is no example `{given}`", hint=hint)


def _cell(change: "CellChange") -> str:
    value = _value(change.column, change.new)
    return f"{change.column:<12} {value:<16} {date(change.at)}  {_decided(change)}"


def _change(change: "CellChange") -> str:
    old, new = (_value(change.column, cell) for cell in (change.old, change.new))
    moved = new if change.old is None else f"{old} -> {new}"
    return f"{date(change.at)}  {change.column}: {moved}  {_decided(change)}"


def _value(column: str, cell: object) -> str:
    """Object names are 64 digits; twelve tell them apart."""
    return plain(cell)[:12] if column == "image" else plain(cell)


def _decided(change: "CellChange") -> str:
    return dim("  ".join(_parts(change)))


def _parts(change: "CellChange") -> Iterator[str]:
    origin = change.origin
    yield person(origin.by) + ("" if origin.kind == "person" else f" ({origin.kind})")
    yield change.commit[:10] if change.commit else "(staged)"
    if origin.source:
        yield f"from {plain(origin.source)}"
    if origin.why:
        yield plain(origin.why)
