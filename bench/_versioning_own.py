"""The part of sw2 in `versioning.py`. Each step runs in a process of its own, so that one finds
nothing in memory that another read, and each peak of memory is its own."""

import itertools
import json
import shutil
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
from _bench import bytes_under, cost, peak
from _versioning_data import (
    EDITS,
    MORE,
    WORDS,
    Cells,
    Sides,
    batches,
    row_of,
    sides,
    spelled,
    table,
)

from sw2.repo import Changes, Edit, Repository
from sw2.table import Schema
from sw2.values import Origin

REPEATS, MERGES = 3, 5
# Commits whose cost is measured, after the first one.
COMMITS, DIFFS = 20, 5
# A chain of so many commits gets a fold, as the design says.
RUN = 64
PERSON = Origin("bench", source="versioning.py", why="looked again")
Told = dict[str, Any]
Cell = tuple[Any, ...]


def step(name: str, *arguments: str | int | Path) -> Told:
    """What a step prints, which `versioning.py --own NAME ARGUMENTS...` runs. A step that fails
    shows its traceback and ends the benchmark."""
    command = [sys.executable, str(Path(__file__).with_name("versioning.py")), "--own", name]
    done = subprocess.run([*command, *map(str, arguments)], stdout=subprocess.PIPE, check=True)
    told: Told = json.loads(done.stdout)
    return told


def held(root: Path) -> int:
    """Bytes of a repository: all of `.sw2` but its cache, which may be deleted at any time."""
    return bytes_under(root / ".sw2", "cache")


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
    return {"import": seconds, "rss": peak(), "store": held(root) / 1e6}


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
    before = held(root)
    costs = spent(root, itertools.islice(given, count + 1))
    grown = held(root) - before
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
    many = committing(root, MORE, _rows(root), COMMITS)
    cells: list[Cell] = []

    def diff(back: int) -> None:
        repository = Repository.open(root)
        cells[:] = listed(repository.diff(f"HEAD~{back + 1}", f"HEAD~{back}"))
        repository.close()

    # The last `DIFFS` commits, each with an opened repository that has read nothing yet.
    costs = [cost(lambda back=back: diff(back)) for back in range(DIFFS + 1)]
    if len({key for key, *_ in cells}) != MORE or not all(why for *_, why in cells):
        raise SystemExit(f"the diff lists {len(cells)} cells of other than {MORE} rows")
    return {"few": few, "many": many, "diff": statistics.median(costs[1:]) * 1000}


def listed(changes: Changes) -> list[Cell]:
    """What a person reads of a diff."""
    return [(e.key, e.column, e.old, e.new, e.at, e.origin.by, e.origin.why) for e in changes.edits]


def _rows(root: Path) -> int:
    repository = Repository.open(root)
    try:
        return repository.snapshot().rows
    finally:
        repository.close()


def merging(root: Path) -> Told:
    """Merges of two sides that left the import, each checked cell by cell."""
    repository = Repository.open(root)
    start = repository.commit_of("HEAD").name
    costs, reports = [], []
    for number in range(MERGES + 1):
        both = sides(number)
        for name, cells in (("theirs", both.theirs), ("ours", both.ours)):
            repository.create_branch(f"{name}-{number}", start)
            repository.switch(f"{name}-{number}")
            commit(repository, cells)
        merge = partial(repository.merge, f"theirs-{number}", "bench")
        costs.append(cost(lambda merge=merge: reports.append(merge())))
    waiting = repository.read(["row", "column"], table="conflicts").to_pylist()
    held = {(int(each["row"]), each["column"]) for each in waiting}
    expected = {(key, "label") for key in both.conflicts}
    return {
        "ms": statistics.median(costs[1:]) * 1000,
        "conflicts": reports[-1].conflicts,
        "joined": reports[-1].joined,
        "wrong": len(held ^ expected) + _wrong(repository, both),
    }


def _wrong(repository: Repository, both: Sides) -> int:
    """Cells other than both sides make of them; ours, where they are in conflict."""
    names = ["label", "annotator", "confidence", "updated_at"]
    read = repository.read(["id", *names])
    columns = {name: read[name].to_pylist() for name in names}
    columns["updated_at"] = read["updated_at"].cast(pa.int64()).to_pylist()
    expected = {name: spelled(name, values).tolist() for name, values in table().items()}
    for cells in (both.theirs, both.ours):
        for key, row in cells.items():
            for name, value in row.items():
                expected[name][row_of(key)] = value
    return sum(
        one != other
        for name in names
        for one, other in zip(columns[name], expected[name], strict=True)
    )


