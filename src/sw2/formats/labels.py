"""A labels file: CSV with a header row; a path, a label, perhaps a split, and any other columns."""

import codecs
import csv
import io
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sw2.errors import InvalidInput
from sw2.formats.report import Skipped
from sw2.formats.scan import SPLITS, Found, composed

PATH_NAMES = ("path", "file", "filename", "image", "id")
LABEL_NAMES = ("label", "class", "target", "category")
SPLIT_NAMES = ("split", "subset", "fold")
RESERVED = frozenset({"id", "image", "label", "split", "reviewed"})
DELIMITERS = ",;\t|"


@dataclass(frozen=True, slots=True)
class LabelRow:
    """One line.  path, label, split: stripped, "" where empty.  extras: the other columns."""

    line: int
    path: str
    label: str
    split: str
    extras: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class LabelFile:
    """name: as the user knows it.  extras: names of the other columns, in the file's order."""

    name: str
    folder: Path
    rows: tuple[LabelRow, ...]
    extras: tuple[str, ...]
    has_splits: bool
    skipped: tuple[Skipped, ...]


def read_labels(path: Path) -> LabelFile:
    """Raises InvalidInput when the file as a whole cannot be used: it is missing, empty, or has no
    column for the path or the label.  A bad line is skipped and told with its number."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise InvalidInput(
            f"cannot read labels file `{path}`: {error.strerror}",
            hint="Give the path of a CSV file with `--labels`",
        ) from error
    header, lines = numbered(decoded(raw))
    columns = _columns(header, path)
    rows: list[LabelRow] = []
    skipped: list[Skipped] = []
    for line in lines:
        if not any(line.fields) and not line.fault:
            continue
        reason = line.fault or fault_of(line, header)
        if not reason:
            row = _row(line, columns)
            if row.path:
                rows.append(row)
                continue
            reason = "the line names no picture"
        skipped.append(Skipped(path.name, reason, line.first))
    extras = tuple(columns.extras)
    has_splits = columns.split is not None
    return LabelFile(path.name, path.parent, tuple(rows), extras, has_splits, tuple(skipped))


@dataclass(frozen=True, slots=True)
class _Columns:
    path: int
    label: int
    split: int | None
    extras: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Line:
    """One row.  first, last: the lines it covers, from 1.  fault: why it cannot be split."""

    first: int
    last: int
    fields: list[str]
    fault: str = ""


def decoded(raw: bytes) -> str:
    """UTF-8 with or without its mark, or UTF-16 with one.  Bytes that are not UTF-8 become lone
    surrogates, so that only their own line is refused."""
    if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return raw.decode("utf-16", "replace")
    return raw.decode("utf-8-sig", "surrogateescape")


def numbered(text: str, delimiter: str | None = None) -> tuple[list[str], Iterator[Line]]:
    """The header, and the rows after it.  delimiter: guessed from the header when None."""
    first = text.lstrip("\r\n").split("\n", 1)[0]
    lines = _numbered(text, delimiter or _delimiter(first))
    header = next((line.fields for line in lines if any(line.fields)), [])
    return [name.strip() for name in header], lines


def _numbered(text: str, delimiter: str) -> Iterator[Line]:
    """Rows with the numbers of their lines (a quoted field may hold line breaks)."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    while True:
        first = reader.line_num + 1
        try:
            fields = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield Line(first, reader.line_num, [], str(error))
        else:
            yield Line(first, reader.line_num, fields)


def _delimiter(header: str) -> str:
    """The one under which the header has a column for the path; else the most frequent."""

    def score(delimiter: str) -> tuple[bool, int]:
        names = next(csv.reader([header], delimiter=delimiter), [])
        known = any(name.strip().lower() in PATH_NAMES for name in names)
        return known and len(names) > 1, len(names)

    return max(DELIMITERS, key=score)


