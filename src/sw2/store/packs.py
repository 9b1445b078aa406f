"""The pack: many objects in one immutable file that ends with its own index.

    "SW2PACK1"                                     8 bytes
    the stored bytes of each object, one after the other
    for each object, sorted by name:               ROW, 57 bytes
        name 32 | offset u64 | stored size u64 | raw size u64 | codec u8
    count u32 | BLAKE3 of the index 32 | "SW2PEND1"    44 bytes

All integers are little-endian. Codec 0 is raw, 1 is zstd. A pack is named by the BLAKE3 of its
index, so the name says which objects are inside and where."""

import os
import struct
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, NamedTuple

import zstandard
from blake3 import blake3

from sw2.errors import Damaged, Unavailable

HEAD = b"SW2PACK1"
END = b"SW2PEND1"
ROW = struct.Struct("<32sQQQB")
TRAILER = struct.Struct("<I32s8s")
RAW, ZSTD = 0, 1
# Shorter parts are compressed with what follows: a block begins with some 10 bytes.
LEAST_BLOCK = 64
# An object that says it is larger than this is refused before any memory is taken.
LARGEST_OBJECT = 1 << 34
LIST_ALL = "Run `sw2 fsck` to list everything that is damaged"


@dataclass(frozen=True, slots=True)
class Entry:
    """Where an object lies. offset and sizes are in bytes."""

    pack: Path
    offset: int
    stored: int
    raw: int
    codec: int


class Row(NamedTuple):
    """Of an object in the index of its pack. name: 32 bytes."""

    name: bytes
    offset: int
    stored: int
    raw: int
    codec: int


@dataclass(frozen=True, slots=True)
class Index:
    """The index of a pack, as it lies in the file: rows sorted by name."""

    raw: bytes | memoryview

    def __len__(self) -> int:
        return len(self.raw) // ROW.size

    def __iter__(self) -> Iterator[Row]:
        return map(Row._make, ROW.iter_unpack(self.raw))

    def names(self) -> list[bytes]:
        """Of all objects, 32 bytes each."""
        return [bytes(self.raw[at : at + 32]) for at in range(0, len(self.raw), ROW.size)]

    def find(self, name: bytes) -> Row | None:
        """The row of an object, found by bisection: a pack of millions of pictures is not read."""
        low, high = 0, len(self)
        while low < high:
            middle = (low + high) // 2
            if bytes(self.raw[middle * ROW.size : middle * ROW.size + 32]) < name:
                low = middle + 1
            else:
                high = middle
        if low == len(self):
            return None
        row = Row._make(ROW.unpack_from(self.raw, low * ROW.size))
        return row if row.name == name else None


def read_index(pack: Path) -> Index:
    """The index of a pack, sorted by name. Raises Damaged when the file is not a whole pack."""
    with _opened(pack) as file:
        head = file.read(len(HEAD))
        size = file.seek(0, os.SEEK_END)
        if size < len(HEAD) + TRAILER.size:
            raise Damaged(f"pack `{pack.name}` is cut short: {size} bytes")
        if head != HEAD:
            raise Damaged(f"pack `{pack.name}` does not begin as a pack does")
        file.seek(size - TRAILER.size)
        count, digest, end = TRAILER.unpack(file.read(TRAILER.size))
        start = size - TRAILER.size - count * ROW.size
        if end != END or start < len(HEAD):
            raise Damaged(f"pack `{pack.name}` does not end as a pack does")
        file.seek(start)
        index = file.read(count * ROW.size)
    if blake3(index).digest() != digest or pack.stem != digest.hex():
        raise Damaged(f"the index of pack `{pack.name}` does not match its checksum and name")
    return Index(index)


def entry_of(pack: Path, row: Row) -> Entry:
    return Entry(pack, *row[1:])


def read_object(entry: Entry, name: str) -> bytes:
    """The raw bytes of one object, verified against `name`. Raises Damaged when they differ."""
    return verified(read_stored(entry, name), entry, name)


def read_stored(entry: Entry, name: str) -> bytes:
    """The bytes of one object as its pack has them, not verified."""
    if max(entry.raw, entry.stored, entry.offset >> 16) > LARGEST_OBJECT:
        raise Damaged(f"object `{name[:12]}` claims {entry.raw} bytes", hint=LIST_ALL)
    with _opened(entry.pack) as file:
        file.seek(entry.offset)
        return file.read(entry.stored)


def verified(stored: bytes, entry: Entry, name: str) -> bytes:
    """The raw bytes of what `read_stored` gave. Raises Damaged when `name` is not theirs."""
    raw = stored if entry.codec == RAW else _decompress(stored, entry, name)
    if blake3(raw).hexdigest() != name:
        raise Damaged(
            f"object `{name[:12]}` in pack `{entry.pack.name}` does not match its name",
            hint=LIST_ALL,
        )
    return raw


def _decompress(stored: bytes, entry: Entry, name: str) -> bytes:
    try:
        # Asked first: what a damaged frame says of its size is what zstd would allocate.
        if zstandard.frame_content_size(stored) != entry.raw:
            raise Damaged(
                f"object `{name[:12]}` in pack `{entry.pack.name}` has another size", hint=LIST_ALL
            )
        return zstandard.ZstdDecompressor().decompress(stored, max_output_size=entry.raw)
    except zstandard.ZstdError as error:
        raise Damaged(
            f"object `{name[:12]}` cannot be decompressed: {error}", hint=LIST_ALL
        ) from error


@contextmanager
def _opened(pack: Path) -> Iterator[BinaryIO]:
    """A pack to read. Raises Damaged when it is gone, Unavailable when it cannot be read."""
    try:
        with pack.open("rb") as file:
            yield file
    except FileNotFoundError as error:
        raise Damaged(
            f"pack `{pack.name}` is missing",
            hint=f"Restore `{pack}` from a backup or another copy of the repository",
        ) from error
    except OSError as error:
        raise Unavailable(
            f"pack `{pack.name}` cannot be read: {error.strerror}",
            hint=f"Look at the disk and the permissions of `{pack}`",
        ) from error


def encode_object(raw: bytes, compress: bool, parts: Sequence[bytes] = ()) -> tuple[bytes, int]:
    """What is stored for `raw`, and the codec; zstd only where it makes the object smaller. parts:
    `raw` cut where its bytes begin to be of another kind."""
    if compress:
        # Level 9: a delta of 200 edits is 6 % smaller than at level 3 and costs 0.2 ms.
        level = 9 if len(raw) < 1 << 18 else 3
        zstd = zstandard.ZstdCompressor(level=level, write_checksum=False)
        stored = _by_parts(zstd, parts) if len(parts) > 1 else zstd.compress(raw)
        if len(stored) < len(raw):
            return stored, ZSTD
    return raw, RAW


def _by_parts(zstd: zstandard.ZstdCompressor, parts: Sequence[bytes]) -> bytes:
    """One frame, in which a block ends with each part: zstd has one table of codes for each block,
    and chooses for itself only in objects of more than 128 KiB."""
    frame = zstd.compressobj(size=sum(map(len, parts)))
    stored, waiting = [], 0
    for part in parts:
        stored.append(frame.compress(part))
        waiting += len(part)
        if waiting >= LEAST_BLOCK:
            stored.append(frame.flush(zstandard.COMPRESSOBJ_FLUSH_BLOCK))
            waiting = 0
    return b"".join((*stored, frame.flush()))
