"""What a table holds: columns with a name, a type and an identity that outlives the name.

Cells hold the number of a label's slot; slots are only ever appended, so labels are renamed, put in
another order and retired without touching a row. A column that is given another type gets a new
identity and remembers what it was (`was`): older cells are converted as they are read. Cells of an
image or a sound are the name of an object in the store (32 bytes)."""

import json
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import Any, Literal, get_args

import pyarrow as pa
from blake3 import blake3

from sw2.errors import Damaged, InvalidInput, NotFound
from sw2.table.cells import (
    LABELLED,
    MEDIA_TYPES,
    OBJECTS,
    STORED,
    TYPES,
    ColumnType,
    Labels,
    decode_cells,
    encode_cells,
)
from sw2.table.convert import CONVERTS, convert

__all__ = ["MALFORMED", "MEDIA_TYPES", "STORED", "Column", "ColumnType", "MergeRule", "Schema"]

MergeRule = Literal["ask", "ours", "theirs", "latest", "higher-confidence", "majority"]
RULES: tuple[str, ...] = get_args(MergeRule)
KEY_TYPES = ("int", "string")
FORMAT_1_TYPES = TYPES[: TYPES.index("audio")]
# A column may have been of so many types; reading converts through all of them.
MOST_TYPES = 64
# What comes up when bytes that were not written by sw2 are taken apart. All of it means Damaged.
MALFORMED = (
    ArithmeticError,
    AttributeError,
    LookupError,
    RecursionError,
    TypeError,
    ValueError,
    struct.error,
    pa.ArrowException,
)


@dataclass(frozen=True, slots=True)
class Column:
    """id: 8 hex digits, the column's identity.  slots: every label there was, a cell holds the
    number of one.  order: the slots that are live, as people see them; None for all in order.
    born: what each label was first called, which is its identity; None where that is its name.
    merge: how merging settles a cell that both sides set.  was: the column that this one was before
    it was given its type; its slots, where it had no labels, are the texts that became ours.
    consensus: (rule, table of votes) where cells are computed from votes."""

    id: str
    name: str
    type: ColumnType
    slots: tuple[str, ...] = ()
    order: tuple[int, ...] | None = None
    merge: MergeRule = "ask"
    was: "Column | None" = None
    consensus: tuple[str, str] | None = None
    born: tuple[str, ...] | None = None

    @property
    def identities(self) -> tuple[str, ...]:
        """Of each slot, what tells its label from others through all renaming and merging."""
        return self.slots if self.born is None else self.born

    @property
    def live(self) -> tuple[int, ...]:
        """Slots of the labels in use, in visible order."""
        return tuple(range(len(self.slots))) if self.order is None else self.order

    @property
    def labels(self) -> tuple[str, ...]:
        """Labels in use, in visible order."""
        return self.slots if self.order is None else tuple(self.slots[s] for s in self.order)

    @property
    def has_labels(self) -> bool:
        return self.type in LABELLED

    @property
    def takes_objects(self) -> bool:
        """Whether people give its cells as lists and dicts."""
        return self.type in OBJECTS

    @property
    def stored(self) -> pa.DataType:
        """The Arrow type of the cells in segments and deltas."""
        return STORED[self.type]

    @property
    def chain(self) -> "tuple[Column, ...]":
        """This column, what it was, what that was, …"""
        links = [self]
        while (before := links[-1].was) is not None:
            links.append(before)
        return tuple(links)

    def encode(self, values: pa.Array | pa.ChunkedArray | list[Any]) -> Any:
        """Cells as people see them (Arrow, or a list of Python values) -> as stored, in Arrow.
        Raises InvalidInput naming the first bad one."""
        try:
            return encode_cells(self.type, values, self._labels())
        except InvalidInput:
            raise
        except (pa.ArrowException, ValueError, TypeError, OverflowError) as error:
            raise InvalidInput(
                f"column `{self.name}` holds {self.type} cells: {error}",
                hint="Convert the values first, or add a column of another type",
            ) from error

    def decode(self, values: pa.Array | pa.ChunkedArray) -> pa.Array | pa.ChunkedArray:
        """Cells as stored -> as people see them: a category is a dictionary of its labels in
        order, with retired ones that occur after them; tags and shapes have names for slots; media
        are hex. Raises Damaged where a cell has no label."""
        return decode_cells(self.type, values, self._labels())

    def taken(self, identity: str, values: pa.Array | pa.ChunkedArray) -> Any:
        """Stored cells of an older identity as this column's; null where they do not convert."""
        links = self.chain
        at = next(place for place, link in enumerate(links) if link.id == identity)
        for old, new in zip(links[at:0:-1], links[at - 1 :: -1], strict=False):
            values = convert(values, (old.type, old.slots), (new.type, new.slots))
        return values

    def becoming(self, new: "Column") -> "Column":
        """This column as the `was` of `new`."""
        texts = new.has_labels and not self.has_labels
        return replace(self, slots=new.slots, born=None) if texts else self

    def _labels(self) -> Labels:
        return Labels(self.name, self.slots, self.live)


