"""A table at one version: a base, deltas over it, and the ways to read them."""

import threading
from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sw2.errors import Damaged, InvalidInput, NotFound
from sw2.store import ObjectStore, ObjectWriter
from sw2.table import segment as segments
from sw2.table.applied import apply, find, find_numbers, gathered, look_over, place
from sw2.table.cells import one_chunk
from sw2.table.chain import (
    Folds,
    Layers,
    Only,
    Route,
    StandIn,
    Way,
    layered,
    no_folds,
    rebuilt,
    shortest,
)
from sw2.table.delta import DELETE, EDIT, INSERT, Delta, compose, make_delta, overlay, same
from sw2.table.pack import Packed, read_head
from sw2.table.schema import Column, Schema
from sw2.table.segment import (
    Base,
    SegmentEntry,
    decode_segment,
    encode_segment,
    entry_for,
    split,
)
from sw2.values import Origin

# Decoded columns of segments kept in memory, in bytes; the oldest go first.
CACHE_BYTES = 512 << 20
# Parsed deltas kept, those of at most so many bytes: the stage's actions and newest commits.
PARSED_KEPT, PARSED_BYTES = 1024, 1 << 16
# Of versions that were read, kept: how they are reached, and what lies over their bases. That is
# what stands, a few that are compared with it, and what they have in common.
ROUTES_KEPT, LAYERS_KEPT = 8, 6
# Of one version: what lies over its base for so many choices of columns.
OVERS_KEPT = 4
# In folded bases only: when a row was last touched by what was folded, ms since 1970.
TOUCHED = Column("at", "at", "int")

K = TypeVar("K")
V = TypeVar("V")


