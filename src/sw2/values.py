"""Small values shared by all rooms."""

import time
from dataclasses import dataclass
from typing import Literal

OriginKind = Literal["person", "program", "import", "rule"]


@dataclass(frozen=True, slots=True)
class Origin:
    """Who decided a cell, and from what.

    by: a person's name, or the name of a program or rule.  source: the file, binary or rule the
    value was taken from.  why: free text."""

    by: str
    kind: OriginKind = "person"
    source: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True)
class TableVersion:
    """What a commit says of a table: names of objects. tail is the newest delta of the chain."""

    schema: str
    base: str | None
    tail: str | None
    rows: int


@dataclass(frozen=True, slots=True)
class Fold:
    """What is noted beside a tail of a chain (`table/chain.py`).  base: a base that equals the
    table there.  delta: one delta that says what a run of the chain up to there says; its parent is
    where the run begins."""

    base: str | None
    delta: str | None


def now_ms() -> int:
    """Milliseconds since 1970-01-01 UTC, the unit of every time that is stored."""
    return time.time_ns() // 1_000_000
