"""Pictures into the repository's packs: each read once, its header checked, its bytes kept."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sw2.errors import InvalidInput
from sw2.formats.report import Skipped
from sw2.formats.source import Item
from sw2.media import probe
from sw2.progress import Event, Progress
from sw2.repo import Repository

# A pack is one file that is written in one go; an interrupted import loses the pack at hand.
PICTURES_IN_A_PACK = 4096
BYTES_IN_A_PACK = 256 << 20
BETWEEN_EVENTS = 64


@dataclass(frozen=True, slots=True)
class Stored:
    """id: of the row.  name: of the picture's object, 64 hex digits."""

    item: Item
    id: str
    name: str


def store_pictures(
    repository: Repository, items: Sequence[Item], prefix: str, progress: Progress
) -> tuple[list[Stored], list[Skipped]]:
    """Stores every readable picture.  Ids are `prefix/relative`, or `relative` without a prefix."""
    stored: dict[str, Stored] = {}
    skipped: list[Skipped] = []
    at = 0
    while at < len(items):
        with repository.write_media() as put:
            size = 0
            start = at
            while at < min(len(items), start + PICTURES_IN_A_PACK) and size < BYTES_IN_A_PACK:
                if at % BETWEEN_EVENTS == 0:
                    progress(Event("pictures", at, len(items)))
                item = items[at]
                at += 1
                id = f"{prefix}/{item.relative}" if prefix else item.relative
                raw = _read(item)
                if isinstance(raw, Skipped):
                    skipped.append(raw)
                elif id in stored:
                    # Two spellings of one name (composed and decomposed letters) side by side.
                    reason = f"its name, in Unicode's composed form, is taken by {id}"
                    skipped.append(Skipped(item.relative, reason, 0))
                else:
                    stored[id] = Stored(item, id, put(raw))
                    size += len(raw)
    progress(Event("pictures", len(items), len(items)))
    return list(stored.values()), skipped


def _read(item: Item) -> bytes | Skipped:
    try:
        raw = Path(item.path).read_bytes()
        probe(raw)
    except OSError as error:
        return Skipped(item.relative, f"cannot be read: {error.strerror or error}")
    except InvalidInput as error:
        return Skipped(item.relative, error.message)
    return raw
