"""Changes as lines: `path  label: Shirt -> Coat  (Ann)`, then how often each pair occurs."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from sw2.cli.terminal import bold, count, dim, person, plain

if TYPE_CHECKING:
    from sw2.repo import CellChange, Changes

LISTED = 20  # of added or deleted examples; --json lists all


def change_lines(changes: "Changes", stat: bool = False) -> Iterator[str]:
    """stat: leave the single cells out."""
    relabelled = {edit.key for edit in changes.edits if edit.column != "reviewed"}
    if not stat:
        yield from _cells(changes, relabelled)
    reviewed = {edit.key for edit in changes.edits if edit.column == "reviewed"}
    yield from _summary(changes, len(reviewed - relabelled), blank=not stat)


def _cells(changes: "Changes", relabelled: set[int | str]) -> Iterator[str]:
    yield from _listed(changes.inserted, "+", "added", "green")
    yield from _listed(changes.deleted, "-", "deleted", "red")
    for edit in sorted(changes.edits, key=lambda e: (str(e.key), e.column)):
        if edit.column != "reviewed":
            yield _edit(edit)
        elif edit.key not in relabelled:
            # A relabelled example is marked reviewed too; saying so would only repeat it.
            yield _reviewed(edit)


def change_document(changes: "Changes | None") -> dict[str, Any]:
    if changes is None:
        return {"rows": 0, "edits": [], "inserted": [], "deleted": [], "pairs": {}}
    columns = dict.fromkeys(edit.column for edit in changes.edits)
    return {
        "rows": changes.rows,
        "edits": changes.edits,
        "inserted": changes.inserted,
        "deleted": changes.deleted,
        "pairs": {name: changes.pairs(name) for name in columns if name != "reviewed"},
    }


def _listed(keys: list[int | str], sign: str, verb: str, colour: str) -> Iterator[str]:
    for key in keys[:LISTED]:
        yield click.style(f"{sign} {plain(key)}", fg=colour)
    if len(keys) > LISTED:
        yield dim(f"{sign} … {len(keys) - LISTED:,} more {verb}")


def _edit(edit: "CellChange") -> str:
    old, new = click.style(plain(edit.old), fg="red"), click.style(plain(edit.new), fg="green")
    return f"{plain(edit.key)}  {edit.column}: {old} -> {new}  {dim(_who(edit))}"


def _reviewed(edit: "CellChange") -> str:
    verb = "reviewed, label kept" if edit.new else "no longer reviewed"
    return f"{plain(edit.key)}  {verb}  {dim(_who(edit))}"


def _who(edit: "CellChange") -> str:
    source = f", from {plain(edit.origin.source)}" if edit.origin.source else ""
    return f"({person(edit.origin.by)}{source})"


def _summary(changes: "Changes", kept: int, blank: bool) -> Iterator[str]:
    edited = {edit.key for edit in changes.edits}
    parts = [
        f"{count(number, 'example')} {verb}"
        for number, verb in (
            (len(changes.inserted), "added"),
            (len(changes.deleted), "deleted"),
            (len(edited), "edited"),
        )
        if number
    ]
    if not parts:
        return
    if blank:
        yield ""
    yield from _pairs(changes)
    told = f" ({kept:,} reviewed and kept)" if kept else ""
    yield bold(", ".join(parts) + told)


def _pairs(changes: "Changes") -> Iterator[str]:
    for name in dict.fromkeys(edit.column for edit in changes.edits):
        if name != "reviewed":
            for old, new, number in changes.pairs(name)[:LISTED]:
                yield f"{number:>6,}  {name}: {plain(old)} -> {plain(new)}"
