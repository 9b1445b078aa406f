"""The board: every example with what the newest program says of it, as columns.

All questions of the page (pages, facets, counts) are answered from these arrays. A board is a
value: an edit makes a new one, sharing what did not change."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from sw2.build import Build, Signals, Spec
from sw2.errors import InvalidInput
from sw2.insight import Finding, findings, suspicion_of
from sw2.insight.findings import RARE, Row, imbalance, same_pictures
from sw2.repo import Repository, Staged
from sw2.table import EDIT, Schema, Snapshot, one_chunk

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
# Findings about the table as it is now; the others are what the build says.
TABLE_FINDINGS = ("W201", "W202", "W203", "W401")
# An outright certain probability would give an infinite loss.
LEAST = 1e-12


@dataclass(frozen=True)
class Columns:
    """The names that the IDE's columns have in this table; "" where the table has none."""

    image: str
    target: str
    split: str
    reviewed: str

    @property
    def spec(self) -> Spec:
        return Spec(input=self.image, target=self.target, split=self.split or Spec().split)


@dataclass(frozen=True)
class Program:
    """What a build says, in the order of the board's rows; K labels, N rows.

    row: (N,) the example's row in the build's signals, -1 for one that the build did not know.
    prediction, proposed: (N,) label number, -1 where unknown.  probabilities: (N, K).
    score: (N,) how suspect, 0 … 1.  rank: (N,) place in the worst-first order, which stays while
    labels are edited.  tested: (N,) whether the build held the example out.  before: (N,) the build
    before's prediction of what it held out, -1 elsewhere."""

    build: Build
    signals: Signals
    row: Ints
    prediction: Ints
    proposed: Ints
    probabilities: Floats
    score: Floats
    rank: Ints
    tested: Bools
    before: Ints


@dataclass(frozen=True)
class Board:
    """ids: sorted.  media: object names.  twins: rows whose picture another row has too.  given:
    label number, -1 without.  finding: code of an open finding, "" without."""

    columns: Columns
    labels: tuple[str, ...]
    ids: list[str]
    places: dict[str, int]
    media: list[str | None]
    twins: Ints
    split: NDArray[np.str_]
    given: Ints
    reviewed: Bools
    edited: Bools
    touched_at: Ints
    finding: NDArray[np.str_]
    findings: list[Finding]
    program: Program | None

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def loss(self) -> Floats:
        """(N,) -ln p of the label as it is now, nats; NaN without a label or program."""
        if self.program is None:
            return np.full(len(self), np.nan)
        chosen = self.program.probabilities[np.arange(len(self)), np.maximum(self.given, 0)]
        known = (self.given >= 0) & (self.program.row >= 0)
        return np.where(known, -np.log(np.maximum(chosen, LEAST)), np.nan)

    def label(self, number: int) -> str | None:
        return self.labels[number] if number >= 0 else None


def columns_of(schema: Schema, target: str, image: str, split: str) -> Columns:
    """Raises NotFound or InvalidInput when the spec names columns that cannot be shown here."""
    if not schema.columns:
        return Columns(image, target, "", "")
    wanted = {"target": (target, "category"), "input": (image, "image")}
    if split in schema.names:
        wanted["split"] = (split, "category")
    for role, (name, kind) in wanted.items():
        found = schema.column(name).type
        if found != kind and not (role == "split" and found == "string"):
            raise InvalidInput(
                f"sw2.toml: {role} is `{name}`, a column of type {found}",
                hint=f"Name one of type {kind}; columns: {', '.join(schema.names)}",
            )
    if split == target:
        raise InvalidInput(
            f"sw2.toml: `{target}` is the target and the split", hint="Name two columns"
        )
    return Columns(
        image,
        target,
        split if split in schema.names else "",
        "reviewed" * ("reviewed" in schema.names),
    )


