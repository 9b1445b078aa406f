"""The SQLite file of a repository: made, brought to this format, and asked; its errors as ours."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sw2.errors import Damaged, Unavailable

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
FORMAT = "2"
BUSY_SECONDS = 30.0
RESTORE = "Restore the file from a backup"


class Database:
    """One file. Safe to share between threads; processes share it."""

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
        with told(path):
            self._database = sqlite3.connect(
                path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
            )
        try:
            self._prepare(create)
        except BaseException:
            self._database.close()
            raise

    def _prepare(self, create: bool) -> None:
        with told(self.path):
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
        with told(self.path):
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
        with self._lock, told(self.path):
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
        with self._lock, told(self.path):
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

    def journal(self) -> str:
        """How changes are written: `wal` where the file system allows it."""
        return self._one("PRAGMA journal_mode") or ""

    def _one(self, sql: str, *values: object) -> str | None:
        with self._lock, told(self.path):
            row = self._database.execute(sql, values).fetchone()
        return None if row is None else str(row[0])


@contextmanager
def told(path: Path) -> Iterator[None]:
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
