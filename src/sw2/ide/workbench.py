"""The workbench: one repository as the page sees it. Every request goes through here."""

import threading
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from sw2 import __version__
from sw2.binary import wilson
from sw2.build import Build, build_before, builds, read_spec
from sw2.demo import planted
from sw2.errors import Damaged, InvalidInput, NotFound
from sw2.ide.board import Board, columns_of, make_board, only_labels, refreshed
from sw2.ide.query import Filter, curve, facets, ordered
from sw2.ide.schema import (
    Detail,
    Facets,
    HistoryEntry,
    Item,
    Label,
    Neighbour,
    Order,
    Page,
    Planted,
    Probability,
    Problem,
    ProblemPage,
    ProgramSummary,
    Session,
)
from sw2.insight import neighbours
from sw2.media import Probe, probe, thumbnail
from sw2.repo import Repository

DIGITS = "1234567890"
THUMB_SIDE = 256
# Pictures that browsers show as they are; others are sent as a thumbnail.
SHOWN = ("image/png", "image/jpeg", "image/webp", "image/gif")
NEIGHBOURS = 5


@dataclass(frozen=True, slots=True)
class Picture:
    """Bytes ready to be sent."""

    raw: bytes
    mime: str


class Workbench:
    """author: who edits through this page."""

    def __init__(self, repository: Repository, author: str) -> None:
        self.repository = repository
        self.author = author
        # Taken before the repository's own lock, never inside it: a thread that reads the board
        # asks the repository, and one that edits asks the board for what it proposes.
        self.lock = threading.RLock()
        self._board: Board | None = None
        # What the board was made from, and the stage it was last brought up to.
        self._ground: tuple[object, ...] = ()
        self._stamp: tuple[int, ...] = ()
        self._probes: dict[str, Probe] = {}

    @property
    def names(self) -> tuple[str, str, str]:
        """The columns of the target, the picture and the split, from the spec."""
        spec = read_spec(self.repository, None)
        return spec.target, spec.input, spec.split

    def programs(self) -> tuple[Build | None, Build | None]:
        """The newest finished build, and the one before it."""
        newest = next((b for b in builds(self.repository) if b.complete()), None)
        return newest, build_before(self.repository, newest) if newest else None

    def board(self) -> Board:
        """The board as things stand; remade only when something changed."""
        # One moment for all that is read, whatever other processes write meanwhile.
        with self.lock, self.repository.state.reading():
            newest, before = self.programs()
            stage, stamp = self.repository.staged(), self.repository.state.stamp()
            target, image, split = self.names
            columns = columns_of(stage.schema, target, image, split)
            ground = (
                self.repository.head,
                newest.id if newest else None,
                before.id if before else None,
                columns,
                None if only_labels(columns, stage) else stamp,
            )
            if self._ground != ground or self._board is None:
                self._board = make_board(self.repository, columns, newest, before)
            elif self._stamp != stamp:
                self._board = refreshed(self._board, self.repository)
            self._ground, self._stamp = ground, stamp
            return self._board

    def session(self) -> Session:
        # One moment for all of it, as in `board`.
        with self.lock, self.repository.state.reading():
            return self._session()

    def _session(self) -> Session:
        repository, state = self.repository, self.repository.state
        head = repository.commit_of("HEAD") if repository.head else None
        board = self.board()
        undo, redo = state.next_undo(), state.next_redo()
        running = next((b.id for b in builds(repository) if b.status == "running"), None)
        saved = undo.at if undo else (head.at if head else None)
        return Session(
            name=repository.name,
            path=str(repository.root),
            branch=repository.branch,
            head=head.name if head else None,
            head_message=head.message if head else None,
            rows=len(board),
            target=board.columns.target,
            labels=_labels(board),
            pending=sum(repository.staged().counts),
            can_undo=undo is not None,
            can_redo=redo is not None,
            undo_label=undo.label if undo else "",
            redo_label=redo.label if redo else "",
            saved_at=saved,
            program=_summary(board),
            findings=sum(not f.resolved for f in board.findings if f.key in board.places),
            building=running,
            planted=self._planted(),
            author=self.author,
            version=__version__,
        )

    def page(self, chosen: Filter, order: Order, offset: int, limit: int) -> Page:
        board = self.board()
        rows = ordered(board, chosen, order)
        return Page(
            total=len(board),
            filtered=len(rows),
            offset=offset,
            items=self.items(board, rows[offset : offset + limit].tolist()),
            losses=curve(board, rows),
        )

    def ids(self, chosen: Filter, order: Order) -> list[str]:
        board = self.board()
        return [board.ids[row] for row in ordered(board, chosen, order)]

    def facets(self, chosen: Filter) -> Facets:
        return facets(self.board(), chosen)

    def place(self, board: Board, key: str) -> int:
        if key not in board.places:
            raise NotFound(f"there is no example `{key}`")
        return board.places[key]

    def items(self, board: Board, rows: list[int]) -> list[Item]:
        loss = board.loss
        return [self._item(board, row, float(loss[row])) for row in rows]

    def detail(self, key: str) -> Detail:
        board = self.board()
        row = self.place(board, key)
        history = self.repository.history(key, board.columns.target)
        finding = next((f for f in board.findings if f.key == key and not f.resolved), None)
        program = board.program
        at = int(program.row[row]) if program else -1
        shown = program.signals if program and at >= 0 else None
        return Detail(
            item=self.items(board, [row])[0],
            probabilities=_probabilities(board, row),
            losses=_finite_ones(shown.losses[at]) if shown else [],
            margin=_finite(shown.margin[at]) if shown else None,
            entropy=_finite(shown.entropy[at]) if shown else None,
            neighbours=self._neighbours(board, at),
            history=[
                HistoryEntry(
                    column=change.column,
                    old=change.old,
                    new=change.new,
                    by=change.origin.by,
                    kind=change.origin.kind,
                    source=change.origin.source,
                    why=change.origin.why,
                    at=change.at,
                    commit=change.commit,
                )
                for change in history
            ],
            message=finding.message if finding else "",
        )

    def problems(self, code: str | None, offset: int, limit: int) -> ProblemPage:
        board = self.board()
        found = [f for f in board.findings if f.key in board.places and code in (None, f.code)]
        return ProblemPage(
            total=len(found),
            open=sum(not f.resolved for f in found),
            items=[
                Problem(
                    id=f.key,
                    code=f.code,
                    message=f.message,
                    given=f.given,
                    proposed=f.proposed,
                    probability=f.probability,
                    score=f.score,
                    thumb=_url("thumb", board.media[board.places[f.key]]),
                    resolved=f.resolved,
                )
                for f in found[offset : offset + limit]
            ],
        )

    def media(self, name: str) -> Picture:
        raw = self.repository.media(_hex(name))
        return Picture(raw, probe(raw).mime)

    def thumb(self, name: str) -> Picture:
        raw = self.repository.media(_hex(name))
        found = probe(raw)
        if found.mime in SHOWN and max(found.width, found.height) <= THUMB_SIDE:
            return Picture(raw, found.mime)
        small = thumbnail(raw, THUMB_SIDE)
        return Picture(small, probe(small).mime)

    def _item(self, board: Board, row: int, loss: float) -> Item:
        program, name = board.program, board.media[row]
        known = program is not None and program.row[row] >= 0
        size = self._size(name)
        prediction = int(program.prediction[row]) if program else -1
        return Item(
            id=board.ids[row],
            media=_url("media", name),
            thumb=_url("thumb", name),
            width=size[0],
            height=size[1],
            given=board.label(int(board.given[row])),
            prediction=board.label(prediction),
            probability=float(program.probabilities[row, prediction])
            if program and prediction >= 0
            else None,
            proposed=board.label(int(program.proposed[row])) if program else None,
            loss=round(loss, 4) if np.isfinite(loss) else None,
            split=str(board.split[row]),
            reviewed=bool(board.reviewed[row]),
            edited=bool(board.edited[row]),
            finding=str(board.finding[row]) or None,
            score=round(float(program.score[row]), 4) if program and known else None,
        )

    def _size(self, name: str | None) -> tuple[int, int]:
        """(0, 0) for a picture that is missing or broken: the page shows that it is."""
        if name is None:
            return 0, 0
        if name not in self._probes:
            try:
                self._probes[name] = probe(self.repository.media(name))
            except (InvalidInput, NotFound, Damaged):
                return 0, 0
        return self._probes[name].width, self._probes[name].height

    def _neighbours(self, board: Board, at: int) -> list[Neighbour]:
        if board.program is None or at < 0:
            return []
        near, distances = neighbours(board.program.build.features(), at, NEIGHBOURS)
        found = []
        for row, distance in zip(near, distances, strict=True):
            key = board.program.signals.keys[int(row)]
            if (place := board.places.get(key)) is not None:
                found.append(
                    Neighbour(
                        id=key,
                        thumb=_url("thumb", board.media[place]),
                        given=board.label(int(board.given[place])),
                        split=str(board.split[place]),
                        distance=round(float(distance), 4),
                    )
                )
        return found

    @cached_property
    def _answer_key(self) -> Path | None:
        path = self.repository.folder / "answer-key.csv"
        return path if path.exists() else None

    def _planted(self) -> Planted | None:
        if self._answer_key is None:
            return None
        total, fixed = planted(self.repository)
        return Planted(total=total, fixed=fixed)


