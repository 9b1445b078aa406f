"""What there is to import: every picture once, with what its folders and labels file say of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from sw2.formats.guess import column_type
from sw2.formats.labels import Finder, LabelFile, read_labels
from sw2.formats.report import Skipped
from sw2.formats.scan import Found, Place, Scan, places, scan


@dataclass(frozen=True, slots=True)
class Item:
    """A picture to import.  relative: path below the folder.  label, split: "" where not said.
    line: its line in the labels file, or 0.  extras: other columns, as text."""

    relative: str
    path: str
    label: str
    split: str
    line: int = 0
    extras: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Source:
    """name: what an edit's origin calls it: the labels file's name, else the folder's.
    extras: the narrowest type that fits each further column of the labels file."""

    name: str
    items: tuple[Item, ...]
    extras: Mapping[str, str]
    skipped: tuple[Skipped, ...]
    notes: tuple[str, ...]


def collect(folder: Path, labels: Path | None) -> Source:
    """Raises InvalidInput when the folder or the labels file cannot be used at all."""
    found = scan(folder)
    if labels is None:
        return _from_folders(folder, found)
    return _from_file(folder, found, read_labels(labels))


def _from_folders(folder: Path, found: Scan) -> Source:
    said = places([picture.relative for picture in found.pictures])
    items = tuple(
        Item(picture.relative, picture.path, place.label, place.split)
        for picture, place in zip(found.pictures, said, strict=True)
    )
    notes = _left_alone(found)
    if found.tables:
        notes += (f"{found.tables[0]} was not read: give it with --labels to take labels from it",)
    return Source(folder.resolve().name, items, {}, found.skipped, notes)


def _from_file(folder: Path, found: Scan, file: LabelFile) -> Source:
    finder = Finder(folder, file.folder, found.pictures)
    said = dict(zip(found.pictures, places([p.relative for p in found.pictures]), strict=True))
    lines: dict[str, Item] = {}
    skipped = [*found.skipped, *file.skipped]
    for row in file.rows:
        picture = finder.find(row.path)
        if isinstance(picture, str):
            skipped.append(Skipped(file.name, picture, row.line))
        elif picture.relative in lines:
            first = lines[picture.relative]
            skipped.append(Skipped(file.name, _repeated(row.path, row.label, first), row.line))
        else:
            split = row.split if file.has_splits else said.get(picture, Place()).split
            lines[picture.relative] = Item(
                picture.relative, picture.path, row.label, split, row.line, row.extras
            )
    skipped += _without_line(found, lines, file.name)
    extras = {name: column_type(row.extras[name] for row in file.rows) for name in file.extras}
    return Source(file.name, tuple(lines.values()), extras, tuple(skipped), _left_alone(found))


def _repeated(path: str, label: str, first: Item) -> str:
    """Which of two lines is right cannot be known; the first counts and the other is told."""
    told = (
        "with the same label" if label == first.label else f"{first.label!r} there, {label!r} here"
    )
    return f"`{path}` is on line {first.line} already, {told}"


def _without_line(found: Scan, lines: Mapping[str, Item], name: str) -> list[Skipped]:
    missing: list[Found] = [p for p in found.pictures if p.relative not in lines]
    return [Skipped(picture.relative, f"no line in {name} names it") for picture in missing]


def _left_alone(found: Scan) -> tuple[str, ...]:
    others = found.others.copy()
    for table in found.tables:
        others[Path(table).suffix.lower()] -= 1
    kinds = [f"{count} {suffix}" for suffix, count in (+others).most_common(4)]
    if not kinds:
        return ()
    more = ", …" if len(+others) > len(kinds) else ""
    return (f"files that are not pictures were left alone: {', '.join(kinds)}{more}",)
