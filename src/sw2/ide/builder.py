"""Builds as the page sees them: start one, stop it, follow it, compare it with the one before."""

import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import suppress
from typing import IO

from sw2.build import Build, build_before, builds, job_of
from sw2.errors import BuildFailed, Conflict, NotFound, Sw2Error
from sw2.ide.schema import (
    BuildInfo,
    BuildProgress,
    BuildReport,
    ClassFigure,
    Comparison,
    Epoch,
    ErrorBody,
)
from sw2.ide.workbench import Workbench
from sw2.insight import compare, labels_now
from sw2.repo import Repository
from sw2.values import now_ms

# A worker that has not made its folder by then is still reading or has failed to start.
START_SECONDS = 20.0
POLL_SECONDS = 0.05


class Builder:
    """Runs at most one build of a repository at a time, in a process of its own."""

    def __init__(self, bench: Workbench) -> None:
        self._bench = bench
        self._lock = threading.Lock()
        self._worker: subprocess.Popen[bytes] | None = None

    def start(self) -> BuildInfo:
        """Builds the committed head, and returns as soon as its folder exists.

        Raises NotFound without a commit, Conflict while another build runs, and what the build
        raises before it begins."""
        with self._lock:
            repository = self._bench.repository
            job = job_of(repository)
            known = find(repository, job.id)
            if known is not None and known.complete():
                return info(repository, known, cached=True)
            running = next((b for b in builds(repository) if b.status == "running"), None)
            if running is not None:
                raise Conflict(
                    f"build {running.id} is still running", hint="Wait for it, or cancel it"
                )
            begun = now_ms()
            # A file, for nobody reads along: a full pipe would stop the worker.
            with tempfile.TemporaryFile("w+") as told:
                self._worker = subprocess.Popen(
                    [sys.executable, "-m", "sw2.ide.worker", str(repository.root), job.commit],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=told,
                    start_new_session=True,
                )
                return self._begun(self._worker, told, job.id, begun)

    def cancel(self, build_id: str) -> BuildInfo:
        """Asks a running build to stop; it keeps its state. Returns once it has stopped."""
        repository = self._bench.repository
        build = must_find(repository, build_id)
        if build.status == "running":
            _interrupt(build.state.pid)
            deadline = time.monotonic() + START_SECONDS
            while build.status == "running" and time.monotonic() < deadline:
                time.sleep(POLL_SECONDS)
                build = must_find(repository, build_id)
            # Once more: one that ends while it is read looks interrupted for a moment.
            build = must_find(repository, build_id)
        return info(repository, build)

    def close(self) -> None:
        """Stops the build that this server started, if it still runs."""
        if self._worker is not None and self._worker.poll() is None:
            self._worker.send_signal(signal.SIGINT)
            try:
                self._worker.wait(START_SECONDS)
            except subprocess.TimeoutExpired:
                self._worker.kill()

    def _begun(
        self, worker: "subprocess.Popen[bytes]", told: IO[str], build_id: str, begun: int
    ) -> BuildInfo:
        repository = self._bench.repository
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            build = find(repository, build_id)
            if build is not None and build.state.started_at >= begun:
                return info(repository, build)
            if worker.poll() is not None:
                told.seek(0)
                raise _failure(worker.returncode, told.read().splitlines())
            time.sleep(POLL_SECONDS)
        worker.kill()
        raise BuildFailed(f"the build did not begin within {START_SECONDS:.0f} seconds")


def find(repository: Repository, build_id: str) -> Build | None:
    return next((build for build in builds(repository) if build.id == build_id), None)


def must_find(repository: Repository, build_id: str) -> Build:
    build = find(repository, build_id)
    if build is None:
        raise NotFound(f"there is no build `{build_id}`")
    return build


def info(repository: Repository, build: Build, cached: bool = False) -> BuildInfo:
    state = build.state
    return BuildInfo(
        id=build.id,
        status=build.state.status,  # type: ignore[arg-type]
        commit=state.commit,
        commit_message=_message(repository, state.commit),
        started_at=state.started_at,
        ended_at=state.ended_at,
        cached=cached,
        progress=progress_of(build) if state.status == "running" else None,
        accuracy=state.accuracy,
        interval=state.interval,
        error=ErrorBody(**_error(state.error)) if state.error else None,
    )


def progress_of(build: Build) -> BuildProgress | None:
    """The newest event; loss and accuracy are the newest told, whichever event told them."""
    events = build.events()
    if not events:
        return None
    last = events[-1].event
    metrics: dict[str, float] = {}
    for recorded in events:
        metrics |= dict(recorded.event.metrics)
    return BuildProgress(
        stage=last.stage,
        done=last.done,
        total=last.total,
        loss=metrics.get("loss"),
        accuracy=metrics.get("accuracy"),
        seconds_left=last.metrics.get("seconds_left"),
    )


def report(bench: Workbench, build_id: str) -> BuildReport:
    build = must_find(bench.repository, build_id)
    shown = info(bench.repository, build)
    if not build.complete():
        return BuildReport(
            info=shown,
            labels=[],
            confusion=[],
            classes=[],
            epochs=_live_epochs(build),
            comparison=None,
            log=build.log(),
        )
    found = build.report()
    return BuildReport(
        info=shown,
        labels=list(found.labels),
        confusion=[list(row) for row in found.confusion],
        classes=[
            ClassFigure(label=c.label, precision=c.precision, recall=c.recall, support=c.support)
            for c in found.classes
        ],
        epochs=[Epoch(epoch=e.epoch, loss=e.loss, accuracy=e.accuracy) for e in found.epochs],
        comparison=_comparison(bench, build),
        log=build.log(),
    )


def _live_epochs(build: Build) -> list[Epoch]:
    """One point for each finished epoch of a build that is still running."""
    points = {}
    for recorded in build.events():
        metrics = recorded.event.metrics
        if "accuracy" in metrics and "loss" in metrics and "epoch" in metrics:
            number = int(metrics["epoch"])
            points[number] = Epoch(epoch=number, loss=metrics["loss"], accuracy=metrics["accuracy"])
    return [points[number] for number in sorted(points)]


def _comparison(bench: Workbench, build: Build) -> Comparison | None:
    before = build_before(bench.repository, build)
    if before is None:
        return None
    labels = labels_now(bench.repository, bench.names[0])
    found = compare(before, build, labels)
    return Comparison(
        before=before.id,
        before_accuracy=found.before_accuracy,
        before_interval=found.before_interval,
        after_accuracy=found.after_accuracy,
        after_interval=found.after_interval,
        difference_interval=found.difference_interval,
        better=len(found.better),
        worse=len(found.worse),
        tested=found.tested,
    )


def _message(repository: Repository, commit: str) -> str:
    try:
        return repository.load_commit(commit).message
    except NotFound:
        return ""


def _error(failure: object) -> dict[str, str]:
    return {name: str(getattr(failure, name)) for name in ("kind", "message", "hint")}


def _interrupt(pid: int) -> None:
    with suppress(ProcessLookupError):  # it ended by itself in between
        os.kill(pid, signal.SIGINT)


def _failure(status: int, told: list[str]) -> Sw2Error:
    """The error of a worker that ended before it began to build."""
    if status == 3 and len(told) >= 2:
        return BuildFailed(told[1], hint=told[2] if len(told) > 2 else "")
    return BuildFailed(
        f"the build's process ended with status {status}",
        hint=told[-1] if told else "Run `sw2 build` in a terminal to see why",
    )
