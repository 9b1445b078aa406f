"""SQL over tables, by DuckDB, in a connection from which nothing but the tables can be reached.

A table is given to DuckDB as a `Source`: it tells the columns, and reads those that the plan asks
for, when it asks, segment by segment. So nobody has to guess from the text what a statement needs.
"""

import os
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, wait
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.dataset as ds

from sw2.errors import InvalidInput, Sw2Error
from sw2.table import Snapshot

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection, DuckDBPyRelation

# What a statement may take for its own work; DuckDB gives up beyond it, for it may not spill.
MEMORY = "4GB"
BATCH_ROWS = 65_536
# What DuckDB calls the batch that a condition is asked about. Nobody writes this name in a
# condition, so a sub-query in one, which would see the batch and not the table, finds nothing.
BATCH = "the rows of a batch"
Batches = Iterator[pa.RecordBatch]


def shown(snapshot: Snapshot) -> pa.Schema:
    """The Arrow schema of a table's columns as people see them."""
    cells = {c.name: c.decode(pa.array([], c.stored)) for c in snapshot.schema.columns}
    return pa.schema([pa.field(name, empty.type) for name, empty in cells.items()])


class Source(ds.Dataset):  # type: ignore[misc]
    """A table as DuckDB takes it.  read: columns -> batches.  failed: what went wrong in it."""

    # Arrow's own constructor refuses; DuckDB asks for these two names alone.
    def __init__(self, schema: pa.Schema, read: Callable[[list[str]], Batches]) -> None:
        self._shown = schema
        self._read = read
        self.failed: Exception | None = None

    @property
    def schema(self) -> pa.Schema:
        return self._shown

    def scanner(self, columns: list[str] | None = None, filter: Any = None, **_: Any) -> "_Scanner":
        wanted = self._shown.names if columns is None else columns
        # The columns of a filter are told nowhere but in its text.
        text = "" if filter is None else str(filter)
        names = list(dict.fromkeys([*wanted, *(n for n in self._shown.names if n in text)]))
        schema = pa.schema([self._shown.field(name) for name in wanted])
        return _Scanner(
            pa.RecordBatchReader.from_batches(schema, self._rows(names, wanted, filter))
        )

    def _rows(self, names: list[str], wanted: list[str], filter: Any) -> Batches:
        try:
            for batch in self._read(names):
                table = pa.Table.from_batches([batch])
                table = table if filter is None else table.filter(filter)
                yield from table.select(wanted).to_batches()
        except Exception as error:
            self.failed = error
            raise


@dataclass(frozen=True, slots=True)
class _Scanner:
    reader: pa.RecordBatchReader

    def to_reader(self) -> pa.RecordBatchReader:
        return self.reader


def source(snapshot: Snapshot) -> Source:
    """A table for `registered`. What it reads is kept in memory for the next statement."""
    return Source(shown(snapshot), lambda names: snapshot.scan(names, keep=True))


def connect(threads: int | None = None, memory: str = MEMORY) -> "DuckDBPyConnection":
    """A connection that reaches no file, network, extension, environment or Python variable.

    Each to an empty database of this process, which is kept: to make one takes 20 ms. A process
    that was forked makes its own, for it has none of the threads of its parent's."""
    return _database(os.getpid(), threads, memory).cursor()


@lru_cache(maxsize=4)
def _database(process: int, threads: int | None, memory: str) -> "DuckDBPyConnection":
    import duckdb

    settings: dict[str, Any] = {
        "enable_external_access": False,
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
        "python_enable_replacements": False,
        "temp_directory": "",
        "memory_limit": memory,
    }
    if threads is not None:
        settings["threads"] = threads
    try:
        return duckdb.connect(config=settings | {"lock_configuration": True})
    except duckdb.Error as error:
        raise InvalidInput(
            f"threads {threads}, memory {memory!r}: {_said(error)}",
            hint="Give a number of threads, and memory such as 4GB",
        ) from error


@dataclass(frozen=True, slots=True)
class Answer:
    """A statement that is ready to run."""

    connection: "DuckDBPyConnection"
    relation: "DuckDBPyRelation"

    def table(self) -> pa.Table:
        return self._run(self.relation.to_arrow_table)

    def batches(self, rows: int) -> Batches:
        """One at least, if only to tell the columns."""
        reader = self._run(lambda: self.relation.to_arrow_reader(rows))
        batch = self._run(lambda: next(reader, None))
        if batch is None:
            yield pa.RecordBatch.from_pylist([], reader.schema)
        while batch is not None:
            yield batch
            batch = self._run(lambda: next(reader, None))

    def _run(self, work: Callable[[], Any]) -> Any:
        """Waits for `work` where Ctrl-C is heard: what runs inside DuckDB hears it now and then."""
        if threading.current_thread() is not threading.main_thread():
            return work()
        done: Future[Any] = Future()
        threading.Thread(target=_carry_out, args=(work, done), daemon=True).start()
        try:
            # With a timeout, for without one Python does not look for signals on all systems.
            while not wait([done], 0.5).done:
                pass
        except KeyboardInterrupt:
            # Again and again, for DuckDB forgets one that comes before it has begun.
            while not wait([done], 0.1).done:
                self.connection.interrupt()
            raise
        return done.result()


