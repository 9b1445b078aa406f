"""What a table holds: columns with a name, a type and an identity that outlives the name.

Cells of a category are stored as the number of their label, so renaming a label edits the schema
and touches no row. Cells of an image are the name of an object in the store (32 bytes)."""

import json
import struct
from collections.abc import Iterable
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import Any, Literal, get_args

import pyarrow as pa
import pyarrow.compute as pc
from blake3 import blake3

from sw2.errors import Damaged, InvalidInput, NotFound

ColumnType = Literal[
    "bool", "int", "float", "string", "category", "timestamp", "image", "text", "vector", "json"
]

STORED: dict[str, pa.DataType] = {
    "bool": pa.bool_(),
    "int": pa.int64(),
    "float": pa.float64(),
    "string": pa.string(),
    "category": pa.int32(),
    "timestamp": pa.timestamp("ms"),
    "image": pa.binary(32),
    "text": pa.string(),
    "vector": pa.list_(pa.float32()),
    "json": pa.string(),
}
KEY_TYPES = ("int", "string")
MEDIA_TYPES = ("image",)
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
    """id: 8 hex digits, the column's identity.  labels: of a category, in order; a label's number
    is its place."""

    id: str
    name: str
    type: ColumnType
    labels: tuple[str, ...] = ()

    @property
    def stored(self) -> pa.DataType:
        """The Arrow type of the cells in segments and deltas."""
        return STORED[self.type]

    def encode(self, values: pa.Array | pa.ChunkedArray) -> pa.Array | pa.ChunkedArray:
        """Cells as people see them -> as stored. Raises InvalidInput naming the first bad one."""
        try:
            if self.type == "category":
                return self._encode_labels(values)
            if self.type == "image":
                return pa.array(
                    [None if v is None else bytes.fromhex(v) for v in values.to_pylist()],
                    self.stored,
                )
            return values.cast(self.stored)
        except InvalidInput:
            raise
        except (pa.ArrowException, ValueError, TypeError) as error:
            raise InvalidInput(
                f"column `{self.name}` holds {self.type} cells: {error}",
                hint="Convert the values first, or add a column of another type",
            ) from error

    def decode(self, values: pa.Array | pa.ChunkedArray) -> pa.Array | pa.ChunkedArray:
        """Cells as stored -> as people see them (category: dictionary of labels, image: hex)."""
        if self.type == "category":
            if isinstance(values, pa.ChunkedArray):
                values = values.combine_chunks()
            try:
                return pa.DictionaryArray.from_arrays(values, pa.array(self.labels, pa.string()))
            except pa.ArrowException as error:
                raise Damaged(
                    f"column `{self.name}` has a cell without a label: {error}",
                    hint="Run `sw2 fsck` to list everything that is damaged",
                ) from error
        if self.type == "image":
            return pa.array(
                [None if v is None else v.hex() for v in values.to_pylist()], pa.string()
            )
        return values

    def _encode_labels(self, values: pa.Array | pa.ChunkedArray) -> pa.Array | pa.ChunkedArray:
        known = ", ".join(self.labels[:12]) + (", …" if len(self.labels) > 12 else "")
        if pa.types.is_dictionary(values.type):
            values = values.cast(pa.string())
        if not pa.types.is_null(values.type) and not pa.types.is_string(values.type):
            raise InvalidInput(
                f"column `{self.name}` takes label names, not {values.type}",
                hint=f"Its labels: {known}",
            )
        codes = pc.index_in(values.cast(pa.string()), pa.array(self.labels, pa.string()))
        unknown = pc.and_(pc.is_valid(values), pc.is_null(codes))
        if pc.any(unknown).as_py():
            bad = values.filter(unknown)[0].as_py()
            near = get_close_matches(bad, self.labels, 1)
            raise InvalidInput(
                f"`{bad}` is not a label of column `{self.name}`",
                hint=(f"Did you mean `{near[0]}`? " if near else "") + f"Its labels: {known}",
            )
        return codes


