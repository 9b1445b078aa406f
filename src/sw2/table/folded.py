"""A base that equals a version, written a range of keys at a time: a table never has to fit in
memory, nor do the deltas over it.

Ranges are cut where segments begin, and where many rows of the deltas lie together. A segment that
no delta touches keeps its name. One that has grown is split, small ones are joined."""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from sw2.errors import Cancelled, Damaged
from sw2.store import ObjectStore, ObjectWriter
from sw2.table import segment as segments
from sw2.table.applied import place
from sw2.table.cells import one_chunk
from sw2.table.delta import Delta, compose
from sw2.table.schema import MALFORMED, STORED, Column, Schema
from sw2.table.segment import Base, Folded, SegmentEntry, encode_segment, entry_for
from sw2.table.version import TOUCHED, Snapshot, TableReader
from sw2.values import Origin

Key = int | str
# Every so many-th key of a delta is looked at to tell where its rows lie.
SAMPLE = 512
# Rows of deltas that are in one range, and that are composed at once: 40 MB in memory.
RANGE_ROWS, WINDOW_ROWS = 1 << 15, 1 << 17
NOTHING = Base((), Origin("fold", "program"), 0)


@dataclass(frozen=True, slots=True)
class Range:
    """Keys from `first` (None: from the smallest) up to, without, `end` (None: to the largest).
    segment: the only one that holds some.  weight: about how many rows of deltas lie in it."""

    first: Key | None
    end: Key | None
    segment: SegmentEntry | None
    weight: int


def write_folded(
    writer: ObjectWriter,
    store: ObjectStore,
    schema: Schema,
    base: tuple[str | None, str | None],
    deltas: Sequence[str],
    stop: Callable[[], bool],
) -> str:
    """Writes what `deltas` (objects, oldest first) make of a base; returns the new base's name.

    schema: under which cells of retyped columns are read.  base: the one that is read, and the one
    that the chain stands on.  Raises Cancelled once `stop()` is true, Damaged for columns of a type
    that is not known."""
    below = Base.parse(store.get(base[0])) if base[0] else NOTHING
    out = _Segments(writer, schema.key_column.id)
    for window in _windows(_ranges(store, below, deltas)):
        if stop():
            raise Cancelled("folding was stopped")
        ends = window[0].first, window[-1].end
        part = compose([_within(Delta.parse(store.get(name)), *ends) for name in deltas])
        for each in window:
            change = _within(part, each.first, each.end) if part is not None else None
            _fold_range(
                out, store, schema, each, _timed(change) if change and change.rows else None
            )
    entries = out.finish()
    key = schema.key_column
    made = Folded(base[1], (key.id, key.type))
    return writer.put(Base(entries, below.origin, below.at, made).encode())


