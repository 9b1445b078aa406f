"""The peers of `versioning.py` that keep rows, and how any peer is measured; those that keep files
are in `_versioning_files.py`. Each is run by the Python of its own environment."""

import contextlib
import itertools
import shutil
import statistics
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from _bench import bytes_under, cost
from _versioning_data import (
    EDITS,
    MORE,
    Cells,
    Sides,
    batches,
    by_columns,
    sides,
    spelled,
    table,
)

EARLY, LATE = 50, 1_000
Told = dict[str, Any]
NO_PROCESS = "has no program"


@dataclass(frozen=True)
class Peer:
    """How one peer does each step.

    store: what its files weigh.  commit: makes one, and returns its CPU seconds.  read, count: the
    whole table, and the rows of each label, as they were so many commits ago.  compare: diff and
    merge, after a commit of 1,000 edits.  late: what is told at the end.  few, many: how many
    commits of 200 and of 1,000 edits are measured."""

    store: Callable[[], int]
    load: Callable[[], object]
    commit: Callable[[Cells], float]
    read: Callable[[int], object]
    count: Callable[[int], object]
    compare: Callable[[], Told]
    late: Callable[[], Told]
    commits: int
    few: int = 20
    many: int = 5

    def measured(self) -> Told:
        told: Told = {"import": cost(self.load), "store": self.store() / 1e6}
        few, many = batches(EDITS), batches(MORE)
        self.commit(next(few))  # the first one may set things up
        for name, given, count in (("few", few, self.few), ("many", many, self.many)):
            before = self.store()
            told[name] = self._typical(itertools.islice(given, count))
            told[f"{name}_bytes"] = (self.store() - before) / count
        told |= self.compare()
        done = 1 + self.few + self.many
        for _ in range(done, min(EARLY, self.commits)):
            self.commit(next(few))
        if self.commits > EARLY:
            told["early"] = median(lambda _: self.read(0))
            last = [self.commit(next(few)) for _ in range(EARLY, self.commits)][-EARLY:]
            told["last"] = statistics.median(last) * 1000
        done = max(done, self.commits)
        head = median(lambda _: self.read(0))
        told |= {
            "commits": done,
            "read": head,
            "first": median(lambda _: self.read(done)) / head,
            "middle": median(lambda _: self.read(done // 2)) / head,
            "count": median(lambda back: self.count(done // 2 + back)) * 1000,
        }
        return told | self.late()

    def _typical(self, given: Iterable[Cells]) -> float:
        return statistics.median(map(self.commit, given)) * 1000


def median(work: Callable[[int], object], repeats: int = 3) -> float:
    return statistics.median(cost(lambda n=n: work(n)) for n in range(repeats))


def joined(both: Sides, row_of: Callable[[int], tuple[str, float] | None]) -> int:
    """How many rows hold what either side decided. row_of: label and confidence of an id."""
    return sum(
        row_of(key) == (both.ours[key]["label"], both.theirs[key]["confidence"])
        for key in both.joined
    )


def doltlite(root: Path) -> Told:
    import doltlite  # noqa: F401 (puts itself in place of SQLite, so it comes first)
    import sqlite3  # isort: skip

    texts = [spelled(name, values).tolist() for name, values in table().items()]
    file = root / "t.db"
    database = sqlite3.connect(str(file), isolation_level=None)
    names: list[str] = []

    def ask(text: str, *values: object, of: sqlite3.Connection = database) -> list[Any]:
        return of.execute(text, values).fetchall()

    def fresh() -> sqlite3.Connection:
        return sqlite3.connect(str(file), isolation_level=None)

    def load() -> None:
        ask(
            "CREATE TABLE t(id INTEGER PRIMARY KEY, label TEXT, annotator TEXT, confidence REAL,"
            " split TEXT, updated_at INTEGER)"
        )
        ask("BEGIN")
        database.executemany("INSERT INTO t VALUES(?,?,?,?,?,?)", zip(*texts, strict=True))
        ask("COMMIT")
        names.append(ask("SELECT dolt_commit('-A', '-m', 'import')")[0][0])

    def change(cells: Cells) -> None:
        ask("BEGIN")
        for columns, rows in by_columns(cells).items():
            wanted = ", ".join(f"{column}=?" for column in columns)
            database.executemany(f"UPDATE t SET {wanted} WHERE id=?", rows)
        ask("COMMIT")
        names.append(ask("SELECT dolt_commit('-A', '-m', 'edits')")[0][0])

    def merge(number: int) -> Told:
        both = sides(number)
        for name, cells in (("theirs", both.theirs), ("ours", both.ours)):
            ask("SELECT dolt_branch(?, ?)", f"{name}{number}", names[0])
            ask("SELECT dolt_checkout(?)", f"{name}{number}")
            change(cells)
            names.pop()
        ask("BEGIN")
        found: list[Any] = []

        def work() -> None:
            # It raises when there are conflicts, and has merged the rest.
            with contextlib.suppress(sqlite3.Error):
                ask("SELECT dolt_merge(?)", f"theirs{number}")
            found.extend(ask("SELECT * FROM dolt_conflicts_t"))

        spent = cost(work) * 1000
        ask("SELECT dolt_conflicts_resolve('--ours', 't')")
        ask("SELECT dolt_commit('-A', '-m', 'merge')")
        ask("COMMIT")
        row = "SELECT label, confidence FROM t WHERE id=?"
        told: Told = {"joined": joined(both, lambda key: ask(row, key)[0])}
        ask("SELECT dolt_checkout('main')")
        return told | {"merge": spent, "conflicts": len(found)}

    def compare() -> Told:
        listing = "SELECT * FROM dolt_diff_t('HEAD~1', 'HEAD')"
        seen = median(lambda _: ask(listing, of=fresh()))
        told = [merge(number) for number in range(3)]
        spent = statistics.median(each["merge"] for each in told)
        return {**told[0], "merge": spent, "diff": seen * 1000}

    def read(back: int) -> None:
        ask("SELECT * FROM dolt_at_t(?)" if back else "SELECT * FROM t", *_at(back), of=fresh())

    def _at(back: int) -> list[str]:
        return [names[-1 - back]] if back else []

    def late() -> Told:
        # At 1,000 commits it had not ended after 6 minutes.
        ask("SELECT dolt_branch('early', ?)", names[EARLY])
        ask("SELECT dolt_checkout('early')")
        seconds = cost(lambda: ask("SELECT * FROM dolt_blame_t"))
        told = f"{seconds:.3g} after {EARLY} commits, whole rows"
        return {"blame": told, "status": NO_PROCESS, "log": NO_PROCESS}

    counting = "SELECT label, count(*) FROM dolt_at_t(?) GROUP BY label"
    return Peer(
        lambda: bytes_under(root),
        load,
        lambda cells: cost(lambda: change(cells)),
        read,
        lambda back: ask(counting, *_at(back)),
        compare,
        late,
        commits=LATE,
    ).measured()


def lance(root: Path) -> Told:
    import lance as library
    import pyarrow as pa

    rows = pa.table({name: pa.array(spelled(name, values)) for name, values in table().items()})
    target = str(root / "t.lance")
    made: list[int] = []
    whole: list[int] = []  # bytes after the import
    folding: list[int] = []

    def upsert(held: Any, cells: Cells) -> None:
        new = pa.Table.from_pylist([{"id": key, **row} for key, row in cells.items()])
        held.merge_insert("id").when_matched_update_all().execute(new)

    def load() -> None:
        made.append(library.write_dataset(rows, target).version)
        whole.append(bytes_under(root))

    def commit(cells: Cells) -> float:
        held = library.dataset(target)
        spent = cost(lambda: upsert(held, cells))
        made.append(held.version)
        if len(made) % EARLY == 1:  # or its commits and manifests grow without end
            before = bytes_under(root)
            held.optimize.compact_files()
            folding.append(bytes_under(root) - before)
        return spent

    def at(back: int) -> Any:
        return library.dataset(target, version=None if back == 0 else made[-1 - back])

    def diff() -> list[Any]:
        held = library.dataset(target + ".stable")
        delta = held.delta(begin_version=held.version - 1, end_version=held.version)
        new = delta.get_updated_rows().read_all()
        wanted = ", ".join(map(str, new["id"].to_pylist()))
        older = library.dataset(target + ".stable", version=held.version - 1)
        old = older.to_table(filter=f"id IN ({wanted})")
        return new.join(old, keys="id", right_suffix="_old").to_pylist()

    def compare() -> Told:
        # Only rows with stable ids have a diff; they double what a commit costs.
        held = library.write_dataset(rows, target + ".stable", enable_stable_row_ids=True)
        given = batches(MORE)
        spent = []
        for cells in itertools.islice(given, 3):
            upsert(held, cells)
            spent.append(cost(diff) * 1000)
        shutil.rmtree(target + ".stable")
        cannot: Told = dict.fromkeys(("merge", "conflicts", "joined"), "cannot: no merge")
        return {**cannot, "diff": statistics.median(spent)}

    def late() -> Told:
        written = bytes_under(root) - whole[0]
        return {
            "blame": "cannot: whole rows",
            "amplification": written / (written - sum(folding)),
            "status": NO_PROCESS,
            "log": NO_PROCESS,
        }

    return Peer(
        lambda: bytes_under(root),
        load,
        commit,
        lambda back: at(back).to_table(),
        lambda back: at(back).to_table(columns=["label"])["label"].value_counts(),
        compare,
        late,
        commits=LATE,
    ).measured()


PEERS: dict[str, Callable[[Path], Told]] = {"doltlite": doltlite, "lance": lance}
