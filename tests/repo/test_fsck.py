"""The check names what is damaged and whom it concerns; damage anywhere is never served as data."""

import contextlib
import os
import random
import subprocess
import sys
import textwrap

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from model_repository import ANNE, a_repository, a_schema, a_table, rows_of, sound
from test_damaged_repositories import files_up_to, state_file

from sw2.errors import Damaged, Sw2Error
from sw2.repo import Edit, Fault, Repository, folding, fsck, gc
from sw2.table import Delta, Fold, TableReader
from sw2.table.segment import Base, decode_segment


@pytest.fixture
def small(monkeypatch):
    monkeypatch.setattr(folding, "RUN", 4)


def a_history(root, count=6):
    """A picture, a tag, a stash entry, runs and a base."""
    repository = a_repository(root)
    with repository.write_media() as put:
        name = put(b"a picture" * 9)
    schema = a_schema().add("image", "image")
    repository.stage_rows(a_table({"p": {"image": name}}), ANNE, "picture", schema)
    repository.commit("picture", "anne")
    for number in range(count):
        repository.edit([Edit("a", "count", number)], ANNE, "x")
        repository.commit(f"{number}", "anne")
    for ref in ("tags/v1", "stash/0"):
        repository.state.move(ref, None, repository.head, 0, "by hand")
    folding.fold(repository)
    repository.edit([Edit("b", "count", 7)], ANNE, "staged")
    return repository


def told(repository):
    fresh = Repository.open(repository.root)
    try:
        return fsck(fresh)
    finally:
        fresh.close()


def flipped(path, place):
    whole = path.read_bytes()
    path.write_bytes(whole[:place] + bytes([whole[place] ^ 0xFF]) + whole[place + 1 :])
    return whole


def damage(repository, name):
    """Flips a byte of one object; returns its pack and what it was."""
    entry = repository.store._find(name)
    return entry.pack, flipped(entry.pack, entry.offset)


# What is named


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize(("ref", "where"), [("tags/v1", "tag v1"), ("stash/0", "stash 0")])
def test_a_tag_or_stash_entry_that_leads_nowhere_is_named(tmp_path, ref, where):
    repository = a_history(tmp_path)
    repository.state.move(ref, repository.head, "ab" * 32, 0, "by hand")
    (fault,) = fsck(repository)
    assert (fault.where, "abababab" in fault.what) == (where, True)


@pytest.mark.usefixtures("small")
def test_a_damaged_picture_is_named_by_row_and_column(tmp_path):
    repository = a_history(tmp_path)
    name = repository.read()["image"].to_pylist()[-1]
    damage(repository, name)
    assert Fault("row p", f"image {name[:12]} is damaged") in told(repository)


@pytest.mark.usefixtures("small")
def test_a_damaged_segment_is_named_by_table_and_rows(tmp_path):
    repository = a_history(tmp_path)
    base = repository.commit_of("HEAD").tables["examples"].base
    (segment,) = repository.reader.base(base).segments
    pack, _ = damage(repository, segment.name)
    faults = told(repository)
    said = "table `examples`: a damaged segment held 3 rows, from `a` to `c`"
    assert said in [fault.what for fault in faults if fault.where.startswith("commit")]
    assert any(pack.name in fault.what for fault in faults)


@pytest.mark.usefixtures("small")
def test_a_damaged_small_file_is_named(tmp_path):
    repository = a_history(tmp_path)
    (tmp_path / "sw2.toml").write_text("[program]\nname = 'bars'\n")
    commit = repository.commit("file", "anne")
    damage(repository, commit.files["sw2.toml"])
    assert Fault(f"commit {commit.short}", "file `sw2.toml` is damaged") in told(repository)


@pytest.mark.usefixtures("small")
def test_an_undone_edit_that_cannot_be_redone_is_named(tmp_path):
    repository = a_history(tmp_path)
    action = repository.undo()
    repository.state._database.execute("UPDATE action SET delta = ?", (b"nothing",))
    assert Fault in {type(f) for f in fsck(repository) if f.where == f"staged edit {action.id}"}


# Folds


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("kind", ["run", "base"])
def test_a_fold_that_says_something_else_than_its_chain_is_named_and_mended(tmp_path, kind):
    repository = a_history(tmp_path)
    tails = [tail for tail, _ in repository.reader.chain(head(repository).tail)]
    wrong = a_wrong_fold(repository, kind)
    repository.state.folds.clear()
    repository.state.folds.note(tails[3], wrong, 0)
    (fault,) = told(repository)
    assert fault.where == f"fold {tails[3][:10]}"
    assert "does not say what its chain says" in fault.what
    assert "sw2 fold --again" in fault.what
    folding.fold(repository, again=True)
    assert sound(repository)


