"""What something leads to stays, whoever works meanwhile; the rest goes once it is old."""

import json
import multiprocessing
import os
import random
import signal
import subprocess
import sys
import threading
import time

import pytest
from model_repository import ANNE, a_repository, a_schema, a_table, labels_of, rows_of, sound

from sw2.errors import Conflict, Damaged, InvalidInput, NotFound, Sw2Error, Unavailable
from sw2.repo import Edit, Repository, fold, folding, gc
from sw2.store import ObjectStore, name_of, sweep
from sw2.values import Origin

HOUR = 3_600_000
gcs = sys.modules["sw2.repo.gc"]  # the package gives the function that name


@pytest.fixture
def repository(tmp_path):
    return a_repository(tmp_path)


def packs(repository):
    return sorted(repository.store.folder.glob("??/*.pack"))


def aged(repository, days=30):
    """Everything in the store was last used so long ago."""
    then = time.time() - days * 86_400
    for path in repository.store.folder.glob("**/*"):
        os.utime(path, (then, then))
    return repository


def a_picture(repository, raw):
    with repository.write_media() as put:
        return put(raw)


def collected(repository, **how):
    """What is left, read by a fresh store."""
    gc(aged(repository), **how)
    return ObjectStore(repository.store.folder)


def committed(repository, **cells):
    repository.edit([Edit("a", name, cell) for name, cell in cells.items()], ANNE, "x")
    return repository.commit("x", "anne")


def with_pictures(repository, *names):
    """Rows p0, p1 … whose image is each of `names`."""
    rows = {f"p{n}": {"image": name} for n, name in enumerate(names)}
    repository.stage_rows(a_table(rows), ANNE, "pictures", a_schema().add("image", "image"))
    return repository.commit("pictures", "anne")


# What goes, and what stays


def test_what_nothing_leads_to_goes_once_it_is_old(repository):
    name = a_picture(repository, b"nobody's")
    assert gc(repository).packs == 0
    assert repository.store.has(name)
    report = gc(aged(repository))
    assert (report.packs, report.objects) == (1, 1)
    assert report.bytes > 0
    assert not ObjectStore(repository.store.folder).has(name)
    assert sound(repository)


def test_a_dry_run_tells_the_same_and_removes_nothing(repository):
    a_picture(repository, b"nobody's")
    (repository.store.folder / "dead.tmp").touch()
    before = packs(repository)
    told = gc(aged(repository), dry_run=True)
    assert packs(repository) == before
    assert told == gc(repository)
    assert packs(repository) != before


def test_every_commit_and_everything_in_it_stays(repository):
    names = [a_picture(repository, f"picture {n}".encode()) for n in range(3)]
    with_pictures(repository, *names)
    (repository.root / "sw2.toml").write_text("[program]\n")
    for label in ("dog", "owl", "cat"):
        committed(repository, label=label)
    before = [rows_of(repository, commit.name) for commit in repository.log()]
    left = collected(repository)
    assert all(left.has(name) for name in names)
    again = Repository.open(repository.root)
    assert [rows_of(again, commit.name) for commit in again.log()] == before
    assert again.file("sw2.toml", "HEAD")
    assert sound(again)


def test_a_picture_that_only_an_old_value_names_stays(repository):
    first, second = (a_picture(repository, raw) for raw in (b"first", b"second"))
    with_pictures(repository, first)
    repository.edit([Edit("p0", "image", second)], ANNE, "another")
    repository.commit("another", "anne")
    repository.delete_rows(["p0"], ANNE, "gone")
    repository.commit("gone", "anne")
    left = collected(repository)
    assert left.has(first)
    assert left.has(second)


def test_pictures_of_a_first_import_stay(tmp_path):
    """They are named in segments, not in deltas."""
    repository = Repository.init(tmp_path)
    name, other = a_picture(repository, b"in a segment"), a_picture(repository, b"in none")
    with_pictures(repository, name)
    left = collected(repository)
    assert left.has(name)
    assert not left.has(other)