def _columns(header: Sequence[str], path: Path) -> _Columns:
    if not header:
        raise InvalidInput(f"labels file `{path}` is empty", hint="It needs a header: path,label")
    lower = [name.lower() for name in header]
    twice = sorted({name for name in lower if name and lower.count(name) > 1})
    if twice:
        raise InvalidInput(
            f"labels file `{path}` has more than one column `{twice[0]}`",
            hint="Give every column its own name",
        )

    def find(names: Sequence[str]) -> int | None:
        return next((lower.index(name) for name in names if name in lower), None)

    at_path, at_label, at_split = find(PATH_NAMES), find(LABEL_NAMES), find(SPLIT_NAMES)
    if at_path is None or at_label is None:
        what, names = ("path", PATH_NAMES) if at_path is None else ("label", LABEL_NAMES)
        raise InvalidInput(
            f"labels file `{path}` has no column for the {what}; its columns: {', '.join(header)}",
            hint=f"Name the column one of: {', '.join(names)}",
        )
    used = {at_path, at_label, at_split}
    extras = {_free(name): i for i, name in enumerate(header) if name and i not in used}
    return _Columns(at_path, at_label, at_split, extras)


def _free(name: str) -> str:
    """A column of the file may not take the place of one of the table's own."""
    return f"csv_{name}" if name.lower() in RESERVED else name


def fault_of(line: Line, header: Sequence[str]) -> str:
    """Why a row is none, or ""."""
    if len(line.fields) != len(header):
        fault = f"{_count(len(line.fields), 'field')}, but the header has {len(header)}"
        # A quote that is never closed swallows every line after it, so say which were.
        swallowed = f'; a quote (") runs on to line {line.last}' if line.last > line.first else ""
        return fault + swallowed
    if any(not field.isascii() and _has_surrogate(field) for field in line.fields):
        return "not UTF-8; save the file as UTF-8 and add it again"
    return ""


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _has_surrogate(text: str) -> bool:
    return any("\ud800" <= char <= "\udfff" for char in text)


def _row(line: Line, columns: _Columns) -> LabelRow:
    fields = line.fields
    split = fields[columns.split].strip() if columns.split is not None else ""
    return LabelRow(
        line.first,
        fields[columns.path].strip(),
        fields[columns.label].strip(),
        SPLITS.get(split.lower(), split),
        {name: fields[at].strip() for name, at in columns.extras.items()},
    )


class Finder:
    """Finds the picture that a line of a labels file means.

    A path counts from the folder, from the labels file, or from the folder's parent, in this
    order; its suffix may be left out (`00017` for `00017.png`) where that is clear."""

    def __init__(self, folder: Path, labels: Path, pictures: Sequence[Found]) -> None:
        self._folder = os.path.abspath(folder)
        self._starts = [self._folder, os.path.abspath(labels), os.path.dirname(self._folder)]
        self._known = {found.relative: found for found in pictures}
        self._stems: dict[str, Found | None] = {}
        for found in pictures:
            stem = os.path.splitext(found.relative)[0]
            self._stems[stem] = None if stem in self._stems else found

    def find(self, written: str) -> Found | str:
        """The picture, or why there is none."""
        candidates = self._candidates(composed(written))
        for relative in candidates:
            if relative in self._known:
                return self._known[relative]
        for relative in candidates:
            if relative in self._stems:
                by_stem = self._stems[relative]
                return by_stem or f"`{written}` fits more than one picture"
        for relative in candidates:
            path = os.path.join(self._folder, relative)
            if os.path.isfile(path):
                return Found(relative, path)
        if not candidates:
            return f"`{written}` lies outside of `{self._folder}`"
        return f"there is no picture `{written}`"

    def _candidates(self, written: str) -> list[str]:
        """Paths below the folder that the written one may stand for."""
        spellings = [written]
        if "\\" in written:
            spellings.append(written.replace("\\", "/"))
        found: list[str] = []
        for spelling in spellings:
            for start in self._starts:
                path = os.path.normpath(os.path.join(start, spelling))
                relative = os.path.relpath(path, self._folder).replace(os.sep, "/")
                if not relative.startswith("../") and relative not in (".", "..", *found):
                    found.append(relative)
        return found
