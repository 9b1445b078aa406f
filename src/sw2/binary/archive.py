"""The zip around a binary, opened as if a stranger had made it.

Members are stored, never compressed, so nothing unpacks to more than the file holds. Only the five
known names are ever looked at; others, whatever path they spell, are ignored and nothing is written
to disk."""

import os
import struct
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path

from blake3 import blake3

from sw2.errors import Damaged, NotFound

# The most bytes each member may have.
LIMITS = {
    "manifest.json": 1 << 20,
    "graph.onnx": 1 << 26,
    "weights.safetensors": 1 << 32,
    "report.json": 1 << 26,
    "golden.safetensors": 1 << 28,
}
UNREADABLE = (
    *(zipfile.BadZipFile, zlib.error, struct.error, EOFError, OSError),
    *(NotImplementedError, RuntimeError, ValueError, OverflowError, KeyError, IndexError),
)


def read_members(path: Path, names: tuple[str, ...]) -> dict[str, bytes]:
    """Reads the named members. Raises NotFound without a file, Damaged for anything wrong in it."""
    try:
        with path.open("rb") as file, zipfile.ZipFile(file) as archive:
            return {name: member(archive, name, path) for name in names}
    except FileNotFoundError:
        raise NotFound(f"no program at {path}") from None
    except UNREADABLE as error:
        raise Damaged(
            f"{path} cannot be read as a program: {error}", hint="Fetch or build it again"
        ) from error


def member(archive: zipfile.ZipFile, name: str, path: Path) -> bytes:
    entries = [info for info in archive.infolist() if info.filename == name]
    if len(entries) != 1:
        raise Damaged(f"{path} holds {len(entries)} members named {name}")
    entry = entries[0]
    if entry.compress_type != zipfile.ZIP_STORED or entry.compress_size != entry.file_size:
        raise Damaged(f"{path}: {name} is compressed", hint="Members of a program are stored")
    if entry.file_size > min(LIMITS[name], path.stat().st_size):
        raise Damaged(f"{path}: {name} claims {entry.file_size} bytes")
    raw = archive.read(entry)  # also compares the CRC
    if len(raw) != entry.file_size:
        raise Damaged(f"{path}: {name} has {len(raw)} of {entry.file_size} bytes")
    return raw


def write_members(path: Path, members: Mapping[str, bytes]) -> None:
    """A zip whose bytes depend on the members alone; it appears under `path` whole or never."""
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    with partial.open("wb") as file:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
            for name, raw in members.items():
                info = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
                info.create_system, info.external_attr = 3, 0o644 << 16
                archive.writestr(info, raw)
        file.flush()
        os.fsync(file.fileno())
    os.replace(partial, path)


def name_of_file(path: Path) -> str:
    """The binary's name: BLAKE3 of the whole file, 64 hex digits."""
    hasher = blake3()
    hasher.update_mmap(path)
    return hasher.hexdigest()
