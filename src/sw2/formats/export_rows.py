"""Rows of a table at some commit as a file, streamed."""

import os
from pathlib import Path

import pyarrow as pa

from sw2.formats.row_files import replacing, suffix_of, write_rows
from sw2.progress import Event, Progress, silent
from sw2.query import Table


def export_rows(
    table: Table, path: str | os.PathLike[str], *, force: bool = False, progress: Progress = silent
) -> int:
    """Writes the rows of a handle as CSV, TSV, JSON lines, Parquet or Arrow, by the file's ending,
    and returns how many. The file is there when all of it is.

    Raises InvalidInput for another ending, or for a file that is there already (unless `force`)."""
    target = Path(path)
    suffix = suffix_of(target)
    with replacing(target, force) as temporary:
        total = table.rows if not table.conditions else None
        schema = _one_dictionary(table) if suffix == ".arrow" else table.arrow_schema
        return write_rows(
            temporary,
            suffix,
            schema,
            (batch.cast(schema) for batch in table.scan()),
            lambda done: progress(Event("rows", done, total)),
        )


def _one_dictionary(table: Table) -> pa.Schema:
    """An Arrow file has one dictionary a column; that of a column with retired labels is not the
    same in all batches, so its labels are written as strings."""
    retired = {c.name for c in table.schema.columns if len(c.live) < len(c.slots)}
    return pa.schema(
        [
            field.with_type(pa.string())
            if field.name in retired and pa.types.is_dictionary(field.type)
            else field
            for field in table.arrow_schema
        ]
    )