def _carry_out(work: Callable[[], Any], done: "Future[Any]") -> None:
    try:
        done.set_result(work())
    except BaseException as error:  # noqa: BLE001 (raised again by whoever waits)
        done.set_exception(error)


@contextmanager
def statement(
    sql: str,
    sources: Mapping[str, Source],
    parameters: Sequence[Any] | Mapping[str, Any] = (),
    threads: int | None = None,
    memory: str = MEMORY,
) -> "Iterator[Answer]":
    """What one SELECT gives. Raises InvalidInput with DuckDB's words for one it cannot carry out.

    What fails while the rows are drawn is told in the same way, so draw them inside the block."""
    connection = connect(threads, memory)
    try:
        with told(sources):
            for name, held in sources.items():
                connection.register(name, held)
            _check(connection, sql)
            relation = connection.sql(sql, params=parameters or None)
            if relation is None:
                raise InvalidInput("the statement gives no rows", hint="Write one SELECT")
            yield Answer(connection, relation)
    finally:
        connection.close()


@contextmanager
def told(sources: Mapping[str, Source]) -> Iterator[None]:
    """DuckDB's errors as ours. What a source failed with comes first, for DuckDB only quotes it."""
    import duckdb

    try:
        yield
    except (duckdb.Error, pa.ArrowException, OSError) as error:
        failed = next((held.failed for held in sources.values() if held.failed), None)
        if isinstance(failed, Sw2Error):
            raise failed from error
        raise InvalidInput(_said(failed or error), hint=_columns(sources)) from error


def _check(connection: "DuckDBPyConnection", sql: str) -> None:
    """Nothing but one SELECT: the rest either changes something or asks about DuckDB itself."""
    import duckdb

    statements = connection.extract_statements(sql)
    if [each.type for each in statements] != [duckdb.StatementType.SELECT]:
        kinds = ", ".join(str(each.type).rpartition(".")[2] for each in statements) or "nothing"
        raise InvalidInput(
            f"a query is one SELECT, not {kinds}",
            hint="Tables are changed with `sw2 import`, `sw2 label` and `sw2 rm`",
        )


def _said(error: Exception) -> str:
    """DuckDB's message without the picture of the line under it."""
    return str(error).partition("\n\nLINE ")[0].strip() or type(error).__name__


def _columns(sources: Mapping[str, Source]) -> str:
    """`examples has id, label`: what to write instead."""
    has = [f"`{name}` has {', '.join(held.schema.names)}" for name, held in sources.items()]
    return "; ".join(has)


@dataclass(frozen=True, slots=True)
class Condition:
    """A checked SQL expression over one row.  columns: those it asks for."""

    table: str
    text: str
    columns: tuple[str, ...]

    @property
    def sql(self) -> str:
        return _asked(self.text, self.table)


def condition(table: str, schema: pa.Schema, text: str) -> Condition:
    """Raises InvalidInput when `text` is not one expression over the columns of `schema`."""
    asked: list[str] = []

    def nothing(names: list[str]) -> Batches:
        asked.extend(names)
        return iter(())

    # The text stands in two places of which each takes only an expression, and no text that is
    # more than one fits both: `a) GROUP BY (b` fits the last, `a) THEN 1 WHEN (b` the first.
    part = f"(\n{text}\n)"
    probe = f"SELECT CASE WHEN {part} THEN {part} END {_rows(table)} WHERE {part}"
    empty = {BATCH: Source(schema, nothing)}
    try:
        with statement(probe, empty, threads=1) as answer:
            if (kind := str(answer.relation.types[0])) != "BOOLEAN":
                raise InvalidInput(f"it is {kind}, neither true nor false")
        with statement(_asked(text, table), empty, threads=1) as answer:
            answer.table()
    except InvalidInput as error:
        raise InvalidInput(
            f"`{text}` is no condition on rows of table `{table}`: {error.message}",
            hint=f"Its columns: {', '.join(schema.names)}. Example: label = 'Coat'",
        ) from error
    return Condition(table, text, tuple(dict.fromkeys(asked)))


def passing(conditions: Sequence[Condition], batches: Batches) -> Batches:
    """The rows of each batch for which all conditions hold; cells stay as they are."""
    connection = connect(threads=1)
    try:
        for batch in batches:
            kept = pa.Table.from_batches([batch])
            for each in conditions:
                with told({}):
                    connection.register(BATCH, kept)
                    mask = connection.sql(each.sql).to_arrow_table()[0]
                kept = kept.filter(mask)
            yield from kept.to_batches()
    finally:
        connection.close()


def quoted(name: str) -> str:
    """A name as SQL takes it."""
    return '"' + name.replace('"', '""') + '"'


def _asked(text: str, table: str) -> str:
    """For each row of a batch whether `text` is true. The line breaks end a comment in it."""
    return f"SELECT CASE WHEN (\n{text}\n) THEN true ELSE false END {_rows(table)}"


def _rows(table: str) -> str:
    return f"FROM {quoted(BATCH)} AS {quoted(table)}"
