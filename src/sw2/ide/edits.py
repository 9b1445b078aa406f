"""What the keys of the page do: edit, undo, commit. Each is on disk before it is answered, and
carried out once however often it is sent."""

import json
from typing import Any

from sw2.errors import InvalidInput
from sw2.ide.board import Board
from sw2.ide.schema import (
    Change,
    Changes,
    CommitInfo,
    EditAnswer,
    EditRequest,
    UndoAnswer,
)
from sw2.ide.workbench import Workbench
from sw2.repo import Action, CellChange, Commit, Edit
from sw2.repo import Changes as RepoChanges
from sw2.repo.stage import staged_delta
from sw2.values import Origin, now_ms


def edit(bench: Workbench, request: EditRequest) -> EditAnswer:
    """Raises NotFound for an unknown example, InvalidInput for an unknown label."""
    repository = bench.repository
    with bench.lock, repository.state.transaction():
        answer = _answered(bench, request.client_id, "saved_at")
        if answer is None:
            edits, origin, label = _wishes(bench, request)
            action = repository.edit(edits, origin, label)
            answer = {"saved_at": action.at if action else now_ms()}
            repository.state.remember(request.client_id, json.dumps(answer), answer["saved_at"])
    board = bench.board()
    rows = [bench.place(board, key) for key in request.ids]
    return EditAnswer(
        saved_at=answer["saved_at"],
        count=len(request.ids),
        items=bench.items(board, rows),
        session=bench.session(),
    )


def _answered(bench: Workbench, client_id: str, part: str) -> dict[str, Any] | None:
    """What this request was answered when it was carried out, None when it is new."""
    told = bench.repository.state.answer(client_id)
    answer: dict[str, Any] | None = json.loads(told) if told is not None else None
    if answer is not None and part not in answer:
        raise InvalidInput(
            f"client_id `{client_id}` was another kind of request", hint="Give each its own"
        )
    return answer


def _wishes(bench: Workbench, request: EditRequest) -> tuple[list[Edit], Origin, str]:
    """The cells to set, from what, and what the action is called."""
    board = bench.board()
    rows = {key: bench.place(board, key) for key in dict.fromkeys(request.ids)}
    target, reviewed = board.columns.target, board.columns.reviewed
    what = f"{len(rows)} examples" if len(rows) > 1 else next(iter(rows))
    origin = Origin(bench.author)
    said: str = request.verb
    wanted: dict[str, str] = {}
    if request.verb == "label":
        if request.label is None:
            raise InvalidInput("`label` is missing", hint="The verb `label` needs a label")
        wanted, said = dict.fromkeys(rows, request.label), request.label + ":"
    elif request.verb == "accept":
        wanted = _proposed(board, rows)
        assert board.program is not None
        source = f"{board.program.build.state.name}@{board.program.build.id}"
        origin = Origin(bench.author, source=source, why="accepted")
    decided = wanted if request.verb == "accept" else rows
    edits = [Edit(key, reviewed, True) for key in decided] if reviewed else []
    edits += [Edit(key, target, label) for key, label in wanted.items()]
    return edits, origin, f"{said} {what}"


def _proposed(board: Board, rows: dict[str, int]) -> dict[str, str]:
    """What the program proposes; rows that it does not know are left as they are."""
    if board.program is None:
        raise InvalidInput("there is no program yet, so nothing is proposed", hint="Build one")
    found = {key: board.label(int(board.program.proposed[row])) for key, row in rows.items()}
    known = {key: label for key, label in found.items() if label is not None}
    if not known:
        raise InvalidInput(
            f"the program does not know {next(iter(rows))}" + " and the others" * (len(rows) > 1),
            hint="Label by hand, or build again",
        )
    return known


def undo(bench: Workbench, client_id: str, *, redo: bool = False) -> UndoAnswer:
    repository = bench.repository
    with bench.lock, repository.state.transaction():
        answer = _answered(bench, client_id, "ids")
        if answer is None:
            action = repository.redo() if redo else repository.undo()
            answer = {"label": action.label if action else "", "ids": _keys(bench, action)}
            repository.state.remember(client_id, json.dumps(answer), now_ms())
    board = bench.board()
    rows = [board.places[key] for key in answer["ids"] if key in board.places]
    return UndoAnswer(
        label=answer["label"],
        ids=answer["ids"],
        items=bench.items(board, rows),
        session=bench.session(),
    )


def _keys(bench: Workbench, action: Action | None) -> list[str]:
    delta = staged_delta(action, bench.repository.reader) if action else None
    return [str(key) for key in delta.table["key"].to_pylist()] if delta else []


def pending(bench: Workbench, offset: int, limit: int) -> Changes:
    return _changes(bench, bench.repository.pending(), offset, limit)


def committed(bench: Workbench, name: str, offset: int, limit: int) -> Changes:
    commit = bench.repository.commit_of(name)
    before = commit.parents[0] if commit.parents else None
    return _changes(bench, bench.repository.diff(before, commit.name), offset, limit)


def _changes(bench: Workbench, found: RepoChanges, offset: int, limit: int) -> Changes:
    board = bench.board()
    target, reviewed = board.columns.target, board.columns.reviewed
    relabelled = {e.key for e in found.edits if e.column == target}
    kept = [e for e in found.edits if e.column == reviewed and e.key not in relabelled]
    # A relabelled row is also marked reviewed; that would only repeat it.
    others = [e for e in found.edits if e.column not in (target, reviewed)]
    shown = sorted((e for e in found.edits if e.column == target), key=lambda e: e.at)
    shown += sorted(kept + others, key=lambda e: e.at)
    return Changes(
        total=len(shown),
        rows=found.rows,
        by_pair=[(str(a or ""), str(b or ""), n) for a, b, n in found.pairs(target)],
        reviewed=len(kept),
        items=[_change(board, change) for change in shown[offset : offset + limit]],
    )


def _change(board: Board, change: CellChange) -> Change:
    place = board.places.get(str(change.key))
    name = board.media[place] if place is not None else None
    return Change(
        id=str(change.key),
        thumb=f"/api/thumb/{name}" if name else "",
        column=change.column,
        old=_words(change.old),
        new=_words(change.new),
        by=change.origin.by,
        at=change.at,
    )


def _words(cell: object) -> str | None:
    if cell is None:
        return None
    return str(cell).lower() if isinstance(cell, bool) else str(cell)


def commit(bench: Workbench, message: str) -> CommitInfo:
    return _info(bench.repository.commit(message, bench.author))


def log(bench: Workbench, limit: int) -> list[CommitInfo]:
    return [_info(commit) for commit in bench.repository.log(limit)]


def _info(commit: Commit) -> CommitInfo:
    return CommitInfo(
        id=commit.name,
        message=commit.message,
        author=commit.author,
        at=commit.at,
        edits=commit.edits,
        parents=list(commit.parents),
    )