def _ranges(store: ObjectStore, base: Base, deltas: Sequence[str]) -> list[Range]:
    sampled: list[Any] = []
    for name in deltas:
        sampled += Delta.parse(store.get(name)).table["key"].combine_chunks()[::SAMPLE].to_pylist()
    sampled.sort()
    firsts = [segment.first for segment in base.segments]
    cuts: list[Any] = sorted({*firsts, *sampled[:: RANGE_ROWS // SAMPLE]})
    ranges = []
    for first, end in zip([None, *cuts], [*cuts, None], strict=True):
        number = bisect_right(firsts, first) - 1 if first is not None else -1
        begins = bisect_left(sampled, first) if first is not None else 0
        ends = bisect_left(sampled, end) if end is not None else len(sampled)
        segment = base.segments[number] if number >= 0 else None
        ranges.append(Range(first, end, segment, (ends - begins) * SAMPLE))
    return ranges


def _windows(ranges: list[Range]) -> Iterator[list[Range]]:
    """Neighbouring ranges whose rows of deltas are in memory together."""
    window: list[Range] = []
    for each in ranges:
        if window and sum(r.weight for r in window) + each.weight > WINDOW_ROWS:
            yield window
            window = []
        window.append(each)
    yield window


def _fold_range(
    out: "_Segments", store: ObjectStore, schema: Schema, keys: Range, change: Delta | None
) -> None:
    entry = keys.segment
    ends_here = entry is None or keys.end is None or keys.end > entry.last  # type: ignore[operator]
    if entry is not None and change is None and keys.first == entry.first and ends_here:
        if not out.keep(entry):
            out.add(_rows(store, schema, keys, None))
            out.settle()
        return
    if entry is not None or change is not None:
        out.add(_rows(store, schema, keys, change))
        if ends_here:
            out.settle()


def _rows(store: ObjectStore, schema: Schema, keys: Range, change: Delta | None) -> pa.Table:
    """The rows of a range as they are after `change`."""
    held = Base((keys.segment,), NOTHING.origin, 0) if keys.segment else None
    key = schema.key_column
    plain, retyped = _columns(store, schema, keys.segment, change)
    # Apart: beside what it was made of, a retyped column would take its cells away.
    parts = []
    for columns in [plain, retyped] if retyped else [plain]:
        under = replace(schema, columns=(key, *columns))
        # A reader of its own: what it decodes is not kept.
        reader, layers = TableReader(store), (change,) if change else ()
        parts.append(Snapshot(reader, under, held, layers).stored())
    rows = parts[0]
    for column in retyped:
        rows = rows.append_column(column.id, parts[1][column.id])
    return rows.slice(*_place(one_chunk(rows[key.id]), keys.first, keys.end))


def _timed(change: Delta) -> Delta:
    """With when each row was touched as one more column."""
    table, count = change.table, change.rows
    table = table.append_column(f"{TOUCHED.id}.old", pa.nulls(count, TOUCHED.stored))
    table = table.append_column(f"{TOUCHED.id}.new", table["at"])
    table = table.append_column(f"{TOUCHED.id}.set", pa.array(np.ones(count, bool)))
    return replace(change, table=table)


def _untouched(rows: pa.Table) -> pa.Table:
    """With the column of `_timed`, where it is not there, in a fixed order of columns."""
    if TOUCHED.id not in rows.column_names:
        rows = rows.append_column(TOUCHED.id, pa.nulls(rows.num_rows, TOUCHED.stored))
    return rows.select(sorted(rows.column_names))


def _columns(
    store: ObjectStore, schema: Schema, entry: SegmentEntry | None, change: Delta | None
) -> tuple[list[Column], list[Column]]:
    """Every column that has cells here beside the key, those that the schema does not know any
    more too, for a version may be read under an older one; and apart from them, those whose other
    cells are to be converted from what they were."""
    found: dict[str, Any] = {}
    if entry is not None:
        try:
            here = pq.read_schema(pa.BufferReader(store.get(entry.name)))
        except (*MALFORMED, OSError) as error:
            raise Damaged(f"these bytes are not a segment: {error}") from error
        found |= {field.name: field.type for field in here}
    for identity in change.columns if change else ():
        found.setdefault(identity, change.table[f"{identity}.new"].type)  # type: ignore[union-attr]
    found.pop(schema.key_column.id, None)
    links = {link.id: link for column in schema.columns for link in column.chain}
    plain, retyped = list[Column](), list[Column]()
    for identity, kind in found.items():
        column = links.get(identity) or _unknown(identity, kind)
        if any(link.id in found for link in column.chain[1:]):
            retyped.append(replace(column, name=identity))
        else:
            plain.append(replace(column, name=identity, was=None))
    return plain, retyped


def _unknown(identity: str, stored: Any) -> Column:
    kinds: list[Any] = [kind for kind, type_ in STORED.items() if type_ == stored]
    if not kinds:
        raise Damaged(f"column {identity} holds {stored}, which is no type of cells")
    return Column(identity, identity, kinds[0])


def _within(delta: Delta, first: Key | None, end: Key | None) -> Delta:
    start, count = _place(one_chunk(delta.table["key"]), first, end)
    return replace(delta, table=delta.table.slice(start, count), parent=None)


def _place(keys: pa.Array, first: Key | None, end: Key | None) -> tuple[int, int]:
    """Where the keys of a range begin in sorted ones, and how many there are."""
    start = place(keys, first) if first is not None else 0
    return start, (place(keys, end) if end is not None else len(keys)) - start


@dataclass
class _Segments:
    """Gathers rows in key order and writes them as segments."""

    writer: ObjectWriter
    key: str
    entries: list[SegmentEntry] = field(default_factory=list)
    pending: pa.Table | None = None

    def keep(self, entry: SegmentEntry) -> bool:
        """Takes a segment over as it is; False where it has to be joined with what is pending, or
        with what comes."""
        small = segments.ROWS // 4
        if self.pending is not None or entry.rows < small:
            return False
        self.entries.append(entry)
        return True

    def add(self, rows: pa.Table) -> None:
        if self.pending is not None and self.pending.schema != rows.schema:
            self.pending, rows = _untouched(self.pending), _untouched(rows)
        if self.pending is not None and self.pending.schema != rows.schema:
            # A column that is not there may be read out of another: it must not become nulls.
            self._write(1)
        self.pending = rows if self.pending is None else pa.concat_tables([self.pending, rows])
        while self.pending.num_rows >= 2 * segments.ROWS:
            self.entries.append(self._put(self.pending.slice(0, segments.ROWS)))
            self.pending = self.pending.slice(segments.ROWS)

    def settle(self) -> None:
        """Writes what is pending, in parts of one size, unless it is too little."""
        if self.pending is not None and self.pending.num_rows >= segments.ROWS // 4:
            self._write(1)

    def finish(self) -> tuple[SegmentEntry, ...]:
        self._write(1)
        return tuple(self.entries)

    def _write(self, least: int) -> None:
        rows, self.pending = self.pending, None
        if rows is None or rows.num_rows < least:
            return
        size = -(-rows.num_rows // -(-rows.num_rows // segments.ROWS))
        for start in range(0, rows.num_rows, size):
            self.entries.append(self._put(rows.slice(start, size)))

    def _put(self, rows: pa.Table) -> SegmentEntry:
        rows = rows.combine_chunks()
        return entry_for(self.writer.put(encode_segment(rows), compress=False), rows[self.key])
