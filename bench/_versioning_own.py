"""The part of sw2 in `versioning.py`. Each step runs in a process of its own, so that one finds
nothing in memory that another read, and each peak of memory is its own."""

import itertools
import json
import shutil
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pyarrow as pa
from _bench import bytes_under, cost, peak
from _versioning_data import EDITS, MORE, WORDS, Cells, batches, table

from sw2.repo import Edit, Repository
from sw2.table import Schema
from sw2.values import Origin

REPEATS = 3
# Commits whose cost is measured, after the first one.
COMMITS, FEWER = 20, 5
# A chain of so many commits gets a fold, as the design says.
RUN = 64
PERSON = Origin("bench", source="versioning.py", why="looked again")
Told = dict[str, Any]


def step(name: str, *arguments: str | int | Path) -> Told:
    """What a step prints, which `versioning.py --own NAME ARGUMENTS...` runs. A step that fails
    shows its traceback and ends the benchmark."""
    command = [sys.executable, str(Path(__file__).with_name("versioning.py")), "--own", name]
    done = subprocess.run([*command, *map(str, arguments)], stdout=subprocess.PIPE, check=True)
    told: Told = json.loads(done.stdout)
    return told


def importing(root: Path, file: Path) -> Told:
    """A new repository at `root` with the table, from Arrow IPC that is mapped into memory."""
    given = pa.ipc.open_file(pa.memory_map(str(file))).read_all()
    repository = Repository.init(root)
    seconds = cost(
        lambda: (
            repository.stage_rows(given, Origin("bench", "import"), "import", _schema()),
            repository.commit("import", "bench"),
        )
    )
    repository.close()
    return {"import": seconds, "rss": peak(), "store": bytes_under(root / ".sw2") / 1e6}


def write_input(file: Path, rows: int) -> Told:
    given = _input(rows)
    with pa.OSFile(str(file), "wb") as sink, pa.ipc.new_file(sink, given.schema) as writer:
        writer.write_table(given)
    return {}


def _input(rows: int) -> pa.Table:
    return pa.table(
        {
            name: pa.DictionaryArray.from_arrays(pa.array(values, pa.int32()), WORDS[name])
            if name in WORDS
            else pa.array(values)
            for name, values in table(rows).items()
        }
    )


def _schema() -> Schema:
    schema = Schema.create("examples", "id", {"id": "int"})
    schema = schema.add("label", "category", WORDS["label"])
    schema = schema.add("annotator", "category", WORDS["annotator"]).add("confidence", "float")
    return schema.add("split", "category", WORDS["split"]).add("updated_at", "timestamp")


def commit(repository: Repository, cells: Cells) -> None:
    edits = [
        Edit(key, column, value) for key, row in cells.items() for column, value in row.items()
    ]
    repository.edit(edits, PERSON, "edits")
    repository.commit("edits", "bench")


def committing(root: Path, edits: int, rows: int, count: int) -> Told:
    """`count` commits of a warm process: median ms, and mean bytes of all of `.sw2`."""
    given = batches(edits, rows)
    spent(root, [next(given)])
    before = bytes_under(root / ".sw2")
    costs = spent(root, itertools.islice(given, count + 1))
    grown = bytes_under(root / ".sw2") - before
    return {"ms": statistics.median(costs[1:]), "bytes": grown / (count + 1)}


def spent(root: Path, given: Iterable[Cells]) -> list[float]:
    """Milliseconds of each commit. The repository is opened before and closed after them, so that
    SQLite's log is folded into its file: the log is reused, not kept."""
    repository = Repository.open(root)
    costs = [cost(lambda cells=cells: commit(repository, cells)) * 1000 for cells in given]
    repository.close()
    return costs


def editing(root: Path) -> Told:
    """Commits of 200 and of 1,000 edits, then the diff of the newest one."""
    few = committing(root, EDITS, _rows(root), COMMITS)
    many = committing(root, MORE, _rows(root), FEWER)
    listed: list[tuple[Any, ...]] = []

    def diff(back: int) -> None:
        repository = Repository.open(root)
        changes = repository.diff(f"HEAD~{back + 1}", f"HEAD~{back}")
        listed[:] = [
            (e.key, e.column, e.old, e.new, e.origin.by, e.origin.why, e.at) for e in changes.edits
        ]
        repository.close()

    # The last `FEWER` commits, each with an opened repository that has read nothing yet.
    costs = [cost(lambda back=back: diff(back)) for back in range(FEWER + 1)]
    if len({cell[0] for cell in listed}) != MORE or any(not cell[5] for cell in listed):
        raise SystemExit(f"the diff lists {len(listed)} cells of other than {MORE} rows")
    return {"few": few, "many": many, "diff": statistics.median(costs[1:]) * 1000}


def _rows(root: Path) -> int:
    repository = Repository.open(root)
    try:
        return repository.snapshot().rows
    finally:
        repository.close()


def growing(root: Path, start: int, stop: int) -> Told:
    """Commits `start` to `stop` of a history, 200 edits each."""
    before = bytes_under(root / ".sw2")
    costs = spent(root, itertools.islice(batches(seed=42), start, stop))
    return {"ms": costs[1:], "bytes": bytes_under(root / ".sw2") - before}


def reading(root: Path, rev: str) -> Told:
    """The whole table to Arrow, in a process that has read nothing before."""
    repository = Repository.open(root)
    return {"s": cost(lambda: repository.read(rev=rev))}


def read(root: Path, rev: str) -> float:
    """Median of several processes."""
    return statistics.median(step("read", root, rev)["s"] for _ in range(REPEATS))


def copied(root: Path, name: str) -> Path:
    """A copy of a repository, so that steps do not build on one another."""
    return Path(shutil.copytree(root, root.with_name(name)))


STEPS: dict[str, Callable[..., Told]] = {
    "input": lambda file, rows: write_input(Path(file), int(rows)),
    "import": lambda root, file: importing(Path(root), Path(file)),
    "edits": lambda root: editing(Path(root)),
    "commits": lambda root, rows: committing(Path(root), EDITS, int(rows), COMMITS),
    "grow": lambda root, start, stop: growing(Path(root), int(start), int(stop)),
    "read": lambda root, rev: reading(Path(root), rev),
}
