"""What does a commit of scattered edits cost, and the table under it?

    python bench/table.py [--quick] [--json]

Input, from a seed: 1,000,000 rows x 6 columns (id int; label, one of 10; annotator, one of 20;
confidence, 3 decimals; split; updated_at, in ms). A commit changes 200 scattered rows in four
columns (label, annotator, confidence, updated_at). All in one warm process, CPU seconds of all
its threads; the median where there is more than one. The table is read by a process that has
read nothing before, after all commits.

Peers do the same work, each in its own way: Lance (pylance) by merge_insert on the id, DoltLite by
UPDATE and dolt_commit. Exits 1 when a figure misses its bar."""

import itertools
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

ROWS, EDITS = 1_000_000, 200
# Commits measured at first, and commits after which as many are measured again.
COMMITS, LATER = 20, 200
LABELS = [f"class-{number}" for number in range(10)]
ANNOTATORS = [f"annotator-{number:02d}" for number in range(20)]
SPLITS = ["train", "val", "test"]
NAMES = ["id", "label", "annotator", "confidence", "split", "updated_at"]
START = 1_700_000_000_000
Batch = list[tuple[int, str, str, float, int]]
PEERS = {"lance": ("pylance==14.0.2", "numpy"), "doltlite": ("doltlite==0.51.3", "numpy")}


def table() -> dict[str, np.ndarray[Any, Any]]:
    """Columns of numpy arrays; text columns as numbers of their words."""
    rng = np.random.default_rng(2017)
    return {
        "id": np.arange(ROWS, dtype=np.int64) * 3 + 7,
        "label": rng.integers(0, 10, ROWS),
        "annotator": rng.integers(0, 20, ROWS),
        "confidence": rng.integers(0, 1001, ROWS) / 1000,
        "split": rng.choice(3, ROWS, p=[0.8, 0.1, 0.1]),
        "updated_at": START + np.sort(rng.integers(0, 30 * 86_400_000, ROWS)),
    }


def edits() -> Iterator[Batch]:
    """Endless batches of (id, label, annotator, confidence, updated_at)."""
    rng = np.random.default_rng(1998)
    for number in itertools.count():
        rows = np.sort(rng.choice(ROWS, EDITS, replace=False))
        at = START + 40 * 86_400_000 + number * 3_600_000
        yield [
            (
                int(row) * 3 + 7,
                LABELS[rng.integers(10)],
                ANNOTATORS[rng.integers(20)],
                int(rng.integers(1001)) / 1000,
                at + place * 7_919,
            )
            for place, row in enumerate(rows)
        ]


def cost(work: Callable[[], object]) -> float:
    started = time.process_time()
    work()
    return time.process_time() - started


def late(commit: Callable[[Batch], object], batches: Iterator[Batch]) -> float:
    """Median milliseconds of a commit when there are many before it."""
    for batch in itertools.islice(batches, LATER - COMMITS):
        commit(batch)
    costs = [
        cost(lambda batch=batch: commit(batch)) for batch in itertools.islice(batches, COMMITS)
    ]
    return statistics.median(costs) * 1000


def bytes_under(folder: Path, pattern: str = "**/*") -> int:
    return sum(path.stat().st_size for path in folder.glob(pattern) if path.is_file())


# sw2


def sw2(root: Path) -> dict[str, float]:
    from sw2.repo import Repository

    rows, schema, person = _sw2_input()
    repository = Repository.init(root)
    imported = cost(
        lambda: (
            repository.stage_rows(rows, person, "import", schema),
            repository.commit("import", "bench"),
        )
    )
    repository.close()
    folder = root / ".sw2"
    store = bytes_under(folder)
    repository = Repository.open(root)
    batches, costs = edits(), []
    _sw2_commit(repository, next(batches))  # so that the process is warm
    repository.close()
    whole, packs = bytes_under(folder), bytes_under(folder, "packs/**/*")
    repository = Repository.open(root)
    _sw2_commit(repository, next(batches))
    for batch in itertools.islice(batches, COMMITS):
        costs.append(cost(lambda batch=batch: _sw2_commit(repository, batch)))
    # Closed, so that SQLite's log is folded into its file: the log is reused, not kept.
    repository.close()
    grown = bytes_under(folder) - whole, bytes_under(folder, "packs/**/*") - packs
    repository = Repository.open(root)
    _sw2_commit(repository, next(batches))
    later = late(lambda batch: _sw2_commit(repository, batch), batches)
    repository.close()
    return {
        "import": imported,
        "store": store / 1e6,
        "commit": statistics.median(costs) * 1000,
        "late": later,
        "packs": grown[1] / (COMMITS + 1),
        "whole": grown[0] / (COMMITS + 1),
        "read": cost(lambda: Repository.open(root).read()),
    }


def _sw2_input() -> tuple[Any, Any, Any]:
    import pyarrow as pa

    from sw2.table import Schema
    from sw2.values import Origin

    columns = table()
    words = {"label": LABELS, "annotator": ANNOTATORS, "split": SPLITS}
    rows = pa.table(
        {
            name: pa.DictionaryArray.from_arrays(pa.array(values, pa.int32()), words[name])
            if name in words
            else pa.array(values)
            for name, values in columns.items()
        }
    )
    schema = Schema.create("examples", "id", {"id": "int"})
    schema = schema.add("label", "category", LABELS).add("annotator", "category", ANNOTATORS)
    schema = schema.add("confidence", "float").add("split", "category", SPLITS)
    return rows, schema.add("updated_at", "timestamp"), Origin("bench", "import")


