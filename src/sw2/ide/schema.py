"""Every request and answer of the IDE's HTTP API. The page's types are
generated from these."""

from typing import Literal

from pydantic import BaseModel, Field

Verb = Literal["label", "accept", "keep"]
BuildStatus = Literal["running", "done", "failed", "cancelled", "interrupted"]
Order = Literal["worst", "id", "uncertain", "recent"]


class ErrorBody(BaseModel):
    kind: str
    message: str
    hint: str = ""


class Label(BaseModel):
    """One value of the target column. key: the digit that sets it ("1" … "9", "0"), or ""."""

    name: str
    index: int
    key: str


class Planted(BaseModel):
    """Only for the demo repository, whose wrong labels are known: how many are right again."""

    total: int
    fixed: int


class ProgramSummary(BaseModel):
    build: str
    name: str
    accuracy: float
    interval: tuple[float, float] = Field(description="95 % Wilson interval, fractions")
    tested: int
    commit: str
    built_at: int = Field(description="ms since 1970")


class Session(BaseModel):
    """What the status bar and the frame need; read on load and after every change."""

    name: str
    path: str
    branch: str
    head: str | None
    head_message: str | None
    rows: int
    target: str
    labels: list[Label]
    pending: int = Field(description="cells' rows edited and not committed")
    can_undo: bool
    can_redo: bool
    undo_label: str = Field(description="what Z would undo, in words")
    redo_label: str
    saved_at: int | None = Field(description="ms since 1970 of the newest edit on disk")
    program: ProgramSummary | None
    findings: int = Field(description="findings still open")
    building: str | None = Field(description="id of the running build")
    planted: Planted | None
    author: str
    version: str


class Item(BaseModel):
    """One tile of the grid."""

    id: str
    media: str = Field(description="URL of the original bytes")
    thumb: str = Field(description="URL of a picture at most 256 px wide")
    width: int
    height: int
    given: str | None
    prediction: str | None
    probability: float | None = Field(description="the program's probability of its prediction")
    proposed: str | None = Field(description="what Enter would set; None without a program")
    loss: float | None = Field(description="-ln p(given), nats")
    split: str
    reviewed: bool
    edited: bool = Field(description="has an edit that is not committed")
    finding: str | None = Field(description="code of an open finding, e.g. W101")
    score: float | None = Field(description="how suspect the label is, 0 … 1")


class Page(BaseModel):
    total: int = Field(description="rows in the repository")
    filtered: int
    offset: int
    items: list[Item]
    losses: list[float] = Field(
        description="up to 200 losses evenly spaced along the filtered order"
    )


class FacetValue(BaseModel):
    value: str
    count: int = Field(description="rows under the other filters")
    total: int = Field(description="rows in the repository")


class Facet(BaseModel):
    """name is also the query parameter: split, label, prediction, finding, state, change."""

    name: str
    values: list[FacetValue]


class Facets(BaseModel):
    total: int
    filtered: int
    facets: list[Facet]


class Neighbour(BaseModel):
    id: str
    thumb: str
    given: str | None
    split: str
    distance: float


class HistoryEntry(BaseModel):
    column: str
    old: str | None
    new: str | None
    by: str
    kind: str
    source: str
    why: str
    at: int
    commit: str | None = Field(description="None while not committed")


class Probability(BaseModel):
    label: str
    value: float


class Detail(BaseModel):
    item: Item
    probabilities: list[Probability] = Field(description="most likely first")
    losses: list[float] = Field(description="loss after each epoch of the last build")
    margin: float | None = Field(description="area under the margin, Pleiss et al. 2020")
    entropy: float | None
    neighbours: list[Neighbour]
    history: list[HistoryEntry]
    message: str = Field(description="the finding in words, empty without one")


class Problem(BaseModel):
    id: str
    code: str
    message: str
    given: str | None
    proposed: str | None
    probability: float | None
    score: float
    thumb: str
    resolved: bool


class ProblemPage(BaseModel):
    total: int
    open: int
    items: list[Problem]


class EditRequest(BaseModel):
    """client_id makes a retry safe: the same id is carried out once."""

    client_id: str = Field(min_length=1)
    verb: Verb
    ids: list[str] = Field(min_length=1)
    label: str | None = Field(default=None, description="with verb `label`")


class EditAnswer(BaseModel):
    saved_at: int
    count: int
    items: list[Item]
    session: Session


class UndoRequest(BaseModel):
    client_id: str = Field(min_length=1)


class UndoAnswer(BaseModel):
    label: str = Field(description="what was undone or redone, in words; empty if nothing")
    ids: list[str]
    items: list[Item]
    session: Session


class Change(BaseModel):
    """One row's edit. For cells other than the target, `column` says which."""

    id: str
    thumb: str
    column: str
    old: str | None
    new: str | None
    by: str
    at: int


class Changes(BaseModel):
    total: int
    rows: int
    by_pair: list[tuple[str, str, int]] = Field(
        description="(old, new, count) of the target, most first"
    )
    reviewed: int = Field(description="rows kept as they were and marked reviewed")
    items: list[Change] = Field(description="edits of the target, then the rest")


class CommitRequest(BaseModel):
    message: str = Field(min_length=1)


class CommitInfo(BaseModel):
    id: str
    message: str
    author: str
    at: int
    edits: int
    parents: list[str]


class BuildProgress(BaseModel):
    stage: str
    done: int
    total: int | None
    loss: float | None
    accuracy: float | None
    seconds_left: float | None


class BuildInfo(BaseModel):
    id: str
    status: BuildStatus
    commit: str
    commit_message: str
    started_at: int
    ended_at: int | None
    cached: bool
    progress: BuildProgress | None
    accuracy: float | None
    interval: tuple[float, float] | None
    error: ErrorBody | None


class ClassFigure(BaseModel):
    label: str
    precision: float | None
    recall: float | None
    support: int


class Epoch(BaseModel):
    epoch: int
    loss: float
    accuracy: float | None = Field(description="on the test split, fraction")


class Comparison(BaseModel):
    """This build against the one before: same test examples, judged by their labels now."""

    before: str
    before_accuracy: float
    before_interval: tuple[float, float]
    after_accuracy: float
    after_interval: tuple[float, float]
    difference_interval: tuple[float, float] = Field(
        description="95 % interval of the paired difference"
    )
    better: int
    worse: int
    tested: int


class BuildReport(BaseModel):
    info: BuildInfo
    labels: list[str]
    confusion: list[list[int]] = Field(description="rows: given, columns: predicted; test split")
    classes: list[ClassFigure]
    epochs: list[Epoch]
    comparison: Comparison | None
    log: str


class ServerEvent(BaseModel):
    """Sent on `/api/events`: `session` after any change, `build` while one runs."""

    type: Literal["session", "build", "hello"]
    session: Session | None = None
    build: BuildInfo | None = None
