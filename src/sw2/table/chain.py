"""The shortest way to a version: notes beside the chain spare the reader most of its deltas."""

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from sw2.errors import Damaged, NotFound
from sw2.table.delta import Delta, compose
from sw2.table.schema import Column, Schema
from sw2.values import Fold

if TYPE_CHECKING:
    from sw2.store import ObjectStore
    from sw2.table.segment import Base, SegmentEntry
    from sw2.table.version import TableReader


@dataclass(frozen=True, slots=True)
class Way:
    """A version to be read.  base: the object's name.  layers: deltas over it, oldest first."""

    base: str | None
    layers: tuple[Delta, ...]


@dataclass(frozen=True, slots=True)
class StandIn:
    """A folded base and the tail it stands at."""

    base: "Base"
    tail: str


Folds = Callable[[str], Fold | None]


def no_folds(tail: str) -> Fold | None:
    """Of a reader that knows of no notes."""
    return None


def shortest(
    reader: "TableReader",
    base: str | None,
    tail: str | None,
    known: dict[tuple[str | None, str], Way],
) -> Way:
    """The way to the version that stands on `base` with the chain up to `tail`, by way of what is
    noted and of `known`."""
    newer: list[Delta] = []
    start = None
    while tail is not None and start is None:
        start = known.get((base, tail))
        note = reader.folds(tail) if start is None else None
        folded = folded_base(reader, note, base)
        if folded is not None and note is not None:
            start = Way(note.base, ())
            reader.stand_ins.update((s.name, StandIn(folded, tail)) for s in folded.segments)
        elif start is None:
            skip = folded_run(reader, note)
            newer.append(skip if skip is not None else reader.delta(tail))
            tail = newer[-1].parent
    start = start or Way(base, ())
    return Way(start.base, stacked(start.layers, compose(newer[::-1])))


def folded_base(reader: "TableReader", note: Fold | None, base: str | None) -> "Base | None":
    """The base of a note; None when it cannot be used: it is not there, or equals the table only
    where the chain stands on another base."""
    if note is None or note.base is None:
        return None
    try:
        found = reader.base(note.base)
    except (NotFound, Damaged):
        return None
    whole = all(reader.store.has(segment.name) for segment in found.segments)
    return found if whole and found.folded and found.folded.over == base else None


def folded_run(reader: "TableReader", note: Fold | None) -> Delta | None:
    """The delta of a note; None when it cannot be used."""
    if note is None or note.delta is None:
        return None
    try:
        return reader.delta(note.delta)
    except (NotFound, Damaged):
        return None


def rebuilt(
    store: "ObjectStore", entry: "SegmentEntry", columns: Sequence[Column], lost: StandIn
) -> Any:
    """What a segment of a folded base held, read from the chain: a table with `columns`. Raises
    Damaged when that is damaged too."""
    from sw2.table.version import Snapshot, TableReader

    assert lost.base.folded is not None
    identity, kind = lost.base.folded.key
    others = [replace(c, name=c.id) for c in columns if c.id != identity]
    key = Column(identity, identity, kind)  # type: ignore[arg-type]
    reader = TableReader(store)
    way = reader.way(lost.base.folded.over, lost.tail)
    base = reader.base(way.base) if way.base else None
    rows = Snapshot(reader, Schema("", identity, (key, *others)), base, way.layers).stored()
    before = itertools.takewhile(lambda each: each != entry, lost.base.segments)
    start = sum(segment.rows for segment in before)
    return rows.slice(start, entry.rows).select([column.id for column in columns])


def stacked(layers: Sequence[Delta], delta: Delta | None) -> tuple[Delta, ...]:
    """`layers` (oldest first) and one more. Each stays more than twice as large as the next, for
    smaller ones are composed: so a commit takes what it holds times the logarithm of the chain, not
    the chain, and a lookup goes through few layers."""
    below = list(layers)
    while delta is not None and below and below[-1].rows <= 2 * delta.rows:
        delta = compose([below.pop(), delta])
    return tuple(below) if delta is None else (*below, delta)