def make_board(
    repository: Repository, columns: Columns, build: Build | None, before: Build | None
) -> Board:
    """Reads the working state and joins it with the builds. Costs a scan of the table; `refreshed`
    is enough while only labels and review marks are edited. Without a table there are no rows."""
    if not repository.staged().schema.columns:
        return _blank(columns, (), [], [], np.array([], np.str_))
    snapshot = repository.snapshot()
    schema = snapshot.schema
    wanted = [schema.key, columns.image, columns.target]
    wanted += [columns.split] if columns.split else []
    table = snapshot.read(wanted)
    ids: list[str] = [str(key) for key in table[schema.key].to_pylist()]
    media = table[columns.image].to_pylist()
    # Not those of the column alone: a retired one may still occur.
    labels = tuple(one_chunk(table[columns.target]).dictionary.to_pylist())
    split = _text(table[columns.split]) if columns.split else np.full(len(ids), "")
    blank = _blank(columns, labels, ids, media, split)
    found = findings(repository, build, columns.spec)
    program = _program(blank, build, build.signals(), before) if build else None
    return refreshed(replace(blank, program=program, findings=found), repository)


def _blank(
    columns: Columns,
    labels: tuple[str, ...],
    ids: list[str],
    media: list[str | None],
    split: NDArray[np.str_],
) -> Board:
    """A board that knows no labels, edits or program yet."""
    count = len(ids)
    often = Counter(media)
    twins = [place for place, name in enumerate(media) if name is not None and often[name] > 1]
    return Board(
        columns=columns,
        labels=labels,
        ids=ids,
        places={key: place for place, key in enumerate(ids)},
        media=media,
        twins=np.array(twins, np.int64),
        split=split,
        given=np.full(count, -1),
        reviewed=np.zeros(count, bool),
        edited=np.zeros(count, bool),
        touched_at=np.zeros(count, np.int64),
        finding=np.full(count, "", dtype="<U8"),
        findings=[],
        program=None,
    )


def only_labels(board: Columns, stage: Staged) -> bool:
    """Whether all that is staged is edits of labels and review marks."""
    if stage.base_name or stage.schema_name or stage.delta is None:
        return not (stage.base_name or stage.schema_name)
    names = (board.target, board.reviewed)
    touched = {c.name for c in map(stage.schema.by_id, stage.delta.columns) if c is not None}
    return touched <= set(names) and not stage.delta.table["op"].to_numpy().any()


def refreshed(board: Board, repository: Repository) -> Board:
    """The board with labels, review marks and findings as they are now."""
    if not board.ids:
        return board
    snapshot, stage = repository.snapshot(), repository.staged()
    columns = board.columns
    table = snapshot.read([name for name in (columns.target, columns.reviewed) if name])
    codes = pa.compute.fill_null(_codes(table[columns.target], board.labels), -1)
    reviewed, edited = np.zeros(len(board), bool), np.zeros(len(board), bool)
    if columns.reviewed:
        flags = pa.compute.fill_null(table[columns.reviewed], False)
        reviewed = flags.to_numpy().astype(bool)
    if stage.delta is not None:
        ops = stage.delta.table["op"].to_numpy()
        for key in stage.delta.table["key"].filter(pa.array(ops == EDIT)).to_pylist():
            edited[board.places[str(key)]] = True
    board = replace(
        board,
        given=codes.to_numpy(zero_copy_only=False).astype(np.int64),
        reviewed=reviewed,
        edited=edited,
        touched_at=_touched(board, snapshot),
    )
    told = [_settled(board, f) for f in board.findings if f.code not in TABLE_FINDINGS]
    found = sorted([*told, *_of_table(board)], key=lambda f: (-f.score, f.code, f.key))
    open_codes = np.full(len(board), "", dtype="<U8")
    for finding in reversed(found):
        if not finding.resolved and finding.key in board.places:
            open_codes[board.places[finding.key]] = finding.code
    return replace(board, findings=found, finding=open_codes)


