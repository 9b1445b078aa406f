"""Commits: what the tables and small files say at one time, who said so and why."""

import json
from dataclasses import asdict, dataclass, replace

from sw2.errors import Damaged
from sw2.values import TableVersion

# What comes up when bytes that are no commit are taken apart.
MALFORMED = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)


@dataclass(frozen=True, slots=True)
class Signature:
    """public_key: `ssh-ed25519 AAAA…`, without a comment.  value: 128 hex digits."""

    public_key: str
    value: str


@dataclass(frozen=True, slots=True)
class Commit:
    """name: the object (64 hex digits).  at: ms since 1970.  tables: by table name.  files: object
    of each small file by its path.  changed: by table, rows edited, inserted, deleted.  signature:
    of the commit without it (`repo/signing.py`)."""

    name: str
    parents: tuple[str, ...]
    author: str
    at: int
    message: str
    tables: dict[str, TableVersion]
    files: dict[str, str]
    changed: dict[str, tuple[int, int, int]]
    signature: Signature | None = None

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
    del value["name"], value["signature"]
    if commit.signature is not None:
        held = commit.signature
        value["signature"] = {"key": held.public_key, "value": held.value}
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()


def signed_bytes(commit: Commit) -> bytes:
    """What the signature of a commit is about: all of it but the signature."""
    return encode_commit(replace(commit, signature=None))


def _signature(value: dict[str, str] | None) -> Signature | None:
    return Signature(str(value["key"]), str(value["value"])) if value is not None else None


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
            signature=_signature(value.get("signature")),
        )
    except MALFORMED as error:
        raise Damaged(f"object `{name[:12]}` is not a commit: {error}") from error