@pytest.mark.parametrize("undone", [False, True])
def test_what_is_staged_stays_and_so_does_what_is_undone(repository, undone):
    name = a_picture(repository, b"staged")
    rows = {"s": {"image": name, "label": "emu"}}
    schema = a_schema().add("image", "image").with_labels("label", ["emu"])
    repository.stage_rows(a_table(rows), ANNE, "staged", schema)
    if undone:
        repository.undo()
    left = collected(repository)
    assert left.has(name)
    again = Repository.open(repository.root)
    if undone:
        assert again.redo().label == "staged"
    assert rows_of(again)["s"] == rows["s"]
    assert sound(again)


def test_a_large_staged_import_stays(tmp_path):
    repository = Repository.init(tmp_path)
    repository.stage_rows(a_table({"a": {"label": "cat"}}), ANNE, "base", a_schema())
    many = {f"{n:05}": {"label": "dog", "split": f"{n * 7919}"} for n in range(9000)}
    repository.stage_rows(a_table(many), ANNE, "many")
    assert repository.state.actions()[-1].delta is None
    collected(repository)
    again = Repository.open(tmp_path)
    assert len(rows_of(again)) == 9001
    again.commit("all", "anne")
    assert sound(again)


def test_every_ref_holds_what_it_leads_to(repository):
    kept = committed(repository, label="dog")
    for ref in ("other", "tags/v1", "stash/0"):
        repository.state.move(ref, None, kept.name, 0, "by hand")
        repository.state.move("main", repository.head, kept.parents[0], 0, "back")
        collected(repository)
        assert labels_of(Repository.open(repository.root), ref)["a"] == "dog"
        repository.state.move("main", repository.head, kept.name, 0, "forth")


def left_behind(repository, days):
    """A commit that no ref leads to any more, since so many days."""
    gone = committed(repository, label="owl")
    at = gcs.now_ms() - days * gcs.DAY
    repository.state.move("main", gone.name, gone.parents[0], at, "reset")
    repository.close()
    import sqlite3

    with sqlite3.connect(repository.folder / "state.sqlite") as database:
        database.execute("UPDATE reflog SET at = ?", (at,))
    database.close()
    return Repository.open(repository.root), gone


@pytest.mark.parametrize(("days", "stays"), [(89, True), (91, False)])
def test_where_a_branch_was_stays_for_ninety_days(repository, days, stays):
    repository, gone = left_behind(repository, days)
    assert collected(repository).has(gone.name) == stays
    assert sound(repository)


def test_the_commit_of_a_build_stays(repository):
    repository, gone = left_behind(repository, 100)
    folder = repository.folder / "builds" / "abc"
    folder.mkdir(parents=True)
    (folder / "build.json").write_text(json.dumps({"commit": gone.name}))
    assert collected(repository).has(gone.name)
    (folder / "build.json").write_text("no build")
    assert not collected(repository).has(gone.name)


def test_folds_stay_as_long_as_their_chain(repository, monkeypatch):
    monkeypatch.setattr(folding, "RUN", 4)
    for number in range(9):
        committed(repository, count=number)
    fold(repository)
    assert gc(aged(repository)).notes == 0
    assert Repository.open(repository.root).state.folds.all()
    repository.state.folds.note("ab" * 32, folding.Fold(None, "cd" * 32), 0)
    assert gc(aged(repository)).notes == 1
    assert "ab" * 32 not in repository.state.folds.all()
    assert sound(repository)


# Packs


def test_a_pack_of_which_little_is_left_is_rewritten(repository):
    with repository.write_media() as put:
        names = [put(os.urandom(3000)) for _ in range(10)]
    with_pictures(repository, *names[:2])
    size = sum(path.stat().st_size for path in packs(repository))
    report = gc(aged(repository))
    assert (report.rewritten, report.objects) == (1, 8)
    assert sum(path.stat().st_size for path in packs(repository)) < size - 20_000
    left = ObjectStore(repository.store.folder)
    assert [left.has(name) for name in names] == [True] * 2 + [False] * 8
    assert sound(repository)


def test_many_small_packs_are_gathered_into_one(repository):
    for number in range(70):
        committed(repository, count=number)
    before = [rows_of(repository, commit.name) for commit in repository.log()]
    small = len(packs(repository))
    report = gc(repository)
    assert (report.gathered, report.packs, report.objects) == (small, small, 0)
    assert len(packs(repository)) == 1
    assert [rows_of(repository, commit.name) for commit in repository.log()] == before
    assert gc(repository).packs == 0
    assert sound(repository)


