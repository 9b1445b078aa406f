"""Merging two schemas that came from one, property by property, by the identity of columns.

What one side changed is taken; what both changed otherwise stays as ours and is told as a conflict.
Our labels keep their slots, and new ones of theirs are appended, so that none of our cells changes
what it means; `SchemaMerge.take` brings their deltas over."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np

from sw2.errors import InvalidInput
from sw2.table.delta import Delta
from sw2.table.schema import Column, Schema

T = TypeVar("T")
MINE = "{} (theirs)"


@dataclass(frozen=True, slots=True)
class SchemaConflict:
    """Something both sides changed otherwise; ours was kept. column: its identity.  what: `name`,
    `label 3`, `order`, `type`, `rule`, `consensus`, or `column` where one side dropped what the
    other changed (it is kept, and the side that dropped it is None)."""

    column: str
    what: str
    base: Any
    ours: Any
    theirs: Any


@dataclass(frozen=True)
class SchemaMerge:
    """schema: the two as one.  columns: identity in theirs -> in `schema`, where it differs.
    numbers: identity in `schema` -> int32 (their slots,), the slot of each of their labels, where
    some differ.  retyped: identity in theirs -> (their column, the merged one), for columns whose
    cells have to be converted."""

    schema: Schema
    columns: dict[str, str]
    numbers: dict[str, Any]
    conflicts: list[SchemaConflict]
    retyped: dict[str, tuple[Column, Column]]
    theirs: Schema

    def take(self, delta: Delta) -> Delta:
        """A delta of theirs as the merged schema has it. Cells of a column that became of another
        type on our side are converted, and empty where they have no such value."""
        delta = delta.under(self.theirs)
        for old, new in self.retyped.values():
            delta = delta.retyped(old, new)
        return delta.remapped(self.columns, self.numbers)


def merge_schemas(base: Schema | None, ours: Schema, theirs: Schema) -> SchemaMerge:
    """Three-way merge. base: what both came from; None when each side made the table.

    Raises InvalidInput when the two name their rows by different columns."""
    merge = _Merge(base or Schema(ours.table, "", ()), ours, theirs)
    pairs = _pairs(merge)
    columns = [column for pair in pairs if (column := merge.column(*pair)) is not None]
    named = merge.named(columns)
    keys = [c for c in named if ours.key_column.id in _ids(c)]
    if not keys or merge.moved(theirs.key_column.id) != keys[0].id:
        raise InvalidInput(
            f"rows of table `{ours.table}` are named by `{ours.key}` here and by `{theirs.key}`"
            " there",
            hint="Import the rows of one into the table of the other",
        )
    live = {identity for column in named for identity in _ids(column)}
    dropped = dict.fromkeys((*ours.dropped, *theirs.dropped, *merge.gone))
    schema = Schema(
        ours.table, keys[0].name, tuple(named), tuple(d for d in dropped if d not in live)
    )
    final = {column.id: column for column in named}
    retyped = {k: (old, final[new.id]) for k, (old, new) in merge.retyped.items()}
    return SchemaMerge(schema, merge.columns, merge.numbers, merge.conflicts, retyped, theirs)


def joint(ours: Schema, theirs: Schema) -> SchemaMerge:
    """Two schemas as one by which cells of both can be compared: ours, and after it the columns and
    labels that only theirs has. Nothing is decided, so its conflicts mean nothing."""
    return merge_schemas(None, ours, theirs)


def _ids(column: Column) -> set[str]:
    return {link.id for link in column.chain}


def _pairs(merge: "_Merge") -> list[tuple[Column | None, Column | None, Column | None]]:
    """(base, ours, theirs) of each column: ours in order, then those of theirs alone."""
    before = merge.base.columns

    def of(columns: Sequence[Column], one: Column) -> Column | None:
        return next((c for c in columns if not _ids(c).isdisjoint(_ids(one))), None)

    added = [c for c in merge.theirs.columns if not of(before, c) and not of(merge.ours.columns, c)]
    pairs, paired = [], set()
    for mine in merge.ours.columns:
        start, other = of(before, mine), of(merge.theirs.columns, mine)
        if other is None and start is None:
            # Both added it, to tables that were not the same by then.
            same = (mine.name, mine.type)
            other = next((c for c in added if (c.name, c.type) == same), None)
        paired.add(other.id if other else "")
        pairs.append((start, mine, other))
    rest = [c for c in merge.theirs.columns if c.id not in paired]
    return [*pairs, *((of(before, c), None, c) for c in rest)]


class _Merge:
    """Gathers what `SchemaMerge` tells while columns are merged one by one."""

    def __init__(self, base: Schema, ours: Schema, theirs: Schema) -> None:
        self.base, self.ours, self.theirs = base, ours, theirs
        self.columns: dict[str, str] = {}
        self.numbers: dict[str, Any] = {}
        self.conflicts: list[SchemaConflict] = []
        self.retyped: dict[str, tuple[Column, Column]] = {}
        self.gone: list[str] = []

    def moved(self, identity: str) -> str:
        return self.columns.get(identity, identity)

    def pick(self, column: str, what: str, base: T, ours: T, theirs: T) -> T:
        """The one that changed; ours, and a conflict, where both did."""
        if theirs in (base, ours):
            return ours
        if ours != base:
            self.conflicts.append(SchemaConflict(column, what, base, ours, theirs))
            return ours
        return theirs

    def column(
        self, base: Column | None, ours: Column | None, theirs: Column | None
    ) -> Column | None:
        """The merged column; None for one that a side dropped and the other left alone."""
        if ours is not None and theirs is not None:
            return self.joined(base, ours, theirs)
        left = ours or theirs
        assert left is not None
        if base is None:
            return left
        if left == base:
            self.gone += _ids(left)
            return None
        names = [None if column is None else column.name for column in (ours, theirs)]
        self.conflicts.append(SchemaConflict(left.id, "column", base.name, *names))
        return left

    def joined(self, base: Column | None, ours: Column, theirs: Column) -> Column:
        kept = self.typed(base, ours, theirs)
        identity, before = kept.id, base or replace(ours, name="", merge="ask", consensus=None)
        merged = replace(
            kept,
            name=self.pick(identity, "name", before.name, ours.name, theirs.name),
            merge=self.pick(identity, "rule", before.merge, ours.merge, theirs.merge),
            consensus=self.pick(
                identity, "consensus", before.consensus, ours.consensus, theirs.consensus
            ),
        )
        # Labels that a type without any lies between have nothing to do with each other.
        apart = not (_related(ours, theirs) or _related(theirs, ours))
        if kept.has_labels and ours.has_labels and theirs.has_labels and not apart:
            slots = _slots(self, identity, base, ours, theirs)
            order = _order(self, identity, base, ours, theirs, slots)
            merged = replace(merged, slots=slots.names, order=order, born=slots.born)
            merged = replace(merged, was=_with_texts(merged, theirs, slots))
            if slots.numbers.tolist() != list(range(len(theirs.slots))):
                self.numbers[identity] = slots.numbers
        if theirs.id != identity:
            self.columns[theirs.id] = identity
        if theirs.type != merged.type or (apart and theirs.id != identity):
            self.retyped[theirs.id] = (theirs, merged)
        return merged

    def typed(self, base: Column | None, ours: Column, theirs: Column) -> Column:
        """Whose identity and type the merged column has, with our labels in what it was."""
        if theirs.id in _ids(ours):
            return ours
        if ours.id in _ids(theirs):
            return replace(theirs, was=_labelled_was(theirs, ours, base))
        if ours.type != theirs.type:
            kind = None if base is None else base.type
            self.conflicts.append(SchemaConflict(ours.id, "type", kind, ours.type, theirs.type))
        return ours

    def named(self, columns: list[Column]) -> list[Column]:
        """With a name of its own for each: a name that is ours stays, theirs gives way."""
        mine = {column.id: column.name for column in self.ours.columns}
        names = {c.id: next((mine[i] for i in _ids(c) if i in mine), None) for c in columns}
        taken = {column.name for column in columns if names[column.id] == column.name}
        named = []
        for column in columns:
            name = column.name
            if names[column.id] != name:
                while name in taken:
                    name = MINE.format(name)
                taken.add(name)
            if name != column.name:
                start = next((b.name for b in self.base.columns if b.id in _ids(column)), None)
                told = (start, names[column.id], column.name)
                self.conflicts.append(SchemaConflict(column.id, "name", *told))
            named.append(replace(column, name=name))
        return named


def _labelled_was(column: Column, ours: Column, base: Column | None) -> Column | None:
    """What `column` was, where that is `ours` with the labels that ours has by now."""
    was = column.was
    if was is None or was.id != ours.id:
        return was and replace(was, was=_labelled_was(was, ours, base))
    if not ours.has_labels:
        return was
    had = base.slots if base and base.id == ours.id else ()
    names = [*ours.slots, *was.slots[len(ours.slots) :]]
    for slot, (before, other) in enumerate(zip(had, was.slots, strict=False)):
        names[slot] = other if names[slot] == before else names[slot]
    return replace(was, slots=tuple(names))


@dataclass(frozen=True)
class _Slots:
    """names, identities: of merged slots.  numbers: int32, the merged slot of each of theirs."""

    names: tuple[str, ...]
    identities: tuple[str, ...]
    numbers: Any

    @property
    def born(self) -> tuple[str, ...] | None:
        return None if self.identities == self.names else self.identities

    def of(self, column: Column, slots: Sequence[int]) -> list[int]:
        """The merged slots of labels of a column, by their identity."""
        places = {identity: place for place, identity in enumerate(self.identities)}
        return [p for s in slots if (p := places.get(column.identities[s])) is not None]


def _common(base: Column | None, *sides: Column) -> bool:
    """Whether both sides have their labels from the base."""
    return base is not None and all(_inherits(side, base) for side in sides)


def _related(column: Column, other: Column) -> bool:
    """Whether their labels are to be compared: one has those of the other, or neither was the
    other."""
    return _inherits(column, other) or (
        other.id not in _ids(column) and column.id not in _ids(other)
    )


def _inherits(column: Column, base: Column) -> bool:
    """Whether its slots are those of `base`: it had labels all the way."""
    links = {link.id: place for place, link in enumerate(column.chain)}
    return base.id in links and all(c.has_labels for c in column.chain[: links[base.id] + 1])


def _slots(merge: _Merge, column: str, base: Column | None, ours: Column, theirs: Column) -> _Slots:
    """Labels that are one by identity share our slot; other labels of theirs come after ours."""
    had = base if base is not None and _common(base, ours, theirs) else None
    before = dict(zip(had.identities, had.slots, strict=True)) if had else {}
    names, identities = list(ours.slots), list(ours.identities)
    places = {identity: slot for slot, identity in enumerate(identities)}
    told: dict[int, tuple[str | None, str, str]] = {}
    numbers: list[int] = []
    for identity, other in zip(theirs.identities, theirs.slots, strict=True):
        slot = places.get(identity)
        if slot is not None:
            # A label that both added was first called what its identity says.
            first, mine = before.get(identity, identity), ours.slots[slot]
            if mine == first:
                names[slot] = other
            elif other not in (first, mine):
                told[slot] = (first, mine, other)
        else:
            # Two labels of one name stay two: to make them one is for people to decide.
            slot, called = len(names), other
            while called in names or called in theirs.slots[len(numbers) + 1 :]:
                called = MINE.format(called)
            if other in names:
                at = names.index(other)
                first = before.get(identities[at], identities[at])
                told[at if first != other else slot] = (first, other, first)
            names.append(called)
            identities.append(identity)
        numbers.append(slot)
    # A name of theirs that ours has for another label gives way; what it was may clash in turn.
    mine_of = dict(enumerate(ours.slots))
    while clash := [
        s for s, n in enumerate(names) if n != mine_of.get(s, n) and names.count(n) > 1
    ]:
        for slot in clash:
            told[slot] = (before.get(identities[slot]), ours.slots[slot], names[slot])
            for twin in (s for s, name in mine_of.items() if name == names[slot]):
                if was := before.get(identities[twin]):
                    told.setdefault(twin, (was, ours.slots[twin], was))
            names[slot] = ours.slots[slot]
    for slot in sorted(told):
        merge.conflicts.append(SchemaConflict(column, f"label {slot}", *told[slot]))
    return _Slots(tuple(names), tuple(identities), np.array(numbers, np.int32))


def _order(
    merge: _Merge, column: str, base: Column | None, ours: Column, theirs: Column, slots: _Slots
) -> tuple[int, ...] | None:
    """The visible order: labels that a side retired are gone, those that it added are there, and
    the order of the rest is that of the side that changed it."""
    mine, other = list(ours.live), [int(slots.numbers[slot]) for slot in theirs.live]
    common = base is not None and _common(base, ours, theirs)
    before = slots.of(base, base.live) if base is not None and common else []

    def lives(slot: int) -> bool:
        votes = (slot in mine, slot in other)
        return all(votes) if slot in before else any(votes)

    kept = [slot for slot in before if slot in mine and slot in other]
    three = [[slot for slot in order if slot in kept] for order in (before, mine, other)]
    if mine == before or (other != before and three[1] == three[0] != three[2]):
        first, then = other, mine
    else:
        first, then = mine, other
        if three[0] != three[1] != three[2] != three[0]:
            told = [tuple(slots.names[slot] for slot in order) for order in three]
            merge.conflicts.append(SchemaConflict(column, "order", *told))
    order = [slot for slot in dict.fromkeys((*first, *then)) if lives(slot)]
    return None if order == list(range(len(slots.names))) else tuple(order)


def _with_texts(merged: Column, theirs: Column, slots: _Slots) -> Column | None:
    """What the merged column was. Where that has no labels, its slots are the texts that became
    ours: those that became labels of theirs are added in their places."""
    was = merged.was
    if was is None or was.has_labels or theirs.was is None or theirs.was.has_labels:
        return was
    new = dict(zip(slots.numbers.tolist(), theirs.was.slots, strict=False))
    size = max([len(was.slots), *(slot + 1 for slot in new)])
    # A label between, which no text became, reads its own name.
    more = [new.get(slot, merged.slots[slot]) for slot in range(len(was.slots), size)]
    return replace(was, slots=(*was.slots, *more))
