"""Folds spare readers work and say nothing of their own: with and without them, every version,
every history and every name is the same."""

import random
import sqlite3
import subprocess
import sys
import threading

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from model_repository import ANNE, BOB, LABELS, a_repository, a_schema, a_table, rows_of, sound

from sw2.repo import Edit, Repository, folding
from sw2.repo.folding import due, fold, fold_in_background
from sw2.table import segment as segments
from sw2.table.chain import no_folds


@pytest.fixture
def small(monkeypatch):
    """Runs of four deltas, segments of eight rows, and a base after each run."""
    monkeypatch.setattr(folding, "RUN", 4)
    monkeypatch.setattr(folding, "HEAVY", 1 << 40)
    monkeypatch.setattr(segments, "ROWS", 8)
    monkeypatch.setattr(folding, "_weight", lambda repository, base: 1)


@pytest.fixture
def no_bases(monkeypatch):
    monkeypatch.setattr(folding, "_weight", lambda repository, base: 1 << 60)


def commits(repository, count, start=0, seed=0):
    """Commits of random edits, insertions and deletions."""
    rng = random.Random(f"{seed} {start}")
    for number in range(start, start + count):
        keys = list(rows_of(repository))
        some = rng.sample(keys, min(3, len(keys)))
        edits = [Edit(key, "label", rng.choice(LABELS)) for key in some]
        repository.edit([*edits, Edit(some[0], "count", number)], BOB, f"edit {number}")
        if rng.random() < 0.5:
            names = {f"{rng.randrange(10**6):06}": {"label": "owl", "score": number / 4}}
            repository.stage_rows(a_table(names), ANNE, "add")
        if rng.random() < 0.2 and len(keys) > 4:
            repository.delete_rows([keys[rng.randrange(len(keys))]], ANNE, "delete")
        repository.commit(f"{number}", "anne")


def a_long_history(root, count):
    rows = {f"{n:06}": {"label": "cat", "count": n} for n in range(20)}
    repository = a_repository(root, rows)
    commits(repository, count)
    return repository


def versions(root, folded):
    """What every commit says, read cold."""
    repository = Repository.open(root)
    if not folded:
        repository.reader.folds = no_folds
    read = {commit.name: repository.read(rev=commit.name) for commit in repository.log()}
    repository.close()
    return read


def agree(root):
    one, other = versions(root, True), versions(root, False)
    assert list(one) == list(other)
    for name in one:
        assert one[name].equals(other[name]), name


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("count", [3, 4, 17, pytest.param(40, marks=pytest.mark.slow)])
def test_every_version_says_the_same_with_and_without_folds(tmp_path, count):
    repository = a_long_history(tmp_path, count)
    past = {key: repository.history(key, "label") for key in ("000003", "000007")}
    names = [commit.name for commit in repository.log()]
    report = fold(repository)
    assert (report.bases > 0) == (count >= 4)
    agree(tmp_path)
    again = Repository.open(tmp_path)
    assert {key: again.history(key, "label") for key in past} == past
    assert [commit.name for commit in again.log()] == names
    assert sound(again)


@pytest.mark.usefixtures("small", "no_bases")
def test_runs_of_runs_are_made_and_read(tmp_path):
    repository = a_long_history(tmp_path, 38)
    report = fold(repository)
    assert (report.runs, report.bases) == (9 + 2, 0)
    agree(tmp_path)
    reads = []
    again = Repository.open(tmp_path)
    delta = again.reader.delta
    again.reader.delta = lambda name: reads.append(name) or delta(name)
    again.read(rev="HEAD")
    assert len(reads) == 5  # 16 + 16 + 4 + 1 + 1 deltas


@pytest.mark.usefixtures("small")
def test_folding_as_one_goes_and_folding_at_the_end_note_the_same(tmp_path):
    one = a_long_history(tmp_path / "one", 0)
    for start in range(0, 24, 6):
        commits(one, 6, start)
        fold(one)
    agree(one.root)
    known = one.state.folds.all()
    fold(one, again=True)
    assert one.state.folds.all() == known
    agree(one.root)