def test_what_is_young_and_not_yet_named_stays_when_its_pack_is_gathered(repository):
    name = a_picture(repository, b"about to be staged")
    for number in range(70):
        committed(repository, count=number)
    gc(repository)
    assert len(packs(repository)) == 1
    with_pictures(repository, name)
    assert sound(repository)


def test_a_reader_that_was_there_before_finds_what_moved(repository):
    for number in range(70):
        committed(repository, count=number)
    reader = Repository.open(repository.root)
    gc(repository)
    assert rows_of(reader, "HEAD~30")["a"]["count"] == 39
    assert sound(reader)


def test_temporary_files_of_killed_writers_are_swept_when_old(repository):
    (repository.store.folder / "old.tmp").touch()
    aged(repository)
    (repository.store.folder / "new.tmp").touch()
    assert gc(repository).temporary == 1
    assert [path.name for path in repository.store.folder.glob("*.tmp")] == ["new.tmp"]


# Damage


def test_a_damaged_repository_is_not_collected(repository):
    committed(repository, label="owl")
    a_picture(repository, b"nobody's")
    tail = repository.commit_of("HEAD").tables["examples"].tail
    repository.store._find(tail).pack.unlink()
    before = packs(aged(repository))
    with pytest.raises((Damaged, NotFound)) as told:
        gc(Repository.open(repository.root))
    assert "fsck" in told.value.hint
    assert packs(repository) == before


def test_a_damaged_object_stays_in_its_pack(repository):
    with repository.write_media() as put:
        names = [put(os.urandom(3000)) for _ in range(10)]
    with_pictures(repository, *names[:2])
    pack = repository.store._find(names[0]).pack
    entry = repository.store._find(names[0])
    whole = bytearray(pack.read_bytes())
    whole[entry.offset] ^= 1
    pack.write_bytes(whole)
    gc(aged(repository))
    assert pack.exists()


# Others at work


def between_marking_and_deleting(monkeypatch, work):
    """Runs `work` after what is reachable was marked, before anything is deleted."""
    collect = gcs._collect

    def later(*given):
        work()
        return collect(*given)

    monkeypatch.setattr(gcs, "_collect", later)


@pytest.mark.parametrize("when", ["before", "between"])
def test_a_writer_that_finds_an_unreachable_object_stored_loses_nothing(
    repository, monkeypatch, when
):
    name = a_picture(repository, b"an old picture")
    other = Repository.open(repository.root)
    aged(repository)
    staging = other.write_media()

    def find():
        put = staging.__enter__()
        assert put(b"an old picture") == name

    if when == "before":
        find()
    else:
        between_marking_and_deleting(monkeypatch, find)
    assert gc(repository).packs == 0
    staging.__exit__(None, None, None)
    with_pictures(other, name)
    assert Repository.open(repository.root).media(name) == b"an old picture"
    assert sound(other)


def test_a_writer_that_comes_too_late_writes_the_object_anew(repository):
    name = a_picture(repository, b"an old picture")
    other = Repository.open(repository.root)
    assert other.store.has(name)
    assert gc(aged(repository)).packs == 1
    with other.write_media() as put:
        assert put(b"an old picture") == name
    assert Repository.open(repository.root).media(name) == b"an old picture"


def test_a_commit_between_marking_and_deleting_keeps_what_it_names(repository, monkeypatch):
    """Even where it never asked whether the object was stored."""
    name = a_picture(repository, b"an old picture")
    other = Repository.open(repository.root)
    aged(repository)
    between_marking_and_deleting(monkeypatch, lambda: with_pictures(other, name))
    gc(repository)
    assert Repository.open(repository.root).media(name) == b"an old picture"
    assert sound(repository)


COLLECTOR = """
import sys
from sw2.errors import Unavailable
from sw2.repo import Repository, fold, folding, gc
from sw2.store import sweep
sweep.MANY, folding.RUN = 4, 4
repository = Repository.open(sys.argv[1])
print("ready", flush=True)
while True:
    try:
        gc(repository, grace_ms=int(sys.argv[2]))
        fold(repository)
    except Unavailable:  # busy
        pass
"""


