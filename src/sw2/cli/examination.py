"""What `sw2 doctor` looks at: the installation, the disk, and the repository."""

import shutil
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from sw2 import __version__
from sw2.errors import NotARepository, Sw2Error

if TYPE_CHECKING:
    from sw2.repo import Repository

# What each optional part needs.
EXTRAS = {"build": ("torch", "onnx"), "ide": ("fastapi", "uvicorn"), "sign": ("cryptography",)}
NEEDED = ("pyarrow", "duckdb", "numpy", "onnxruntime")
LOW_SPACE, NO_SPACE = 2 << 30, 64 << 20
# No release is older: a clock before it is wrong. 2025-01-01, in seconds since 1970.
OLDEST = 1_735_689_600
MANY_PACKS, MANY_ACTIONS = 2000, 10_000
DAY = 86_400


@dataclass(frozen=True, slots=True)
class Finding:
    """One check. what: what was found.  remedy: how to mend it, "" where nothing is wrong."""

    check: str
    state: Literal["ok", "warn", "fail"]
    what: str
    remedy: str = ""


def examine(author: str) -> list[Finding]:
    """Every check; those of a repository only within one."""
    from sw2.repo import Repository

    found = [*_installation(), *_surroundings(author)]
    try:
        repository = Repository.open()
    except NotARepository:
        found.append(Finding("repository", "ok", "there is none here", ""))
        return [*found, *_guarded("disk", lambda: _disk(Path.cwd()))]
    except Sw2Error as error:
        return [*found, Finding("repository", "fail", error.message, error.hint)]
    try:
        for name, check in CHECKS.items():
            found += _guarded(name, lambda check=check: check(repository))  # type: ignore[misc]
    finally:
        repository.close()
    return found


def _guarded(name: str, check: Callable[[], Iterator[Finding]]) -> list[Finding]:
    """A check that cannot be made is a failure, and the others go on."""
    try:
        return list(check())
    except Sw2Error as error:
        return [Finding(name, "fail", error.message, error.hint or "Run `sw2 fsck`")]
    except OSError as error:
        return [Finding(name, "fail", str(error), "Look at the disk and its permissions")]


def _installation() -> Iterator[Finding]:
    python = ".".join(map(str, sys.version_info[:3]))
    yield Finding("sw2", "ok", f"{__version__} on Python {python}, SQLite {sqlite3.sqlite_version}")
    missing = [name for name in NEEDED if not _version(name)]
    told = ", ".join(f"{name} {_version(name) or 'missing'}" for name in NEEDED)
    remedy = "Install sw2 again" if missing else ""
    yield Finding("libraries", "fail" if missing else "ok", told, remedy)
    for extra, names in EXTRAS.items():
        lacking = [name for name in names if not _version(name)]
        told = ", ".join(f"{name} {_version(name)}" for name in names if name not in lacking)
        if lacking:
            told = f"not installed ({', '.join(lacking)} missing)"
        remedy = f"Only if you need it: pip install 'sw2[{extra}]'" if lacking else ""
        yield Finding(f"extra {extra}", "ok", told, remedy)


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def _surroundings(author: str) -> Iterator[Finding]:
    known = "@" in author or " " in author
    remedy = "" if known else "Set SW2_AUTHOR, or git config user.name and user.email"
    yield Finding("author", "ok" if known else "warn", author, remedy)
    now = time.time()
    right = now > OLDEST
    told = time.strftime("%Y-%m-%d %H:%M", time.gmtime(now)) + " UTC"
    yield Finding("clock", "ok" if right else "fail", told, "" if right else "Set the clock")


def _disk(folder: Path) -> Iterator[Finding]:
    free = shutil.disk_usage(folder).free
    state: Literal["ok", "warn", "fail"] = "ok"
    if free < LOW_SPACE:
        state = "warn" if free > NO_SPACE else "fail"
    remedy = "" if state == "ok" else "Free some space; `sw2 gc` may help"
    yield Finding("disk", state, f"{free / 1e9:.1f} GB free", remedy)


