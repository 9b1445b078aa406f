"""Cells of one type as cells of another, for columns that were given another type.

Each pair of types goes by way of a Python value: the old cell is read (`_READ`), and the new one is
made of what was read (`_MAKE`), or is null where nothing fits. Exact only: 2.5 is no int, and 2**60
+ 1 no float. Texts of a label are those of the moment the type was given, for labels may be renamed
later (`Column.was`)."""

import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa

from sw2.table.cells import INT64, LABELLED, STORED, canonical, one_chunk

_TEXTS = ("string", "text")
_PLAIN = ("bool", "int", "float", *_TEXTS)
# What each type may become.
CONVERTS: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(("bool", "int", "float"), (*_PLAIN, "category", "json")),
    **dict.fromkeys(_TEXTS, (*_PLAIN, "category", "json", "timestamp", "tags")),
    "category": (*_PLAIN, "json", "tags"),
    "tags": ("category",),
    "timestamp": _TEXTS,
    "json": _PLAIN,
}
EPOCH = datetime(1970, 1, 1)
_DIGITS = re.compile(r"\s*[+-]?[0-9]{1,19}\s*")
_WORDS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


def convert(
    values: pa.Array | pa.ChunkedArray,
    old: tuple[str, Sequence[str]],
    new: tuple[str, Sequence[str]],
) -> pa.Array:
    """Stored cells of type `old` as of type `new`; null where a cell has no such value.

    old, new: (type, names of its label slots). Where only the new one has labels, `old` holds the
    texts that are its slots."""
    cells, (kind, names), wanted = one_chunk(values), old, new[0]
    if {kind, wanted} <= set(LABELLED):
        return _relabelled(cells, wanted, len(new[1]))
    if kind in (*_TEXTS, "json") and wanted in _TEXTS:
        return cells
    # The first of two alike: merging may add a text that is there (`schema_merge`).
    slots = {name: slot for slot, name in reversed(list(enumerate(names)))}
    make = _checked if kind in _TEXTS and wanted == "json" else _MAKE[wanted]

    def cell(value: Any) -> Any:
        read = _READ[kind](value, names)
        return None if read is None else make(read, slots)

    if kind == "timestamp":
        cells = cells.cast(pa.int64())
    if wanted == "timestamp":
        return _by_value(cells, cell, pa.int64()).cast(STORED[wanted])
    return _by_value(cells, cell, STORED[wanted])


def _by_value(cells: pa.Array, make: Callable[[Any], Any], kind: pa.DataType) -> pa.Array:
    """Each distinct value is converted once."""
    distinct = cells.dictionary_encode()
    made = pa.array([make(value) for value in distinct.dictionary.to_pylist()], kind)
    return made.take(distinct.indices)


def _relabelled(cells: pa.Array, wanted: str, slots: int) -> pa.Array:
    """A category as tags of one, and back where there is one tag."""
    if wanted == "tags":
        made = [None if slot is None else [slot] for slot in cells.to_pylist()]
        return pa.array(made, STORED["tags"])
    ones = [tags[0] if tags and len(tags) == 1 else None for tags in cells.to_pylist()]
    return pa.array([slot if slot is not None and slot < slots else None for slot in ones],
                    STORED["category"])  # fmt: skip


def _label(slot: int, names: Sequence[str]) -> str | None:
    return names[slot] if 0 <= slot < len(names) else None


def _iso(ms: int, _names: Sequence[str]) -> str | None:
    try:
        return (EPOCH + timedelta(milliseconds=ms)).isoformat(timespec="milliseconds")
    except OverflowError:
        return None


def _parsed(text: str, _names: Sequence[str]) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _itself(value: Any, _names: Any) -> Any:
    return value


_READ: Mapping[str, Callable[[Any, Sequence[str]], Any]] = {
    **dict.fromkeys(("bool", "int", "float", "string", "text"), _itself),
    "category": _label,
    "timestamp": _iso,
    "json": _parsed,
}


def _bool(value: Any, _slots: Any) -> bool | None:
    if isinstance(value, str):
        return _WORDS.get(value.strip().lower())
    return bool(value) if value in (0, 1) else None


def _int(value: Any, _slots: Any) -> int | None:
    if isinstance(value, str):
        # Not what int() takes too: `1_000`, and digits of other scripts.
        if not _DIGITS.fullmatch(value):
            return None
        value = int(value)
    if isinstance(value, float) and not value.is_integer():
        return None
    good = isinstance(value, int | float) and -INT64 - 1 <= value <= INT64
    return int(value) if good else None


def _float(value: Any, _slots: Any) -> float | None:
    try:
        if isinstance(value, str):
            return None if "_" in value else float(value)
        number = float(value)
    except (ValueError, TypeError, OverflowError):
        return None
    return number if number == value or math.isnan(number) else None


def _text(value: Any, _slots: Any) -> str | None:
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value if isinstance(value, str) else _json(value, None)


def _slot(value: Any, slots: Mapping[str, int]) -> int | None:
    text = _text(value, None)
    return None if text is None else slots.get(text)


def _tag(value: Any, slots: Mapping[str, int]) -> list[int] | None:
    slot = _slot(value, slots)
    return None if slot is None else [slot]


def _json(value: Any, _slots: Any) -> str | None:
    try:
        return canonical(value)
    except ValueError:
        return None


def _checked(text: str, _slots: Any) -> str | None:
    """A text that is JSON already."""
    return None if _parsed(text, ()) is None else text


def _time(value: Any, _slots: Any) -> int | None:
    try:
        at = datetime.fromisoformat(value.strip())
        at = at.astimezone(UTC).replace(tzinfo=None) if at.tzinfo else at
    except (ValueError, OverflowError, AttributeError):
        return None
    return (at - EPOCH) // timedelta(milliseconds=1)


_MAKE: Mapping[str, Callable[[Any, Any], Any]] = {
    "bool": _bool,
    "int": _int,
    "float": _float,
    "string": _text,
    "text": _text,
    "category": _slot,
    "tags": _tag,
    "timestamp": _time,
    "json": _json,
}