def _sw2_commit(repository: Any, batch: Batch) -> None:
    from sw2.repo import Edit
    from sw2.values import Origin

    columns = ("label", "annotator", "confidence", "updated_at")
    wishes = [
        Edit(key, column, value)
        for key, *cells in batch
        for column, value in zip(columns, cells, strict=True)
    ]
    repository.edit(wishes, Origin("bench"), "200 edits")
    repository.commit("200 edits", "bench")


# Peers, each run by the Python of its own environment: `table.py --peer NAME FOLDER`


def committed(root: Path, commit: Callable[[Batch], object]) -> dict[str, float]:
    """What a peer's commits cost; the first one, which may set things up, is not counted."""
    store, batches = bytes_under(root), edits()
    commit(next(batches))
    before = bytes_under(root)
    costs = [
        cost(lambda batch=batch: commit(batch)) for batch in itertools.islice(batches, COMMITS)
    ]
    grown = bytes_under(root) - before
    return {
        "store": store / 1e6,
        "commit": statistics.median(costs) * 1000,
        "late": late(commit, batches),
        "whole": grown / COMMITS,
    }


def lance(root: Path) -> dict[str, float]:
    import lance as library
    import pyarrow as pa

    columns, target = table(), str(root / "t.lance")
    words = {"label": LABELS, "annotator": ANNOTATORS, "split": SPLITS}
    rows = pa.table(
        {
            name: pa.array(np.array(words[name])[values]) if name in words else pa.array(values)
            for name, values in columns.items()
        }
    )
    imported = cost(lambda: library.write_dataset(rows, target))
    held = library.dataset(target)

    def commit(batch: Batch) -> None:
        names = ["id", "label", "annotator", "confidence", "updated_at"]
        new = pa.table(dict(zip(names, map(list, zip(*batch, strict=True)), strict=True)))
        held.merge_insert("id").when_matched_update_all().execute(new)

    return {
        "import": imported,
        **committed(root, commit),
        "read": cost(lambda: library.dataset(target).to_table()),
    }


def doltlite(root: Path) -> dict[str, float]:
    import doltlite  # noqa: F401 (puts itself in place of SQLite, so it comes first)
    import sqlite3  # isort: skip

    columns = table()
    words = {"label": LABELS, "annotator": ANNOTATORS, "split": SPLITS}
    texts = [
        [words[n][v] for v in columns[n]] if n in words else columns[n].tolist() for n in NAMES
    ]
    database = sqlite3.connect(str(root / "t.db"), isolation_level=None)

    def load() -> None:
        database.execute(
            "CREATE TABLE t(id INTEGER PRIMARY KEY, label TEXT, annotator TEXT, confidence REAL,"
            " split TEXT, updated_at INTEGER)"
        )
        database.execute("BEGIN")
        database.executemany("INSERT INTO t VALUES(?,?,?,?,?,?)", zip(*texts, strict=True))
        database.execute("COMMIT")
        database.execute("SELECT dolt_commit('-A', '-m', 'import')").fetchall()

    def commit(batch: Batch) -> None:
        database.execute("BEGIN")
        database.executemany(
            "UPDATE t SET label=?, annotator=?, confidence=?, updated_at=? WHERE id=?",
            [(*cells, key) for key, *cells in batch],
        )
        database.execute("COMMIT")
        database.execute("SELECT dolt_commit('-A', '-m', '200 edits')").fetchall()

    imported = cost(load)
    return {
        "import": imported,
        **committed(root, commit),
        "read": cost(lambda: database.execute("SELECT * FROM t").fetchall()),
    }


def as_peer(name: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        print(json.dumps({"lance": lance, "doltlite": doltlite}[name](Path(folder))))


def main() -> int:
    from _bench import Figure, Options, figures_of, peer, run

    def measure(options: Options) -> Iterator[Figure]:
        with tempfile.TemporaryDirectory() as folder:
            own = sw2(Path(folder))
        peers = {
            name: peer(name, wanted, Path(__file__), "--peer", name)
            for name, wanted in ({} if options.quick else PEERS).items()
        }
        for name, key, unit, bar in (
            ("200 edits and their commit", "commit", "CPU ms", 20),
            (f"the same after {LATER} commits", "late", "CPU ms", 20),
            ("bytes of such a commit, packs", "packs", "bytes", 4500),
            ("bytes of such a commit, all of .sw2", "whole", "bytes", 4500),
            ("whole table to Arrow", "read", "CPU s", 0.5),
            ("store of 1,000,000 rows", "store", "MB", 9),
            ("import of 1,000,000 rows", "import", "CPU s", None),
        ):
            told = {} if key == "packs" else figures_of(peers, key)
            yield Figure(name, own[key], unit, bar, told)

    return run(__doc__ or "", measure)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--peer"]:
        as_peer(sys.argv[2])
    else:
        sys.exit(main())
