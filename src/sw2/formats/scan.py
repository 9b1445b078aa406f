"""The pictures in a folder, and what the folders' names say about them."""

import os
import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from sw2.errors import InvalidInput
from sw2.formats.report import Skipped

SUFFIXES = frozenset(
    {
        *(".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff"),
        *(".pbm", ".pgm", ".ppm", ".pnm"),
    }
)

SPLITS = {
    "train": "train",
    "training": "train",
    "val": "val",
    "valid": "val",
    "validation": "val",
    "dev": "val",
    "test": "test",
    "testing": "test",
}


@dataclass(frozen=True, slots=True)
class Found:
    """relative: path below the folder, posix, in Unicode's composed form (NFC), so that an id is
    the same whether the file was listed on macOS (decomposed) or elsewhere.  path: to open it."""

    relative: str
    path: str


@dataclass(frozen=True, slots=True)
class Scan:
    """pictures: in natural order.  others: files that are not pictures, counted by suffix.
    tables: CSV and TSV files at the folder's top."""

    pictures: tuple[Found, ...]
    others: Counter[str]
    tables: tuple[str, ...]
    skipped: tuple[Skipped, ...]


def scan(folder: Path) -> Scan:
    """Lists a folder and everything below it; hidden files and folders are left out, links are
    followed once.  Raises InvalidInput when it is not a folder."""
    if not folder.is_dir():
        what = "is a file" if folder.exists() else "does not exist"
        raise InvalidInput(f"`{folder}` {what}", hint="Give a folder that holds pictures")
    pictures: list[Found] = []
    skipped: list[Skipped] = []
    others: Counter[str] = Counter()
    tables: list[str] = []
    seen: set[str] = set()

    def unreadable(error: OSError) -> None:
        skipped.append(Skipped(str(error.filename), error.strerror or str(error)))

    for here, folders, files in os.walk(folder, followlinks=True, onerror=unreadable):
        real = os.path.realpath(here)
        if real in seen:
            folders.clear()
            continue
        seen.add(real)
        folders[:] = sorted(name for name in folders if not _hidden(name))
        below = os.path.relpath(here, folder)
        for name in files:
            if _hidden(name):
                continue
            path = os.path.join(here, name)
            relative = name if below == "." else f"{below}/{name}".replace(os.sep, "/")
            suffix = os.path.splitext(name)[1].lower()
            if suffix not in SUFFIXES:
                others[suffix or name] += 1
                if below == "." and suffix in (".csv", ".tsv"):
                    tables.append(name)
            elif not _is_text(relative):
                shown = os.fsencode(relative).decode("utf-8", "backslashreplace")
                skipped.append(Skipped(shown, "the file's name is not UTF-8"))
            else:
                pictures.append(Found(composed(relative), path))
    pictures.sort(key=lambda found: natural(found.relative))
    return Scan(tuple(pictures), others, tuple(sorted(tables)), tuple(skipped))


def composed(path: str) -> str:
    return path if path.isascii() else unicodedata.normalize("NFC", path)


def natural(text: str) -> list[tuple[int, int, str]]:
    """A sort key under which `2.png` comes before `10.png`."""
    return [
        (0, int(part), part) if part.isdecimal() else (1, 0, part)
        for part in re.split(r"(\d+)", text)
        if part
    ]


@dataclass(frozen=True, slots=True)
class Place:
    """What a picture's folders say: "" where they say nothing."""

    label: str = ""
    split: str = ""


def places(relatives: Sequence[str]) -> list[Place]:
    """Labels and splits from folder names: `coat/1.png`, `train/coat/1.png`, `coat/train/1.png`.

    A name is a split only where every folder of its level is one: a class may well be called
    `train`.  Folders that hold all the pictures and no picture of their own are only wrapping.
    Below its class, a picture may lie in further folders."""
    parts = [PurePosixPath(relative).parent.parts for relative in relatives]
    wrapping = _wrapping(parts)
    parts = [folders[wrapping:] for folders in parts]
    firsts = {folders[0].lower() for folders in parts if folders}
    seconds = {folders[1].lower() for folders in parts if len(folders) > 1}
    if firsts and firsts <= SPLITS.keys():
        return [_place(folders[1:2], folders[:1]) for folders in parts]
    if seconds and seconds <= SPLITS.keys():
        return [_place(folders[:1], folders[1:2]) for folders in parts]
    return [_place(folders[:1], ()) for folders in parts]


def _place(label: Sequence[str], split: Sequence[str]) -> Place:
    return Place(label[0] if label else "", SPLITS[split[0].lower()] if split else "")


def _wrapping(parts: Sequence[tuple[str, ...]]) -> int:
    """How many leading folders are shared by all pictures, hold no picture themselves, and are not
    named like a split.  The last folder is never one: alone, it is a class."""
    if not parts:
        return 0
    shared = 0
    shortest = min(len(folders) for folders in parts)
    while shared < shortest - 1:
        names = {folders[shared] for folders in parts}
        if len(names) > 1 or names.pop().lower() in SPLITS:
            break
        shared += 1
    return shared


def _hidden(name: str) -> bool:
    return name.startswith(".") or name in ("__MACOSX", "Thumbs.db", "desktop.ini")


def _is_text(path: str) -> bool:
    try:
        path.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