def head(repository):
    return repository.commit_of("HEAD").tables["examples"]


def a_wrong_fold(repository, kind):
    if kind == "run":
        chain = repository.reader.chain(head(repository).tail)
        with repository.store.write() as writer:
            return Fold(None, writer.put(Delta(chain[1][1].table, chain[1][1].origins).encode(4)))
    with repository.store.write() as writer:
        name = folding.write_folded(
            writer,
            repository.store,
            repository.schema(),
            (head(repository).base, head(repository).base),
            [],
            lambda: False,
        )
    return Fold(name, None)


@pytest.mark.usefixtures("small")
def test_a_fold_whose_object_is_gone_is_named_with_what_to_do(tmp_path):
    repository = a_history(tmp_path)
    ((tail, note),) = repository.state.folds.all().items()
    repository.store._find(note.base or note.delta).pack.unlink()
    (fault,) = told(repository)
    assert fault.where == f"fold {tail[:10]}"
    assert "sw2 fold --again" in fault.what


# One byte anywhere


def what_it_says(repository):
    """Every version, what stands, and every picture."""
    said = [repository.read(rev=commit.name) for commit in repository.log()]
    pictures = [repository.media(n) for n in repository.read()["image"].to_pylist() if n]
    return [*said, repository.read(), *pictures]


def served(root):
    """What a fresh process reads; None where it is refused."""
    try:
        with contextlib.closing(Repository.open(root)) as repository:
            return what_it_says(repository)
    except Sw2Error:
        return None


def check_every(root, step):
    repository = a_history(root)
    repository.close()
    before = served(root)
    for pack in sorted(repository.store.folder.glob("??/*.pack")):
        for place in range(0, pack.stat().st_size, step):
            whole = flipped(pack, place)
            assert told(repository), (pack, place)
            assert served(root) in (before, None)
            pack.write_bytes(whole)
    assert served(root) == before
    assert told(repository) == []


@pytest.mark.usefixtures("small")
def test_a_flipped_byte_in_any_pack_is_found_and_never_served(tmp_path):
    check_every(tmp_path, 223)


@pytest.mark.slow
@pytest.mark.usefixtures("small")
def test_every_flipped_byte_of_every_pack_is_found_and_never_served(tmp_path):
    check_every(tmp_path, 1)


@pytest.mark.usefixtures("small")
def test_a_flipped_byte_among_the_folds_of_the_database_changes_nothing_that_is_read(tmp_path):
    repository = a_history(tmp_path)
    before = what_it_says(repository)
    ((tail, note),) = repository.state.folds.all().items()
    path = state_file(repository)
    whole = path.read_bytes()
    at = whole.index(tail.encode() + (note.base or note.delta).encode())
    for place in range(at - 8, at + 130, 3):
        flipped(path, place)
        assert served(tmp_path) in (before, None)
        path.write_bytes(whole)


# Torn writes and full disks


