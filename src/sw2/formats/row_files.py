"""Files of rows: CSV, TSV, JSON lines, Parquet and Arrow, read and written."""

import csv
import json
import math
import os
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from sw2.errors import InvalidInput
from sw2.formats.labels import decoded, fault_of, numbered
from sw2.formats.report import Skipped
from sw2.store.objects import sync_folder, writing

SUFFIXES = (".csv", ".tsv", ".jsonl", ".parquet", ".arrow")
GROUP_ROWS = 65_536


@dataclass(frozen=True)
class RowFile:
    """columns: cells by name, text where the file has no types.  lines: where each row stands,
    from 1 (the row's number where there are no lines).  skipped: lines that are no rows.
    mixed: columns with values of several kinds, each written as JSON."""

    name: str
    columns: dict[str, pa.Array]
    lines: Any
    skipped: tuple[Skipped, ...] = ()
    mixed: frozenset[str] = frozenset()

    @property
    def rows(self) -> int:
        return len(self.lines)


def suffix_of(path: Path) -> str:
    """Raises InvalidInput for a file of another kind."""
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise InvalidInput(
            f"`{path}` is of no kind that holds rows", hint=f"Kinds: {', '.join(SUFFIXES)}"
        )
    return suffix


def read_rows(path: Path) -> RowFile:
    """Raises InvalidInput when the file as a whole cannot be used; a line that is no row is
    skipped, and told with its number."""
    suffix = suffix_of(path)
    try:
        if suffix in (".csv", ".tsv"):
            return _read_csv(path, "\t" if suffix == ".tsv" else None)
        if suffix == ".jsonl":
            return _read_jsonl(path)
        return _read_arrow(path, suffix)
    except OSError as error:
        # Arrow raises OSError, without a number, for bytes that it cannot read.
        told = error.strerror or str(error).partition("\n")[0]
        raise InvalidInput(
            f"cannot read `{path}`: {told}", hint="Give the path of a file of rows"
        ) from error
    except pa.ArrowException as error:
        raise InvalidInput(f"`{path}` is no {suffix[1:]} file: {error}") from error


def _read_csv(path: Path, delimiter: str | None) -> RowFile:
    """An empty field is no value."""
    text = decoded(path.read_bytes())
    header, lines = numbered(text, delimiter)
    if not any(header):
        raise InvalidInput(f"`{path}` is empty", hint="Its first line names the columns")
    _check_names(path, header)
    rows: list[list[str]] = []
    at: list[int] = []
    skipped: list[Skipped] = []
    for line in lines:
        if not any(line.fields) and not line.fault:
            continue
        if reason := line.fault or fault_of(line, header):
            skipped.append(Skipped(path.name, reason, line.first))
        else:
            rows.append(line.fields)
            at.append(line.first)
    columns = {
        name: pa.array([fields[place] or None for fields in rows], pa.string())
        for place, name in enumerate(header)
    }
    return RowFile(path.name, columns, np.array(at, np.int64), tuple(skipped))


def _read_jsonl(path: Path) -> RowFile:
    cells: dict[str, list[Any]] = {}
    at: list[int] = []
    skipped: list[Skipped] = []
    for number, raw in enumerate(path.read_bytes().splitlines(), 1):
        if not raw.strip():
            continue
        try:
            row = json.loads(raw)
            if not isinstance(row, dict):
                raise ValueError("not an object in {}")
        except (ValueError, RecursionError) as error:
            skipped.append(Skipped(path.name, f"not JSON: {error}", number))
            continue
        for name in row.keys() - cells.keys():
            cells[name] = [None] * len(at)
        for name, values in cells.items():
            values.append(row.get(name))
        at.append(number)
    _check_names(path, list(cells))
    plain = {name: array for name, values in cells.items() if (array := _array(values)) is not None}
    mixed = frozenset(cells.keys() - plain.keys())
    columns = {
        name: _dumped(values) if name in mixed else plain[name] for name, values in cells.items()
    }
    return RowFile(path.name, columns, np.array(at, np.int64), tuple(skipped), mixed)