@dataclass(frozen=True, slots=True)
class Schema:
    """table: its name.  key: the name of the column that names rows; int or string, never null.
    dropped: identities of columns that were taken away."""

    table: str
    key: str
    columns: tuple[Column, ...]
    dropped: tuple[str, ...] = ()

    @staticmethod
    def create(table: str, key: str, types: dict[str, ColumnType]) -> "Schema":
        """A schema from names and types. Raises InvalidInput when the key is missing or of a type
        that cannot be one."""
        if types.get(key) not in KEY_TYPES:
            raise InvalidInput(f"key `{key}` of table `{table}` must be an int or string column")
        schema = Schema(table, key, ())
        for name, kind in types.items():
            schema = schema.add(name, kind)
        return schema

    @property
    def names(self) -> list[str]:
        return [column.name for column in self.columns]

    @property
    def key_column(self) -> Column:
        return self.column(self.key)

    def column(self, name: str) -> Column:
        for column in self.columns:
            if column.name == name:
                return column
        near = get_close_matches(name, self.names, 1)
        raise NotFound(
            f"table `{self.table}` has no column `{name}`",
            hint=(f"Did you mean `{near[0]}`? " if near else "")
            + f"It has {', '.join(self.names)}",
        )

    def by_id(self, identity: str) -> Column | None:
        return next((c for c in self.columns if c.id == identity), None)

    def add(self, name: str, kind: ColumnType, labels: Iterable[str] = ()) -> "Schema":
        """With one more column. Its identity follows from what the schema was, so that two people
        who add the same column to the same schema add one column."""
        if not name or name in self.names:
            raise InvalidInput(f"table `{self.table}` cannot take a column named `{name}`")
        column = Column(_identity(self, name, kind), name, kind)
        wider = replace(self, columns=(*self.columns, column))
        return wider.with_labels(name, labels) if (labels := tuple(labels)) else wider

    def rename(self, old: str, new: str) -> "Schema":
        if new in self.names or not new:
            raise InvalidInput(f"table `{self.table}` cannot rename `{old}` to `{new}`")
        renamed = self._with(replace(self.column(old), name=new))
        return replace(renamed, key=new) if old == self.key else renamed

    def drop(self, name: str) -> "Schema":
        """Without a column; what its cells say stays in the history."""
        column = _not_key(self, name, "dropped")
        gone = tuple(link.id for link in column.chain)
        kept = tuple(c for c in self.columns if c != column)
        return replace(self, columns=kept, dropped=(*self.dropped, *gone))

    def retype(self, name: str, kind: ColumnType, labels: Iterable[str] = ()) -> "Schema":
        """With another type for column `name`: cells are converted as they are read, and empty
        where they have no such value. labels: those of the new column; texts become the label they
        equal. Raises InvalidInput where one type cannot become the other."""
        old = _not_key(self, name, "given another type")
        if kind not in CONVERTS.get(old.type, ()) or kind == old.type:
            raise InvalidInput(
                f"column `{name}` is {old.type}, it cannot become {kind}",
                hint=f"It can become {', '.join(k for k in _becomes(old.type))}",
            )
        if len(old.chain) >= MOST_TYPES:
            raise InvalidInput(
                f"column `{name}` has been of {MOST_TYPES} types",
                hint="Add a column and copy the cells",
            )
        new = replace(old, id=_identity(self, name, kind, old.id), type=kind, was=None)
        if old.has_labels and kind not in LABELLED:
            new = replace(new, slots=(), order=None, born=None)
        retyped = self._with(new, old.id)
        if labels := tuple(labels):
            retyped = retyped.with_labels(name, labels)
        new = retyped.column(name)
        return retyped._with(replace(new, was=old.becoming(new)))

    def with_labels(self, name: str, labels: Iterable[str]) -> "Schema":
        """With those labels appended to column `name` that it lacks; order is kept. Retired ones
        are live again."""
        column = _labelled(self, name)
        wanted = dict.fromkeys(labels)
        slots = (*column.slots, *(label for label in wanted if label not in set(column.slots)))
        column = replace(column, born=born(column, slots))
        here = set(column.labels)
        place = {label: slot for slot, label in enumerate(slots)}
        live = (*column.live, *(place[label] for label in wanted if label not in here))
        return self._with(replace(column, slots=slots, order=_order(live, len(slots))))

    def rename_label(self, name: str, old: str, new: str) -> "Schema":
        """No row changes. Raises NotFound for a label that is not there, InvalidInput when there
        is one called `new`, live or retired."""
        column = _labelled(self, name)
        (slot,) = _slots_of(column, [old])
        if not new or new in column.slots:
            retired = new in column.slots and new not in column.labels
            raise InvalidInput(
                f"column `{name}` cannot rename label `{old}` to `{new}`",
                hint=f"`{new}` is a retired label; choose another name" if retired else "",
            )
        slots = (*column.slots[:slot], new, *column.slots[slot + 1 :])
        same = column.identities == slots
        return self._with(replace(column, slots=slots, born=None if same else column.identities))

    def retire_labels(self, name: str, labels: Iterable[str]) -> "Schema":
        """Labels that people no longer see and cells no longer take. Those that still have them
        keep them. `with_labels` brings them back."""
        column = _labelled(self, name)
        gone = _slots_of(column, labels)
        live = tuple(slot for slot in column.live if slot not in gone)
        return self._with(replace(column, order=_order(live, len(column.slots))))

    def order_labels(self, name: str, labels: Iterable[str]) -> "Schema":
        """Those labels first, in this order; the others after them as they were."""
        column = _labelled(self, name)
        first = _slots_of(column, labels)
        live = (*first, *(slot for slot in column.live if slot not in first))
        return self._with(replace(column, order=_order(live, len(column.slots))))

    def with_rule(self, name: str, rule: MergeRule) -> "Schema":
        """How merging settles cells of column `name` that both sides set."""
        if rule not in RULES:
            raise InvalidInput(
                f"column `{name}`: there is no merge rule `{rule}`", hint=f"Rules: {_said(RULES)}"
            )
        return self._with(replace(self.column(name), merge=rule))

    def keeping_labels(self, older: "Schema") -> "Schema":
        """What `older` was made into by others since this schema was made out of one before it:
        its labels keep their slots and new ones come after them, so that a cell means what it
        meant; columns that were added, retyped or dropped meanwhile are so here."""
        now = {link.id: column for column in older.columns for link in column.chain}
        mine = {link.id for column in self.columns for link in column.chain}
        new = [c for c in older.columns if mine.isdisjoint(link.id for link in c.chain)]
        if not older.columns or older.key_column.id not in mine:
            new = []  # not made out of one before `older`: `check_follows` will say so
        here = [now[c.id] if now.get(c.id, c).id != c.id else c for c in self.columns]
        kept = replace(
            self,
            columns=(
                *(c for c in here if c.id not in older.dropped),
                *(c for c in new if c.id not in self.dropped and c.name not in self.names),
            ),
            dropped=tuple(dict.fromkeys((*older.dropped, *self.dropped))),
        )
        for column in kept.columns:
            before = now.get(column.id)
            if before is not None and before.slots and before != column:
                named = replace(column, slots=before.slots, order=before.order, born=before.born)
                kept = kept._with(named).with_labels(column.name, column.labels)
        return kept

    def check_follows(self, older: "Schema") -> None:
        """Raises InvalidInput when cells stored under `older` could not be read under this one: a
        column gone that is neither dropped nor what one was, labels lost from their slots, another
        key, a name used twice."""
        if self.key not in self.names or self.key_column.type not in KEY_TYPES:
            raise InvalidInput(f"table `{self.table}` has no int or string column as its key")
        links = {link.id: link for column in self.columns for link in column.chain}
        for column in older.columns:
            now = links.get(column.id)
            kept = now and now.type == column.type and len(now.slots) >= len(column.slots)
            if not kept and (now or column.id not in self.dropped):
                raise InvalidInput(
                    f"column `{column.name}` of table `{self.table}` cannot be taken away, given"
                    " another type or fewer labels like this",
                    hint="Use `drop`, `retype` or `retire_labels` of the schema",
                )
        if older.columns and self.key_column.id != older.key_column.id:
            raise InvalidInput(f"table `{self.table}` keeps its key, `{older.key}`")
        for names in (self.names, *(column.slots for column in self.columns)):
            if len(set(names)) < len(names):
                twice = next(name for name in names if names.count(name) > 1)
                raise InvalidInput(
                    f"`{twice}` would be two things in table `{self.table}`",
                    hint="Give each column, and each label of a column, its own name",
                )
        if fault := _fault(self):
            raise InvalidInput(f"table `{self.table}` {fault}", hint="Make it by its methods")

    def stored(self, names: Iterable[str] | None = None) -> pa.Schema:
        """The Arrow schema of stored cells; fields are named by identity."""
        wanted = self.names if names is None else list(names)
        return pa.schema([pa.field(c.id, c.stored) for c in self.columns if c.name in wanted])

    def encode(self) -> bytes:
        """Canonical JSON: format 1 where an older sw2 could read it, else format 2."""
        columns = [_column_value(column) for column in self.columns]
        plain = all(c.keys() <= {"id", "name", "type", "labels"} for c in columns)
        old = plain and not self.dropped and all(c["type"] in FORMAT_1_TYPES for c in columns)
        value: dict[str, Any] = {
            "format": 1 if old else 2,
            "table": self.table,
            "key": self.key,
            "columns": columns,
        }
        if self.dropped:
            value["dropped"] = list(self.dropped)
        return json.dumps(value, sort_keys=True, ensure_ascii=False).encode()

    @staticmethod
    def parse(raw: bytes) -> "Schema":
        """Raises Damaged when the bytes are not a schema that this version reads."""
        try:
            value = json.loads(raw)
            if value["format"] not in (1, 2):
                raise Damaged(f"schema of format {value['format']}; this sw2 reads 1 and 2")
            columns = tuple(_parsed_column(column) for column in value["columns"])
            dropped = tuple(_text(identity) for identity in value.get("dropped", ()))
            schema = Schema(str(value["table"]), str(value["key"]), columns, dropped)
            if schema.key not in schema.names or (fault := _fault(schema)):
                fault = fault if schema.key in schema.names else "has no key"
                raise Damaged(f"schema of table `{schema.table}` {fault}")
        except MALFORMED as error:
            raise Damaged(f"these bytes are not a schema: {error}") from error
        return schema

    def _with(self, column: Column, place: str | None = None) -> "Schema":
        """With `column` where the column of identity `place` (its own by default) is."""
        at = place or column.id
        return replace(self, columns=tuple(column if c.id == at else c for c in self.columns))


