"""A pack is there whole or not at all: killed writers, errors half-way, full disks."""

import resource
import signal
import subprocess
import sys
import textwrap
from contextlib import suppress

import pytest

from sw2.errors import Unavailable
from sw2.store import ObjectStore, name_of


@pytest.fixture
def store(tmp_path):
    store = ObjectStore(tmp_path / "packs")
    with store.write() as writer:
        writer.put(b"before")
    return store


def unchanged(store):
    """Whether a store opened anew holds what it did before, and nothing else."""
    opened = ObjectStore(store.folder)
    return not list(opened.verify()) and list(opened.names()) == [name_of(b"before")]


def leftovers(store):
    return list(store.folder.glob("*.tmp"))


def child(code, folder, **how):
    text = "import sys, pathlib; from sw2.store import ObjectStore\n"
    text += "store = ObjectStore(pathlib.Path(sys.argv[1]))\n" + textwrap.dedent(code)
    return subprocess.run(
        [sys.executable, "-c", text, str(folder)],
        check=False,
        capture_output=True,
        text=True,
        **how,
    )


def test_an_error_half_way_leaves_no_pack_and_no_file(store):
    with suppress(KeyError), store.write() as writer:
        writer.put(b"half")
        raise KeyError
    assert unchanged(store)
    assert not leftovers(store)
    assert not store.has(name_of(b"half"))


def test_a_killed_writer_leaves_no_pack_and_no_fault(store):
    code = """
        import os, signal
        with store.write() as writer:
            writer.put(os.urandom(1 << 20))
            os.kill(os.getpid(), signal.SIGKILL)
    """
    assert child(code, store.folder).returncode == -signal.SIGKILL
    assert leftovers(store)
    assert unchanged(store)


def test_leftovers_of_killed_writers_are_harmless(store):
    (store.folder / "dead.tmp").write_bytes(b"SW2PACK1 and then nothing")
    (store.folder / "empty.tmp").touch()
    assert unchanged(store)
    with store.write() as writer:
        name = writer.put(b"after")
    assert ObjectStore(store.folder).get(name) == b"after"


def small_files():
    """The child may write no file over 64 KB: what a full disk does, without needing one."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 16, 1 << 16))
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)


@pytest.mark.parametrize("size", [1 << 20, 1 << 10])
def test_a_full_disk_is_told_and_leaves_nothing(store, size):
    code = f"""
        import os
        from sw2.errors import Unavailable
        try:
            with store.write() as writer:
                for number in range({(1 << 18) // size + 1}):
                    writer.put(os.urandom({size}), compress=False)
        except Unavailable as error:
            print(error.message, error.hint)
    """
    done = child(code, store.folder, preexec_fn=small_files)
    assert "cannot be written" in done.stdout, done.stderr
    assert "space" in done.stdout
    assert unchanged(store)
    assert not leftovers(store)


def test_a_write_that_failed_and_was_caught_spoils_no_later_object(store):
    code = """
        import os
        from sw2.errors import Unavailable
        with store.write() as writer:
            first = writer.put(b"first" * 10, compress=False)
            try:
                writer.put(os.urandom(1 << 20), compress=False)
            except Unavailable:
                print("told")
    """
    done = child(code, store.folder, preexec_fn=small_files)
    assert "told" in done.stdout
    assert not list(ObjectStore(store.folder).verify())
    assert not leftovers(store)


def test_a_folder_that_cannot_be_made_is_told(tmp_path):
    (tmp_path / "file").touch()
    with (
        pytest.raises(Unavailable, match="cannot be written"),
        ObjectStore(tmp_path / "file" / "packs").write() as writer,
    ):
        writer.put(b"x")
