"""Damage and full disks are told in words, by name; what was there before stays."""

import contextlib
import random
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
import textwrap

import pytest
from model_repository import ANNE, a_repository, a_schema, a_table, labels_of, rows_of, sound

from sw2.errors import Damaged, InvalidInput, NotARepository, NotFound, Sw2Error, Unavailable
from sw2.repo import Edit, Fault, Repository, fsck
from sw2.store import name_of


@pytest.fixture
def repository(tmp_path):
    repository = a_repository(tmp_path)
    repository.edit([Edit("a", "label", "owl")], ANNE, "fix")
    repository.commit("fix", "anne")
    repository.edit([Edit("b", "label", "owl")], ANNE, "staged")
    return repository


def packs(repository):
    return sorted(repository.store.folder.glob("??/*.pack"), key=lambda path: path.stat().st_mtime)


def reopened(repository):
    repository.close()
    return Repository.open(repository.root)


def test_a_sound_repository_has_no_fault_and_is_not_changed_by_the_check(repository):
    before = {path: path.read_bytes() for path in packs(repository)}
    assert sound(repository)
    assert {path: path.read_bytes() for path in packs(repository)} == before


def test_every_pack_that_goes_missing_is_named_by_what_it_held(repository):
    for pack in packs(repository):
        kept = pack.read_bytes()
        pack.unlink()
        told = fsck(Repository.open(repository.root))
        assert told, pack
        assert all(fault.where and fault.what for fault in told)
        pack.write_bytes(kept)
    assert sound(repository)


def test_a_missing_pack_is_an_error_with_a_hint(repository):
    packs(repository)[0].unlink()
    for work in (
        lambda: labels_of(Repository.open(repository.root)),
        lambda: labels_of(reopened(repository)),
    ):
        with pytest.raises((NotFound, Damaged)) as told:
            work()
        assert "fsck" in told.value.hint


def test_rows_are_not_staged_over_a_table_whose_pack_is_missing(repository):
    """The table is there, though it cannot be read: it must not be taken for a new one."""
    packs(repository)[0].unlink()
    again = reopened(repository)
    with pytest.raises((NotFound, Damaged)):
        again.stage_rows(a_table({"z": {"label": "cat"}}), ANNE, "import", a_schema())
    assert again.state.stamp()[0] == 1


def test_a_flipped_byte_in_a_pack_is_named(repository):
    for pack in packs(repository):
        whole = pack.read_bytes()
        pack.write_bytes(whole[:20] + bytes([whole[20] ^ 0xFF]) + whole[21:])
        assert any("object" in fault.where for fault in fsck(Repository.open(repository.root)))
        pack.write_bytes(whole)


def test_a_small_file_that_cannot_be_read_is_told(repository):
    (repository.root / "sw2.toml").symlink_to("/proc/self/mem")
    head = repository.head
    for work in (
        repository.status,
        lambda: repository.file("sw2.toml"),
        lambda: repository.commit("more", "anne"),
    ):
        with pytest.raises(Unavailable, match=r"sw2\.toml` cannot be read") as told:
            work()
        assert told.value.hint
    assert repository.head == head


def test_a_pack_that_is_restored_is_read_again_without_a_restart(repository):
    (*_, pack) = packs(repository)
    whole = pack.read_bytes()
    pack.write_bytes(whole[:-1])
    again = reopened(repository)
    with pytest.raises(NotFound, match="not in this repository") as told:
        rows_of(again)
    assert "damaged" in told.value.hint
    pack.write_bytes(whole)
    assert rows_of(again)["a"] == {"label": "owl"}
    assert fsck(again) == []


def test_a_picture_that_is_not_there_is_named_by_its_row(tmp_path):
    repository = Repository.init(tmp_path)
    with repository.write_media() as put:
        name = put(b"a picture")
    (pack,) = packs(repository)
    schema = a_schema().add("image", "image")
    repository.stage_rows(a_table({"a": {"image": name}, "b": {"image": None}}), ANNE, "i", schema)
    repository.commit("import", "anne")
    assert repository.media(name) == b"a picture"
    assert sound(repository)
    pack.unlink()
    again = reopened(repository)
    assert Fault("row a", f"image {name[:12]} is not in the store") in fsck(again)
    with pytest.raises(NotFound):
        again.media(name)


def test_the_rows_that_a_commit_claims_are_counted(repository):
    import json

    commit = repository.commit_of("HEAD")
    value = json.loads(repository.store.get(commit.name))
    value["tables"]["examples"]["rows"] = 7
    with repository.store.write() as writer:
        wrong = writer.put(json.dumps(value).encode())
    repository.state.move("main", commit.name, wrong, 0, "by hand")
    assert Fault(f"commit {wrong[:10]}", "table `examples` has 3 rows, not 7") in fsck(repository)


def test_a_branch_that_points_nowhere_is_named(repository):
    repository.state.move("main", repository.head, "ab" * 32, 0, "by hand")
    (fault, *_) = fsck(reopened(repository))
    assert (fault.where, "abababab" in fault.what) == ("branch main", True)


