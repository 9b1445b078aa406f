"""A repository: tables of examples with their history, and a stage of edits not yet committed."""

import os
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

import pyarrow as pa

from sw2.errors import InvalidInput
from sw2.repo import branching, conflicts, files, replay, restoring
from sw2.repo.changes import Edit
from sw2.repo.commits import Commit, Signature, encode_commit, signed_bytes
from sw2.repo.history import rebased
from sw2.repo.ledger import EXAMPLES, FOLDER
from sw2.repo.stage import INLINE_BYTES, deletion_of, delta_of
from sw2.repo.state import Action, State
from sw2.repo.view import View
from sw2.store import name_of
from sw2.store.objects import sync_folder, writing
from sw2.table import Delta, Schema, write_base
from sw2.values import Origin, now_ms


class Repository(View):
    """Open one with `Repository.open`, make one with `Repository.init`. Threads may share it, and
    several processes may work on the same folder."""

    # Each is a function of its own module, with the repository as its first argument.
    create_branch = branching.create_branch
    delete_branch = branching.delete_branch
    switch = branching.switch
    reset = branching.reset
    tag = branching.create_tag
    merge = replay.merge
    revert = replay.revert
    cherry_pick = replay.cherry_pick
    stash = replay.stash
    unstash = replay.unstash
    restore = restoring.restore
    settle = conflicts.settle
    assign = conflicts.assign

    @staticmethod
    def init(path: str | os.PathLike[str] = ".", name: str | None = None) -> "Repository":
        """Makes an empty repository in `path`. Raises InvalidInput when there is one already."""
        root = Path(path).resolve()
        # Under another name until it is whole: a crash leaves no half-made repository.
        folder = root / f"{FOLDER}.{uuid.uuid4().hex}.tmp"
        with writing(root):
            if (root / FOLDER).exists():
                raise InvalidInput(
                    f"`{root}` is a repository already", hint="Use it, or choose another folder"
                )
            (folder / "packs").mkdir(parents=True)
            state = State(folder / "state.sqlite", create=True)
            state.set_meta("branch", "main")
            state.set_meta("name", name or root.name)
            state.close()
            folder.rename(root / FOLDER)
            sync_folder(root)
        return Repository.open(root)

    @contextmanager
    def write_media(self) -> Iterator[Callable[[bytes], str]]:
        """Stores many pictures in one pack: `with repository.write_media() as put: put(raw)` gives
        the name to put in the cell. Durable when the block ends."""
        with self.store.write() as writer:
            yield partial(writer.put, compress=False)

    def edit(
        self,
        edits: Sequence[Edit],
        origin: Origin,
        label: str,
        table: str = EXAMPLES,
    ) -> Action | None:
        """Sets cells, as one undoable action that is on disk when this returns.

        None when every cell holds its value already. Raises NotFound for a row or column that is
        not there, InvalidInput for a value that does not fit; then nothing is changed."""
        with self.state.transaction():
            at = now_ms()
            delta = delta_of(self.snapshot(table=table), edits, origin, at)
            return self._push(Action(0, label, at, table), delta)

    def stage_rows(
        self,
        rows: pa.Table,
        origin: Origin,
        label: str,
        schema: Schema | None = None,
        table: str = EXAMPLES,
    ) -> Action | None:
        """Inserts rows and updates those whose key is there, as one undoable action.

        rows: columns by name, cells as people see them, the key among them; columns that it leaves
        out keep their cells.  schema: what the table's schema is to be (required for a new table);
        labels added meanwhile are kept, so a label is renamed with `define`, not here.
        None when nothing differs. Raises InvalidInput for cells that do not fit."""
        with self.state.transaction():
            at = now_ms()
            start = self._standing(table)
            wanted = schema.keeping_labels(start.schema) if schema else start.schema
            if not wanted.columns:
                raise InvalidInput(
                    f"table `{table}` is new: say what columns it has", hint="Give it a schema"
                )
            columns = [wanted.column(name) for name in rows.schema.names]
            if len(set(rows.schema.names)) < len(columns):
                raise InvalidInput(
                    f"a column of table `{table}` is given twice: {', '.join(rows.schema.names)}",
                    hint="Give each column once",
                )
            stored = pa.table({c.id: c.encode(rows[c.name]) for c in columns})
            action = Action(0, label, at, table)
            with self.store.write() as writer:
                if wanted != start.schema:
                    wanted.check_follows(start.schema)
                    action = replace(action, schema=writer.put(wanted.encode()))
                start = replace(start, schema=wanted)
                if start.base is None and not start.layers and rows.num_rows:
                    base = write_base(writer, wanted, start.complete(stored), origin, at)
                    return self._push(replace(action, base=base), None)
            return self._push(action, start.difference(stored, origin, at))

    def define(self, schema: Schema, label: str) -> Action | None:
        """Stages another schema for a table (a new label, a renamed column). Raises InvalidInput
        when cells stored so far could not be read with it.

        Labels go by their place: where others may add some too, make `schema` out of `schema()`
        within one `state.transaction()`."""
        with self.state.transaction():
            older = self.staged(schema.table).schema
            if older == schema:
                return None
            schema.check_follows(older)
            with self.store.write() as writer:
                name = writer.put(schema.encode())
            return self._push(Action(0, label, now_ms(), schema.table, schema=name), None)

    def delete_rows(
        self, keys: Sequence[int | str], origin: Origin, label: str, table: str = EXAMPLES
    ) -> Action | None:
        """Deletes rows, as one undoable action. None without keys; NotFound when one is not there,
        then nothing is changed."""
        with self.state.transaction():
            at = now_ms()
            return self._push(
                Action(0, label, at, table),
                deletion_of(self.snapshot(table=table), keys, origin, at),
            )

    @contextmanager
    def step(self) -> Iterator[None]:
        """What is staged inside, in whichever tables, is one step: all or nothing, and undone and
        redone as one. Its words are those of its first action."""
        with self.state.step():
            yield

    def undo(self) -> Action | None:
        """Takes the newest step back, and returns its first action; None when there is none."""
        with self.state.transaction():
            if action := self.state.next_undo():
                self.state.mark(action, undone=True)
            return action

    def redo(self) -> Action | None:
        """Carries the oldest undone step out again; None when there is none."""
        with self.state.transaction():
            if action := self.state.next_redo():
                self.state.mark(action, undone=False)
            return action

    def commit(
        self,
        message: str,
        author: str,
        amend: bool = False,
        sign: Callable[[bytes], Signature] | None = None,
    ) -> Commit:
        """Makes what is staged, and the small files, a commit. amend: instead of the last one,
        whose changes it takes along (and whose message, when none is given).  sign: gives the
        signature of the commit's bytes (`signing.sign`).

        Raises InvalidInput when there is nothing to commit or no message, Conflict when the branch
        moved meanwhile."""
        with self.state.transaction():
            head = self.commit_of("HEAD") if self.head or amend else None
            message = message.strip() or (head.message if head and amend else "")
            if not message:
                raise InvalidInput("a commit needs a message", hint="Say in a few words why")
            staged = any(self.staged(table).touched for table in self.tables())
            if not staged and not files.changed(self.root, head) and not amend:
                raise InvalidInput("nothing to commit: no edit is staged", hint="See `sw2 status`")
            parents = (head.name,) if head else ()
            if head is not None and amend:
                commit = self.draft(message, author, head.parents, self._parent_of(head), sign)
            else:
                commit = self.draft(message, author, parents, head, sign)
            why = "commit (amend)" if amend else "commit"
            self.state.move(self.branch, self.head, commit.name, commit.at, f"{why}: {message}")
            self.state.clear()
        return commit

    def draft(
        self,
        message: str,
        author: str,
        parents: tuple[str, ...],
        below: Commit | None,
        sign: Callable[[bytes], Signature] | None = None,
    ) -> Commit:
        """Writes a commit of what stands now, as a change over `below`. No branch moves."""
        tables = dict(below.tables) if below else {}
        changed: dict[str, tuple[int, int, int]] = {}
        held: dict[str, str] = {}
        at = max([now_ms(), *(self.load_commit(parent).at + 1 for parent in parents)])
        with self.store.write() as writer:
            for table in self.tables():
                stage = self.staged(table)
                old = below.tables.get(table) if below else None
                if stage.version != old:
                    stage = rebased(stage, old, self)
                if stage.touched:
                    tables[table] = stage.write(writer, self.reader)
                    changed[table] = stage.counts
            for path in files.FILES:
                if (raw := files.working(self.root, path)) is not None:
                    held[path] = writer.put(raw)
            commit = Commit("", parents, author, at, message, tables, held, changed)
            if sign is not None:
                commit = replace(commit, signature=sign(signed_bytes(commit)))
            return replace(commit, name=writer.put(encode_commit(commit)))

    def _parent_of(self, commit: Commit) -> Commit | None:
        return self.load_commit(commit.parents[0]) if commit.parents else None

    def stage_delta(self, schema: Schema, delta: Delta | None, label: str) -> Action | None:
        """Stages a delta over the table as it stands, and its schema where that is another. For
        what was computed from commits: nothing is checked against the cells that are there."""
        with self.state.transaction():
            action = Action(0, label, now_ms(), schema.table)
            if self._standing(schema.table).schema != schema:
                with self.store.write() as writer:
                    action = replace(action, schema=writer.put(schema.encode()))
            return self._push(action, delta)

    def _push(self, action: Action, delta: Delta | None) -> Action | None:
        if delta is None and action.schema is None and action.base is None:
            return None
        if delta is not None:
            parts = self.reader.encode(delta)
            raw = b"".join(parts)
            if len(raw) > INLINE_BYTES:
                with self.store.write() as writer:
                    action = replace(action, object=writer.put(*parts))
            else:
                action = replace(action, delta=raw, object=name_of(raw))
        return self.state.push(action)