def _file_system(repository: "Repository") -> Iterator[Finding]:
    """Whether what durability rests on works here."""
    import fcntl

    from sw2.store.objects import sync_folder

    told = "rename, fsync and flock work"
    with tempfile.TemporaryDirectory(dir=repository.folder, suffix=".tmp") as name:
        folder = Path(name)
        with (folder / "a").open("wb") as one:
            one.flush()
            sync_folder(folder)
            fcntl.flock(one, fcntl.LOCK_EX)
            with (folder / "a").open("rb") as other:
                try:
                    fcntl.flock(other, fcntl.LOCK_SH | fcntl.LOCK_NB)
                    told = "locks do not exclude each other"
                except BlockingIOError:
                    pass
        (folder / "a").rename(folder / "b")
    bad = told.startswith("locks")
    remedy = "Move the repository to a disk of this machine" if bad else ""
    yield Finding("file system", "fail" if bad else "ok", told, remedy)


def _state(repository: "Repository") -> Iterator[Finding]:
    form, mode = repository.state.meta("format"), repository.state.journal()
    faults = repository.state.check()
    if faults:
        yield Finding("state.sqlite", "fail", "; ".join(faults[:3]), "Run `sw2 fsck`")
        return
    wal = mode == "wal"
    remedy = "" if wal else "This file system knows no WAL: move the repository to a local disk"
    yield Finding("state.sqlite", "ok" if wal else "warn", f"format {form}, {mode}", remedy)


def _packs(repository: "Repository") -> Iterator[Finding]:
    sizes = [path.stat().st_size for path in repository.store.packs()]
    told = f"{len(sizes):,} packs, {sum(sizes) / 1e6:.1f} MB"
    many = len(sizes) > MANY_PACKS
    remedy = "`sw2 gc` gathers small packs into one" if many else ""
    yield Finding("packs", "warn" if many else "ok", told, remedy)
    broken = repository.store.broken()
    if broken:
        told = f"{len(broken)} cannot be read: {next(iter(broken.values()))}"
        yield Finding("damage", "fail", told, "Run `sw2 fsck` and restore the packs it names")
    left = [p for p in repository.store.folder.glob("*.tmp") if _age(p) > DAY]
    told = f"{len(left)} older than a day" if left else "none left behind"
    remedy = "`sw2 gc` sweeps them once they are as old as its grace" if left else ""
    yield Finding("temporary files", "warn" if left else "ok", told, remedy)


def _age(path: Path) -> float:
    try:
        return time.time() - path.stat().st_mtime
    except FileNotFoundError:
        return 0


def _upkeep(repository: "Repository") -> Iterator[Finding]:
    from sw2.repo import due, gc

    wanted = due(repository)
    told = "worthwhile" if wanted else f"{len(repository.state.folds.all()):,} folds, none due"
    remedy = "Run `sw2 fold`; the next commit starts it too" if wanted else ""
    yield Finding("fold", "warn" if wanted else "ok", told, remedy)
    would = gc(repository, dry_run=True)
    much = would.bytes > 100_000_000 or would.gathered > MANY_PACKS // 2
    told = f"{would.bytes / 1e6:.1f} MB in {would.objects:,} objects that nothing needs"
    told += f", {would.gathered:,} small packs to gather" if would.gathered else ""
    yield Finding("gc", "warn" if much else "ok", told, "Run `sw2 gc`" if much else "")


def _stage(repository: "Repository") -> Iterator[Finding]:
    number = len(repository.state.actions())
    many = number > MANY_ACTIONS
    remedy = "Commit: the stage is read again at each start" if many else ""
    yield Finding("stage", "warn" if many else "ok", f"{number:,} staged actions", remedy)


def _builds(repository: "Repository") -> Iterator[Finding]:
    from sw2.build import builds

    dead = [build for build in builds(repository) if build.status == "interrupted"]
    told = f"{len(dead)} stopped half-way" if dead else "none stopped half-way"
    remedy = "`sw2 build` goes on where it stopped" if dead else ""
    yield Finding("builds", "warn" if dead else "ok", told, remedy)


CHECKS: dict[str, Callable[["Repository"], Iterator[Finding]]] = {
    "disk": lambda repository: _disk(repository.root),
    "file system": _file_system,
    "state.sqlite": _state,
    "packs": _packs,
    "upkeep": _upkeep,
    "stage": _stage,
    "builds": _builds,
}
