"""What changes in a repository: refs, and the stage with its undo. One SQLite file.

Everything else is immutable objects, so a transaction here is the one moment at which something
happens: a crash before it leaves an unused pack, a crash after it leaves the finished work."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sw2.errors import Conflict, Damaged, Unavailable

SCHEMA = """
CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE ref(name TEXT PRIMARY KEY, target TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE reflog(seq INTEGER PRIMARY KEY, ref TEXT NOT NULL, old TEXT, new TEXT NOT NULL,
    at INTEGER NOT NULL, why TEXT NOT NULL);
CREATE TABLE action(id INTEGER PRIMARY KEY AUTOINCREMENT, label TEXT NOT NULL, at INTEGER NOT NULL,
    undone INTEGER NOT NULL DEFAULT 0, tab TEXT NOT NULL, schema TEXT, base TEXT, delta BLOB,
    object TEXT, step INTEGER NOT NULL DEFAULT 0);
CREATE TABLE fold(tail TEXT PRIMARY KEY, base TEXT, delta TEXT, at INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE answered(client TEXT PRIMARY KEY, answer TEXT NOT NULL, at INTEGER NOT NULL)
    WITHOUT ROWID;
"""
# Of databases made before steps and folds.
FROM_FORMAT_1 = """
BEGIN IMMEDIATE;
ALTER TABLE action ADD COLUMN step INTEGER NOT NULL DEFAULT 0;
UPDATE action SET step = id;
CREATE TABLE fold(tail TEXT PRIMARY KEY, base TEXT, delta TEXT, at INTEGER NOT NULL) WITHOUT ROWID;
UPDATE meta SET value = '2' WHERE key = 'format';
COMMIT;
"""
LAST_MOVES = """
SELECT ref, new FROM reflog WHERE seq IN (SELECT max(seq) FROM reflog GROUP BY ref)
    AND NOT EXISTS (SELECT 1 FROM ref WHERE name = reflog.ref AND target = reflog.new)
"""
# What is undone is always the newest.
SKIPPED = (
    "SELECT id FROM action WHERE undone AND id < (SELECT max(id) FROM action WHERE NOT undone)"
)
FORMAT = "2"
BUSY_SECONDS = 30.0
# Answers kept so that a retried request is not carried out twice.
ANSWERS_KEPT = 10_000
RESTORE = "Restore the file from a backup"
# The types of an action's fields, in order.
FIELDS = (int, str, int, str, *2 * (str | None,), bytes | None, str | None, int)


@dataclass(frozen=True, slots=True)
class Action:
    """A change of one table in the stage. label: what it did, in words.  at: ms since 1970.
    step: actions of one step are undone and redone together; the id of the first of them.

    Any of: schema (object), base (object, only for a table without rows), and a delta, in the
    database when small (`delta`) and in the store when large. object: the delta's name either way,
    for SQLite keeps no checksums; None in databases of the first days, whose deltas are small."""

    id: int
    label: str
    at: int
    table: str
    schema: str | None = None
    base: str | None = None
    delta: bytes | None = None
    object: str | None = None
    step: int = 0


class State:
    """The database of one repository. Safe to share between threads; processes share the file."""

    def __init__(self, path: Path, create: bool = False) -> None:
        self._lock = threading.RLock()
        self._depth = 0
        self._rollbacks = 0
        # The step that actions belong to now: None where each is its own, 0 before the first.
        self._step: int | None = None
        if not create and not path.exists():
            raise Damaged(
                f"`{path}` is missing: the repository has lost its branches and staged edits",
                hint=RESTORE,
            )
        self.path = path
        with _told(path):
            self._database = sqlite3.connect(
                path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
            )
        try:
            self._prepare(create)
        except BaseException:
            self._database.close()
            raise

    def _prepare(self, create: bool) -> None:
        with _told(self.path):
            self._database.execute("PRAGMA journal_mode=WAL")
            # FULL: what is answered as saved must survive a power cut, not only a killed process.
            self._database.execute("PRAGMA synchronous=FULL")
            if create:
                self._database.executescript(SCHEMA)
                self._database.execute("INSERT INTO meta VALUES('format', ?)", (FORMAT,))
        if (found := self.meta("format")) == "1":
            self._renew()
        elif found != FORMAT:
            raise Damaged(
                f"`{self.path}` has format {found}; this sw2 reads {FORMAT}",
                hint=f"Use the sw2 that made it, or: {RESTORE.lower()}",
            )

    def _renew(self) -> None:
        """Brings a database of format 1 to this one, unless another process did so meanwhile."""
        with _told(self.path):
            try:
                self._database.executescript(FROM_FORMAT_1)
            except sqlite3.OperationalError:
                if self._database.in_transaction:
                    self._database.execute("ROLLBACK")
                if self.meta("format") != FORMAT:
                    raise

    def close(self) -> None:
        self._database.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing, and nobody else writes meanwhile. May be nested."""
        with self._lock, _told(self.path):
            if self._depth == 0:
                self._database.execute("BEGIN IMMEDIATE")
            self._depth += 1
            try:
                yield
                if self._depth == 1:
                    self._database.execute("COMMIT")
            except BaseException:
                if self._depth == 1:
                    self._rollbacks += 1
                    # On a full disk SQLite has rolled back already.
                    if self._database.in_transaction:
                        self._database.execute("ROLLBACK")
                raise
            finally:
                self._depth -= 1

    @contextmanager
    def reading(self) -> Iterator[None]:
        """What is read inside is of one moment, whatever other processes write meanwhile."""
        with self._lock, _told(self.path):
            if self._database.in_transaction:
                yield
                return
            self._database.execute("BEGIN")
            try:
                yield
            finally:
                self._database.execute("COMMIT")

    def meta(self, key: str) -> str | None:
        return self._one("SELECT value FROM meta WHERE key = ?", key)

    def set_meta(self, key: str, value: str) -> None:
        with self.transaction():
            self._database.execute("INSERT OR REPLACE INTO meta VALUES(?, ?)", (key, value))

    def ref(self, name: str) -> str | None:
        return self._one("SELECT target FROM ref WHERE name = ?", name)

    def refs(self) -> dict[str, str]:
        with self._lock, _told(self.path):
            found = self._database.execute("SELECT name, target FROM ref").fetchall()
        if not all(isinstance(value, str) for pair in found for value in pair):
            raise Damaged(f"`{self.path}` is damaged: a branch that is no text", hint=RESTORE)
        return dict(found)

    def move(self, name: str, old: str | None, new: str, at: int, why: str) -> None:
        """Compare-and-swap. Raises Conflict when the ref no longer points to `old`."""
        with self.transaction():
            if self.ref(name) != old:
                raise Conflict(
                    f"branch `{name}` moved while this was going on",
                    hint="Read it again and retry; nothing was changed",
                )
            self._database.execute("INSERT OR REPLACE INTO ref VALUES(?, ?)", (name, new))
            self._database.execute(
                "INSERT INTO reflog(ref, old, new, at, why) VALUES(?, ?, ?, ?, ?)",
                (name, old, new, at, why),
            )

    def stamp(self) -> tuple[int, int, int]:
        """Changes whenever the live actions do: how many, the newest, and how often work was rolled
        back here, for SQLite hands the number of a rolled-back action out again."""
        with self._lock, _told(self.path):
            row = self._database.execute(
                "SELECT count(*), coalesce(max(id), 0) FROM action WHERE undone = 0"
            ).fetchone()
        return int(row[0]), int(row[1]), self._rollbacks

    def actions(self) -> list[Action]:
        """The live actions, oldest first."""
        return self._actions("WHERE undone = 0 ORDER BY id")

    @contextmanager
    def step(self) -> Iterator[None]:
        """Actions pushed inside are one step: all or none, undone and redone together."""
        with self.transaction():
            if self._step is not None:
                yield
                return
            self._step = 0
            try:
                yield
            finally:
                self._step = None

    def push(self, action: Action) -> Action:
        """Adds an action; what had been undone can no longer be redone."""
        with self.transaction():
            self._database.execute("DELETE FROM action WHERE undone = 1")
            cursor = self._database.execute(
                "INSERT INTO action(label, at, tab, schema, base, delta, object, step)"
                " VALUES(?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    action.label,
                    action.at,
                    action.table,
                    action.schema,
                    action.base,
                    action.delta,
                    action.object,
                    self._step or 0,
                ),
            )
            if not self._step:
                first = cursor.lastrowid
                self._database.execute("UPDATE action SET step = ? WHERE id = ?", (first, first))
                if self._step is not None:
                    self._step = first
        return self._actions("WHERE id = ?", cursor.lastrowid)[0]

    def next_undo(self) -> Action | None:
        """The first action of the step that is undone next."""
        newest = "(SELECT max(step) FROM action WHERE undone = 0)"
        return next(iter(self._actions(f"WHERE step = {newest} ORDER BY id LIMIT 1")), None)

    def next_redo(self) -> Action | None:
        """The first action of the step that is redone next."""
        return next(iter(self._actions("WHERE undone = 1 ORDER BY id LIMIT 1")), None)

    def mark(self, action: Action, undone: bool) -> None:
        """Undoes or redoes the whole step of `action`."""
        with self.transaction():
            self._database.execute(
                "UPDATE action SET undone = ? WHERE step = ?", (int(undone), action.step)
            )

    def clear(self) -> None:
        """Empties the stage, once its actions are committed."""
        with self.transaction():
            self._database.execute("DELETE FROM action")

    def answer(self, client: str) -> str | None:
        """What a request with this id was answered before, if it was carried out."""
        return self._one("SELECT answer FROM answered WHERE client = ?", client)

    def remember(self, client: str, answer: str, at: int) -> None:
        with self.transaction():
            self._database.execute("INSERT INTO answered VALUES(?, ?, ?)", (client, answer, at))
            self._database.execute(
                "DELETE FROM answered WHERE at < (SELECT at FROM answered ORDER BY at DESC"
                " LIMIT 1 OFFSET ?)",
                (ANSWERS_KEPT,),
            )

    def check(self) -> list[str]:
        """SQLite's own findings about the file, and branches and staged edits that are not as they
        were left; empty when it is sound."""
        with self._lock, _told(self.path):
            rows = self._database.execute("PRAGMA integrity_check").fetchall()
            moved = self._database.execute(LAST_MOVES).fetchall()
            skipped = self._database.execute(SKIPPED).fetchall()
        lost = [f"branch `{name}` should be at commit {str(new)[:10]}" for name, new in moved]
        lost += [f"staged edit {row[0]} is undone, and a later one is not" for row in skipped]
        return [str(row[0]) for row in rows if row[0] != "ok"] + lost

    def _one(self, sql: str, *values: object) -> str | None:
        with self._lock, _told(self.path):
            row = self._database.execute(sql, values).fetchone()
        return None if row is None else str(row[0])

    def _actions(self, where: str, *values: object) -> list[Action]:
        columns = "id, label, at, tab, schema, base, delta, object, step"
        with self._lock, _told(self.path):
            rows = self._database.execute(
                f"SELECT {columns} FROM action {where}", values
            ).fetchall()
        if not all(isinstance(*pair) for row in rows for pair in zip(row, FIELDS, strict=True)):
            raise Damaged(f"`{self.path}` is damaged: a staged edit of odd types", hint=RESTORE)
        return [Action(*row) for row in rows]


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """SQLite's errors as ours, with what to do."""
    try:
        yield
    except (sqlite3.ProgrammingError, sqlite3.IntegrityError):
        raise  # a mistake in the program, not of the file
    except sqlite3.OperationalError as error:
        if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_ERROR:  # no such table
            raise Damaged(f"`{path}` is damaged: {error}", hint=RESTORE) from error
        raise Unavailable(
            f"`{path}` cannot be read or written: {error}",
            hint="Free some space, or close what holds the repository; nothing was changed",
        ) from error
    except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
        # The latter where SQLite quotes what it found in the file.
        raise Damaged(f"`{path}` is damaged: {error}", hint=RESTORE) from error
