"""Several processes and threads work on one repository; nobody's work is lost."""

import multiprocessing
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from model_repository import ANNE, BOB, LABELS, a_repository, a_table, labels_of, rows_of, sound

from sw2.errors import Conflict, InvalidInput, Sw2Error, Unavailable
from sw2.repo import Edit, Repository
from sw2.repo import database as states
from sw2.table import segment as segments
from sw2.table import version as versions
from sw2.values import Origin


def work(root, number, rounds, told):
    """Edits its own row, and commits: what it could not do it says."""
    repository = Repository.open(root)
    for each in range(rounds):
        try:
            repository.edit([Edit(str(number), "count", each)], Origin(str(number)), f"{each}")
        except Unavailable as error:
            told.put((number, each, error.kind))
            continue
        told.put((number, each, "edited"))
        try:
            repository.commit(f"{number}/{each}", str(number))
        except (Conflict, Unavailable, InvalidInput) as error:
            told.put((number, each, error.kind))
    repository.close()


@pytest.mark.parametrize("writers", [2, 8])
def test_processes_that_commit_at_once_lose_nothing(tmp_path, writers):
    repository = a_repository(tmp_path, {str(number): {"count": -1} for number in range(8)})
    context, rounds = multiprocessing.get_context("spawn"), 6
    queue = context.Queue()
    children = [
        context.Process(target=work, args=(tmp_path, number, rounds, queue))
        for number in range(writers)
    ]
    for child in children:
        child.start()
    for child in children:
        child.join()
        assert child.exitcode == 0
    told = [queue.get(timeout=10) for _ in range(writers * rounds)]
    while not queue.empty():
        told.append(queue.get())
    edited = {(number, each) for number, each, what in told if what == "edited"}
    assert len(edited) == writers * rounds
    # Another's commit may take an edit along, so there may be fewer commits than edits.
    for number in range(writers):
        past = repository.history(str(number), "count")
        assert [change.new for change in past] == [*reversed(range(rounds)), -1]
        assert {change.origin.by for change in past} == {str(number), "anne"}
    for commit in repository.log()[1:]:
        assert len(commit.parents) == (commit.message != "import")
    assert sound(repository)


def test_a_busy_repository_is_told_not_waited_for_without_end(tmp_path, monkeypatch):
    monkeypatch.setattr(states, "BUSY_SECONDS", 0.05)
    repository, other = a_repository(tmp_path), Repository.open(tmp_path)
    with (
        repository.state.transaction(),
        pytest.raises(Unavailable, match="locked") as told,
    ):
        other.edit([Edit("a", "label", "owl")], ANNE, "x")
    assert told.value.hint
    assert other.edit([Edit("a", "label", "owl")], ANNE, "x") is not None


def test_two_who_bring_a_new_label_at_once_bring_two_labels(tmp_path):
    """Each with a schema made before the other's label was there."""
    anne, bob = a_repository(tmp_path), Repository.open(tmp_path)
    hers = anne.schema().with_labels("label", ["emu"])
    his = bob.schema().with_labels("label", ["fox"])
    bob.stage_rows(a_table({"b": {"label": "fox"}}), BOB, "fox", his)
    anne.stage_rows(a_table({"a": {"label": "emu"}}), ANNE, "emu", hers)
    assert labels_of(bob) == {"a": "emu", "b": "fox", "c": None}
    assert bob.schema().column("label").labels == (*LABELS, "fox", "emu")


def test_a_branch_moves_only_from_where_it_was(tmp_path):
    repository = a_repository(tmp_path)
    first = repository.head
    repository.edit([Edit("a", "label", "owl")], ANNE, "x")
    second = repository.commit("more", "anne").name
    with pytest.raises(Conflict, match="`main` moved") as told:
        repository.state.move("main", first, "0" * 64, 0, "late")
    assert told.value.hint
    assert repository.head == second


def test_what_fails_within_a_transaction_takes_all_of_it_back(tmp_path):
    repository = a_repository(tmp_path)

    def both():
        with repository.state.transaction():
            repository.edit([Edit("a", "label", "owl")], ANNE, "first")
            assert rows_of(repository)["a"]["label"] == "owl"
            repository.edit([Edit("nobody", "label", "owl")], ANNE, "second")

    with pytest.raises(Sw2Error, match="nobody"):
        both()
    assert rows_of(repository)["a"]["label"] == "cat"
    assert repository.undo() is None
    repository.edit([Edit("b", "label", "owl")], ANNE, "third")
    assert rows_of(repository)["a"]["label"] == "cat"
    assert rows_of(repository)["b"]["label"] == "owl"


def test_a_reader_sees_one_moment(tmp_path):
    """Never a stage without the edits that a commit by another took over meanwhile."""
    a_repository(tmp_path, {"a": {"count": 0}})
    reader, writer = Repository.open(tmp_path), Repository.open(tmp_path)
    done = threading.Event()

    def write():
        for number in range(1, 60):
            writer.edit([Edit("a", "count", number)], ANNE, "x")
            writer.commit(f"{number}", "anne")
        done.set()

    thread = threading.Thread(target=write)
    thread.start()
    last = 0
    while not done.is_set():
        seen = rows_of(reader)["a"]["count"]
        assert seen >= last
        last = seen
    thread.join()
    assert rows_of(reader)["a"]["count"] == 59


@pytest.fixture
def hasty_threads():
    """Threads that take turns at almost every step."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("hasty_threads")
def test_threads_share_one_small_cache(tmp_path, monkeypatch):
    monkeypatch.setattr(versions, "CACHE_BYTES", 500)
    monkeypatch.setattr(segments, "ROWS", 10)
    rows = {n: {"label": "cat", "count": n, "score": n / 2} for n in range(300)}
    repository = a_repository(tmp_path, rows)
    with ThreadPoolExecutor(6) as threads:
        read = list(threads.map(lambda _: repository.read(), range(60)))
    assert all(table.equals(read[0]) for table in read)
    assert read[0]["count"].to_pylist() == list(range(300))


def test_threads_share_one_repository(tmp_path):
    repository = a_repository(tmp_path, {str(n): {"count": -1} for n in range(8)})
    faults = []

    def run(number):
        try:
            for each in range(10):
                repository.edit([Edit(str(number), "count", each)], Origin(str(number)), "x")
                assert rows_of(repository)[str(number)]["count"] == each
                if number == 0:
                    repository.commit(f"{each}", "anne")
                    assert len(rows_of(repository, "HEAD~1")) == 8
        except Exception as error:  # noqa: BLE001 (told below, in the main thread)
            faults.append(error)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    assert {row["count"] for row in rows_of(repository).values()} == {9}
    assert sound(repository)
