"""The folder of one build: its state, its events, its lock, its results.

build.json is replaced whole. A build holds an exclusive lock while it runs, which the system frees
when the process dies; so `running` without a lock holder is read as `interrupted`, whatever has
become of the process number since."""

import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from sw2.binary import Report, read_report
from sw2.binary.records import from_json, to_json
from sw2.build.signals import Signals, read_signals
from sw2.errors import Conflict, NotFound, Sw2Error
from sw2.progress import Event
from sw2.values import now_ms

Status = Literal["running", "done", "failed", "cancelled", "interrupted"]
# Who only looks whether a build runs (`locked`) holds the lock for a moment; a build holds it long.
LOOK_SECONDS = 0.3
RESULTS = ("program.sw2b", "signals.arrow", "features.npy")


@dataclass(frozen=True, slots=True)
class Failure:
    """An error as the HTTP API answers it."""

    kind: str
    message: str
    hint: str


@dataclass(frozen=True, slots=True)
class State:
    """build.json. Times in ms since 1970.  program: the binary's name, BLAKE3, once it is done."""

    key: str
    name: str
    commit: str
    status: str
    pid: int
    started_at: int
    ended_at: int | None = None
    accuracy: float | None = None
    interval: tuple[float, float] | None = None
    tested: int = 0
    program: str = ""
    error: Failure | None = None


@dataclass(frozen=True, slots=True)
class Recorded:
    """An event and when it was told, ms since 1970."""

    at: int
    event: Event


@dataclass(frozen=True, slots=True)
class Build:
    """One build as found on disk.  cached: answered without building.  id: its folder's name."""

    folder: Path
    state: State
    cached: bool = False

    @property
    def id(self) -> str:
        return self.folder.name

    @property
    def key(self) -> str:
        return self.state.key

    @property
    def status(self) -> str:
        return self.state.status

    @property
    def commit(self) -> str:
        return self.state.commit

    @property
    def binary(self) -> Path:
        return self.folder / "program.sw2b"

    @property
    def checkpoint(self) -> Path:
        return self.folder / "checkpoint" / "state.safetensors"

    def report(self) -> Report:
        """Raises NotFound before the build is done, as `signals` and `features` do."""
        return read_report(self._result("program.sw2b"))

    def signals(self) -> Signals:
        return read_signals(self._result("signals.arrow"))

    def features(self) -> NDArray[np.float32]:
        """(N, F) float32, rows as in `signals`."""
        found: NDArray[np.float32] = np.load(self._result("features.npy"), allow_pickle=False)
        return found

    def events(self) -> list[Recorded]:
        """What was told so far, oldest first; without a line that is still being written."""
        path = self.folder / "events.jsonl"
        lines = path.read_text().split("\n")[:-1] if path.exists() else []
        return [recorded(line) for line in lines]

    def log(self) -> str:
        path = self.folder / "log.txt"
        return path.read_text() if path.exists() else ""

    def complete(self) -> bool:
        return self.status == "done" and all((self.folder / name).exists() for name in RESULTS)

    def _result(self, name: str) -> Path:
        path = self.folder / name
        if not path.exists():
            raise NotFound(f"build {self.id} is {self.status} and has no {name}")
        return path


def read_build(folder: Path) -> Build | None:
    """The build in a folder, None without one. Raises Damaged when build.json has another shape."""
    path = folder / "build.json"
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        return None
    state = from_json(State, raw, str(path))
    if state.status == "running" and not locked(folder):
        # It may have ended between the two looks: how it ended is written before the lock goes.
        state = from_json(State, path.read_bytes(), str(path))
        if state.status == "running":
            state = replace(state, status="interrupted")
    return Build(folder, state)


def write_state(folder: Path, state: State) -> None:
    partial = folder / f"build.json.{os.getpid()}.partial"
    with partial.open("wb") as file:
        file.write(to_json(state))
        file.flush()
        os.fsync(file.fileno())
    os.replace(partial, folder / "build.json")


@contextmanager
def lock(folder: Path) -> Iterator[None]:
    """Only one build writes a folder. Raises Conflict while another does."""
    import fcntl

    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("ab") as file:
        deadline = time.monotonic() + LOOK_SECONDS
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise Conflict(
                        f"build {folder.name} is running in another process",
                        hint="Wait for it, or stop it first",
                    ) from None
                time.sleep(0.01)
        yield


def locked(folder: Path) -> bool:
    """Whether a live process builds in this folder."""
    import fcntl

    try:
        with (folder / "lock").open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except FileNotFoundError:
        return False
    return False


def recorded(line: str) -> Recorded:
    entry = json.loads(line)
    return Recorded(entry["at"], Event(**entry["event"]))


class Journal:
    """Appends every event to events.jsonl, and those that say something to log.txt."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(self, event: Event) -> None:
        entry: dict[str, Any] = {"at": now_ms(), "event": asdict(event)}
        with (self.folder / "events.jsonl").open("a") as file:
            file.write(json.dumps(entry) + "\n")
        if event.message:
            self.say(f"{event.stage}: {event.message}")

    def say(self, line: str) -> None:
        with (self.folder / "log.txt").open("a") as file:
            file.write(line + "\n")


def failure_of(error: BaseException) -> Failure:
    if isinstance(error, Sw2Error):
        return Failure(error.kind, error.message, error.hint)
    return Failure(
        "error", f"{type(error).__name__}: {error}", "This is a fault of sw2; see log.txt"
    )
