"""Types of plain columns: the narrowest of bool, int, float, string that all their values fit."""

import math
from collections.abc import Callable, Iterable
from typing import Literal

CellType = Literal["bool", "int", "float", "string"]
Cell = bool | int | float | str | None

_BOOLS = {"true": True, "false": False, "yes": True, "no": False}
_INT64 = range(-(2**63), 2**63)


def column_type(values: Iterable[str]) -> CellType:
    """ "" counts as no value.  A column without any value is one of strings."""
    filled = [value for value in values if value]
    order: tuple[CellType, ...] = ("bool", "int", "float")
    return next((t for t in order if filled and all(fits(v, t) for v in filled)), "string")


def fits(value: str, type_: str) -> bool:
    try:
        parse(value, type_)
    except ValueError:
        return False
    return True


def parse(value: str, type_: str) -> Cell:
    """Raises ValueError when the text is not of the type."""
    return _PARSERS[type_](value) if value else None


def _bool(value: str) -> bool:
    if value.lower() not in _BOOLS:
        raise ValueError(value)
    return _BOOLS[value.lower()]


def _int(value: str) -> int:
    """`007` is a name, not a number: reading it as 7 would lose what was written."""
    digits = value.lstrip("+-")
    if not (digits.isascii() and digits.isdigit()) or (digits[0] == "0" and len(digits) > 1):
        raise ValueError(value)
    number = int(value)
    if number not in _INT64:
        raise ValueError(value)
    return number


def _float(value: str) -> float:
    if "_" in value or not value.isascii():
        raise ValueError(value)
    digits = value.lstrip("+-")
    if digits[:1] == "0" and digits[1:2].isdigit():
        raise ValueError(value)
    number = float(value)
    if math.isinf(number) and "inf" not in value.lower():
        raise ValueError(value)
    return number


_PARSERS: dict[str, Callable[[str], Cell]] = {
    "bool": _bool,
    "int": _int,
    "float": _float,
    "string": str,
    "category": str,
}
