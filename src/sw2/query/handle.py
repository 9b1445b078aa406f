"""Handles on tables: what to read is said first, and read when somebody wants it."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import pyarrow as pa

from sw2.errors import InvalidInput, MissingExtra, NotFound
from sw2.query.sql import BATCH_ROWS, Condition, Source, condition, connect, passing, shown
from sw2.table import Schema, Snapshot

if TYPE_CHECKING:
    import pandas
    import polars
    from duckdb import DuckDBPyConnection, DuckDBPyRelation

    from sw2.query.reading import Reading
    from sw2.query.torch_data import Rows

Key = int | str
Media = Literal["name", "bytes", "pixels"]


@dataclass(frozen=True)
class Table:
    """A table, or some of it. `where`, `select` and `take` give another handle; the rest reads.

    Cells are as people see them: labels as dictionaries of strings, images as object names (hex).
    names: the columns wanted, all when None.  keys: the rows wanted, in this order."""

    reading: "Reading"
    name: str
    names: tuple[str, ...] | None = None
    conditions: tuple[Condition, ...] = ()
    keys: tuple[Key, ...] | None = None

    @property
    def schema(self) -> Schema:
        """The table's whole schema: columns with their types and labels."""
        return self._snapshot.schema

    @property
    def columns(self) -> list[str]:
        """Names of the columns that reading gives."""
        return self.schema.names if self.names is None else list(self.names)

    @property
    def arrow_schema(self) -> pa.Schema:
        """Names and Arrow types of the columns that reading gives."""
        schema = shown(self._snapshot)
        return pa.schema([schema.field(name) for name in self.columns])

    @property
    def rows(self) -> int:
        """How many rows reading gives."""
        if self.keys is None and not self.conditions:
            return self._snapshot.rows
        return sum(batch.num_rows for batch in self.select(self.schema.key).scan())

    def __len__(self) -> int:
        return self.rows

    def where(self, expression: str) -> "Table":
        """The rows for which an SQL expression is true, such as `label = 'Coat' and confidence <
        0.5`. Raises InvalidInput when it is not one expression over a row of this table."""
        made = condition(self.name, shown(self._snapshot), expression)
        return replace(self, conditions=(*self.conditions, made))

    def select(self, *names: str) -> "Table":
        """Only these columns. Raises NotFound for one that is not there."""
        for name in names:
            self.schema.column(name)
        if not names or len(set(names)) < len(names):
            raise InvalidInput(
                f"columns to select: {', '.join(names) or 'none'}", hint="Give each column once"
            )
        return replace(self, names=names)

    def take(self, keys: Iterable[Key]) -> "Table":
        """Only the rows of these keys, in their order. Reading raises NotFound when one is not
        there."""
        return replace(self, keys=tuple(keys))

    def get(self, key: Key) -> dict[str, Any] | None:
        """One row by its key, as Python values; None when it is not there."""
        found, _ = self._snapshot.lookup(self._array([key]), [])
        rows = to_rows(self.take([key]).arrow()) if found[0] else []
        return rows[0] if rows else None

    def scan(self, batch_rows: int = BATCH_ROWS) -> Iterator[pa.RecordBatch]:
        """The rows in batches of at most `batch_rows`, in key order. A segment at a time is held in
        memory, whatever the size of the table."""
        names = self.columns
        needed = list(dict.fromkeys([*names, *(n for c in self.conditions for n in c.columns)]))
        if self.keys is None:
            batches = self._snapshot.scan(needed, batch_rows=batch_rows)
        else:
            batches = self._taken(needed, batch_rows)
        if self.conditions:
            batches = passing(self.conditions, batches)
        return (batch.select(names) for batch in batches)

    def arrow(self) -> pa.Table:
        # Batches differ in their dictionaries where retired labels occur.
        return pa.Table.from_batches(list(self.scan()), self.arrow_schema).unify_dictionaries()

    def pandas(self) -> "pandas.DataFrame":
        """As a DataFrame; labels are of type `category`. Raises MissingExtra without pandas."""
        with wanting("pandas"):
            import pandas  # noqa: F401 (Arrow would tell of it in other words)
        return self.arrow().to_pandas()

    def polars(self) -> "polars.DataFrame":
        """As a DataFrame; labels are of type `Categorical`. Raises MissingExtra without Polars."""
        with wanting("polars"):
            import polars
        frame = polars.from_arrow(self.arrow())
        assert isinstance(frame, polars.DataFrame)
        return frame

    def duckdb(self, connection: "DuckDBPyConnection | None" = None) -> "DuckDBPyRelation":
        """As a relation of DuckDB, to go on with; it reads the columns it needs when it is run.

        connection: yours, or a new one that reaches nothing else."""
        held = Source(self.arrow_schema, lambda names: self.select(*names).scan())
        return (connection or connect()).from_arrow(held)

    def torch(
        self,
        columns: Sequence[str] | None = None,
        *,
        shuffle: bool = False,
        seed: int = 0,
        epoch: int = 0,
        batch_rows: int = 256,
        media: Media = "name",
        shape: tuple[int, int, int] | None = None,
        rank: int = 0,
        world: int = 1,
    ) -> "Rows":
        """As a `torch.utils.data.IterableDataset` of dicts, streamed: see `query.torch_data`.

        Raises MissingExtra without torch, InvalidInput when rows are staged and not committed."""
        with wanting("torch", "Run `pip install 'sw2[build]'`"):
            from sw2.query.torch_data import rows_of
        chosen = self if columns is None else self.select(*columns)
        return rows_of(
            chosen,
            shuffle=shuffle,
            seed=seed,
            epoch=epoch,
            batch_rows=batch_rows,
            media=media,
            shape=shape,
            rank=rank,
            world=world,
        )

    @property
    def _snapshot(self) -> Snapshot:
        return self.reading.snapshot(self.name)

    def _array(self, keys: Sequence[Key]) -> pa.Array:
        column = self.schema.key_column
        kind = {"int": int, "string": str}[column.type]
        try:
            if odd := [key for key in keys if type(key) is not kind]:
                raise TypeError(f"{odd[0]!r}")
            return pa.array(keys, column.stored)
        except (pa.ArrowException, TypeError, OverflowError) as error:
            raise InvalidInput(
                f"rows of table `{self.name}` are named by {column.type}s, not {error}",
                hint=f"Give the `{self.schema.key}` of each row",
            ) from error

    def _taken(self, names: list[str], batch_rows: int) -> Iterator[pa.RecordBatch]:
        snapshot, keys = self._snapshot, self._array(self.keys or ())
        key = snapshot.schema.key
        columns = [snapshot.schema.column(name) for name in names if name != key]
        for start in range(0, len(keys), batch_rows):
            asked = keys.slice(start, batch_rows)
            found, held = snapshot.lookup(asked, [column.name for column in columns])
            if not found.all():
                missing = asked[int(found.argmin())].as_py()
                raise NotFound(
                    f"there is no row `{missing}` in table `{self.name}`",
                    hint=f"Rows are named by their `{key}`",
                )
            cells = {c.name: c.decode(held[c.id].combine_chunks()) for c in columns}
            yield from pa.table({key: asked, **cells}).select(names).to_batches()


@contextmanager
def wanting(library: str, hint: str = "") -> Iterator[None]:
    """The ImportError of an optional library as MissingExtra."""
    try:
        yield
    except ImportError as error:
        told = hint or f"Run `pip install {library}`"
        raise MissingExtra(f"{library} is not installed", hint=told) from error


def to_rows(table: pa.Table) -> list[dict[str, Any]]:
    """Rows as dicts of Python values. A time that Python has no word for, beyond the year 9999,
    stays a number (ms since 1970)."""
    cells = {name: to_cells(table[name]) for name in table.column_names}
    return [dict(zip(cells, row, strict=True)) for row in zip(*cells.values(), strict=True)]


def to_cells(values: pa.Array | pa.ChunkedArray) -> list[Any]:
    """One column of `to_rows`."""
    try:
        return values.to_pylist()
    except (OverflowError, ValueError):
        return values.cast(pa.int64()).to_pylist()