class TableReader:
    """Reads segments and delta chains out of a store, keeping what it decoded. folds: what is
    noted beside a tail."""

    def __init__(self, store: ObjectStore, folds: Folds = no_folds) -> None:
        self.store = store
        self.folds = folds
        # By segment, identity and, for cells that are converted, what they are converted from.
        self._columns: dict[tuple[str, str, Column | None], pa.Array] = {}
        self._bytes = 0
        self._lock = threading.Lock()
        self._routes: dict[tuple[str | None, str], Route] = {}
        self._layers: Layers = {}
        self._parents: dict[str, str | None] = {}
        # Where segments of folded bases come from, should they be lost.
        self.stand_ins: dict[str, StandIn] = {}
        self._parsed: dict[bytes, Delta] = {}
        self._partly: dict[tuple[str, frozenset[str]], Delta] = {}
        self._base: tuple[bytes, Base] | None = None
        # The table of the delta that was encoded last.
        self._packed: tuple[pa.Table, Packed] | None = None

    def base(self, name: str) -> Base:
        """The last one is remembered by its bytes, which are read and checked each time."""
        raw, known = self.store.get(name), self._base
        if known is None or known[0] != raw:
            known = self._base = (raw, Base.parse(raw))
        return known[1]

    def delta(self, name: str, only: Only = None) -> Delta:
        """only: identities of the columns that are asked for, where that is not all."""
        if only is not None and (name, only) in self._partly:
            return self._partly[name, only]
        raw = self.store.get(name)
        known = self._parsed.get(raw)
        if only is None or known is not None:
            return known or self.parse(raw)
        delta = Delta.parse(raw, only)
        if len(raw) <= PARSED_BYTES:
            _remember(self._partly, (name, only), delta, PARSED_KEPT)
        return delta

    def parse(self, raw: bytes) -> Delta:
        """A delta from its bytes, remembered: the stage is read again after each edit."""
        delta = self._parsed.get(raw)
        return delta if delta is not None else self._remember(raw, Delta.parse(raw))

    def encode(self, delta: Delta) -> list[bytes]:
        """A delta as bytes, in parts that compress best apart. Remembered: what was just written
        is read next, and what was just staged is committed next, over another parent."""
        held = self._packed
        if held is None or held[0] is not delta.table:
            held = (delta.table, delta.packed())
        parts = delta.parts(packed=held[1])
        raw = b"".join(parts)
        self._remember(raw, delta)
        self._packed = held if len(raw) <= PARSED_BYTES else None
        return parts

    def _remember(self, raw: bytes, delta: Delta) -> Delta:
        if len(raw) <= PARSED_BYTES:
            _remember(self._parsed, raw, delta, PARSED_KEPT)
        return delta

    def chain(
        self, tail: str | None, until: str | None = None, only: Only = None
    ) -> list[tuple[str, Delta]]:
        """The deltas after `until` up to `tail`, oldest first, with their names. only: identities
        of the columns that are asked for, where that is not all."""
        found: list[tuple[str, Delta]] = []
        while tail is not None and tail != until:
            delta = self.delta(tail, only)
            found.append((tail, delta))
            tail = delta.parent
        return found[::-1]

    def parent(self, name: str) -> str | None:
        """The delta before one in its chain, without taking its columns apart. Remembered."""
        if name not in self._parents:
            parent = read_head(self.store.get(name)).meta.get("parent")
            if not isinstance(parent, str | None):
                raise Damaged(f"delta `{name[:12]}` has a parent that is no name")
            self._parents[name] = parent
        return self._parents[name]

    def layers(self, tail: str | None) -> tuple[Delta, ...]:
        """The whole chain as a few deltas, oldest first (`stacked`)."""
        return self.way("", tail).layers  # no noted base stands on this one

    def way(self, base: str | None, tail: str | None) -> Way:
        """How a version is read: its base, or a later one that is noted, and what lies over it."""
        route = self.route(base, tail)
        return Way(route.base, self.over(route))

    def route(self, base: str | None, tail: str | None) -> Route:
        """How a version is reached. Remembered, and extended from what is remembered."""
        # One look: another thread may put another mapping in its place at any time.
        known = self._routes
        route = shortest(self, base, tail, known)
        if tail is not None:
            self._routes = _newest(known, {(base, tail): route}, ROUTES_KEPT)
        return route

    def over(self, route: Route, only: Only = None) -> tuple[Delta, ...]:
        """What lies over the base of a route, as a few deltas, oldest first. only: identities of
        the columns that are asked for. Remembered, and extended from what is remembered."""
        if not route.steps:
            return ()
        known = self._layers
        found = layered(self, route, only, known)
        self._layers = _newest(known, found, LAYERS_KEPT)
        return found[route.base, route.steps[-1].tail, only]

    def columns(self, base: Base, columns: Sequence[Column]) -> dict[str, pa.ChunkedArray]:
        """Columns of a base by identity, as stored, in key order, one chunk a segment."""
        chunks: dict[str, list[pa.Array]] = {column.id: [] for column in columns}
        for segment in base.segments:
            for identity, values in self.segment(segment, columns).items():
                chunks[identity].append(values)
        return {c.id: pa.chunked_array(chunks[c.id], c.stored) for c in columns}

    def segment(
        self, entry: SegmentEntry, columns: Sequence[Column], keep: bool = True
    ) -> dict[str, pa.Array]:
        """Columns of one segment; those not in memory are decoded together, and kept if wanted."""
        held = {c.id: self._columns.get((entry.name, c.id, c.was)) for c in columns}
        found = {identity: values for identity, values in held.items() if values is not None}
        missing = [c for c in columns if c.id not in found]
        if missing:
            try:
                table = decode_segment(self.store.get(entry.name), missing)
            except (NotFound, Damaged):
                if entry.name not in self.stand_ins:
                    raise
                table = rebuilt(self.store, entry, missing, self.stand_ins[entry.name])
            if table.num_rows != entry.rows:
                raise Damaged(f"segment `{entry.name[:12]}` holds {table.num_rows} rows")
            for column in missing:
                found[column.id] = one_chunk(table[column.id])
                if keep:
                    self._keep((entry.name, column.id, column.was), found[column.id])
        return found

    def _keep(self, key: tuple[str, str, Column | None], values: pa.Array) -> None:
        with self._lock:
            # Another thread may have decoded the same column meanwhile.
            if key in self._columns:
                return
            self._columns[key] = values
            self._bytes += values.nbytes
            while self._bytes > CACHE_BYTES and len(self._columns) > 1:
                oldest = next(iter(self._columns))
                self._bytes -= self._columns.pop(oldest).nbytes


@dataclass(frozen=True, slots=True)
class Part:
    """A run of a table's keys: at most one segment, and rows `start` to `stop` of what lies over
    the base, `over`."""

    entry: SegmentEntry | None
    start: int
    stop: int
    over: pa.Table | None = field(repr=False)