def _identity(schema: Schema, name: str, kind: str, *more: str) -> str:
    """Of a new column; it follows from what the schema was."""
    if kind not in STORED:
        raise InvalidInput(
            f"column `{name}`: there is no type `{kind}`", hint=f"Types: {', '.join(TYPES)}"
        )
    seed = [schema.table, name, kind, [c.id for c in schema.columns], list(schema.dropped), *more]
    return blake3(json.dumps(seed).encode()).hexdigest()[:8]


def _not_key(schema: Schema, name: str, verb: str) -> Column:
    column = schema.column(name)
    if name == schema.key:
        raise InvalidInput(
            f"`{name}` names the rows of table `{schema.table}` and cannot be {verb}",
            hint="Import the rows into another table",
        )
    return column


def _labelled(schema: Schema, name: str) -> Column:
    column = schema.column(name)
    if not column.has_labels:
        raise InvalidInput(
            f"column `{name}` is {column.type}, it has no labels",
            hint=f"Types with labels: {', '.join(LABELLED)}",
        )
    return column


def _slots_of(column: Column, labels: Iterable[str]) -> tuple[int, ...]:
    """Slots of live labels. Raises NotFound, InvalidInput when one is named twice."""
    slots = dict(zip(column.labels, column.live, strict=True))
    names = list(labels)
    for name in names:
        if name not in slots:
            near = get_close_matches(name, column.labels, 1)
            raise NotFound(
                f"column `{column.name}` has no label `{name}`",
                hint=(f"Did you mean `{near[0]}`? " if near else "")
                + f"Its labels: {_said(column.labels)}",
            )
    if len(set(names)) < len(names):
        raise InvalidInput(f"column `{column.name}`: a label is named twice: {_said(names)}")
    return tuple(slots[name] for name in names)