@pytest.mark.usefixtures("small")
def test_a_second_fold_finds_nothing_to_do(tmp_path):
    repository = a_long_history(tmp_path, 12)
    assert due(repository)
    assert fold(repository).bases
    packs = sorted(repository.store.folder.glob("??/*"))
    assert not due(repository)
    assert fold(repository) == folding.FoldReport()
    assert sorted(repository.store.folder.glob("??/*")) == packs


@pytest.mark.usefixtures("small")
def test_what_stands_and_is_staged_is_read_over_a_folded_base(tmp_path):
    repository = a_long_history(tmp_path, 12)
    key = next(iter(rows_of(repository)))
    repository.edit([Edit(key, "label", "dog"), Edit(key, "count", -5)], ANNE, "staged")
    before = rows_of(repository)
    fold(repository)
    for each in (repository, Repository.open(tmp_path)):
        assert rows_of(each) == before
    repository.commit("staged", "anne")
    assert rows_of(Repository.open(tmp_path)) == before
    agree(tmp_path)


@settings(max_examples=8)
@given(data=st.data())
def test_a_folded_base_equals_the_table_whatever_was_done_to_it(tmp_path_factory, data):
    """Segments of eight rows split, join and vanish; keys come before, between and after."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(segments, "ROWS", 8)
        patch.setattr("sw2.table.folded.SAMPLE", 2)
        patch.setattr("sw2.table.folded.RANGE_ROWS", 6)
        patch.setattr("sw2.table.folded.WINDOW_ROWS", 12)
        patch.setattr(folding, "RUN", 2)
        root = tmp_path_factory.mktemp("folded")
        rows = {number * 10: {"label": "cat", "count": number} for number in range(30)}
        repository = a_repository(root, rows)
        for number in range(data.draw(st.integers(2, 5))):
            there = list(rows_of(repository))
            gone = data.draw(st.sets(st.sampled_from(there), max_size=12)) if there else set()
            new = data.draw(st.sets(st.integers(-50, 400), max_size=25)) - set(there)
            repository.delete_rows(sorted(gone), ANNE, "delete")
            if new:
                cells = {key: {"label": "owl", "count": key} for key in sorted(new)}
                repository.stage_rows(a_table(cells), ANNE, "add")
            if kept := sorted(set(there) - gone):
                wishes = [Edit(key, "score", number / 2) for key in kept[:: number + 1]]
                repository.edit(wishes, BOB, "edit")
            if not repository.status().clean:
                repository.commit(f"{number}", "anne")
        report = fold(repository)
        agree(root)
        if report.bases:
            sizes = [s.rows for s in repository.snapshot("HEAD").base.segments]
            assert all(size <= 8 for size in sizes)


def test_a_segment_that_nothing_touched_is_not_written_anew(tmp_path, monkeypatch):
    monkeypatch.setattr(segments, "ROWS", 100)
    monkeypatch.setattr(folding, "RUN", 2)
    repository = a_repository(tmp_path, {n: {"count": n} for n in range(1000)})
    before = repository.snapshot("HEAD").base.segments
    for number in range(2):
        wishes = [Edit(key, "count", -key - number) for key in range(350, 360)]
        repository.edit(wishes, ANNE, "x")
        repository.commit(f"{number}", "anne")
    monkeypatch.setattr(folding, "_weight", lambda repository, base: 0)
    assert fold(repository).bases == 1
    after = Repository.open(tmp_path).snapshot("HEAD").base
    assert after.folded
    assert [a == b for a, b in zip(before, after.segments, strict=True)].count(False) == 1
    assert after.segments[3] != before[3]


@pytest.mark.usefixtures("small")
def test_columns_that_come_later_are_in_a_folded_base(tmp_path):
    repository = a_long_history(tmp_path, 3)
    with repository.step():
        repository.define(repository.schema().add("note", "string"), "a column")
        repository.edit([Edit("000004", "note", "odd")], ANNE, "note")
    repository.commit("note", "anne")
    assert fold(repository).bases
    agree(tmp_path)
    assert rows_of(Repository.open(tmp_path))["000004"]["note"] == "odd"


@pytest.mark.usefixtures("small")
def test_when_rows_were_last_edited_outlives_a_fold(tmp_path):
    repository = a_repository(tmp_path, {n: {"count": n} for n in range(20)})
    for number in range(11):
        wishes = [Edit(key, "count", 100 * number + 100 + key) for key in (number, number + 3)]
        repository.edit(wishes, ANNE, "x")
        repository.commit(f"{number}", "anne")
    before = repository.snapshot("HEAD").touched()
    assert fold(repository).bases
    folded = Repository.open(tmp_path).snapshot("HEAD")
    assert folded.base.folded
    assert folded.touched() == before
    assert set(before) == set(range(14))


def retyped(repository, name, kind):
    repository.define(repository.schema().retype(name, kind), f"{name} is {kind}")
    repository.commit("retype", "anne")


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("bases", [True, False])
def test_cells_of_columns_that_were_retyped_and_dropped_are_read_through_folds(
    tmp_path, monkeypatch, bases
):
    if not bases:
        monkeypatch.setattr(folding, "_weight", lambda repository, base: 1 << 60)
    repository = a_repository(tmp_path, {n: {"count": n, "score": n / 2} for n in range(20)})

    def edited(column, *cells):
        for key, cell in enumerate(cells):
            repository.edit([Edit(key, column, cell)], ANNE, "x")
            repository.commit(f"{column} {key}", "anne")

    edited("count", 70, 71, 72)
    retyped(repository, "count", "string")
    edited("count", "eighty", "81")
    retyped(repository, "count", "int")
    edited("score", 0.5, None, 2.0)
    repository.define(repository.schema().drop("score"), "no score")
    repository.commit("drop", "anne")
    edited("count", 5, None, 91, 92)
    report = fold(repository)
    assert bool(report.bases) == bases
    agree(tmp_path)
    assert sound(repository)


def test_who_brought_a_row_is_told_from_the_chain_not_from_a_fold(tmp_path, small):
    repository = a_long_history(tmp_path, 8)
    before = repository.diff(None, "HEAD")
    fold(repository)
    again = Repository.open(tmp_path)
    assert again.snapshot("HEAD").base.folded
    assert again.diff(None, "HEAD") == before
    assert again.blame_column("label").equals(repository.blame_column("label"))


# Notes that cannot be used


def pack_of(repository, name):
    return repository.store._find(name).pack


def lost(repository, what):
    """The pack of one thing that a fold wrote, gone; returns its name."""
    notes = repository.state.folds.all().values()
    if what == "run":
        name = next(note.delta for note in notes if note.delta)
    else:
        name = next(note.base for note in notes if note.base)
    return pack_of(repository, name)


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("how", ["gone", "flipped", "short"])
@pytest.mark.parametrize("what", ["run", "base"])
def test_a_note_whose_object_is_lost_is_ignored_and_mended(tmp_path, monkeypatch, what, how):
    if what == "run":
        monkeypatch.setattr(folding, "_weight", lambda repository, base: 1 << 60)
    repository = a_long_history(tmp_path, 13)
    before = versions(tmp_path, False)
    fold(repository)
    pack = lost(repository, what)
    whole = pack.read_bytes()
    if how == "gone":
        pack.unlink()
    else:
        cut = whole[:30] if how == "short" else bytes([*whole[:20], whole[20] ^ 1, *whole[21:]])
        pack.write_bytes(cut)
    after = versions(tmp_path, True)
    assert all(table.equals(before[name]) for name, table in after.items())
    again = Repository.open(tmp_path)
    fold(again, again=True)
    assert pack.read_bytes() == whole
    agree(tmp_path)
    assert sound(again)


@pytest.mark.usefixtures("small")
def test_notes_may_be_dropped_at_any_time(tmp_path):
    repository = a_long_history(tmp_path, 20)
    before = rows_of(repository)
    fold(repository)
    fresh = Repository.open(tmp_path)
    assert rows_of(fresh) == before
    repository.state.folds.clear()
    assert rows_of(fresh) == rows_of(Repository.open(tmp_path)) == before


@pytest.mark.usefixtures("small")
def test_a_note_beside_a_chain_on_another_base_is_not_taken(tmp_path):
    repository = a_long_history(tmp_path, 12)
    fold(repository)
    version = repository.commit_of("HEAD").tables["examples"]
    tail = max(repository.state.folds.all(), key=lambda t: len(repository.reader.chain(t)))
    assert repository.reader.way(version.base, tail).base != version.base
    assert repository.reader.way("ab" * 32, tail).base == "ab" * 32
    assert repository.reader.way(None, tail).base is None


# Several at once, and killed ones


@pytest.mark.usefixtures("small")
def test_one_folds_at_a_time(tmp_path):
    repository = a_long_history(tmp_path, 12)
    with folding._alone(repository) as alone:
        assert alone
        assert fold(Repository.open(tmp_path)).busy
    assert fold(repository).bases


@pytest.mark.usefixtures("small")
def test_a_fold_that_is_stopped_goes_on_where_it_was(tmp_path):
    repository = a_long_history(tmp_path, 40)
    asked = []
    fold(repository, stop=lambda: len(asked) > 9 or asked.append(0))
    some = repository.state.folds.all()
    assert some
    agree(tmp_path)
    fold(repository)
    assert some.items() < repository.state.folds.all().items()
    agree(tmp_path)


@pytest.mark.usefixtures("small")
def test_folding_goes_on_beside_commits_and_takes_nothing_from_them(tmp_path):
    repository = a_long_history(tmp_path, 8)
    done = threading.Event()

    def keep_folding():
        other = Repository.open(tmp_path)
        while not done.is_set():
            fold(other)
        other.close()

    threads = [threading.Thread(target=keep_folding) for _ in range(2)]
    for thread in threads:
        thread.start()
    commits(repository, 30, start=8)
    done.set()
    for thread in threads:
        thread.join()
    agree(tmp_path)
    assert len(repository.log()) == 39
    assert sound(repository)


@pytest.mark.usefixtures("small")
def test_a_process_that_lives_long_folds_when_it_is_woken(tmp_path):
    repository = a_long_history(tmp_path, 3)
    folds = fold_in_background(repository)
    folds.wake()
    assert folds._thread is None
    commits(repository, 3, start=3)
    folds.wake()
    folds._thread.join()
    assert repository.state.folds.all()
    folds.close()
    commits(repository, 6, start=6)
    folds.wake()
    assert not folds._thread.is_alive()
    agree(tmp_path)


FOLDER = """
import sys
from sw2.repo import Repository, folding
from sw2.table import segment as segments
folding.RUN, segments.ROWS = 4, 8
repository = Repository.open(sys.argv[1])
print("ready", flush=True)
while True:
    folding.fold(repository, again=True)
