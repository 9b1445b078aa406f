"""Frozen dataclasses to JSON and back; what comes from elsewhere is checked or refused."""

import json
import types
from collections.abc import Mapping
from dataclasses import MISSING, asdict, fields, is_dataclass
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from sw2.errors import Damaged

Record = TypeVar("Record")


def to_json(record: object) -> bytes:
    """Canonical UTF-8: sorted keys, no spaces; the same bytes for the same values."""
    value = asdict(record) if is_dataclass(record) and not isinstance(record, type) else record
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


def from_json(kind: type[Record], raw: bytes, where: str) -> Record:
    """Reads what `to_json` wrote. Unknown keys are ignored, so an older reader meets a newer file.

    Raises Damaged naming the place inside `where` and the value received."""
    try:
        value = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise Damaged(f"{where} is not JSON: {error}") from None
    record: Record = decode(kind, value, where)
    return record


def decode(kind: Any, value: Any, where: str) -> Any:
    """A value of an annotated type: dataclass, tuple, dict, optional, str, bool, int, float."""
    origin, args = get_origin(kind), get_args(kind)
    if is_dataclass(kind):
        return decode_record(kind, value, where)
    if origin in (Union, types.UnionType):
        return None if value is None else decode(args[0], value, where)
    if origin is tuple and isinstance(value, list):
        inner = (args[0],) * len(value) if args[-1] is ... else args
        if len(inner) == len(value):
            return tuple(
                decode(k, v, f"{where}[{i}]")
                for i, (k, v) in enumerate(zip(inner, value, strict=True))
            )
    if origin in (dict, Mapping) and isinstance(value, dict):
        return {key: decode(args[1], v, f"{where}.{key}") for key, v in value.items()}
    if kind is float and isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    if isinstance(kind, type) and type(value) is kind:
        return value
    raise Damaged(f"{where} is {str(value)[:80]!r}, not {getattr(kind, '__name__', kind)}")


def decode_record(kind: Any, value: Any, where: str) -> Any:
    if not isinstance(value, dict):
        raise Damaged(f"{where} is {str(value)[:80]!r}, not an object")
    hints = get_type_hints(kind)
    known: dict[str, Any] = {}
    for field in fields(kind):
        if field.name in value:
            known[field.name] = decode(
                hints[field.name], value[field.name], f"{where}.{field.name}"
            )
        elif field.default is MISSING and field.default_factory is MISSING:
            raise Damaged(f"{where} lacks `{field.name}`")
    return kind(**known)