def _order(live: Sequence[int], slots: int) -> tuple[int, ...] | None:
    return None if tuple(live) == tuple(range(slots)) else tuple(live)


def _becomes(kind: str) -> list[str]:
    return [other for other in CONVERTS.get(kind, ()) if other != kind] or ["nothing else"]


def _said(names: Sequence[str]) -> str:
    return ", ".join(names[:12]) + (", …" if len(names) > 12 else "")


def _column_value(column: Column) -> dict[str, Any]:
    """A column as JSON; what is as in format 1 is left out."""
    value: dict[str, Any] = {"id": column.id, "name": column.name, "type": column.type}
    more = {
        "labels": list(column.slots) or None,
        "order": None if column.order is None else list(column.order),
        "merge": None if column.merge == "ask" else column.merge,
        "was": _column_value(column.was) if column.was else None,
        "consensus": list(column.consensus) if column.consensus else None,
        "born": None if column.born is None else list(column.born),
    }
    return value | {name: what for name, what in more.items() if what is not None}


def _parsed_column(value: Any, depth: int = 1) -> Column:
    order, was, consensus = value.get("order"), value.get("was"), value.get("consensus")
    born = value.get("born")
    if depth > MOST_TYPES or value["type"] not in STORED:
        raise ValueError(f"a column of type {value['type']!r}")
    if order is not None and any(type(slot) is not int for slot in order):
        raise ValueError("an order that is no list of numbers")
    votes = None
    if consensus is not None:
        rule, table = consensus
        votes = (_text(rule), _text(table))
    return Column(
        str(value["id"]),
        str(value["name"]),
        value["type"],
        tuple(_text(label) for label in value.get("labels", ())),
        None if order is None else tuple(order),
        value.get("merge", "ask"),
        None if was is None else _parsed_column(was, depth + 1),
        votes,
        None if born is None else tuple(_text(name) for name in born),
    )


