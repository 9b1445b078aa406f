"""One example: who decided its cells, and how it came to be what it is. Finding it by its id."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sw2.cli.frame import command
from sw2.cli.terminal import Terminal, date, dim, person, plain
from sw2.errors import NotFound

if TYPE_CHECKING:
    from sw2.repo import CellChange, Repository


@command(example="sw2 blame pictures/train/00017.png")
@click.argument("example")
def blame(terminal: Terminal, example: str) -> None:
    """Tell who decided each cell of an example.

    For each column: its value, who set it, when, in which commit, and from what."""
    with terminal.repository() as repository:
        key = find_example(repository, example)
        newest = [
            found[0] for name in _columns(repository) if (found := repository.history(key, name))
        ]
    terminal.answer({"id": key, "cells": newest}, map(_cell, newest))


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
