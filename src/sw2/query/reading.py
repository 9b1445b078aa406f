"""A repository read at one commit, or as it stands."""

import os
from collections.abc import Iterator, Mapping, Sequence
from types import TracebackType
from typing import Any, Self, overload

import pyarrow as pa

from sw2.errors import NotFound
from sw2.query.handle import Table
from sw2.query.sql import BATCH_ROWS, MEMORY, Source, source, statement
from sw2.repo import Commit, Repository, View
from sw2.table import Snapshot

Parameters = Sequence[Any] | Mapping[str, Any]


class Reading:
    """Tables of one commit, or with what is staged (rev None); nothing can be changed through it.

    Raises NotFound when there is no such revision."""

    def __init__(self, view: View, rev: str | None = None) -> None:
        self.view = view
        self.commit: Commit | None = None if rev is None else view.commit_of(rev)
        self._snapshots: dict[str, Snapshot] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        self.view.close()

    @property
    def tables(self) -> list[str]:
        """Names of the tables."""
        return sorted(self.commit.tables) if self.commit else self.view.tables()

    def table(self, name: str = "examples") -> Table:
        """A handle; nothing is read yet. Raises NotFound when there is no such table."""
        if name not in self.tables:
            where = f"at commit {self.commit.short}" if self.commit else "here"
            known = ", ".join(self.tables) or "none"
            raise NotFound(f"there is no table `{name}` {where}", hint=f"Tables: {known}")
        return Table(self, name)

    def __getitem__(self, name: str) -> Table:
        return self.table(name)

    def snapshot(self, table: str) -> Snapshot:
        if self.commit is None:
            return self.view.snapshot(table=table)
        if table not in self._snapshots:
            self._snapshots[table] = self.view.at(self.commit, table)
        return self._snapshots[table]

    def query(
        self,
        sql: str,
        parameters: Parameters = (),
        *,
        threads: int | None = None,
        memory: str = MEMORY,
    ) -> pa.Table:
        """What one SELECT over the tables gives. Labels come as strings, images as hex names.

        parameters: for `?` and `$name`.  threads: of DuckDB, all processors by default.
        memory: what it may take, such as `4GB`.
        Raises InvalidInput with DuckDB's words, and the columns there are."""
        with statement(sql, self._sources(sql), parameters, threads, memory) as answer:
            return answer.table()

    def query_batches(
        self,
        sql: str,
        parameters: Parameters = (),
        *,
        batch_rows: int = BATCH_ROWS,
        threads: int | None = None,
        memory: str = MEMORY,
    ) -> Iterator[pa.RecordBatch]:
        """The same for large answers, in batches, while the statement runs. One batch comes at
        least, if only to tell the columns."""
        with statement(sql, self._sources(sql), parameters, threads, memory) as answer:
            yield from answer.batches(batch_rows)

    def _sources(self, sql: str) -> dict[str, Source]:
        """Tables whose name occurs in the text; the schemas of the others need not be read. A name
        in which quotes are doubled cannot be found so, and then all are taken."""
        text, odd = sql.casefold(), '""' in sql or "u&" in sql.casefold()
        names = [name for name in self.tables if odd or name.casefold() in text]
        return {name: source(self.snapshot(name)) for name in names}


def table(view: View, name: str = "examples", rev: str | None = None) -> Table:
    """A handle on a table at a commit, or as it stands (rev None)."""
    return Reading(view, rev).table(name)


def query(view: View, sql: str, rev: str | None = None, parameters: Parameters = ()) -> pa.Table:
    """What one SELECT gives at a commit, or as things stand (rev None): see `Reading.query`."""
    return Reading(view, rev).query(sql, parameters)


def query_batches(
    view: View, sql: str, rev: str | None = None, parameters: Parameters = ()
) -> Iterator[pa.RecordBatch]:
    """The same in batches: see `Reading.query_batches`."""
    return Reading(view, rev).query_batches(sql, parameters)


@overload
def open(path: str | os.PathLike[str] = ".", rev: None = None) -> Repository: ...
@overload
def open(path: str | os.PathLike[str], rev: str) -> Reading: ...
@overload
def open(path: str | os.PathLike[str] = ".", *, rev: str) -> Reading: ...
def open(path: str | os.PathLike[str] = ".", rev: str | None = None) -> Repository | Reading:
    """The repository that `path` lies in; with `rev` a commit of it, to be read.

    Raises NotARepository when there is none, NotFound when there is no such revision."""
    repository = Repository.open(path)
    if rev is None:
        return repository
    try:
        return Reading(repository, rev)
    except BaseException:
        repository.close()
        raise