@dataclass(frozen=True)
class Snapshot:
    """A table as it stands: schema, base, and deltas over it, oldest first.  route: of deltas that
    lie under `layers`, which are read when something is asked for, and only for that."""

    reader: TableReader
    schema: Schema
    base: Base | None
    layers: tuple[Delta, ...] = ()
    route: Route | None = None

    @cached_property
    def _overs(self) -> dict[Only, pa.Table | None]:
        return {}

    def _only(self, columns: Collection[Column]) -> Only:
        """What deltas are read for: identities of columns, and of what they were."""
        wanted = {c.id: c for c in columns if c.id != self.schema.key_column.id}
        if self.route is None or len(wanted) + 1 >= len(self.schema.columns):
            return None
        return frozenset(link.id for column in wanted.values() for link in column.chain)

    def read_layers(self, only: Only = None) -> tuple[Delta, ...]:
        """All that lies over the base, oldest first, with cells of older identities as the schema's
        columns have them.  only: identities of the columns that are asked for."""
        under = self.reader.over(self.route, only) if self.route else ()
        return tuple(layer.under(self.schema) for layer in (*under, *self.layers))

    @cached_property
    def change(self) -> Delta | None:
        """All that lies over the base, as one delta."""
        return compose(self.read_layers())

    def over(self, columns: Collection[Column]) -> pa.Table | None:
        """What lies over the base as it is to be read, `overlay`. Others than `columns` may be
        left out."""
        only, known = self._only(columns), self._overs
        if only not in known and None not in known:
            identities = [c.id for c in (columns if only is not None else self.schema.columns)]
            _remember(known, only, overlay(self.read_layers(only), identities), OVERS_KEPT)
        return known[None] if None in known else known[only]

    @property
    def rows(self) -> int:
        count = self.base.rows if self.base else 0
        for layer in self.read_layers(self._only(())):
            ops = layer.table["op"].to_numpy()
            count += int((ops == INSERT).sum()) - int((ops == DELETE).sum())
        return count

    def everything(self) -> Delta | None:
        """The whole table as one delta that inserts it; None when it has no rows."""
        if self.base is None:
            return self.change
        rows = self.reader.columns(self.base, self.schema.columns)
        keys = rows.pop(self.schema.key_column.id)
        touched = pa.array(np.ones(len(keys), bool))
        cells = {name: (pa.nulls(len(keys), v.type), v, touched) for name, v in rows.items()}
        ops = np.full(len(keys), INSERT, np.int8)
        inserted = make_delta(keys, ops, cells, self.base.origin, self.base.at)
        return compose([inserted, *self.read_layers()])

    def touched(self) -> dict[int | str, int]:
        """When rows were last edited, or inserted since the import, ms since 1970; no others."""
        times: dict[int | str, int] = {}
        if self.base is not None and self.base.folded is not None:
            key = self.schema.key_column
            held = self.reader.columns(self.base, [key, TOUCHED])
            edited = held[TOUCHED.id].is_valid()
            kept = (held[name].filter(edited).to_pylist() for name in (key.id, TOUCHED.id))
            times.update(zip(*kept, strict=True))
        if self.change is not None:
            table = self.change.table
            times.update(zip(table["key"].to_pylist(), table["at"].to_pylist(), strict=True))
        return times

    def stored(self, names: Sequence[str] | None = None) -> pa.Table:
        """Columns `names` (all by default) as stored, fields named by identity, sorted by key."""
        columns = [self.schema.column(n) for n in (self.schema.names if names is None else names)]
        key = self.schema.key_column
        wanted = {c.id: c for c in (key, *columns)}
        held = self._base_columns(list(wanted.values()))
        table = pa.table({c.id: held[c.id] for c in wanted.values()})
        if (over := self.over(columns)) is not None:
            table = apply(table, key.id, over)
        return table.select([c.id for c in columns])

    def read(self, names: Sequence[str] | None = None) -> pa.Table:
        """Columns as people see them: labels as dictionaries of names, images as object names."""
        names = self.schema.names if names is None else list(names)
        stored = self.stored(names)
        columns = [self.schema.column(name) for name in names]
        return pa.table({c.name: c.decode(stored[c.id]) for c in columns})

    def scan(
        self,
        names: Sequence[str] | None = None,
        first: int | str | None = None,
        last: int | str | None = None,
        batch_rows: int = 65_536,
        keep: bool = False,
    ) -> Iterator[pa.RecordBatch]:
        """What `read` gives, of the rows with first <= key <= last, in batches of at most
        `batch_rows` in key order. Holds one segment at a time and reads only those whose keys meet
        [first, last].  keep: for later readers, as far as the reader's memory goes."""
        for part in self.parts(first, last, names):
            yield from self.read_part(part, names, first, last, keep).to_batches(batch_rows)

    def parts(
        self,
        first: int | str | None = None,
        last: int | str | None = None,
        names: Sequence[str] | None = None,
    ) -> Iterator[Part]:
        """The table in pieces, in key order and without overlap: one for each segment that meets
        [first, last], and inserts that lie between segments in pieces of the same size.  names: of
        the columns that will be read (all by default)."""
        change = self.over([self.schema.column(n) for n in names or self.schema.names])
        over = one_chunk(change["key"]) if change else pa.array([], pa.int64())
        at = 0 if first is None else place(over, first)
        end = len(over) if last is None else place(over, last, after=True)
        for entry in self.base.segments if self.base else ():
            if last is not None and entry.first > last:  # type: ignore[operator]
                break
            if first is None or entry.last >= first:  # type: ignore[operator]
                start = min(end, max(at, place(over, entry.first)))
                stop = min(end, place(over, entry.last, after=True))
                yield from _between(at, start, change)
                yield Part(entry, start, max(start, stop), change)
                at = max(start, stop)
        yield from _between(at, end, change)

    def read_part(
        self,
        part: Part,
        names: Sequence[str] | None = None,
        first: int | str | None = None,
        last: int | str | None = None,
        keep: bool = False,
    ) -> pa.Table:
        """What `read` gives, of one part alone, of columns that the part was made for; they are in
        one chunk each."""
        columns = [self.schema.column(n) for n in (self.schema.names if names is None else names)]
        key = self.schema.key_column
        wanted = {c.id: c for c in (key, *columns)}
        held = {c.id: pa.array([], c.stored) for c in wanted.values()}
        if part.entry is not None:
            held = self.reader.segment(part.entry, list(wanted.values()), keep)
        table = pa.table({identity: held[identity] for identity in wanted})
        start = 0 if first is None else place(held[key.id], first)
        stop = len(table) if last is None else place(held[key.id], last, after=True)
        table = table.slice(start, stop - start)
        if part.over is not None and part.start < part.stop:
            table = apply(table, key.id, part.over.slice(part.start, part.stop - part.start))
        return pa.table({c.name: c.decode(one_chunk(table[c.id])) for c in columns})

    def lookup(
        self, keys: Sequence[int | str] | pa.Array, names: Sequence[str]
    ) -> tuple[Any, pa.Table]:
        """Rows by key. Returns (found, cells): found is bool (N,), cells hold `names` as stored,
        null where a key is not found."""
        sought: Any = keys
        if not isinstance(keys, pa.Array):
            sought = pa.array(keys, self.schema.key_column.stored)
        columns = [self.schema.column(name) for name in names]
        found, cells = self._look_under(sought, columns)
        for layer in self.read_layers(self._only(columns)):
            found, cells = look_over(layer, sought, found, cells)
        if (key := self.schema.key_column.id) in cells:  # which deltas do not hold as a cell
            cells[key] = pc.if_else(pa.array(found), sought, pa.scalar(None, sought.type))
        return found, pa.table(cells)

    def _base_columns(self, columns: Sequence[Column]) -> dict[str, pa.ChunkedArray]:
        if self.base is None:
            return {c.id: pa.chunked_array([], c.stored) for c in columns}
        return self.reader.columns(self.base, columns)

    def _look_under(
        self, sought: pa.Array, columns: Sequence[Column]
    ) -> tuple[Any, dict[str, pa.Array]]:
        """`lookup` in the base alone. Reads only segments whose key range holds a sought key."""
        parts: dict[str, list[tuple[pa.Array, Any]]] = {c.id: [] for c in columns}
        hits, key = [np.zeros(0, np.int64)], self.schema.key_column
        numbers = sought.to_numpy() if pa.types.is_integer(sought.type) else None
        wanted = list({column.id: column for column in (key, *columns)}.values())
        for entry, asked in self._route(sought):
            held = self.reader.segment(entry, wanted)
            if numbers is not None:
                at = find_numbers(held[key.id].to_numpy(), numbers[asked])
            else:
                at = find(held[key.id], sought.take(pa.array(asked)))
            if at.min() < 0:
                asked, at = asked[at >= 0], at[at >= 0]
            hits.append(asked)
            for column in columns:
                parts[column.id].append((held[column.id], at))
        place = np.full(len(sought), -1, np.int64)
        there = np.concatenate(hits)
        place[there] = np.arange(len(there))
        rows = pa.array(place, mask=place < 0)
        return place >= 0, {c.id: gathered(parts[c.id], c.stored).take(rows) for c in columns}

    def _route(self, sought: pa.Array) -> Iterable[tuple[SegmentEntry, Any]]:
        """Which sought keys (as positions) each segment could hold; the others are left out."""
        entries = self.base.segments if self.base else ()
        if not entries:
            return
        firsts = pa.array([entry.first for entry in entries], sought.type)
        if pa.types.is_integer(sought.type):
            segment = np.searchsorted(firsts.to_numpy(), sought.to_numpy(), side="right") - 1
        else:
            starts = firsts.to_pylist()
            segment = np.array([bisect_right(starts, key) - 1 for key in sought.to_pylist()])
        order = np.argsort(segment, kind="stable")
        cuts = np.flatnonzero(np.diff(segment[order])) + 1
        for asked in np.split(order, cuts):
            if len(asked) and segment[asked[0]] >= 0:
                yield entries[segment[asked[0]]], asked

    def difference(self, rows: pa.Table, origin: Origin, at: int) -> Delta | None:
        """The delta that brings `rows` (stored cells, fields by identity, the key among them) into
        this table: rows with a new key are inserted, cells that differ are edited.

        Raises InvalidInput when a key is missing or given twice."""
        key = self.schema.key_column
        keys = self._keys(rows)
        names = [c.name for c in self.schema.columns if c.id in rows.column_names and c != key]
        found, old = self.lookup(keys, names)
        ops = np.where(found, EDIT, INSERT).astype(np.int8)
        cells, touched = {}, ops == INSERT
        for name in names:
            column = self.schema.column(name)
            new = rows[column.id].combine_chunks()
            changed = ~found | ~same(old[column.id].combine_chunks(), new)
            touched |= changed
            cells[column.id] = (old[column.id], new, pa.array(changed))
        if not touched.any():
            return None
        return compose([make_delta(keys, ops, cells, origin, at)])

    def complete(self, rows: pa.Table) -> pa.Table:
        """Stored rows with every column of the schema, nulls where `rows` has none. Raises
        InvalidInput when a key is missing or given twice."""
        self._keys(rows)
        wanted = self.schema.stored()
        return pa.table(
            [
                rows[f.name] if f.name in rows.column_names else pa.nulls(rows.num_rows, f.type)
                for f in wanted
            ],
            schema=wanted,
        )

    def _keys(self, rows: pa.Table) -> pa.Array:
        """The keys of stored rows, each of which names one row."""
        identity = self.schema.key_column.id
        keys = rows[identity].combine_chunks() if identity in rows.column_names else None
        if keys is None or keys.null_count:
            raise InvalidInput(
                f"a row of table `{self.schema.table}` has no `{self.schema.key}`",
                hint=f"`{self.schema.key}` names a row; give each row its own",
            )
        if ascending(keys):
            return keys
        counts = pc.value_counts(keys)
        twice = counts.filter(pc.greater(counts.field("counts"), 1))
        if len(twice):
            raise InvalidInput(
                f"`{twice[0]['values'].as_py()}` is given {twice[0]['counts'].as_py()} times",
                hint=f"`{self.schema.key}` names a row; give each row its own",
            )
        return keys


