"""What was answered is there after kill -9, whenever it came; the rest is there whole or not at
all."""

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from model_repository import a_repository, labels_of, rows_of, sound

from sw2.repo import Repository

# Edits one cell after another and says so; commits now and then and says so.
EDITOR = """
import sys
from sw2.repo import Edit, Repository
from sw2.values import Origin
repository = Repository.open(sys.argv[1])
start = int(sys.argv[2])
print("ready", flush=True)
for number in range(start, start + 100_000):
    repository.edit([Edit("a", "count", number)], Origin("anne"), f"set {number}")
    print("edit", number, flush=True)
    if number % 5 == 4:
        repository.commit(f"up to {number}", "anne")
        print("commit", number, flush=True)
"""


def killed_editor(root, start, answers, wait):
    """Starts the editor, kills it so many answers and seconds later; returns all it answered."""
    child = subprocess.Popen(
        [sys.executable, "-c", EDITOR, str(root), str(start)], stdout=subprocess.PIPE, text=True
    )
    told = [child.stdout.readline().split() for _ in range(answers + 1)]
    time.sleep(wait)
    child.send_signal(signal.SIGKILL)
    told += [line.split() for line in child.stdout if line.endswith("\n")]
    assert child.wait() == -signal.SIGKILL
    return [(line[0], int(line[1])) for line in told[1:]]


def check(root, told):
    """Every answered edit and commit is there, at most one more that was not answered yet."""
    repository = Repository.open(root)
    edited = max((number for kind, number in told if kind == "edit"), default=None)
    committed = max((number for kind, number in told if kind == "commit"), default=None)
    standing = rows_of(repository)["a"]["count"]
    if edited is not None:
        assert standing in (edited, edited + 1)
    if committed is not None:
        newest = int(repository.log(1)[0].message.split()[-1])
        assert committed <= newest <= committed + 5
        assert rows_of(repository, "HEAD")["a"]["count"] == newest
    assert sound(repository)
    undo_and_redo(repository, standing)
    repository.close()
    return standing


def undo_and_redo(repository, standing):
    action = repository.undo()
    if action is not None:
        assert action.label == f"set {standing}"
        assert rows_of(repository)["a"]["count"] == standing - 1
        assert repository.redo() == action
    assert rows_of(repository)["a"]["count"] == standing


def kill_again_and_again(root, times, seed):
    rng = random.Random(seed)
    a_repository(root, {"a": {"count": -1}, "b": {"count": 7}}).close()
    start = 0
    for _ in range(times):
        told = killed_editor(root, start, rng.randrange(12), rng.uniform(0, 0.02))
        start = check(root, told) + 1
    assert rows_of(Repository.open(root))["b"] == {"count": 7}


def test_killed_eight_times_and_nothing_answered_is_lost(tmp_path):
    kill_again_and_again(tmp_path, 8, seed=1)


@pytest.mark.slow
def test_killed_two_hundred_times_and_nothing_answered_is_lost(tmp_path):
    kill_again_and_again(tmp_path, 200, seed=2)


IMPORTER = """
import os, sys, threading, time
import pyarrow as pa
from sw2.repo import Repository
from sw2.values import Origin
repository = Repository.open(sys.argv[1])
with repository.write_media() as put:
    names = [put(os.urandom(3000)) for _ in range(2000)]
rows = pa.table({"id": [f"p{n}" for n in range(2000)], "count": list(range(2000))})
print("ready", flush=True)
repository.stage_rows(rows, Origin("import", "import"), "import")
repository.commit("import", "anne")
print("done", flush=True)
"""


@pytest.mark.parametrize("wait", [0.0, 0.01, 0.03, 0.1])
def test_a_killed_import_is_there_whole_or_not_at_all(tmp_path, wait):
    a_repository(tmp_path).close()
    child = subprocess.Popen(
        [sys.executable, "-c", IMPORTER, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    assert child.stdout.readline() == "ready\n"
    try:
        child.wait(wait)
    except subprocess.TimeoutExpired:
        child.kill()
    done = "done" in child.stdout.read()
    child.wait()
    repository = Repository.open(tmp_path)
    assert repository.status().rows in ({2003} if done else {3, 2003})
    assert sound(repository)


def test_a_repository_half_made_is_none(tmp_path):
    """What a kill in the middle of `init` leaves behind does not stop the next."""
    (tmp_path / ".sw2.dead.tmp" / "packs").mkdir(parents=True)
    (tmp_path / ".sw2.dead.tmp" / "state.sqlite").touch()
    repository = a_repository(tmp_path)
    assert labels_of(repository) == {"a": "cat", "b": "dog", "c": None}


def test_undo_and_redo_survive_a_restart(tmp_path):
    from model_repository import ANNE

    from sw2.repo import Edit

    repository = a_repository(tmp_path)
    for label in ("dog", "owl"):
        repository.edit([Edit("a", "label", label)], ANNE, label)
    repository.undo()
    repository.close()
    again = Repository.open(Path(tmp_path))
    assert labels_of(again)["a"] == "dog"
    assert again.redo().label == "owl"
    assert labels_of(again)["a"] == "owl"
    assert [again.undo().label, again.undo().label, again.undo()] == ["owl", "dog", None]
    assert labels_of(again)["a"] == "cat"
    assert again.status().clean
