"""Rows of tables: query, import, export, rm."""

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sw2.cli.environment import author as author_of
from sw2.cli.frame import Usage, command
from sw2.cli.progress import progress
from sw2.cli.terminal import Terminal, bold, count, dim, plain
from sw2.errors import InvalidInput

if TYPE_CHECKING:
    import pyarrow as pa

    from sw2.formats import RowsReport
    from sw2.query import Table
    from sw2.repo import Repository

WIDEST = 40  # of a cell in a printed table
SHOWN = 1000  # rows of a printed table, unless --limit says another number
# `sw2 rm --where` asks for --yes beyond so many rows.
UNASKED = 1000


@command(example='sw2 query "select label, count(*) from examples group by label"')
@click.argument("sql")
@click.option("--rev", help="The commit to read; without it, what is staged counts too.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "csv", "jsonl"]),
    default="table",
    help="How to print the rows.",
)
@click.option("--limit", type=click.IntRange(min=0), help="Print so many rows at most.")
def query(terminal: Terminal, sql: str, rev: str | None, form: str, limit: int | None) -> None:
    """Ask the tables in SQL, at any commit.

    SQL is one SELECT as DuckDB takes it; every table goes by its name. Only columns that it needs
    are read, and no file or network can be reached from it."""
    from sw2.query import Reading

    most = SHOWN if limit is None and form == "table" else limit
    with terminal.repository() as repository:
        batches = _first(Reading(repository, rev).query_batches(sql), most)
        if terminal.json:
            terminal.answer(_documents(batches), ())
        elif form == "table":
            _print_table(terminal, batches, limit is None)
        else:
            _stream(batches, form)


def _first(batches: "Iterator[pa.RecordBatch]", most: int | None) -> "Iterator[pa.RecordBatch]":
    """The first `most` rows, all when None; no more batches are drawn than hold them."""
    left = most
    for batch in batches:
        yield batch if left is None else batch.slice(0, left)
        if left is not None and (left := left - batch.num_rows) <= 0:
            return


def _documents(batches: "Iterator[pa.RecordBatch]") -> dict[str, Any]:
    from sw2.formats.row_files import json_cells

    names: list[str] = []
    rows: list[dict[str, Any]] = []
    for batch in batches:
        names = batch.schema.names
        columns = [json_cells(column, times_as_text=False) for column in batch.columns]
        rows += [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]
    return {"columns": names, "rows": rows}


def _stream(batches: "Iterator[pa.RecordBatch]", form: str) -> None:
    from sw2.formats.row_files import write_csv, write_jsonl

    first = next(batches)
    together = _after(first, batches)
    if form == "csv":
        write_csv(sys.stdout, first.schema, together)
    else:
        write_jsonl(sys.stdout, together)


def _after(first: Any, rest: Iterator[Any]) -> Iterator[Any]:
    yield first
    yield from rest


def _print_table(terminal: Terminal, batches: "Iterator[pa.RecordBatch]", all_wanted: bool) -> None:
    from sw2.formats.row_files import values_of

    names: list[str] = []
    numbers: list[bool] = []
    rows: list[list[str]] = []
    for batch in batches:
        names = batch.schema.names
        numbers = [_is_number(field.type) for field in batch.schema]
        columns = [[_cell(value) for value in values_of(column)] for column in batch.columns]
        rows += [list(row) for row in zip(*columns, strict=True)]
    terminal.answer(None, table_lines([_cell(name) for name in names], rows, numbers))
    if all_wanted and len(rows) == SHOWN:
        terminal.say(dim(f"the first {SHOWN:,} rows; --limit or --format csv gives more"))


def _is_number(kind: "pa.DataType") -> bool:
    import pyarrow as pa

    return bool(
        pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)
    )


def _cell(value: Any) -> str:
    if value is None:
        return ""
    text = f"{value:g}" if isinstance(value, float) else plain(value)
    return text if len(text) <= WIDEST else text[: WIDEST - 1] + "…"


