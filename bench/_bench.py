"""What the benchmarks share: arguments, the environments of peers, printing, the exit code.

    python bench/NAME.py [--quick] [--json]

A benchmark gives `run` a function from `Options` to figures. `--json` prints one object,
`{figure: {value, unit, bar, peer, ok}}`; without it a table is printed. `--quick` takes at most
45 s on 2 cores and leaves the peers out. The exit code is 1 when a figure misses its bar."""

import argparse
import json
import resource
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

VENVS = Path(__file__).parent / ".venvs"
PEER_SECONDS = 900


@dataclass(frozen=True)
class Options:
    quick: bool
    json: bool


@dataclass(frozen=True)
class Figure:
    """bar: the value is to be at most this (at least, with `at_least`; this and no other, with
    `exactly`); None: only told.

    peer: name of a peer -> its value for the same work, or why there is none."""

    name: str
    value: float
    unit: str
    bar: float | None = None
    peer: Mapping[str, float | str] = field(default_factory=dict)
    at_least: bool = False
    exactly: bool = False

    @property
    def ok(self) -> bool:
        if self.bar is None:
            return True
        if self.exactly:
            return self.value == self.bar
        return self.value >= self.bar if self.at_least else self.value <= self.bar


def run(description: str, measure: Callable[[Options], Iterable[Figure]]) -> int:
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="no peers, within 45 s")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of a table")
    options = Options(**vars(parser.parse_args()))
    figures = list(measure(options))
    if options.json:
        print(json.dumps({figure.name: _as_json(figure) for figure in figures}, indent=1))
    else:
        _print_table(figures)
    return 0 if all(figure.ok for figure in figures) else 1


def _as_json(figure: Figure) -> dict[str, Any]:
    return {
        "value": round(figure.value, 4),
        "unit": figure.unit,
        "bar": figure.bar,
        "peer": dict(figure.peer) or None,
        "ok": figure.ok,
    }


def _print_table(figures: Iterable[Figure]) -> None:
    print(f"{'figure':52} {'value':>10} {'unit':8} {'bar':>9}  peers")
    for figure in figures:
        sign = "== " if figure.exactly else ">= " if figure.at_least else "<= "
        bar = "" if figure.bar is None else f"{sign}{figure.bar:g}"
        peers = "; ".join(f"{name} {_short(value)}" for name, value in figure.peer.items())
        missed = "" if figure.ok else "MISSED  "
        print(
            f"{figure.name:52} {_short(figure.value):>10} {figure.unit:8} {bar:>9}  {missed}{peers}"
        )


def _short(value: float | str) -> str:
    if isinstance(value, str):
        return value
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def cpu() -> float:
    """CPU seconds, user and system, of this process and of the processes it has waited for."""
    spent = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in spent)


def cost(work: Callable[[], object]) -> float:
    """CPU seconds of `work`."""
    started = cpu()
    work()
    return cpu() - started


def peak() -> float:
    """MiB of memory that this process held at most. `ru_maxrss` would count its parent too."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def bytes_under(folder: Path, *but: str) -> int:
    """Bytes of all files. but: names of folders right below that are left out."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return sum(f.stat().st_size for f in files if f.relative_to(folder).parts[0] not in but)


def environment(name: str, *requirements: str) -> str:
    """Makes the environment of a peer unless it is there; returns why it cannot be had, or ""."""
    folder = VENVS / name
    if (folder / "done").exists():
        return ""
    VENVS.mkdir(parents=True, exist_ok=True)
    steps = [
        [sys.executable, "-m", "venv", str(folder)],
        [str(folder / "bin" / "python"), "-m", "pip", "install", "-q", *requirements],
    ]
    for step in steps:
        done = subprocess.run(step, capture_output=True, text=True, check=False)
        if done.returncode:
            return _last_line(done.stderr or done.stdout)
    (folder / "done").touch()
    return ""


def peer(name: str, requirements: Iterable[str], script: Path, *arguments: str) -> dict[str, Any]:
    """Runs `script` in the environment of a peer (this one's, without requirements) and returns the
    JSON object it prints last, or {"skipped": reason}."""
    requirements = list(requirements)
    if requirements and (reason := environment(name, *requirements)):
        return {"skipped": f"skipped: {reason}"}
    python = str(VENVS / name / "bin" / "python") if requirements else sys.executable
    command = [python, str(script), *arguments]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=PEER_SECONDS
        )
    except subprocess.TimeoutExpired:
        return {"skipped": f"skipped: not done after {PEER_SECONDS} s"}
    if done.returncode:
        return {"skipped": f"skipped: {_last_line(done.stderr)}"}
    found: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return found


def figures_of(peers: Mapping[str, Mapping[str, Any]], key: str) -> dict[str, float | str]:
    """What each peer says of one figure, or why it says nothing."""
    return {
        name: found.get(key, found.get("skipped", "not measured")) for name, found in peers.items()
    }


def _last_line(text: str) -> str:
    lines = text.strip().splitlines()
    return lines[-1][:160] if lines else "no reason was given"