def born(column: Column, slots: Sequence[str]) -> tuple[str, ...] | None:
    """The identities of `slots`, which begin with those of `column`; None where they are the names.
    A new label that is called what another was called first gets a number."""
    if column.born is None:
        return None
    found = list(column.born)
    for name in slots[len(found) :]:
        identity, number = name, 2
        while identity in found:
            identity, number = f"{name}#{number}", number + 1
        found.append(identity)
    return tuple(found)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{value!r} where text belongs")
    return value


def _fault(schema: Schema) -> str:
    """What keeps a schema from being one, or ""."""
    links = [link for column in schema.columns for link in column.chain]
    identities = [link.id for link in links]
    if len(set(identities)) < len(links) or not set(identities).isdisjoint(schema.dropped):
        return "has one column twice"
    for link in links:
        live = link.live
        own = len(set(link.identities)) == len(link.identities) == len(link.slots)
        if link.has_labels and not own:
            return f"has labels of `{link.name}` without an identity of their own"
        if len(set(live)) < len(live) or any(not 0 <= slot < len(link.slots) for slot in live):
            return f"orders labels of `{link.name}` that are not there"
        if link.merge not in RULES:
            return f"merges `{link.name}` by the unknown rule `{link.merge}`"
        if link.was and link.type not in CONVERTS.get(link.was.type, ()):
            return f"makes {link.type} of {link.was.type} in `{link.name}`"
    return ""