def _array(values: list[Any]) -> pa.Array | None:
    """Values of one kind as they are; None for several kinds, and for records."""
    kinds = {type(value) for value in values if value is not None}
    if not (kinds <= {bool} or kinds <= {int, float} or kinds <= {str} or kinds <= {list}):
        return None
    try:
        return pa.array(values)
    except (pa.ArrowException, OverflowError):
        return None


def _dumped(values: list[Any]) -> pa.Array:
    def text(value: Any) -> str:
        return json.dumps(value, ensure_ascii=False, sort_keys=True)

    return pa.array([None if value is None else text(value) for value in values], pa.string())


def _read_arrow(path: Path, suffix: str) -> RowFile:
    if suffix == ".parquet":
        table = pq.read_table(path, use_threads=False, partitioning=None)
    else:
        table = _open_arrow(path).read_all()
    _check_names(path, table.column_names)
    # One column at a time, so that there is never more than one of them twice.
    columns = {}
    for name in table.column_names:
        columns[name] = table[name].combine_chunks()
        table = table.drop_columns([name])
    rows = len(next(iter(columns.values()), ()))
    return RowFile(path.name, columns, np.arange(1, rows + 1))


def _open_arrow(path: Path) -> Any:
    try:
        return pa.ipc.open_file(pa.memory_map(str(path)))
    except pa.ArrowInvalid:
        return pa.ipc.open_stream(pa.memory_map(str(path)))


def _check_names(path: Path, names: Sequence[str]) -> None:
    if odd := [name for name in names if not name or names.count(name) > 1]:
        raise InvalidInput(
            f"`{path}` has a column without a name or twice: `{odd[0]}`",
            hint="Give every column its own name",
        )


@contextmanager
def replacing(path: Path, force: bool) -> Iterator[Path]:
    """A name to write to, which takes the place of `path` when the block ends, and goes when it
    fails. Raises InvalidInput when `path` is there already, unless `force`."""
    if path.exists() and not force:
        raise InvalidInput(f"`{path}` is there already", hint="`--force` replaces it")
    if not path.parent.is_dir():
        raise InvalidInput(f"there is no folder `{path.parent}`", hint="Make it first")
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}.tmp")
    with writing(path.parent):
        try:
            yield temporary
            os.replace(temporary, path)
            sync_folder(path.parent)
        finally:
            temporary.unlink(missing_ok=True)


def write_rows(
    path: Path,
    suffix: str,
    schema: pa.Schema,
    batches: Iterator[pa.RecordBatch],
    progress: Callable[[int], None],
) -> int:
    """Writes batches as they come, and tells how many rows there are. progress: rows so far."""
    writer = {
        ".parquet": _write_parquet,
        ".arrow": _write_arrow,
        ".jsonl": _write_jsonl,
    }.get(suffix, _write_csv)
    count = 0

    def counted() -> Iterator[pa.RecordBatch]:
        nonlocal count
        for batch in batches:
            yield batch
            count += batch.num_rows
            progress(count)

    writer(path, schema, counted())
    return count


def _write_parquet(path: Path, schema: pa.Schema, batches: Iterator[pa.RecordBatch]) -> None:
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for batch in batches:
            writer.write_batch(batch, row_group_size=GROUP_ROWS)


def _write_arrow(path: Path, schema: pa.Schema, batches: Iterator[pa.RecordBatch]) -> None:
    with pa.ipc.new_file(path, schema) as writer:
        for batch in batches:
            writer.write_batch(batch)


