"""The shortest way to a version: notes beside the chain spare the reader most of its deltas."""

import itertools
from collections.abc import Callable, Mapping, Sequence
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
class Step:
    """name: an object that says what the chain says after `parent` up to `tail`: the delta there,
    or a run that is noted beside it."""

    name: str
    tail: str
    parent: str | None


@dataclass(frozen=True, slots=True)
class Route:
    """How a version is reached.  base: the object's name.  steps: over it, oldest first."""

    base: str | None
    steps: tuple[Step, ...]


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


# Columns that are asked for, by identity; None: all.
Only = frozenset[str] | None
# By base, tail and columns: what lies between, as a few deltas.
Layers = dict[tuple[str | None, str, Only], tuple[Delta, ...]]
Folds = Callable[[str], Fold | None]


def no_folds(tail: str) -> Fold | None:
    """Of a reader that knows of no notes."""
    return None


def shortest(
    reader: "TableReader",
    base: str | None,
    tail: str | None,
    known: Mapping[tuple[str | None, str], Route],
) -> Route:
    """How the version is reached that stands on `base` with the chain up to `tail`, by way of what
    is noted and of `known`."""
    newer: list[Step] = []
    start = None
    while tail is not None and start is None:
        start = known.get((base, tail))
        note = reader.folds(tail) if start is None else None
        folded = folded_base(reader, note, base)
        if folded is not None and note is not None:
            start = Route(note.base, ())
            reader.stand_ins.update((s.name, StandIn(folded, tail)) for s in folded.segments)
        elif start is None:
            newer.append(folded_run(reader, tail, note) or Step(tail, tail, reader.parent(tail)))
            tail = newer[-1].parent
    start = start or Route(base, ())
    return Route(start.base, (*start.steps, *newer[::-1]))


def layered(reader: "TableReader", route: Route, only: Only, known: Layers) -> Layers:
    """What lies over the base of a route, and over where its last run ends, for many versions share
    that; begun with what of it is `known`."""
    steps = route.steps
    held = {
        tail: layers
        for (base, tail, columns), layers in known.items()
        if base == route.base and (columns is None or (only is not None and only <= columns))
    }
    start = next((n for n in range(len(steps), 0, -1) if steps[n - 1].tail in held), 0)
    layers = held[steps[start - 1].tail] if start else ()
    if only is not None:
        layers = tuple(layer.of(only) for layer in layers)
    found = {start: layers}
    runs = max((n for n, step in enumerate(steps, 1) if step.name != step.tail), default=0)
    for end in (runs, len(steps)):
        if end > start:
            said = compose([_said(reader, step, only) for step in steps[start:end]])
            layers, start = stacked(layers, said), end
            found[end] = layers
    return {(route.base, steps[n - 1].tail, only): each for n, each in found.items() if n}


def _said(reader: "TableReader", step: Step, only: Only) -> Delta:
    """The delta of a step; what the chain says, where a run is lost."""
    try:
        return reader.delta(step.name) if only is None else reader.delta(step.name, only)
    except (NotFound, Damaged):
        if step.name == step.tail:
            raise
    chain = [delta for _, delta in reader.chain(step.tail, step.parent, only)]
    return compose(chain) or replace(chain[0], table=chain[0].table.slice(0, 0))


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


def folded_run(reader: "TableReader", tail: str, note: Fold | None) -> Step | None:
    """The run of a note; None when it cannot be used."""
    if note is None or note.delta is None:
        return None
    try:
        return Step(note.delta, tail, reader.parent(note.delta))
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