"""


def killed_folder(root, wait):
    child = subprocess.Popen(
        [sys.executable, "-c", FOLDER, str(root)], stdout=subprocess.PIPE, text=True
    )
    assert child.stdout.readline() == "ready\n"
    try:
        child.wait(wait)
    except subprocess.TimeoutExpired:
        child.kill()
    child.wait()
    child.stdout.close()


def kill_again_and_again(root, times, seed):
    rng = random.Random(seed)
    repository = a_long_history(root, 24)
    before = versions(root, False)
    for _ in range(times):
        killed_folder(root, rng.uniform(0, 0.2))
        after = versions(root, True)
        assert all(table.equals(before[name]) for name, table in after.items())
        assert sound(repository)


def test_a_fold_may_be_killed_at_any_moment(tmp_path):
    kill_again_and_again(tmp_path, 3, seed=1)


@pytest.mark.slow
def test_a_fold_may_be_killed_a_hundred_times(tmp_path):
    kill_again_and_again(tmp_path, 100, seed=2)


# What it costs


def bytes_in(repository):
    return sum(path.stat().st_size for path in repository.store.folder.glob("??/*.pack"))


def amplification(root, count, rows, edits):
    """All bytes that were written, folds included, for each byte that commits wrote."""
    rng = np.random.default_rng(7)
    repository = a_repository(root, {n: {"label": "cat", "count": n} for n in range(rows)})
    start = bytes_in(repository)
    folded = 0
    for number in range(count):
        some = rng.choice(rows, edits, replace=False)
        wishes = [Edit(int(key), "count", int(rng.integers(1000)) + number * 1000) for key in some]
        repository.edit(wishes, ANNE, "x")
        repository.commit(f"{number}", "anne")
        if due(repository):
            folded += fold(repository).bytes
    written = bytes_in(repository) - start
    assert folded
    return written / (written - folded)


@pytest.mark.parametrize(
    ("rows", "edits"), [(50, 3), pytest.param(4000, 20, marks=pytest.mark.slow)]
)
def test_folding_writes_little_beside_what_commits_write(tmp_path, rows, edits):
    assert amplification(tmp_path, 200, rows, edits) <= 3


@pytest.mark.slow
@pytest.mark.parametrize(("rows", "edits"), [(100, 1), (20_000, 40), (300_000, 200)])
def test_folding_writes_little_after_thousands_of_commits(tmp_path, rows, edits):
    assert amplification(tmp_path, 4500, rows, edits) <= 3


LARGE = """
import re, sys
from sw2.repo import Repository, folding
folding._weight = lambda repository, base: 0
folding.HEAVY = 0
repository = Repository.open(sys.argv[1])
report = folding.fold(repository)
# Not getrusage, which goes on from what the process was before it became this one.
peak = re.search(r"VmHWM:\\s+(\\d+) kB", open("/proc/self/status").read())
print(report.bases, int(peak[1]) // 1024)
"""


@pytest.mark.slow
def test_folding_ten_million_rows_takes_little_memory(tmp_path):
    """MiB of the whole process, Python and Arrow included."""
    count = 10_000_000
    repository = Repository.init(tmp_path)
    schema = a_schema(key="int")
    keys = np.arange(count) * 2
    columns = {"label": np.array(LABELS)[keys % 3], "count": keys % 1000, "score": keys % 7 / 2}
    repository.stage_rows(pa.table({"id": keys, **columns}), ANNE, "import", schema)
    repository.commit("import", "anne")
    for number in range(12):
        some = np.arange(number, count, 150) * 2
        changed = pa.table({"id": some, "count": some % 999 + 1000})
        repository.stage_rows(changed, BOB, "change")
        new = pa.table({"id": some[::3] + 1, "count": some[::3] % 9})
        repository.stage_rows(new, BOB, "insert")
        repository.commit(f"{number}", "anne")
    rows = repository.status().rows
    repository.close()
    told = subprocess.check_output([sys.executable, "-c", LARGE, str(tmp_path)], text=True)
    bases, peak = map(int, told.split())
    assert bases
    assert peak <= 300
    assert Repository.open(tmp_path).snapshot("HEAD").rows == rows


def test_notes_of_odd_types_are_ignored_by_readers(tmp_path):
    repository = a_repository(tmp_path)
    repository.edit([Edit("a", "label", "owl")], ANNE, "x")
    tail = repository.commit("x", "anne").tables["examples"].tail
    repository.close()
    with sqlite3.connect(repository.folder / "state.sqlite") as database:
        database.execute("INSERT INTO fold VALUES(?, ?, ?, 0)", (tail, b"\xff\x00", None))
    database.close()
    assert rows_of(Repository.open(tmp_path), "HEAD")["a"] == {"label": "owl"}