@dataclass(frozen=True, slots=True)
class Schema:
    """table: its name.  key: the name of the column that names rows; int or string, never null."""

    table: str
    key: str
    columns: tuple[Column, ...]

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
        if kind not in get_args(ColumnType):
            raise InvalidInput(f"column `{name}`: there is no type `{kind}`")
        if not name or name in self.names:
            raise InvalidInput(f"table `{self.table}` cannot take a column named `{name}`")
        seed = json.dumps([self.table, name, [c.id for c in self.columns]]).encode()
        column = Column(blake3(seed).hexdigest()[:8], name, kind, tuple(labels))
        return replace(self, columns=(*self.columns, column))

    def with_labels(self, name: str, labels: Iterable[str]) -> "Schema":
        """With those labels appended to column `name` that it lacks; order is kept."""
        column = self.column(name)
        if column.type != "category":
            raise InvalidInput(f"column `{name}` is {column.type}, it has no labels")
        merged = tuple(dict.fromkeys((*column.labels, *labels)))
        return self._with(replace(column, labels=merged))

    def keeping_labels(self, older: "Schema") -> "Schema":
        """With the labels of `older` in their places and new ones after them, for somebody may have
        added some since this schema was made: a cell means what it meant."""
        kept = self
        for column in self.columns:
            before = older.by_id(column.id)
            if before is not None and before.labels:
                labels = tuple(dict.fromkeys((*before.labels, *column.labels)))
                kept = kept._with(replace(column, labels=labels))
        return kept

    def rename(self, old: str, new: str) -> "Schema":
        if new in self.names or not new:
            raise InvalidInput(f"table `{self.table}` cannot rename `{old}` to `{new}`")
        renamed = self._with(replace(self.column(old), name=new))
        return replace(renamed, key=new) if old == self.key else renamed

    def check_follows(self, older: "Schema") -> None:
        """Raises InvalidInput when cells stored under `older` could not be read under this one:
        a column gone or of another type, labels gone, another key, a name used twice."""
        if self.key not in self.names or self.key_column.type not in KEY_TYPES:
            raise InvalidInput(f"table `{self.table}` has no int or string column as its key")
        for column in older.columns:
            now = self.by_id(column.id)
            if now is None or now.type != column.type or len(now.labels) < len(column.labels):
                raise InvalidInput(
                    f"column `{column.name}` of table `{self.table}` cannot be taken away, given"
                    " another type or fewer labels",
                    hint="Add a column, or rename the column or its labels",
                )
        if older.columns and self.key_column.id != older.key_column.id:
            raise InvalidInput(f"table `{self.table}` keeps its key, `{older.key}`")
        for names in (self.names, *(column.labels for column in self.columns)):
            if len(set(names)) < len(names):
                twice = next(name for name in names if names.count(name) > 1)
                raise InvalidInput(f"`{twice}` would be two things in table `{self.table}`")

    def _with(self, column: Column) -> "Schema":
        return replace(
            self, columns=tuple(column if c.id == column.id else c for c in self.columns)
        )

    def stored(self, names: Iterable[str] | None = None) -> pa.Schema:
        """The Arrow schema of stored cells; fields are named by identity."""
        wanted = self.names if names is None else list(names)
        return pa.schema([pa.field(c.id, c.stored) for c in self.columns if c.name in wanted])

    def encode(self) -> bytes:
        value: dict[str, Any] = {
            "format": 1,
            "table": self.table,
            "key": self.key,
            "columns": [
                {"id": c.id, "name": c.name, "type": c.type}
                | ({"labels": list(c.labels)} if c.labels else {})
                for c in self.columns
            ],
        }
        return json.dumps(value, sort_keys=True, ensure_ascii=False).encode()

    @staticmethod
    def parse(raw: bytes) -> "Schema":
        """Raises Damaged when the bytes are not a schema that this version reads."""
        try:
            value = json.loads(raw)
            if value["format"] != 1:
                raise Damaged(f"schema of format {value['format']}; this sw2 reads format 1")
            columns = tuple(
                Column(str(c["id"]), str(c["name"]), c["type"], tuple(c.get("labels", ())))
                for c in value["columns"]
            )
            schema = Schema(str(value["table"]), str(value["key"]), columns)
            if any(c.type not in STORED for c in columns) or schema.key not in schema.names:
                raise Damaged(f"schema of table `{schema.table}` has an unknown type or no key")
            if not all(isinstance(label, str) for c in columns for label in c.labels):
                raise Damaged(f"schema of table `{schema.table}` has a label that is no text")
            if len({c.id for c in columns}) < len(columns):
                raise Damaged(f"schema of table `{schema.table}` has one column twice")
        except MALFORMED as error:
            raise Damaged(f"these bytes are not a schema: {error}") from error
        return schema