def collector(root, grace_ms):
    child = subprocess.Popen(
        [sys.executable, "-c", COLLECTOR, str(root), str(grace_ms)],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdout.readline() == "ready\n"
    return child


def stop(child):
    child.send_signal(signal.SIGKILL)
    child.wait()
    child.stdout.close()


def work(root, number, rounds, told):
    repository = Repository.open(root)
    for each in range(rounds):
        try:
            repository.edit([Edit(str(number), "count", each)], Origin(str(number)), f"{each}")
            told.put((number, each))
            repository.commit(f"{number}/{each}", str(number))
        except (Conflict, Unavailable, InvalidInput):
            continue
    repository.close()


def test_processes_commit_beside_a_collector_and_lose_nothing(tmp_path):
    a_repository(tmp_path, {str(number): {"count": -1} for number in range(8)}).close()
    collecting = collector(tmp_path, HOUR)
    context = multiprocessing.get_context("spawn")
    queue = context.Queue()
    children = [context.Process(target=work, args=(tmp_path, n, 6, queue)) for n in range(8)]
    for child in children:
        child.start()
    for child in children:
        child.join()
        assert child.exitcode == 0
    assert collecting.poll() is None
    stop(collecting)
    told = set()
    while not queue.empty():
        told.add(queue.get())
    repository = Repository.open(tmp_path)
    for number in range(8):
        last = max(each for who, each in told if who == number)
        assert rows_of(repository)[str(number)]["count"] == last
    assert sound(repository)


def test_old_packs_are_found_again_while_they_are_collected(tmp_path):
    """Each round, an object that nothing leads to and that is old is put once more and committed
    while a collector runs."""
    repository = a_repository(tmp_path)
    raws = [f"picture {n}".encode() * 50 for n in range(15)]
    for raw in raws:
        a_picture(repository, raw)
    aged(repository)
    collecting = collector(tmp_path, 60_000)
    names = [a_picture(repository, raw) for raw in raws]
    with_pictures(repository, *names)
    time.sleep(0.3)
    assert collecting.poll() is None
    stop(collecting)
    again = Repository.open(tmp_path)
    assert [again.media(name) for name in names] == raws
    assert sound(again)


def kill_again_and_again(root, times, seed):
    rng = random.Random(seed)
    repository = a_repository(root, {"a": {"count": -1}, "b": {"count": 0}})
    for number in range(times):
        for each in range(3):
            repository.edit([Edit("a", "count", number * 3 + each)], ANNE, f"{number}")
            repository.commit(f"{number}", "anne")
            a_picture(repository, os.urandom(200))
        repository.edit([Edit("b", "count", number + 1)], ANNE, "staged")
        aged(repository)
        child = collector(root, HOUR)
        time.sleep(rng.uniform(0, 0.15))
        stop(child)
        again = Repository.open(root)
        assert rows_of(again) == {"a": {"count": number * 3 + 2}, "b": {"count": number + 1}}
        assert again.undo().label == "staged"
        assert sound(again)
        assert again.redo().label == "staged"
        again.close()
    assert len(repository.log()) == 3 * times + 1
    repository.close()


def test_a_collector_may_be_killed_at_any_moment(tmp_path):
    kill_again_and_again(tmp_path, 5, seed=1)


@pytest.mark.slow
def test_a_collector_may_be_killed_two_hundred_times(tmp_path):
    for seed in range(10):  # anew now and then, for each check reads all of the history
        kill_again_and_again(tmp_path / f"{seed}", 20, seed)


def test_two_collectors_at_once_take_nothing_that_is_needed(repository, monkeypatch):
    monkeypatch.setattr(sweep, "MANY", 2)
    faults = []

    def collect():
        try:
            other = Repository.open(repository.root)
            for _ in range(6):
                gc(other, grace_ms=HOUR)
            other.close()
        except Sw2Error as error:
            faults.append(error)

    threads = [threading.Thread(target=collect) for _ in range(2)]
    for thread in threads:
        thread.start()
    for number in range(20):
        committed(repository, count=number)
    for thread in threads:
        thread.join()
    assert faults == []
    assert len(repository.log()) == 21
    assert sound(repository)


def test_a_name_is_kept_by_what_it_names_not_by_its_column(repository):
    """A column that was renamed or is not known any more still names its pictures."""
    name = a_picture(repository, b"renamed")
    with_pictures(repository, name)
    repository.define(repository.schema().rename("image", "photo"), "rename")
    repository.commit("rename", "anne")
    assert collected(repository).get(name) == b"renamed"
    assert name == name_of(b"renamed")