def write_base(
    writer: ObjectWriter, schema: Schema, rows: pa.Table, origin: Origin, at: int
) -> str:
    """Writes stored rows as segments; returns the base's name."""
    key = schema.key_column.id
    if not ascending(rows[key]):
        rows = rows.take(pc.sort_indices(rows[key]))
    entries = [
        entry_for(writer.put(encode_segment(part), compress=False), part[key])
        for part in split(rows)
    ]
    return writer.put(Base(tuple(entries), origin, at).encode())


def ascending(keys: pa.Array | pa.ChunkedArray) -> bool:
    """Whether each key is greater than the one before it; to look costs a tenth of sorting."""
    return bool(pc.all(pc.less(keys[:-1], keys[1:]), min_count=0).as_py())


def _between(start: int, stop: int, over: pa.Table | None) -> Iterator[Part]:
    """Rows over the base that belong to no segment, as parts no larger than one."""
    for at in range(start, stop, segments.ROWS):
        yield Part(None, at, min(stop, at + segments.ROWS), over)


def _newest(known: dict[K, V], found: dict[K, V], most: int) -> dict[K, V]:
    """`found`, and of what was known the newest."""
    others = [(key, value) for key, value in known.items() if key not in found]
    return dict(others[len(others) + len(found) - most :]) | found


def _remember(known: dict[K, V], key: K, value: V, most: int) -> V:
    known[key] = value
    for oldest in list(known)[:-most]:
        known.pop(oldest, None)
    return value


def keys_of(delta: Delta, op: int) -> Iterable[int | str]:
    """Keys that `delta` inserts, deletes or edits."""
    picked = delta.table["key"].filter(pa.array(delta.table["op"].to_numpy() == op))
    keys: list[int | str] = picked.to_pylist()
    return keys
