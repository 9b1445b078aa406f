"""From a commit to a binary: settle the name, prepare, train, export, check, write."""

import os
import shutil
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sw2.binary import (
    FORMAT,
    ExportCheck,
    Lock,
    Manifest,
    Parts,
    Report,
    Tensor,
    load,
    measure,
    wilson,
    write,
)
from sw2.binary.program import session
from sw2.build.data import Data, columns_read, prepare, read_rows
from sw2.build.export import cost, export
from sw2.build.folder import (
    Build,
    Journal,
    State,
    failure_of,
    lock,
    read_build,
    write_state,
)
from sw2.build.signals import Signals, write_signals
from sw2.build.spec import Spec
from sw2.build.toolchain import build_key, toolchain
from sw2.build.training import Stop, Trained, train
from sw2.errors import BuildFailed, Cancelled, Damaged, NotFound
from sw2.progress import Event, Progress, silent
from sw2.values import now_ms

if TYPE_CHECKING:
    from sw2.repo import Ledger, Repository

LARGEST_DIFFERENCE = 1e-5  # of a probability, exported graph against trained network
GOLDEN = 8
Prepare = Callable[[Progress], Data]


@dataclass(frozen=True, slots=True)
class Job:
    """What a build is made from. data: hash of what the tables say."""

    spec: Spec
    commit: str
    data: str
    tools: dict[str, str]

    @property
    def key(self) -> str:
        return build_key(self.data, self.spec, self.tools)

    @property
    def id(self) -> str:
        """The name of its folder."""
        return self.key[:16]


def build(
    repository: "Repository",
    rev: str = "HEAD",
    progress: Progress = silent,
    stop: Stop | None = None,
) -> Build:
    """Builds a commit. One that was built before is answered from disk, without importing torch;
    one that was stopped goes on where it stopped, to the same bits.

    Raises InvalidInput (spec), BuildFailed (data, training, export), Conflict (the same build is
    running), Cancelled (`stop()` became true), MissingExtra (no torch)."""
    job = job_of(repository, rev)

    def ready(tell: Progress) -> Data:
        rows = read_rows(repository, job.spec, job.commit)
        return prepare(rows, repository.media, job.spec, tell)

    return make(builds_folder(repository) / job.id, job, ready, progress, stop or never)


def job_of(repository: "Repository", rev: str = "HEAD") -> Job:
    """What a build of `rev` would be made from, and so what it is named, without building."""
    commit = repository.commit_of(rev).name
    spec = read_spec(repository, commit)
    # Only what a build reads: marking an example as reviewed makes no other program.
    columns = columns_read(repository, spec, commit)
    return Job(spec, commit, repository.data_name(commit, columns), toolchain())


def builds(repository: "Ledger") -> list[Build]:
    """Every build of a repository, the newest first."""
    folder = builds_folder(repository)
    folders = [entry for entry in folder.iterdir() if entry.is_dir()] if folder.exists() else []
    found = [made for made in map(read_build, folders) if made is not None]
    return sorted(found, key=lambda made: (made.state.started_at, made.id), reverse=True)


def build_before(repository: "Repository", build: Build) -> Build | None:
    """The newest finished build that began before this one: what it is compared with."""
    began = build.state.started_at
    older = (b for b in builds(repository) if b.complete() and b.state.started_at < began)
    return next((b for b in older if b.key != build.key), None)


def builds_folder(repository: "Ledger") -> Path:
    return Path(repository.folder) / "builds"


def read_spec(repository: "Repository", rev: str | None) -> Spec:
    """sw2.toml at a commit, or in the working folder (rev None); without one, the defaults."""
    with suppress(NotFound):
        return Spec.parse(repository.file("sw2.toml", rev).decode(errors="replace"))
    return Spec()


def never() -> bool:
    return False


def make(folder: Path, job: Job, ready: Prepare, progress: Progress, stop: Stop) -> Build:
    """Builds into `folder` unless it is done already."""
    found = read_build(folder)
    if found is not None and found.complete():
        return replace(found, cached=True)
    with lock(folder):
        found = read_build(folder)  # another process may have finished it in between
        if found is not None and found.complete():
            return replace(found, cached=True)
        return make_locked(folder, job, ready, progress, stop)


def make_locked(folder: Path, job: Job, ready: Prepare, progress: Progress, stop: Stop) -> Build:
    """Whatever happens, build.json says how it ended."""
    state = State(job.key, job.spec.name, job.commit, "running", os.getpid(), now_ms())
    write_state(folder, state)
    journal = Journal(folder)
    started = time.monotonic()
    journal.say(f"build {job.key[:16]} of commit {job.commit[:12]}, seed {job.spec.seed}")

    def tell(event: Event) -> None:
        journal(event)
        progress(event)

    try:
        report, name = produce(folder, job, ready, tell, stop, journal)
    except BaseException as error:
        status = "failed"
        if isinstance(error, Cancelled | KeyboardInterrupt):
            status = "cancelled"
        failure = failure_of(error)
        journal.say(f"{status}: {failure.message}")
        if failure.kind == "error":
            journal.say(traceback.format_exc())
        ended = {"status": status, "ended_at": now_ms(), "error": failure}
        write_state(folder, replace(state, **ended))  # type: ignore[arg-type]
        raise
    state = replace(
        state,
        status="done",
        ended_at=now_ms(),
        accuracy=report.accuracy,
        interval=report.interval,
        tested=report.tested,
        program=name,
    )
    journal.say(f"done in {time.monotonic() - started:.1f} s: {name}")
    write_state(folder, state)
    shutil.rmtree(folder / "checkpoint", ignore_errors=True)
    return Build(folder, state)


