"""A versioned table: base segments, cell deltas over them, and readers."""

from sw2.table.applied import find
from sw2.table.cells import MEDIA_TYPES, ColumnType, one_chunk
from sw2.table.chain import Way
from sw2.table.decided import Decided, parse_decided
from sw2.table.delta import DELETE, EDIT, INSERT, Delta, compose, make_delta, same
from sw2.table.schema import Column, MergeRule, Schema
from sw2.table.segment import Base
from sw2.table.version import (
    Part,
    Snapshot,
    TableReader,
    keys_of,
    write_base,
)
from sw2.values import Fold, TableVersion

__all__ = [
    "DELETE",
    "EDIT",
    "INSERT",
    "MEDIA_TYPES",
    "Base",
    "Column",
    "ColumnType",
    "Decided",
    "Delta",
    "Fold",
    "MergeRule",
    "Part",
    "Schema",
    "Snapshot",
    "TableReader",
    "TableVersion",
    "Way",
    "compose",
    "find",
    "keys_of",
    "make_delta",
    "one_chunk",
    "parse_decided",
    "same",
    "write_base",
]