def table_lines(
    names: Sequence[str], rows: Sequence[Sequence[str]], numbers: Sequence[bool]
) -> Iterator[str]:
    """Aligned columns under their names; numbers to the right."""
    widths = [
        max(len(name), *(len(row[at]) for row in rows)) if rows else len(name)
        for at, name in enumerate(names)
    ]

    def line(cells: Sequence[str]) -> str:
        told = zip(cells, widths, numbers, strict=True)
        return "  ".join(c.rjust(w) if number else c.ljust(w) for c, w, number in told).rstrip()

    yield bold(line(names))
    yield from map(line, rows)


@command(example="sw2 import votes.csv --table votes\nsw2 import new.parquet --table examples")
@click.argument("file", type=click.Path())
@click.option("--table", required=True, help="The table, which is made when it is new.")
@click.option("--key", help="The column that names rows, for a new table (`id` by default).")
@click.option(
    "--type", "types", multiple=True, metavar="COLUMN=TYPE", help="A column's type; repeatable."
)
@click.option("--new-labels", is_flag=True, help="Add labels that a column has not yet.")
@click.option("--update-only", is_flag=True, help="Leave out rows that are not in the table.")
@click.option("--replace", is_flag=True, help="Delete the rows that the file has not.")
@click.option("--author", help="Who, instead of SW2_AUTHOR, git's user or the login name.")
def import_(
    terminal: Terminal,
    file: str,
    table: str,
    key: str | None,
    types: Sequence[str],
    new_labels: bool,
    update_only: bool,
    replace: bool,
    author: str | None,
) -> None:
    """Bring the rows of a file into a table.

    FILE ends in .csv, .tsv, .jsonl, .parquet or .arrow. Rows with a key that is there update it,
    and only what differs is staged. Types are told by the cells, unless --type says them. Lines
    that cannot be used are listed at the end; the rest is staged as one action."""
    from sw2.formats import Wanted, import_rows

    if update_only and replace:
        raise Usage("--update-only and --replace are two different things", hint="Give one of them")
    chosen = dict(_type(pair) for pair in types)
    wanted = Wanted(key, chosen, new_labels, update_only, replace)
    with terminal.repository() as repository, progress(terminal) as tell:
        report = import_rows(repository, file, table, wanted, by=author_of(author), progress=tell)
    terminal.answer(report, _import_lines(report))
    for skipped in report.skipped:
        terminal.say(f"skipped: {plain(skipped)}")
    if report.skipped:
        terminal.say(f"{count(len(report.skipped), 'row')} skipped, the rest was taken")
    if report.added or report.updated or report.deleted:
        terminal.say('next: sw2 commit -m "…"')


import_.name = "import"  # a word of Python, so no function can have it


def _type(pair: str) -> tuple[str, str]:
    column, sign, kind = pair.rpartition("=")
    if not sign or not column:
        raise Usage(f"--type {pair} names no column and type", hint="Write it as label=category")
    return column, kind


def _import_lines(report: "RowsReport") -> Iterator[str]:
    parts = {
        "added": report.added,
        "updated": report.updated,
        "deleted": report.deleted,
        "unchanged": report.unchanged,
        "not in the table and left out": report.missing,
    }
    told = [f"{number:,} {verb}" for verb, number in parts.items() if number]
    yield bold(f"{plain(report.table)}: {', '.join(told) or 'no rows'}")
    columns = [f"{plain(name)} {kind}" for name, kind in report.columns.items()]
    yield f"columns: {', '.join(columns)}; rows are named by {plain(report.key)}"
    for name, labels in report.labels.items():
        more = f" and {len(labels) - 20} more" if len(labels) > 20 else ""
        yield f"new labels of {plain(name)}: {', '.join(map(plain, labels[:20]))}{more}"