# state.sqlite


def state_file(repository):
    """The database in one file, closed."""
    repository.close()
    path = repository.folder / "state.sqlite"
    with contextlib.closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return path


def test_a_missing_database_is_told(repository):
    state_file(repository).unlink()
    with pytest.raises(Damaged, match="missing") as told:
        Repository.open(repository.root)
    assert "backup" in told.value.hint


@pytest.mark.parametrize(
    "change",
    [
        lambda raw: b"",
        lambda raw: raw[:100],
        lambda raw: raw[:5000],
        lambda raw: b"not a database" * 500,
        lambda raw: raw[:16] + bytes(84) + raw[100:],
        lambda raw: raw[:100] + bytes(3996) + raw[4096:],
        lambda raw: raw[:4096] + bytes([255]) * (len(raw) - 4096),
    ],
    ids=["empty", "header", "truncated", "text", "header zeroed", "tables zeroed", "pages"],
)
def test_a_damaged_database_is_told(repository, change):
    path = state_file(repository)
    path.write_bytes(change(path.read_bytes()))
    assert "state.sqlite" in " ".join(told(repository.root))


def told(root):
    """What opening and checking say."""
    try:
        return [f"{fault.where}: {fault.what}" for fault in fsck(Repository.open(root))]
    except Sw2Error as error:
        return [error.message] if error.hint else []


def test_any_damaged_page_of_the_database_is_told_or_harmless(repository):
    path = state_file(repository)
    whole = path.read_bytes()
    for place in range(0, len(whole), 512):
        path.write_bytes(whole[:place] + bytes([0xA5]) * 64 + whole[place + 64 :])
        with contextlib.suppress(Sw2Error):
            again = Repository.open(repository.root)
            with contextlib.suppress(Sw2Error):
                fsck(again)
                rows_of(again)
                again.edit([Edit("c", "label", "cat")], ANNE, "x")
                again.undo()
            again.close()


def test_a_flipped_bit_in_the_database_is_told_or_harmless(repository):
    """SQLite keeps no checksums; ours are of what is staged and of where branches stand."""
    before = what_is_staged(repository)
    path = state_file(repository)
    whole, rng = path.read_bytes(), random.Random(2017)
    written = [place for place, byte in enumerate(whole) if byte]
    for place in rng.sample(written, 300):
        flipped = whole[place] ^ 1 << rng.randrange(8)
        path.write_bytes(whole[:place] + bytes([flipped]) + whole[place + 1 :])
        with contextlib.suppress(Sw2Error), closed_after(repository.root) as again:
            # One flag says what is undone: a redo brings it back.
            assert fsck(again) or again.redo() or what_is_staged(again) == before, place
    path.write_bytes(whole)
    assert sound(repository)


@contextlib.contextmanager
def closed_after(root):
    repository = Repository.open(root)
    try:
        yield repository
    finally:
        repository.close()


def what_is_staged(repository):
    told = [(c.key, c.column, c.old, c.new, c.origin) for c in repository.pending().edits]
    return told, rows_of(repository)


def in_the_database(repository, sql, *values):
    with contextlib.closing(sqlite3.connect(state_file(repository))) as database:
        database.execute(sql, values)
        database.commit()
    return Repository.open(repository.root)


def test_a_staged_edit_that_changed_on_disk_is_told_and_can_be_taken_back(repository):
    changed = repository.state.next_undo().delta.replace(b"anne", b"enna")
    other = in_the_database(repository, "UPDATE action SET delta = ?", changed)
    with pytest.raises(Damaged, match="`staged` is not what was saved") as told:
        rows_of(other)
    assert "sw2 undo" in told.value.hint
    assert any("staged edit" in fault.where for fault in fsck(other))
    other.undo()
    assert labels_of(other) == {"a": "owl", "b": "dog", "c": None}


@pytest.mark.parametrize(
    "sql", ["UPDATE ref SET name = 'lain'", "UPDATE meta SET value = 'lain' WHERE key = 'branch'"]
)
def test_a_lost_branch_is_told_and_no_new_history_begins(repository, sql):
    other = in_the_database(repository, sql)
    assert any("branch `" in fault.what for fault in fsck(other))
    for work in (lambda: rows_of(other), lambda: other.commit("more", "anne"), other.log):
        with pytest.raises(Damaged, match="no branch") as told:
            work()
        assert told.value.hint


def test_what_was_staged_before_it_was_named_by_its_hash_is_still_read(repository):
    other = in_the_database(repository, "UPDATE action SET object = NULL")
    assert labels_of(other)["b"] == "owl"
    assert fsck(other) == []


def test_an_edit_that_is_undone_before_others_that_are_not_is_named(repository):
    repository.edit([Edit("c", "label", "owl")], ANNE, "later")
    first = repository.state.actions()[0].id
    other = in_the_database(repository, "UPDATE action SET undone = 1 WHERE id = ?", first)
    assert any(f"staged edit {first} is undone" in fault.what for fault in fsck(other))