def _settled(board: Board, finding: Finding) -> Finding:
    """A finding about a label is resolved once that label was reviewed or is another one."""
    place = board.places.get(finding.key)
    if place is None or finding.code != "W101":
        return finding
    changed = board.label(int(board.given[place])) != finding.given
    resolved = bool(board.reviewed[place]) or changed
    return finding if resolved == finding.resolved else replace(finding, resolved=resolved)


def _of_table(board: Board) -> Iterator[Finding]:
    """Findings about the table as it is. Few rows are looked at one by one: the cost of an edit
    must not grow with the table."""
    spec = board.columns.spec
    yield from same_pictures(_rows(board, board.twins), spec)
    trained = np.isin(board.split, ["", "train"]) & (board.given >= 0)
    counts = np.bincount(board.given[trained])
    counts = counts[counts > 0]
    if len(counts) and counts.min() < RARE * np.median(counts):
        yield from imbalance(_rows(board, np.arange(len(board))), spec)


def _rows(board: Board, places: Ints) -> dict[str, Row]:
    return {
        board.ids[place]: Row(
            board.ids[place],
            board.media[place],
            board.label(int(board.given[place])),
            str(board.split[place]) or "train",
            bool(board.reviewed[place]),
        )
        for place in places
    }


def _touched(board: Board, snapshot: Snapshot) -> Ints:
    """(N,) when each row was last edited, ms since 1970; 0 for one never edited."""
    touched = np.zeros(len(board), np.int64)
    for key, at in snapshot.touched().items():
        if (place := board.places.get(str(key))) is not None:
            touched[place] = at
    return touched


def _program(board: Board, build: Build, signals: Signals, before: Build | None) -> Program:
    suspects = suspicion_of(build)
    row = _join(board, signals.keys)
    known = row >= 0
    numbers = _label_numbers(build.report().labels, board.labels)
    probabilities = np.zeros((len(board), len(board.labels)))
    kept = np.flatnonzero(numbers >= 0)
    probabilities[:, numbers[kept]] = signals.probabilities[row][:, kept] * known[:, None]
    score = np.where(known, np.nan_to_num(suspects.score[row], nan=0.0), 0.0)
    rank = np.empty(len(board), np.int64)
    rank[np.argsort(-score, kind="stable")] = np.arange(len(board))
    return Program(
        build=build,
        signals=signals,
        row=row,
        prediction=np.where(known, numbers[signals.prediction[row]], -1),
        proposed=np.where(known, numbers[suspects.proposed[row]], -1),
        probabilities=probabilities,
        score=score,
        rank=rank,
        tested=known & _tested(signals)[row],
        before=_predictions(board, before),
    )


def _predictions(board: Board, build: Build | None) -> Ints:
    if build is None:
        return np.full(len(board), -1)
    signals = build.signals()
    row = _join(board, signals.keys)
    numbers = _label_numbers(build.report().labels, board.labels)
    judged = (row >= 0) & _tested(signals)[row]
    return np.where(judged, numbers[signals.prediction[row]], -1)


def _tested(signals: Signals) -> Bools:
    return np.array([split == "test" for split in signals.split], bool)


def _join(board: Board, keys: tuple[str, ...]) -> Ints:
    """The row of each of the board's examples in `keys`, -1 where it is not there."""
    at = {key: row for row, key in enumerate(keys)}
    return np.array([at.get(key, -1) for key in board.ids], np.int64)


def _label_numbers(theirs: tuple[str, ...], ours: tuple[str, ...]) -> Ints:
    """The number here of each label of a build; -1 for one that has another name by now."""
    return np.array([ours.index(label) if label in ours else -1 for label in theirs], np.int64)


def _codes(column: pa.ChunkedArray, labels: tuple[str, ...]) -> Any:
    cells = one_chunk(column)
    places = {label: place for place, label in enumerate(labels)}
    numbers = [places.get(name, -1) for name in cells.dictionary.to_pylist()]
    return pa.array(numbers, pa.int32()).take(cells.indices)


def _text(column: pa.ChunkedArray) -> NDArray[np.str_]:
    return np.array([value or "" for value in column.to_pylist()], dtype=np.str_)
