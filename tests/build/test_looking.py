"""Looking at a build while it runs or ends changes nothing, and sees what is."""

import threading
from dataclasses import replace

from sw2.build import read_build
from sw2.build.folder import lock, locked, write_state


def test_looking_at_a_build_never_keeps_another_from_starting(tmp_path):
    over = threading.Event()

    def look() -> None:
        while not over.is_set():
            locked(tmp_path)

    looker = threading.Thread(target=look)
    with lock(tmp_path):
        assert locked(tmp_path)
    looker.start()
    for _ in range(200):
        with lock(tmp_path):
            pass
    over.set()
    looker.join()
    assert not locked(tmp_path)


def test_a_build_that_ends_while_it_is_looked_at_does_not_read_as_interrupted(
    finished, tmp_path, monkeypatch
):
    write_state(tmp_path, replace(finished.state, status="running", ended_at=None))

    def ends_now(folder) -> bool:
        write_state(folder, finished.state)
        return False

    monkeypatch.setattr("sw2.build.folder.locked", ends_now)
    build = read_build(tmp_path)
    assert build is not None
    assert build.status == "done"