def test_a_cell_whose_label_is_gone_is_named(repository):
    repository.define(repository.schema().with_labels("label", ["emu"]), "emu")
    repository.edit([Edit("a", "label", "emu")], ANNE, "use it")
    other = in_the_database(repository, "DELETE FROM action WHERE label = 'emu'")
    assert any("a cell without a label" in fault.what for fault in fsck(other))
    with pytest.raises(Damaged, match="a cell without a label") as told:
        rows_of(other)
    assert told.value.hint


def test_a_branch_that_is_not_where_it_was_moved_to_is_named(repository):
    parent = repository.commit_of("HEAD~1").name
    other = in_the_database(repository, f"UPDATE ref SET target = '{parent}'")
    (fault,) = [fault for fault in fsck(other) if fault.where == "state.sqlite"]
    assert "`main` should be at" in fault.what


def test_a_database_of_another_format_is_told(repository):
    repository.state.set_meta("format", "99")
    with pytest.raises(Damaged, match="format 99"):
        reopened(repository)


def test_what_is_no_repository_is_told(tmp_path):
    with pytest.raises(NotARepository) as told:
        Repository.open(tmp_path)
    assert "sw2 init" in told.value.hint


def test_a_repository_is_not_made_twice(tmp_path):
    a_repository(tmp_path)
    with pytest.raises(InvalidInput, match="already") as told:
        Repository.init(tmp_path)
    assert told.value.hint
    (tmp_path / "file").touch()
    with pytest.raises(Unavailable):
        Repository.init(tmp_path / "file" / "below")
    assert not list(tmp_path.glob("*.tmp"))


# Full disks


def run_child(root, code, **how):
    text = "import sys, os\nfrom sw2.repo import Edit, Repository\nfrom sw2.values import Origin\n"
    text += "from sw2.errors import Sw2Error\nrepository = Repository.open(sys.argv[1])\n"
    return subprocess.run(
        [sys.executable, "-c", text + textwrap.dedent(code), str(root)],
        check=False,
        capture_output=True,
        text=True,
        **how,
    )


FILL = """
    for number in range(100_000):
        try:
            repository.edit([Edit("a", "count", number)], Origin("anne"), f"set {number}")
        except Sw2Error as error:
            print("edit", number, error.kind, error.hint != "")
            break
    try:
        with repository.write_media() as put:
            put(os.urandom(1 << 20))
    except Sw2Error as error:
        print("media", error.kind, error.hint != "")
    try:
        repository.commit("all", "anne")
        print("committed")
    except Sw2Error as error:
        print("commit", error.kind, error.hint != "")
    print("still", repository.read(["count"])[0].to_pylist()[0])
"""


def files_up_to(size):
    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)

    return limit


def test_a_file_that_may_not_grow_is_told_and_what_was_there_stays(repository):
    done = run_child(repository.root, FILL, preexec_fn=files_up_to(400_000))
    assert not done.stderr
    lines = [line.split() for line in done.stdout.splitlines()]
    assert lines[0][0] == "edit"
    assert lines[0][2:] == ["unavailable", "True"]
    assert lines[1] == ["media", "unavailable", "True"]
    check_after_filling(repository, lines)


def check_after_filling(repository, lines):
    last = int(lines[0][1]) - 1
    assert lines[-1] == ["still", str(last)]
    again = reopened(repository)
    assert rows_of(again)["a"] == {"label": "owl", "count": last}
    assert rows_of(again)["b"] == {"label": "owl"}
    assert sound(again)
    if again.undo():
        assert rows_of(again)["a"].get("count") == (last - 1 if last else None)


@pytest.fixture
def small_disk(tmp_path):
    """One MB, of which `ballast` holds a part that can be let go of."""
    disk = tmp_path / "disk"
    disk.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(disk)]
    if not shutil.which("mount") or subprocess.run(command, capture_output=True).returncode:
        pytest.skip("no small disk can be mounted here")
    (disk / "ballast").write_bytes(bytes(200_000))
    yield disk
    subprocess.run(["umount", "-l", str(disk)], check=True)


def test_a_full_disk_is_told_and_what_was_there_stays(small_disk):
    repository = a_repository(small_disk)
    repository.edit([Edit("a", "label", "owl"), Edit("b", "label", "owl")], ANNE, "fix")
    repository.close()
    done = run_child(small_disk, FILL)
    assert not done.stderr
    lines = [line.split() for line in done.stdout.splitlines()]
    assert lines[0][2:] == ["unavailable", "True"]
    assert not list(small_disk.glob("**/*.tmp"))
    (small_disk / "ballast").unlink()
    check_after_filling(repository, lines)


def test_an_object_name_is_what_the_media_say(repository):
    with repository.write_media() as put:
        assert put(b"picture") == name_of(b"picture")
