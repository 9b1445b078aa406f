"""What an import did, in values that print, compare and travel as JSON."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Skipped:
    """One thing that was not imported.  path: the picture or the labels file, as the user knows it.
    line: in the labels file, counted from 1; 0 when the thing has no line."""

    path: str
    reason: str
    line: int = 0

    def __str__(self) -> str:
        where = f"{self.path}:{self.line}" if self.line else self.path
        return f"{where}: {self.reason}"


@dataclass(frozen=True, slots=True)
class Kept:
    """A label or split that somebody has set (or a label reviewed) and that therefore stays,
    although the source offers another."""

    id: str
    column: str
    value: str
    offered: str
    by: str


@dataclass(frozen=True, slots=True)
class AddReport:
    """Counts are of examples.  labels, splits: how many of the source's examples have each value,
    in the order of the table's categories.  notes: decisions the import took, in sentences."""

    added: int = 0
    updated: int = 0
    unchanged: int = 0
    skipped: tuple[Skipped, ...] = ()
    kept: tuple[Kept, ...] = ()
    labels: Mapping[str, int] = field(default_factory=dict)
    splits: Mapping[str, int] = field(default_factory=dict)
    unlabelled: int = 0
    notes: tuple[str, ...] = ()
