"""Several requests at once: people look while others edit."""

import threading
import uuid

from sw2.ide import edits
from sw2.ide.query import Filter
from sw2.ide.schema import EditRequest
from sw2.ide.workbench import Workbench

LONG = 120  # seconds; only a deadlock takes as long


def test_looking_and_editing_never_wait_for_each_other_for_ever(repository):
    bench = Workbench(repository, "Ann")
    ids = bench.ids(Filter(), "worst")[:30]
    over = threading.Event()

    def look() -> None:
        while not over.is_set():
            bench.session()
            bench.page(Filter(), "worst", 0, 10)

    def edit() -> None:
        for key in ids:
            edits.edit(bench, EditRequest(client_id=uuid.uuid4().hex, verb="keep", ids=[key]))
        for _ in ids:
            edits.undo(bench, uuid.uuid4().hex)

    lookers = [threading.Thread(target=look, daemon=True) for _ in range(3)]
    editors = [threading.Thread(target=edit, daemon=True) for _ in range(2)]
    for thread in lookers + editors:
        thread.start()
    for thread in editors:
        thread.join(LONG)
        assert not thread.is_alive()
    over.set()
    for thread in lookers:
        thread.join(LONG)
        assert not thread.is_alive()