def _write_csv(path: Path, schema: pa.Schema, batches: Iterator[pa.RecordBatch]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        delimiter = "\t" if ".tsv." in path.name else ","
        write_csv(file, schema, batches, delimiter)


def write_csv(
    file: TextIO, schema: pa.Schema, batches: Iterator[pa.RecordBatch], delimiter: str = ","
) -> None:
    """A header and the rows; no value is an empty field, and what has parts is JSON."""
    writer = csv.writer(file, delimiter=delimiter, lineterminator="\n")
    writer.writerow(schema.names)
    for batch in batches:
        columns = [_fields(values) for values in batch.columns]
        writer.writerows(zip(*columns, strict=True))


def _write_jsonl(path: Path, schema: pa.Schema, batches: Iterator[pa.RecordBatch]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        write_jsonl(file, batches)


def write_jsonl(file: TextIO, batches: Iterator[pa.RecordBatch]) -> None:
    """One object a row."""
    encode = json.JSONEncoder(ensure_ascii=False).encode  # `dumps` makes one for each row
    for batch in batches:
        names = batch.schema.names
        for row in zip(*map(json_cells, batch.columns), strict=True):
            file.write(encode(dict(zip(names, row, strict=True))) + "\n")


def values_of(values: pa.Array) -> list[Any]:
    """Cells as Python values; times as ISO 8601 text, and as numbers beyond the year 9999."""
    if pa.types.is_dictionary(values.type):
        # One by one, Arrow takes ten times as long for labels, and a hundred for times.
        return values.dictionary_decode().to_pylist()
    if pa.types.is_timestamp(values.type) and values.type.tz is None and _in_calendar(values):
        texts = np.datetime_as_string(values.to_numpy(zero_copy_only=False)).astype(object)
        texts[values.is_null().to_numpy(zero_copy_only=False)] = None
        return texts.tolist()
    try:
        cells = values.to_pylist()
    except (OverflowError, ValueError):
        cells = values.cast(pa.int64()).to_pylist()
    if pa.types.is_temporal(values.type):
        return [None if cell is None else _as_text(cell) for cell in cells]
    return cells


def _in_calendar(times: pa.Array) -> bool:
    """Whether all lie in the years that ISO 8601 and Python have words for, 1 to 9999."""
    bounds = pc.min_max(times.cast(pa.int64()))
    first, last = (
        np.datetime64(day, times.type.unit).astype(np.int64) for day in ("0001-01-01", "9999-12-31")
    )
    return bool(
        bounds["min"].as_py() is None
        or (first <= bounds["min"].as_py() and bounds["max"].as_py() <= last)
    )


def json_cells(values: pa.Array, *, times_as_text: bool = True) -> list[Any]:
    """Cells as JSON can hold them: what is not a number is no value.

    times_as_text: ISO 8601, else ms since 1970."""
    if pa.types.is_timestamp(values.type) and not times_as_text:
        values = values.cast(pa.timestamp("ms"), safe=False).cast(pa.int64())
    cells = values_of(values)
    kind = values.type
    simple = pa.types.is_integer(kind) or pa.types.is_string(kind) or pa.types.is_boolean(kind)
    return cells if simple else [_in_json(cell) for cell in cells]


def _in_json(cell: Any) -> Any:
    if isinstance(cell, float):
        return cell if math.isfinite(cell) else None
    if cell is None or isinstance(cell, bool | int | str):
        return cell
    if isinstance(cell, dict):
        return {str(name): _in_json(inner) for name, inner in cell.items()}
    if isinstance(cell, list | tuple):
        return [_in_json(inner) for inner in cell]
    return _as_text(cell)


def _as_text(value: Any) -> str | int:
    """What JSON and CSV have no word for."""
    if isinstance(value, int):
        return value
    if isinstance(value, bytes):
        return value.hex()
    return str(value.isoformat()) if hasattr(value, "isoformat") else str(value)


def _fields(values: pa.Array) -> Iterable[Any]:
    kind, cells = values.type, values_of(values)
    simple = pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_string(kind)
    return cells if simple else map(_field, cells)


def _field(cell: Any) -> Any:
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, list | dict):
        return json.dumps(_in_json(cell), ensure_ascii=False)
    return _as_text(cell) if isinstance(cell, bytes) else cell