def torn(repository, work):
    """Does `work`, then yields a fresh look for each length that its new pack may be cut to."""
    seen = set(repository.store.packs())
    work()
    (pack,) = set(repository.store.packs()) - seen
    whole = pack.read_bytes()
    for length in range(0, len(whole), max(1, len(whole) // 25)):
        pack.write_bytes(whole[:length])
        with contextlib.closing(Repository.open(repository.root)) as again:
            yield again
            (fault, *_) = fsck(again)
            assert fault.where == f"pack {pack.name}"
    pack.write_bytes(whole)
    assert sound(repository)


@pytest.mark.usefixtures("small")
def test_a_torn_commit_is_told_and_those_before_are_read(tmp_path):
    repository = a_history(tmp_path)
    older = repository.log()
    before = [repository.at(commit).read() for commit in older]
    for again in torn(repository, lambda: repository.commit("staged", "anne")):
        with pytest.raises(Sw2Error) as told:
            again.read()
        assert "fsck" in told.value.hint
        assert [again.at(commit).read() for commit in older] == before


@pytest.mark.usefixtures("small")
def test_a_torn_fold_is_not_read(tmp_path):
    repository = a_repository(tmp_path)
    for number in range(6):
        repository.edit([Edit("a", "count", number)], ANNE, "x")
        repository.commit(f"{number}", "anne")
    before = [repository.read(rev=commit.name) for commit in repository.log()]
    for again in torn(repository, lambda: folding.fold(repository)):
        assert [again.read(rev=commit.name) for commit in again.log()] == before


@pytest.mark.usefixtures("small")
def test_a_torn_pack_of_a_collection_is_not_missed(tmp_path, monkeypatch):
    """It is torn only where the machine stopped before what it replaces was deleted."""
    collect = sys.modules["sw2.repo.gc"]
    monkeypatch.setattr(collect, "_take", lambda *given: collect.Taken())
    monkeypatch.setattr("sw2.store.sweep.MANY", 2)
    repository = a_history(tmp_path)
    before = what_it_says(repository)
    for again in torn(repository, lambda: gc(repository)):
        assert what_it_says(again) == before


CHILD = """
import sys
from sw2.errors import Unavailable
from sw2.repo import Repository, folding, gc
from sw2.store import sweep
folding.RUN, sweep.MANY = 4, 2
repository = Repository.open(sys.argv[1])
try:
    {work}
    print("done")
except Unavailable as error:
    print("refused", error.message, "|", error.hint)
"""


@pytest.mark.parametrize("work", ["folding.fold(repository, again=True)", "gc(repository)"])
def test_a_full_disk_stops_upkeep_with_a_clear_error_and_loses_nothing(tmp_path, work):
    rng = random.Random(7)
    repository = a_repository(tmp_path, {n: {"count": n} for n in range(16_000)})
    for number in range(8):
        keys = list(range(number, 16_000, 8))
        changed = {"id": keys, "count": [rng.randrange(1 << 60) for _ in keys]}
        repository.stage_rows(pa.table(changed), ANNE, "x")
        repository.commit(f"{number}", "anne")
    before = [rows_of(repository, commit.name) for commit in repository.log()]
    repository.close()
    code = CHILD.format(work=work)
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code), str(tmp_path)],
        check=False,
        capture_output=True,
        text=True,
        preexec_fn=files_up_to(70_000),
    )
    assert not done.stderr
    assert done.stdout.startswith("refused"), done.stdout
    assert "space" in done.stdout
    again = Repository.open(tmp_path)
    assert [rows_of(again, commit.name) for commit in again.log()] == before
    assert not list(again.store.folder.glob("*.tmp"))
    assert sound(again)
    assert gc(again, grace_ms=0).kept


# Noise


def an_object(kind, folder):
    repository = a_history(folder)
    version = head(repository)
    base = repository.reader.base(version.base)
    name = {"delta": version.tail, "base": version.base, "segment": base.segments[0].name}[kind]
    return repository.store.get(name)


@pytest.fixture(scope="module")
def objects(tmp_path_factory):
    kinds = ("delta", "base", "segment")
    return {kind: an_object(kind, tmp_path_factory.mktemp(kind)) for kind in kinds}


PARSERS = {
    "delta": Delta.parse,
    "base": Base.parse,
    "segment": lambda raw: decode_segment(raw, a_schema().columns),
}


@pytest.mark.parametrize("kind", PARSERS)
@given(data=st.data())
def test_objects_of_noise_are_damaged_or_read_and_nothing_else(objects, kind, data):
    raw = bytearray(objects[kind])
    for _ in range(data.draw(st.integers(1, 6))):
        place = data.draw(st.integers(0, len(raw) - 1))
        how = data.draw(st.sampled_from(["flip", "cut", "repeat", "insert"]))
        if how == "flip":
            raw[place] = data.draw(st.integers(0, 255))
        elif how == "cut" and len(raw) > 2:
            del raw[place : place + data.draw(st.integers(1, 9))]
        elif how == "repeat":
            raw[place:place] = raw[place : place + 16]
        else:
            raw[place:place] = data.draw(st.binary(min_size=1, max_size=5))
        raw = raw or bytearray(b"x")
    with contextlib.suppress(Damaged):
        PARSERS[kind](bytes(raw))


def test_a_note_with_a_run_of_another_table_is_told_not_served(tmp_path):
    repository = a_repository(tmp_path)
    repository.edit([Edit("a", "count", 1)], ANNE, "x")
    repository.commit("x", "anne")
    with repository.store.write() as writer:
        name = writer.put(os.urandom(40))
    tail = head(repository).tail
    repository.state.folds.note(tail, Fold(name, name), 0)
    assert rows_of(Repository.open(tmp_path), "HEAD")["a"] == {"label": "cat", "count": 1}
    assert [fault.where for fault in told(repository)] == [f"fold {tail[:10]}"]
    assert isinstance(TableReader(repository.store).delta(tail).table, pa.Table)