def produce(
    folder: Path, job: Job, ready: Prepare, tell: Progress, stop: Stop, journal: Journal
) -> tuple[Report, str]:
    """Writes program, signals and features; returns the report and the binary's name."""

    def stoppable(event: Event) -> None:
        tell(event)
        if stop():
            raise Cancelled("the build was stopped before training")

    stoppable(Event("check", message="reading the examples"))
    data = ready(stoppable)
    for note in data.notes:
        journal.say(note)
    for row in data.skipped:
        journal.say(f"{row.code} {row.key}: left out: {row.message}")
    trained = train(data, job.spec, folder / "checkpoint" / "state.safetensors", tell, stop)
    tell(Event("export", message="writing the graph and comparing it with the network"))
    report, parts = exported(data, trained)
    name = write(folder / "program.sw2b", manifest(job, data, parts), parts)
    test = load(folder / "program.sw2b").self_test()
    if not test.passed:
        raise Damaged(f"the program written fails its own test by {test.max_difference:.2g}")
    write_signals(folder / "signals.arrow", signals_of(data, trained))
    np.save(folder / "features.npy", trained.features, allow_pickle=False)
    share = "no test examples" if report.accuracy is None else f"accuracy {report.accuracy:.4f}"
    tell(Event("done", 1, 1, f"{share}, {report.tested} tested"))
    return report, name


def exported(data: Data, trained: Trained) -> tuple[Report, Parts]:
    """Exports and runs the graph over the whole test split. Raises BuildFailed when it differs."""
    plan = trained.network.plan
    graph, weights = export(plan, trained.network.folded(), trained.mean, trained.deviation)
    runner = session(graph, weights, 1, Path("graph.onnx"))
    test = data.rows("test")
    rows = test if len(test) else np.arange(len(data.keys))
    parts = np.array_split(rows, 1 + len(rows) // 256)
    answers = np.concatenate([runner.run(None, {"image": data.pictures[p]})[0] for p in parts])
    check = compare_outputs(answers, trained.probabilities[rows])
    golden = np.linspace(0, len(rows) - 1, min(GOLDEN, len(rows))).astype(int)
    report = report_of(data, trained, test, check)
    return report, Parts(graph, weights, report, data.pictures[rows[golden]], answers[golden])


def compare_outputs(answers: NDArray[np.float32], expected: NDArray[np.float32]) -> ExportCheck:
    same = bool((answers.argmax(1) == expected.argmax(1)).all())
    difference = float(np.abs(answers - expected).max(initial=0.0))
    if not same or difference > LARGEST_DIFFERENCE:
        raise BuildFailed(
            f"the exported graph differs from the network by {difference:.2g}, {len(answers)} rows"
            + ("" if same else ", and in what it predicts"),
            hint="Try another version of onnxruntime; the checkpoint is kept",
        )
    return ExportCheck(len(answers), same, difference)


def report_of(data: Data, trained: Trained, test: NDArray[np.int64], check: ExportCheck) -> Report:
    given, predicted = data.given[test], trained.probabilities[test].argmax(1)
    confusion, classes = measure(given, predicted, data.labels)
    right = int((given == predicted).sum())
    return Report(
        accuracy=right / len(test) if len(test) else None,
        interval=wilson(right, len(test)) if len(test) else None,
        tested=len(test),
        trained=len(data.rows("train")),
        labels=data.labels,
        confusion=confusion,
        classes=classes,
        epochs=trained.epochs,
        export=check,
        skipped=data.skipped,
        notes=data.notes,
    )


def manifest(job: Job, data: Data, parts: Parts) -> Manifest:
    picture = data.pictures.shape[1:]
    return Manifest(
        format=FORMAT,
        name=job.spec.name,
        task=job.spec.task,
        inputs=(Tensor("image", "uint8", (-1, *picture), "NHWC", 0.0, 255.0),),
        outputs=(
            Tensor("probabilities", "float32", (-1, len(data.labels)), "NC", 0.0, 1.0, data.labels),
        ),
        cost=cost(parts.graph, dict(parts.weights)),
        lock=Lock(
            job.key, job.commit, job.data, job.spec.canonical(), job.spec.seed, dict(job.tools)
        ),
        created_by=f"sw2 {job.tools['sw2']}",
        members={},
    )


def signals_of(data: Data, trained: Trained) -> Signals:
    rows = np.arange(len(data.keys))
    labelled = data.given >= 0
    certain = np.maximum(trained.probabilities, np.float32(1e-12))
    loss = -np.log(certain[rows, np.maximum(data.given, 0)])
    return Signals(
        keys=data.keys,
        split=data.split,
        given=data.given,
        prediction=trained.probabilities.argmax(1).astype(np.int32),
        probabilities=trained.probabilities,
        average=trained.average,
        loss=np.where(labelled, loss, np.nan).astype(np.float32),
        losses=trained.losses,
        margin=trained.margin,
        entropy=-(certain * np.log(certain)).sum(1).astype(np.float32),
    )
