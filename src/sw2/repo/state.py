"""What changes in a repository: refs, and the stage with its undo. One SQLite file.

Everything else is immutable objects, so a transaction here is the one moment at which something
happens: a crash before it leaves an unused pack, a crash after it leaves the finished work."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from sw2.errors import Conflict, Damaged
from sw2.repo.database import RESTORE, Database, told
from sw2.values import Fold

LAST_MOVES = """
SELECT ref, new FROM reflog WHERE seq IN (SELECT max(seq) FROM reflog GROUP BY ref)
    AND new <> '' AND ref <> 'HEAD'
    AND NOT EXISTS (SELECT 1 FROM ref WHERE name = reflog.ref AND target = reflog.new)
"""
# What is undone is always the newest.
SKIPPED = (
    "SELECT id FROM action WHERE undone AND id < (SELECT max(id) FROM action WHERE NOT undone)"
)
NEXT_ACTION = """
SELECT 1 + max(coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'action'), 0),
    coalesce((SELECT max(id) FROM action), 0))
"""
# Answers kept so that a retried request is not carried out twice.
ANSWERS_KEPT = 10_000
FOLD_AGAIN = "Run `sw2 fold --again`: folds are made anew from what is committed"
# The types of an action's fields, in order.
TYPES = (int, str, int, str, *2 * (str | None,), bytes | None, str | None, int)


@dataclass(frozen=True, slots=True)
class Move:
    """A line of the reflog. old: None where the ref was made, new: "" where it was deleted.
    at: ms since 1970.  HEAD moves when another branch is checked out."""

    ref: str
    old: str | None
    new: str
    at: int
    why: str


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


class State(Database):
    """Refs, stage and answers of one repository. Safe to share between threads and processes."""

    @property
    def folds(self) -> "Folds":
        return Folds(self)

    def ref(self, name: str) -> str | None:
        return self._one("SELECT target FROM ref WHERE name = ?", name)

    def refs(self) -> dict[str, str]:
        with self._lock, told(self.path):
            found = self._database.execute("SELECT name, target FROM ref").fetchall()
        if not all(isinstance(value, str) for pair in found for value in pair):
            raise Damaged(f"`{self.path}` is damaged: a branch that is no text", hint=RESTORE)
        return dict(found)

    def move(self, name: str, old: str | None, new: str, at: int, why: str) -> None:
        """Compare-and-swap; a new of "" deletes the ref. Raises Conflict when the ref no longer
        points to `old`."""
        with self.transaction():
            if self.ref(name) != old:
                raise Conflict(
                    f"branch `{name}` moved while this was going on",
                    hint="Read it again and retry; nothing was changed",
                )
            if new:
                self._database.execute("INSERT OR REPLACE INTO ref VALUES(?, ?)", (name, new))
            else:
                self._database.execute("DELETE FROM ref WHERE name = ?", (name,))
            self.record(Move(name, old, new, at, why))

    def record(self, move: Move) -> None:
        """A line of the reflog, where no ref moves: HEAD, when another branch is checked out."""
        with self.transaction():
            self._database.execute(
                "INSERT INTO reflog(ref, old, new, at, why) VALUES(?, ?, ?, ?, ?)",
                (move.ref, move.old, move.new, move.at, move.why),
            )

    def moves(self) -> list[Move]:
        """The reflog, newest first."""
        with self._lock, told(self.path):
            rows = self._database.execute(
                "SELECT ref, old, new, at, why FROM reflog ORDER BY seq DESC"
            ).fetchall()
        kinds = (str, str | None, str, int, str)
        if not all(isinstance(*pair) for row in rows for pair in zip(row, kinds, strict=True)):
            raise Damaged(f"`{self.path}` is damaged: a reflog of odd types", hint=RESTORE)
        return [Move(*row) for row in rows]

    def stamp(self) -> tuple[int, int, int]:
        """Changes whenever the live actions do: how many, the newest, and how often work was rolled
        back here, for SQLite hands the number of a rolled-back action out again."""
        with self._lock, told(self.path):
            row = self._database.execute(
                "SELECT count(*), coalesce(max(id), 0) FROM action WHERE undone = 0"
            ).fetchone()
        return int(row[0]), int(row[1]), self._rollbacks

    def actions(self, undone: bool = False) -> list[Action]:
        """The live actions, oldest first; with `undone` also those that can be redone."""
        return self._actions("WHERE undone <= ? ORDER BY id", int(undone))

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
            # Known before it is written: a row that is written twice takes twice its pages.
            number = self._next_action()
            step = self._step or number
            if self._step is not None:
                self._step = step
            action = replace(action, id=number, step=step)
            self._database.execute(
                "INSERT INTO action(id, label, at, tab, schema, base, delta, object, step)"
                " VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?)",
                tuple(getattr(action, field) for field in Action.__slots__),
            )
        return action

    def _next_action(self) -> int:
        """The number that SQLite gives next: of no action that is there, nor of one that was."""
        return int(self._one(NEXT_ACTION) or 1)

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
        with self._lock, told(self.path):
            rows = self._database.execute("PRAGMA integrity_check").fetchall()
            moved = self._database.execute(LAST_MOVES).fetchall()
            skipped = self._database.execute(SKIPPED).fetchall()
        lost = [f"branch `{name}` should be at commit {str(new)[:10]}" for name, new in moved]
        lost += [f"staged edit {row[0]} is undone, and a later one is not" for row in skipped]
        return [str(row[0]) for row in rows if row[0] != "ok"] + lost

    def _actions(self, where: str, *values: object) -> list[Action]:
        columns = "id, label, at, tab, schema, base, delta, object, step"
        with self._lock, told(self.path):
            rows = self._database.execute(
                f"SELECT {columns} FROM action {where}", values
            ).fetchall()
        if not all(isinstance(*pair) for row in rows for pair in zip(row, TYPES, strict=True)):
            raise Damaged(f"`{self.path}` is damaged: a staged edit of odd types", hint=RESTORE)
        return [Action(*row) for row in rows]


class Folds:
    """What is noted beside the chains: see `sw2.table.chain`."""

    def __init__(self, state: State) -> None:
        self._state = state

    def get(self, tail: str) -> Fold | None:
        """None where nothing is noted, or nothing that makes sense."""
        rows = self._rows("SELECT base, delta FROM fold WHERE tail = ?", tail)
        sound = len(rows) == 1 and all(isinstance(name, str | None) for name in rows[0])
        return Fold(*rows[0]) if sound else None

    def all(self) -> dict[str, Fold]:
        """By tail. Raises Damaged for a note of odd types."""
        rows = self._rows("SELECT tail, base, delta FROM fold")
        odd = [row for row in rows if not isinstance(row[0], str)]
        if odd or not all(isinstance(name, str | None) for row in rows for name in row):
            raise Damaged(f"`{self._state.path}` is damaged: a fold of odd types", hint=FOLD_AGAIN)
        return {tail: Fold(base, delta) for tail, base, delta in rows}

    def note(self, tail: str, fold: Fold, at: int) -> None:
        """A base or a delta that was noted before and is not given anew stays."""
        with self._state.transaction():
            self._rows(
                "INSERT INTO fold VALUES(?, ?, ?, ?) ON CONFLICT(tail) DO UPDATE SET"
                " base = coalesce(excluded.base, base), delta = coalesce(excluded.delta, delta)",
                *(tail, fold.base, fold.delta, at),
            )

    def drop(self, tails: Iterable[str]) -> None:
        with self._state.transaction():
            for tail in tails:
                self._rows("DELETE FROM fold WHERE tail = ?", tail)

    def clear(self) -> None:
        with self._state.transaction():
            self._rows("DELETE FROM fold")

    def _rows(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        with self._state._lock, told(self._state.path):
            return self._state._database.execute(sql, values).fetchall()