def _labels(board: Board) -> list[Label]:
    return [
        Label(name=name, index=number, key=DIGITS[number] if number < len(DIGITS) else "")
        for number, name in enumerate(board.labels)
    ]


def _summary(board: Board) -> ProgramSummary | None:
    if board.program is None:
        return None
    state = board.program.build.state
    accuracy = state.accuracy if state.accuracy is not None else 0.0
    return ProgramSummary(
        build=board.program.build.id,
        name=state.name,
        accuracy=accuracy,
        interval=state.interval or wilson(0, 0),
        tested=state.tested,
        commit=state.commit,
        built_at=state.ended_at or state.started_at,
    )


def _probabilities(board: Board, row: int) -> list[Probability]:
    if board.program is None or board.program.row[row] < 0:
        return []
    values = board.program.probabilities[row]
    return [
        Probability(label=board.labels[number], value=float(values[number]))
        for number in np.argsort(-values, kind="stable")
    ]


def _finite_ones(values: Iterable[float]) -> list[float]:
    return [round(float(value), 4) for value in values if np.isfinite(value)]


def _finite(value: float) -> float | None:
    return round(float(value), 4) if np.isfinite(value) else None


def _url(kind: str, name: str | None) -> str:
    return f"/api/{kind}/{name}" if name else ""


def _hex(name: str) -> str:
    if len(name) != 64 or not all(letter in "0123456789abcdef" for letter in name):
        raise NotFound(f"`{name}` names no picture")
    return name
