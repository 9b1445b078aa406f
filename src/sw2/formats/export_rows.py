"""Rows of a table at some commit as a file, streamed."""

import os
from pathlib import Path

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
        return write_rows(
            temporary,
            suffix,
            table.arrow_schema,
            table.scan(),
            lambda done: progress(Event("rows", done, total)),
        )