@command(example="sw2 export coats.parquet --where \"label = 'Coat'\"")
@click.argument("file", type=click.Path())
@click.option("--table", default="examples", show_default=True, help="The table.")
@click.option("--rev", help="The commit to read; without it, what is staged counts too.")
@click.option("--where", help="Only rows for which this SQL expression is true.")
@click.option("--columns", help="Only these columns, with commas between them.")
@click.option("--force", is_flag=True, help="Replace a file that is there.")
def export(
    terminal: Terminal,
    file: str,
    table: str,
    rev: str | None,
    where: str | None,
    columns: str | None,
    force: bool,
) -> None:
    """Write rows of a table to a file.

    FILE ends in .csv, .tsv, .jsonl, .parquet or .arrow. It is there when all of it is written."""
    from sw2.formats import export_rows

    with terminal.repository() as repository, progress(terminal) as tell:
        handle = _handle(repository, table, rev, where)
        if columns is not None:
            handle = handle.select(*(name.strip() for name in columns.split(",")))
        rows = export_rows(handle, file, force=force, progress=tell)
    document = {"file": Path(file), "table": table, "rows": rows}
    terminal.answer(document, [f"{count(rows, 'row')} of {plain(table)} in {plain(file)}"])


def _handle(repository: "Repository", table: str, rev: str | None, where: str | None) -> "Table":
    from sw2.query import Reading

    handle = Reading(repository, rev).table(table)
    return handle if where is None else handle.where(where)


@command(example="sw2 rm pictures/train/00017.png\nsw2 rm --where \"label = 'Blurred'\"")
@click.argument("examples", nargs=-1)
@click.option("--table", default="examples", show_default=True, help="The table.")
@click.option("--where", help="Rows for which this SQL expression is true.")
@click.option("--yes", is_flag=True, help=f"Delete more than {UNASKED:,} rows that --where finds.")
@click.option("--why", default="", help="The reason, kept with the edit.")
@click.option("--author", help="Who, instead of SW2_AUTHOR, git's user or the login name.")
def rm(
    terminal: Terminal,
    examples: Sequence[str],
    table: str,
    where: str | None,
    yes: bool,
    why: str,
    author: str | None,
) -> None:
    """Delete rows from a table.

    EXAMPLES are ids, or paths from here. The deletion is staged as one action, `sw2 undo` takes it
    back, and older commits keep the rows."""
    from sw2.values import Origin

    if bool(examples) == (where is not None):
        raise Usage("say what to delete: ids, or --where", hint="See `sw2 rm --help`")
    with terminal.repository() as repository, repository.step():
        if where is None:
            keys = _named(repository, table, examples)
        else:
            keys = _found(repository, table, where, yes)
        what = plain(keys[0]) if len(keys) == 1 else count(len(keys), "row")
        origin = Origin(author_of(author), why=why)
        repository.delete_rows(keys, origin, f"delete {what} of {table}", table)
    document = {"table": table, "deleted": keys}
    told = f"deleted {what} of {plain(table)}" if keys else f"no row of {plain(table)} is meant"
    terminal.answer(document, [told])


def _named(repository: "Repository", table: str, given: Sequence[str]) -> list[int | str]:
    """The keys that were meant; ids of examples may be paths, keys of a table may be numbers."""
    from sw2.cli.examples import find_example

    if table == "examples":
        return list(dict.fromkeys(find_example(repository, name) for name in given))
    if repository.schema(table).key_column.type == "string":
        return list(dict.fromkeys(given))
    if odd := [name for name in given if not name.lstrip("-").isdecimal()]:
        raise InvalidInput(
            f"rows of table `{table}` are named by numbers, not `{odd[0]}`", hint="Give numbers"
        )
    return list(dict.fromkeys(map(int, given)))


def _found(repository: "Repository", table: str, where: str, yes: bool) -> list[int | str]:
    handle = _handle(repository, table, None, where)
    key = handle.schema.key
    keys: list[int | str] = handle.select(key).arrow()[key].to_pylist()
    if len(keys) > UNASKED and not yes:
        raise InvalidInput(
            f"`{where}` means {count(len(keys), 'row')} of table `{table}`",
            hint="`--yes` deletes them; `sw2 query` shows them first",
        )
    return keys
