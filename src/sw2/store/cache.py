"""The indexes of many small packs in one file, so that a store of thousands opens at once.

It may be deleted at any time: it holds nothing that the packs do not say themselves. A file whose
checksum does not match is as good as none.

    "SW2IDX1\\0"                                   8 bytes
    for each pack: name 32 | count u32 | its index (`packs.ROW`)
    BLAKE3 of all before                          32 bytes"""

import os
import struct
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from blake3 import blake3

from sw2.store.packs import ROW, Index

HEAD = b"SW2IDX1\0"
PACK = struct.Struct("<32sI")
DIGEST = 32


def read_cache(file: Path) -> dict[str, Index]:
    """Indexes by the name of their pack (64 hex digits); none where the file is not sound."""
    with suppress(OSError):
        raw = file.read_bytes()
        end = len(raw) - DIGEST
        if raw.startswith(HEAD) and blake3(raw[:end]).digest() == raw[end:]:
            return dict(_indexes(raw, end))
    return {}


def write_cache(file: Path, packs: Mapping[str, Index]) -> None:
    """Replaces the file. One that cannot be written is left: then opening takes longer."""
    parts = [HEAD]
    for name, index in packs.items():
        parts += [PACK.pack(bytes.fromhex(name), len(index)), bytes(index.raw)]
    raw = b"".join(parts)
    temporary = file.parent / f"{os.urandom(16).hex()}.tmp"
    with suppress(OSError):
        file.parent.mkdir(exist_ok=True)
        try:
            temporary.write_bytes(raw + blake3(raw).digest())
            os.replace(temporary, file)
        finally:
            temporary.unlink(missing_ok=True)


def _indexes(raw: bytes, end: int) -> list[tuple[str, Index]]:
    found, at, whole = [], len(HEAD), memoryview(raw)
    while at < end:
        name, count = PACK.unpack_from(raw, at)
        at += PACK.size
        found.append((name.hex(), Index(whole[at : at + count * ROW.size])))
        at += count * ROW.size
    return found
