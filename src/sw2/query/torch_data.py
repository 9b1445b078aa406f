"""Rows for training with PyTorch: streamed, shuffled the same for a seed, dealt without loss.

**Order.** The table is cut into parts of a segment each. With `shuffle`, the parts come in an order
drawn from (seed, epoch), a few at a time are held in memory, and the rows of those are put into an
order drawn from the same generator. So the order depends on the commit, the conditions, seed and
epoch alone.

**Dealing.** The ordered rows are cut into runs of `batch_rows`. Runs go round the ranks, and those
of a rank round its workers; a worker reads all parts, and decodes pictures of its own rows only.
`DataLoader(rows, batch_size=batch_rows)` takes the runs from its workers in turn, so it gives the
same batches in the same order whatever the number of workers.

This is the only module of the room that imports torch."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from torch.utils.data import IterableDataset, get_worker_info

from sw2.errors import InvalidInput
from sw2.media import pixels, probe
from sw2.query.handle import Media, Table, to_cells
from sw2.query.sql import BATCH_ROWS, passing
from sw2.repo import Repository

if TYPE_CHECKING:
    from sw2.query.reading import Reading

# Parts whose rows are mixed: 262,144 rows and more are a shuffle that no model tells from another.
MIXED = 4
Row = dict[str, Any]


class Rows(IterableDataset[Row]):
    """Dicts of Python and numpy values: labels as strings, vectors as float32 arrays, times as ms
    since 1970, pictures as `media` says. It holds no open file, so it can be sent to workers, which
    open the repository anew.

    root: of the repository.  handle: the table without its reading.  start: rows of this rank that
    are left out because they were seen before a stop."""

    def __init__(
        self,
        root: Path,
        commit: str,
        handle: Table,
        *,
        shuffle: bool,
        seed: int,
        epoch: int,
        batch_rows: int,
        media: Media,
        shape: tuple[int, int, int] | None,
        rank: int,
        world: int,
    ) -> None:
        if batch_rows < 1 or not 0 <= rank < world:
            raise InvalidInput(
                f"batch_rows {batch_rows}, rank {rank} of {world}",
                hint="Runs have a row or more; ranks count from 0",
            )
        self.root, self.commit, self.handle = root, commit, handle
        self.shuffle, self.seed, self.epoch, self.start = shuffle, seed, epoch, 0
        self.batch_rows, self.rank, self.world = batch_rows, rank, world
        self.media, self.shape = media, shape

    def set_epoch(self, epoch: int, start: int = 0) -> None:
        """Another order, from the next iteration on.  start: rows of this rank to leave out."""
        self.epoch, self.start = epoch, start

    def state(self, rows: int) -> dict[str, Any]:
        """What to save when this rank has seen `rows` rows of the epoch, those before the last
        `load_state` among them; JSON can hold it."""
        return {name: getattr(self, name) for name in _FIXED} | {
            "epoch": self.epoch,
            "rows": rows,
        }

    def load_state(self, state: dict[str, Any]) -> None:
        """Goes on after the rows that were seen, with any number of workers. Raises InvalidInput
        when the state is of another order."""
        for name in _FIXED:
            if state[name] != getattr(self, name):
                raise InvalidInput(
                    f"the state is of {name} {state[name]}, not {getattr(self, name)}",
                    hint="Go on with what the state was saved from",
                )
        self.set_epoch(state["epoch"], state["rows"])

    def __iter__(self) -> Iterator[Row]:
        worker = get_worker_info()
        place, workers = (worker.id, worker.num_workers) if worker else (0, 1)
        with self._opened() as table:
            at = 0
            for block in self._blocks(table):
                mine = self._mine(np.arange(at, at + block.num_rows), place, workers)
                at += block.num_rows
                for start in range(0, len(mine), self.batch_rows):
                    picked = mine[start : start + self.batch_rows]
                    yield from self._rows(table, block.take(pa.array(picked)))

    @contextmanager
    def _opened(self) -> Iterator[Table]:
        from sw2.query.reading import open as open_reading

        with open_reading(self.root, rev=self.commit) as reading:
            yield replace(self.handle, reading=reading)

    def _mine(self, rows: Any, place: int, workers: int) -> Any:
        """Which rows (places in the whole order, ascending) this worker gives, from 0."""
        run, within = rows // self.batch_rows, rows % self.batch_rows
        seen = (run // self.world) * self.batch_rows + within - self.start
        mine = (run % self.world == self.rank) & (seen >= 0)
        mine &= seen // self.batch_rows % workers == place
        return np.flatnonzero(mine)

    def _blocks(self, table: Table) -> Iterator[pa.Table]:
        """The rows in order, a few parts at a time."""
        pieces = _pieces(table)
        if not self.shuffle:
            yield from (_read(table, piece) for piece in pieces)
            return
        draw = np.random.default_rng([self.seed, self.epoch])
        order = draw.permutation(len(pieces))
        for start in range(0, len(order), MIXED):
            read = [_read(table, pieces[at]) for at in order[start : start + MIXED]]
            block = pa.concat_tables(read).unify_dictionaries().combine_chunks()
            yield block.take(pa.array(draw.permutation(block.num_rows)))

    def _rows(self, table: Table, block: pa.Table) -> Iterator[Row]:
        columns = {name: self._cells(table, name, block[name]) for name in block.column_names}
        for row in zip(*columns.values(), strict=True):
            yield dict(zip(columns, row, strict=True))

    def _cells(self, table: Table, name: str, values: pa.ChunkedArray) -> Iterator[Any]:
        kind = table.schema.column(name).type
        if kind == "timestamp":
            values = values.cast(pa.int64())
        for cell in to_cells(values):
            if cell is None:
                yield None
            elif kind == "vector":
                yield np.array(cell, np.float32)
            elif kind == "image" and self.media != "name":
                yield self._picture(table.reading, cell)
            else:
                yield cell

    def _picture(self, reading: "Reading", name: str) -> Any:
        raw = reading.view.media(name)
        if self.media == "bytes":
            return raw
        if self.shape is None:
            size = probe(raw)
            return pixels(raw, size.height, size.width, 3)
        return pixels(raw, *self.shape)


# What a saved state must agree in with the rows that go on from it.
_FIXED = ("commit", "shuffle", "seed", "batch_rows", "rank", "world")


def rows_of(table: Table, **settings: Any) -> Rows:
    """The rows of a handle at its commit. A handle of the working state stands for the last commit,
    for what others stage meanwhile would deal rows twice or not at all.

    Raises InvalidInput when the table has staged changes, or was never committed."""
    view, commit = table.reading.view, table.reading.commit
    if commit is None:
        if view.staged(table.name).touched:
            raise InvalidInput(
                f"table `{table.name}` has staged changes", hint="Commit them, or open a revision"
            )
        commit = view.commit_of("HEAD")
    assert isinstance(view, Repository)
    bare = replace(table, reading=None)  # type: ignore[arg-type]
    return Rows(view.root, commit.name, bare, **settings)


def _pieces(table: Table) -> list[Any]:
    """Parts of the table; runs of keys when some are wanted."""
    if table.keys is None:
        return list(table.reading.snapshot(table.name).parts())
    return [table.keys[at : at + BATCH_ROWS] for at in range(0, len(table.keys), BATCH_ROWS)]


def _read(table: Table, piece: Any) -> pa.Table:
    if isinstance(piece, tuple):
        return replace(table, keys=piece).arrow()
    asked = dict.fromkeys([*table.columns, *(n for c in table.conditions for n in c.columns)])
    read = table.reading.snapshot(table.name).read_part(piece, list(asked))
    if not table.conditions:
        return read
    kept = pa.Table.from_batches(
        list(passing(table.conditions, iter(read.to_batches()))), read.schema
    )
    return kept.select(table.columns)