def growing(root: Path, start: int, stop: int) -> Told:
    """Commits `start` to `stop` of a history, 200 edits each."""
    before = held(root)
    costs = spent(root, itertools.islice(batches(seed=42), start, stop))
    return {"ms": costs[1:], "bytes": held(root) - before}


def reading(root: Path, rev: str) -> Told:
    """The whole table to Arrow, in a process that has read nothing before."""
    repository = Repository.open(root)
    return {"s": cost(lambda: repository.read(rev=rev))}


def folding(root: Path) -> Told:
    """What `sw2 fold` does, in a process of its own."""
    from sw2.repo.folding import fold

    before = held(root)
    repository = Repository.open(root)
    seconds = cost(lambda: fold(repository))
    repository.close()
    return {"s": seconds, "bytes": held(root) - before, "rss": peak()}


def grown(root: Path, start: int, stop: int) -> Told:
    """Commits `start` to `stop`, with a fold after each `RUN` of them, as in use."""
    told: Told = {"ms": [], "bytes": 0, "folded": 0, "rss": 0.0, "s": 0.0}
    while start < stop:
        end = min(stop, (start // RUN + 1) * RUN)
        made = step("grow", root, start, end)
        told["ms"] += made["ms"]
        told["bytes"] += made["bytes"]
        if end % RUN == 0:
            fold = step("fold", root)
            told["folded"] += fold["bytes"]
            told["s"] += fold["s"]
            told["rss"] = max(told["rss"], fold["rss"])
        start = end
    return told


def counting(root: Path, back: int) -> Told:
    """Rows of each label at old versions of a process that has asked of another one before."""
    from sw2.query import query

    repository = Repository.open(root)
    text = "SELECT label, count(*) FROM examples GROUP BY label"

    def count(number: int) -> None:
        if query(repository, text, f"HEAD~{number}").num_rows != len(WORDS["label"]):
            raise SystemExit("a label is missing")

    versions = range(back, back + REPEATS + 1)
    costs = [cost(lambda number=number: count(number)) for number in versions]
    return {"ms": statistics.median(costs[1:]) * 1000}


def comparing(root: Path, commits: int) -> Told:
    """The diff of so many commits of a long history."""
    repository = Repository.open(root)
    return {"ms": cost(lambda: listed(repository.diff(f"HEAD~{commits}", "HEAD"))) * 1000}


def blaming(root: Path) -> Told:
    repository = Repository.open(root)
    return {"s": cost(lambda: repository.blame_column("label"))}


def typical(repeats: int, name: str, key: str, *arguments: str | int | Path) -> float:
    """Median of several processes."""
    return statistics.median(step(name, *arguments)[key] for _ in range(repeats))


def program(repeats: int, root: Path, *arguments: str) -> float:
    """CPU seconds of the whole process `sw2 ARGUMENTS`."""
    command = [sys.executable, "-c", "from sw2.cli import main; main()", *arguments]

    def work() -> None:
        subprocess.run(command, cwd=root, check=True, stdout=subprocess.DEVNULL)

    return statistics.median(cost(work) for _ in range(repeats))


def copied(root: Path, name: str) -> Path:
    """A copy of a repository, so that steps do not build on one another."""
    return Path(shutil.copytree(root, root.with_name(name)))


STEPS: dict[str, Callable[..., Told]] = {
    "input": lambda file, rows: write_input(Path(file), int(rows)),
    "import": lambda root, file: importing(Path(root), Path(file)),
    "edits": lambda root: editing(Path(root)),
    "commits": lambda root, rows: committing(Path(root), EDITS, int(rows), COMMITS),
    "merge": lambda root: merging(Path(root)),
    "grow": lambda root, start, stop: growing(Path(root), int(start), int(stop)),
    "fold": lambda root: folding(Path(root)),
    "read": lambda root, rev: reading(Path(root), rev),
    "count": lambda root, back: counting(Path(root), int(back)),
    "compare": lambda root, commits: comparing(Path(root), int(commits)),
    "blame": lambda root: blaming(Path(root)),
}
