"""Cells of a file of rows: which type a column has, and its cells as that type."""

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sw2.formats.guess import column_type, fits, parse
from sw2.table import MEDIA_TYPES, Column
from sw2.table.cells import SHAPES, canonical

# Strings are labels when there are so few of them, each of which comes up so often.
MOST_LABELS, REPEATS = 100, 4
# What `pa.array` and casts raise for values that make no cells of a type.
NOT_CELLS = (pa.ArrowException, TypeError, ValueError, OverflowError)


def kind_of(values: pa.Array) -> str:
    """The type that a column of these cells should have; `string` when there are none."""
    kind = values.type
    if pa.types.is_dictionary(kind) and pa.types.is_string(kind.value_type):
        return "category"
    if pa.types.is_boolean(kind):
        return "bool"
    if pa.types.is_integer(kind):
        return "int"
    if pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return "float"
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        return "timestamp"
    if pa.types.is_nested(kind):
        return "vector" if is_vector(kind) else "json"
    if pa.types.is_null(kind) or is_text(kind):
        return _kind_of_text(values)
    return "json"


def is_text(kind: pa.DataType) -> bool:
    return pa.types.is_string(kind) or pa.types.is_large_string(kind)


def is_vector(kind: pa.DataType) -> bool:
    lists = pa.types.is_list(kind) or pa.types.is_large_list(kind)
    lists = lists or pa.types.is_fixed_size_list(kind)
    return lists and (pa.types.is_floating(kind.value_type) or pa.types.is_integer(kind.value_type))


def _kind_of_text(values: pa.Array) -> str:
    distinct = pc.unique(values).to_pylist()
    words = [word for word in distinct if word is not None]
    if not words:
        return "string"
    narrow: str = column_type(words)
    if narrow != "string":
        return narrow
    tests: tuple[tuple[str, Callable[[str], Any]], ...] = (
        ("timestamp", moment),
        ("vector", vector),
        ("json", _structure),
    )
    for kind, read in tests:
        if all(_takes(read, word) for word in words):
            return kind
    held = len(values) - values.null_count
    return "category" if len(words) <= MOST_LABELS and len(words) * REPEATS <= held else "string"


def _takes(read: Callable[[str], Any], word: str) -> bool:
    try:
        read(word)
    except (ValueError, TypeError, RecursionError):
        return False
    return True


def moment(text: str) -> int:
    """ISO 8601 -> ms since 1970. A time without a zone is one of UTC."""
    if len(text) < 8 or not text[:4].isdigit():
        raise ValueError(text)
    at = datetime.fromisoformat(text)
    at = at.replace(tzinfo=UTC) if at.tzinfo is None else at
    since = at - datetime(1970, 1, 1, tzinfo=UTC)
    return since.days * 86_400_000 + since.seconds * 1000 + since.microseconds // 1000


def vector(text: str) -> list[float]:
    """`[1, 2.5]` -> numbers."""
    values = json.loads(text)
    if not isinstance(values, list) or any(type(v) not in (int, float) for v in values):
        raise ValueError(text)
    return [float(v) for v in values]


def _structure(text: str) -> str:
    if text[:1] not in "[{":
        raise ValueError(text)
    return _json(text)


def as_cells(values: pa.Array, column: Column) -> tuple[pa.Array, Any]:
    """Cells as `Repository.stage_rows` takes them, and which did not fit (bool, N; null there)."""
    bad = np.zeros(len(values), bool)
    if pa.types.is_null(values.type):
        return pa.nulls(len(values), _target(column)), bad
    try:
        return _at_once(values, column), bad
    except NOT_CELLS:
        pass
    # Text, or a column of which some cells do not fit: each distinct value on its own.
    read = _READERS.get(column.type, _plain(column.type))
    known: dict[Any, Any] = {}
    cells: list[Any] = []
    for place, value in enumerate(values.to_pylist()):
        name = value if isinstance(value, str) else repr(value)
        if name not in known:
            try:
                known[name] = None if value is None else read(_text(value, column))
            except NOT_CELLS:
                known[name] = NotImplemented
        bad[place] = known[name] is NotImplemented
        cells.append(None if bad[place] else known[name])
    if column.type == "tags" or column.type in SHAPES:
        return pa.array(cells), bad  # of whatever its elements are: the table checks them
    numbers = pa.int64() if column.type == "timestamp" else _target(column)
    return pa.array(cells, numbers).cast(_target(column)), bad


def _at_once(values: pa.Array, column: Column) -> pa.Array:
    """The whole column by Arrow. Raises one of NOT_CELLS where that may change what was meant."""
    kind, target = values.type, _target(column)
    if pa.types.is_dictionary(kind) and pa.types.is_string(kind.value_type):
        if column.type == "category":
            return values
        return _at_once(values.cast(pa.string()), column)
    if column.takes_objects or (is_text(kind) and not pa.types.is_string(target)):
        raise ValueError("read with care: 007 is no number, and not all text is JSON")
    if pa.types.is_timestamp(kind) and column.type == "timestamp":
        return values.cast(pa.timestamp(kind.unit)).cast(target, safe=False)
    if pa.types.is_string(target) and not is_text(kind):
        raise TypeError("numbers are not text")
    return values.cast(target)


def _target(column: Column) -> pa.DataType:
    shown = column.has_labels or column.type in MEDIA_TYPES
    return pa.string() if shown else column.stored


def _text(value: Any, column: Column) -> str:
    if isinstance(value, str):
        return value
    if column.type in ("string", "text", "category"):
        return str(value)
    return canonical(value)


def _plain(kind: str) -> Callable[[str], Any]:
    def read(text: str) -> Any:
        if kind in ("bool", "int", "float") and not fits(text, kind):
            raise ValueError(text)
        return parse(text, kind) if kind in ("bool", "int", "float") else text

    return read


def _name_of_media(text: str) -> str:
    if len(bytes.fromhex(text)) != 32:
        raise ValueError(text)
    return text


def _json(text: str) -> str:
    json.loads(text, parse_constant=_no_constant)
    return text


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} has no place in JSON")


def _list(text: str) -> list[Any]:
    """Of labels, or of elements; what is inside the table checks."""
    cells = json.loads(text, parse_constant=_no_constant)
    if not isinstance(cells, list):
        raise ValueError(text)
    return cells


_READERS: dict[str, Callable[[str], Any]] = {
    "timestamp": moment,
    "vector": vector,
    "json": _json,
    **dict.fromkeys(("tags", *SHAPES), _list),
    **dict.fromkeys(MEDIA_TYPES, _name_of_media),
}


def labels_in(cells: pa.Array) -> Sequence[str]:
    """The labels that come up, in cells of a category, of tags or of elements."""
    if pa.types.is_list(cells.type):
        cells = cells.flatten()
    if pa.types.is_struct(cells.type):
        there = [field.name for field in cells.type]
        cells = cells.field("label") if "label" in there else pa.nulls(0)
    if pa.types.is_dictionary(cells.type):
        cells = cells.dictionary.take(pc.unique(cells.indices.drop_null()))
    return [label for label in pc.unique(cells).to_pylist() if isinstance(label, str)]
