"""Base segments: immutable runs of rows, sorted by key, as Parquet.

Parquet and not Arrow IPC: delta-packed integers and dictionaries halve the table of
`bench/versioning.py` (4.5 MB against 10.5 MB for a million rows) and read in less time than zstd
IPC."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from sw2.errors import Damaged
from sw2.table.schema import MALFORMED, Column
from sw2.values import Origin

ROWS = 65_536
# A segment that says it has more is refused before any memory is taken.
MOST_ROWS = 1 << 20
# A dictionary pays while values repeat; measured on a sample so that wide columns stay cheap.
SAMPLE = 4096


@dataclass(frozen=True, slots=True)
class SegmentEntry:
    """name: the object.  first, last: the smallest and largest key inside."""

    name: str
    rows: int
    first: int | str
    last: int | str


@dataclass(frozen=True, slots=True)
class Folded:
    """What a folded base equals with deltas of the chain: base `over`.  key: identity and type of
    the column that names rows."""

    over: str | None
    key: tuple[str, str]


@dataclass(frozen=True, slots=True)
class Base:
    """The segments of a table, in key order and without overlap, and where they came from.

    at: ms since 1970.  origin: who brought the rows, for blame of cells never edited since.
    folded: of one that a fold wrote, for reading only."""

    segments: tuple[SegmentEntry, ...]
    origin: Origin
    at: int
    folded: Folded | None = None

    @property
    def rows(self) -> int:
        return sum(segment.rows for segment in self.segments)

    def encode(self) -> bytes:
        value: dict[str, Any] = {
            "format": 1,
            "segments": [[s.name, s.rows, s.first, s.last] for s in self.segments],
            "origin": asdict(self.origin),
            "at": self.at,
        }
        if self.folded:
            value["folded"] = asdict(self.folded)
        return json.dumps(value, sort_keys=True, ensure_ascii=False).encode()

    @staticmethod
    def parse(raw: bytes) -> "Base":
        try:
            value = json.loads(raw)
            if value["format"] != 1:
                raise Damaged(f"base of format {value['format']}; this sw2 reads format 1")
            entries = tuple(
                SegmentEntry(str(name), int(rows), first, last)
                for name, rows, first, last in value["segments"]
            )
            made = value.get("folded")
            folded = made and Folded(made["over"], (str(made["key"][0]), str(made["key"][1])))
            return Base(entries, Origin(**value["origin"]), int(value["at"]), folded)
        except MALFORMED as error:
            raise Damaged(f"these bytes are not a base: {error}") from error


def split(rows: pa.Table) -> Iterator[pa.Table]:
    """Cuts sorted rows into segments."""
    for start in range(0, rows.num_rows, ROWS):
        yield rows.slice(start, ROWS).combine_chunks()


def encode_segment(rows: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    dictionary, encodings = [], {}
    for field in rows.schema:
        if _repeats(rows[field.name]):
            dictionary.append(field.name)
        elif pa.types.is_integer(field.type) or pa.types.is_timestamp(field.type):
            climbs = _climbs(rows[field.name])
            encodings[field.name] = "DELTA_BINARY_PACKED" if climbs else "BYTE_STREAM_SPLIT"
        elif pa.types.is_floating(field.type):
            encodings[field.name] = "BYTE_STREAM_SPLIT"
    pq.write_table(
        rows,
        sink,
        compression="zstd",
        use_dictionary=dictionary or False,
        column_encoding=encodings or None,
        store_schema=False,
        write_statistics=False,
    )
    return sink.getvalue().to_pybytes()


def decode_segment(raw: bytes, columns: Sequence[Column]) -> pa.Table:
    """Columns by identity, as stored. One that the segment lacks is converted from what it was, and
    reads as nulls where the segment has none of them (added later).

    Raises Damaged when the bytes are no segment or a column has another type."""
    try:
        file = pq.ParquetFile(pa.BufferReader(raw))
        names = set(file.schema_arrow.names)
        count = file.metadata.num_rows
        if not 0 <= count <= MOST_ROWS:
            raise Damaged(f"a segment claims {count} rows")
        links = [next((k for k in c.chain if k.id in names), None) for c in columns]
        here = [link.id for link in links if link is not None]
        read = file.read(columns=list(dict.fromkeys(here)), use_threads=False)
        cells = [
            column.taken(link.id, read[link.id].cast(link.stored))
            if link is not None
            else pa.nulls(count, column.stored)
            for column, link in zip(columns, links, strict=True)
        ]
        return pa.table(cells, schema=pa.schema([(c.id, c.stored) for c in columns]))
    except (*MALFORMED, OSError) as error:  # OSError: what Arrow raises for bad Thrift
        raise Damaged(f"these bytes are not a segment: {error}") from error


def entry_for(name: str, keys: pa.ChunkedArray) -> SegmentEntry:
    first, last = keys[0].as_py(), keys[len(keys) - 1].as_py()
    return SegmentEntry(name, len(keys), first, last)


def _climbs(values: pa.ChunkedArray) -> bool:
    """Whether integers are written shorter as differences: Parquet gives 32 neighbours as many bits
    as the widest takes, so one that was edited in a sorted column widens them all."""
    kept = values.drop_null().cast(pa.int64()).to_numpy().astype(np.float64)
    steps = np.diff(kept)
    blocks = steps[: len(steps) // 32 * 32].reshape(-1, 32)
    if not len(blocks):
        return True
    bits = np.log2(np.ptp(blocks, axis=1) + 1).mean()
    return bool(bits < 0.8 * np.log2(np.ptp(kept) + 1))


def _repeats(values: pa.ChunkedArray) -> bool:
    if pa.types.is_boolean(values.type) or pa.types.is_nested(values.type) or not len(values):
        return False
    # Spread over the segment: the head of a sorted column says nothing about the whole.
    step = max(1, len(values) // SAMPLE)
    sample = values.take(pa.array(range(0, len(values), step)))
    distinct: Any = pc.count_distinct(sample, mode="all")
    return bool(distinct.as_py() * 2 < len(sample))
