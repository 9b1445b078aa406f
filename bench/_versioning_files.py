"""The peers of `versioning.py` that keep files: the table is a CSV; writing it is not counted."""

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from _bench import bytes_under, cost
from _versioning_data import MORE, Cells, Csv, sides
from _versioning_peers import Peer, Told, joined, median

CANNOT = "cannot: whole files"
ENVIRONMENT = os.environ | {
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_AUTHOR_NAME": "bench",
    "GIT_AUTHOR_EMAIL": "bench@localhost",
    "GIT_COMMITTER_NAME": "bench",
    "GIT_COMMITTER_EMAIL": "bench@localhost",
}
PEAK_OF = (
    "import resource, subprocess, sys; subprocess.run(sys.argv[1:], check=True);"
    "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
)


@dataclass(frozen=True)
class Files:
    """A folder with the table as CSV, and git's commands in it."""

    root: Path
    table: Csv

    @property
    def file(self) -> Path:
        return self.root / "t.csv"

    def change(self, cells: Cells) -> None:
        self.table.change(cells)
        self.table.write(self.file)

    def git(self, *arguments: str, check: bool = True, given: bytes | None = None) -> bytes:
        done = subprocess.run(
            ["git", *arguments],
            cwd=self.root,
            env=ENVIRONMENT,
            check=False,
            capture_output=True,
            input=given,
        )
        if check and done.returncode:
            raise SystemExit(f"git {arguments[0]}: {done.stderr.decode()}")
        return done.stdout

    def start(self) -> None:
        self.root.mkdir()
        self.git("init", "-q", "-b", "main")
        self.table.write(self.file)

    def looked_at(self) -> Told:
        return {
            "status": median(lambda _: self.git("status")),
            "log": median(lambda _: self.git("log", "-5")),
        }


def measured(
    files: Files,
    save: Callable[[], None],
    read: Callable[[int], bytes],
    compare: Callable[[], Told],
    late: Callable[[], Told],
    commits: int,
    keep: Callable[[], None] = lambda: None,
) -> Told:
    """keep: what is done before each commit but the first, and not counted."""

    def commit(cells: Cells) -> float:
        keep()
        files.change(cells)
        return cost(save)

    return Peer(
        # What lies beside the table is what keeps its versions.
        lambda: bytes_under(files.root) - files.file.stat().st_size,
        save,
        commit,
        lambda back: to_arrow(read(back)),
        lambda back: counted(read(back)),
        compare,
        late,
        commits,
        few=3,
        many=1,
    ).measured()


def cannot_compare() -> Told:
    return dict.fromkeys(("diff", "merge", "conflicts", "joined"), CANNOT)


def to_arrow(raw: bytes, columns: list[str] | None = None) -> Any:
    import pyarrow as pa
    from pyarrow import csv

    wanted = csv.ConvertOptions(include_columns=columns or [])
    return csv.read_csv(pa.BufferReader(raw), convert_options=wanted)


def counted(raw: bytes) -> Any:
    return to_arrow(raw, ["label"])["label"].value_counts()


def git(root: Path) -> Told:
    files = Files(root / "r", Csv())
    files.start()

    def save() -> None:
        files.git("add", "t.csv")
        files.git("commit", "-q", "-m", "edits")

    def merge() -> Told:
        both = sides()
        first = files.git("rev-list", "--max-parents=0", "HEAD").decode().strip()
        for name, cells in (("theirs", both.theirs), ("ours", both.ours)):
            files.git("checkout", "-q", "-b", name, first)
            Files(files.root, Csv()).change(cells)
            save()
        spent = cost(lambda: files.git("merge", "theirs", check=False)) * 1000
        merged = files.file.read_text().splitlines()
        rows = {line.split(",")[0]: line.split(",") for line in merged if "," in line}
        held = joined(both, lambda key: (rows[str(key)][1], float(rows[str(key)][3])))
        files.git("merge", "--abort")
        files.git("checkout", "-q", "main")
        hunks = sum(line.startswith("<<<<<<<") for line in merged)
        return {"merge": spent, "conflicts": hunks, "joined": held}

    def compare() -> Told:
        lines: list[bytes] = []
        spent = cost(lambda: lines.extend(files.git("diff", "-U0", "HEAD~1").splitlines()))
        if sum(line.startswith(b"+") for line in lines) != MORE + 1:
            raise SystemExit("the diff of git does not list 1,000 rows")
        return {"diff": spent * 1000, **merge()}

    def late() -> Told:
        told = {**files.looked_at(), "blame": cost(lambda: files.git("blame", "t.csv"))}
        # Through one more process, for the peak of a process counts that of what started it.
        command = [sys.executable, "-c", PEAK_OF, "git", "gc", "-q"]
        done = subprocess.run(
            command, cwd=files.root, env=ENVIRONMENT, check=True, capture_output=True
        )
        return {**told, "fold_rss": int(done.stdout) / 1024}

    def read(back: int) -> bytes:
        return files.git("show", f"HEAD~{back}:t.csv")

    return measured(files, save, read, compare, late, commits=10)


