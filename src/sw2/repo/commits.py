"""Commits: what the tables and small files say at one time, who said so and why."""

import json
from dataclasses import asdict, dataclass

from sw2.errors import Damaged
from sw2.table import TableVersion
from sw2.table.schema import MALFORMED


@dataclass(frozen=True, slots=True)
class Commit:
    """name: the object (64 hex digits).  at: ms since 1970.  tables: by table name.  files: object
    of each small file by its path.  changed: by table, rows edited, inserted, deleted."""

    name: str
    parents: tuple[str, ...]
    author: str
    at: int
    message: str
    tables: dict[str, TableVersion]
    files: dict[str, str]
    changed: dict[str, tuple[int, int, int]]

    @property
    def edits(self) -> int:
        """Rows that this commit edited, inserted or deleted, over all tables."""
        return sum(sum(counts) for counts in self.changed.values())

    @property
    def short(self) -> str:
        return self.name[:10]


def encode_commit(commit: Commit) -> bytes:
    """Canonical JSON without the name: the same commit always has the same bytes."""
    value = {"format": 1, **asdict(commit)}
    del value["name"]
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()


def parse_commit(name: str, raw: bytes) -> Commit:
    """Raises Damaged when the bytes are not a commit that this version reads."""
    try:
        value = json.loads(raw)
        if value["format"] != 1:
            raise Damaged(f"commit of format {value['format']}; this sw2 reads format 1")
        return Commit(
            name=name,
            parents=tuple(value["parents"]),
            author=str(value["author"]),
            at=int(value["at"]),
            message=str(value["message"]),
            tables={k: TableVersion(**v) for k, v in value["tables"].items()},
            files=dict(value["files"]),
            changed={k: (int(a), int(b), int(c)) for k, (a, b, c) in value["changed"].items()},
        )
    except MALFORMED as error:
        raise Damaged(f"object `{name[:12]}` is not a commit: {error}") from error