def git_lfs(root: Path) -> Told:
    found = subprocess.run(["git", "lfs", "version"], capture_output=True, text=True, check=False)
    if found.returncode:
        raise SystemExit("`git lfs version` fails: git-lfs is not installed")
    files = Files(root / "r", Csv())
    files.start()
    files.git("lfs", "install", "--local")
    files.git("lfs", "track", "t.csv")

    def save() -> None:
        files.git("add", ".gitattributes", "t.csv")
        files.git("commit", "-q", "-m", "edits")

    def read(back: int) -> bytes:
        pointer = files.git("show", f"HEAD~{back}:t.csv")
        return files.git("lfs", "smudge", given=pointer)

    return measured(files, save, read, cannot_compare, files.looked_at, commits=5)


def dvc(root: Path) -> Told:
    os.environ.update(ENVIRONMENT, DVC_NO_ANALYTICS="1")
    import dvc.api
    from dvc.repo import Repo

    files = Files(root / "r", Csv())
    files.start()
    # In this process: each run of the program `dvc` takes 0.8 s more.
    held = Repo.init(str(files.root))

    def save() -> None:
        held.add(str(files.file))
        files.git("add", "t.csv.dvc", ".gitignore", ".dvc")
        files.git("commit", "-q", "-m", "edits")

    def read(back: int) -> bytes:
        place = {"repo": str(files.root), "rev": f"HEAD~{back}"}
        with dvc.api.open("t.csv", mode="rb", **place) as file:
            raw: bytes = file.read()
        return raw

    return measured(files, save, read, cannot_compare, files.looked_at, commits=5)


def oxen(root: Path) -> Told:
    os.environ["HOME"] = str(root)
    import oxen

    files = Files(root / "r", Csv())
    files.root.mkdir()
    files.table.write(files.file)
    oxen.user.config_user("bench", "bench@localhost")
    held = oxen.Repo(str(files.root))
    held.init()
    made: list[str] = []

    def save() -> None:
        held.add(str(files.file))
        held.commit("edits")

    def keep() -> None:
        """An older commit is reached by a branch only, which has to be made while it is newest."""
        held.checkout(f"v{len(made)}", create=True)
        made.append(held.current_branch.name)
        held.checkout("main")

    def read(back: int) -> bytes:
        if back:
            held.checkout(made[-back])
        raw = files.file.read_bytes()
        if back:
            held.checkout("main")
        return raw

    def compare() -> Told:
        # Between files, for between commits it compares text only.
        old, new = root / "old.csv", root / "new.csv"
        old.write_bytes(read(1))
        new.write_bytes(read(0))
        found: list[Any] = []
        spent = cost(lambda: found.append(oxen.diff(str(old), to=str(new), keys=["id"]).get()))
        if found[0].data.shape[0] != MORE:
            raise SystemExit(f"the diff of Oxen lists other than 1,000 rows: {found[0]}")
        return {**cannot_compare(), "diff": spent * 1000}

    def late() -> Told:
        return dict.fromkeys(("status", "log"), "not measured: no program in its package")

    return measured(files, save, read, compare, late, commits=5, keep=keep)


PEERS: dict[str, Callable[[Path], Told]] = {
    "git": git,
    "git-lfs": git_lfs,
    "dvc": dvc,
    "oxen": oxen,
}
