"""Nothing that was answered is lost, whenever the server dies."""

import random
import shutil
import threading
import uuid

import httpx2
import pytest
from small_shop import Server

import sw2
from sw2.repo import fsck


def client(server: Server) -> httpx2.Client:
    headers = {"authorization": f"Bearer {server.token}"}
    return httpx2.Client(base_url=f"http://127.0.0.1:{server.port}", headers=headers, timeout=60)


def send(http: httpx2.Client, edit: dict) -> None:
    http.post("/api/edits", json=edit).raise_for_status()


def wishes(server: Server, count: int, seed: int) -> list[dict]:
    """`count` edits, one example each; now and then the same example again."""
    rng = random.Random(seed)
    repository = sw2.open(server.folder)
    ids = repository.read(["id"])["id"].to_pylist()
    labels = repository.schema().column("label").labels
    repository.close()
    return [
        {
            "client_id": str(uuid.UUID(int=rng.getrandbits(128))),
            "verb": "label",
            "label": rng.choice(labels),
            "ids": [rng.choice(ids)],
        }
        for _ in range(count)
    ]


@pytest.mark.parametrize(
    ("count", "seed"),
    [(150, 0), *(pytest.param(500, n, marks=pytest.mark.slow) for n in (0, 1, 2))],
)
def test_a_server_killed_among_many_edits_loses_none_that_it_answered(
    built_shop, tmp_path, serve, count, seed
):
    server = serve(shutil.copytree(built_shop, tmp_path / "shop"))
    edits, rng = wishes(server, count, seed), random.Random(seed)
    # Counted in edits, for a slow machine may answer none in a fixed time; then anywhere in the
    # work of the next few.
    last, pause = rng.randrange(1, 4 * count // 5), rng.uniform(0, 0.05)
    answered, http = [], client(server)
    for edit in edits:
        if len(answered) == last:
            threading.Timer(pause, server.kill).start()
        try:
            send(http, edit)
        except httpx2.TransportError:
            break
        answered.append(edit)
    assert len(answered) < count, "the server was not killed in the middle"
    server.process.wait()

    repository = sw2.open(server.folder)
    expected = {edit["ids"][0]: edit["label"] for edit in answered}
    unsure = edits[len(answered)]  # sent, not answered: it may have landed, whole or not at all
    table = repository.read(["id", "label"])
    now = dict(zip(table["id"].to_pylist(), table["label"].to_pylist(), strict=True))
    if now[unsure["ids"][0]] == unsure["label"]:
        expected[unsure["ids"][0]] = unsure["label"]
    assert {key: now[key] for key in expected} == expected
    assert fsck(repository) == []

    before = repository.state.stamp()[0]
    assert repository.undo() is not None
    assert repository.state.stamp()[0] == before - 1
    assert repository.redo() is not None
    repository.close()

    server.start()  # the rest, the unanswered one with its own id, lands once each
    http = client(server)
    for edit in edits[len(answered) :]:
        send(http, edit)
    server.stop()
    repository = sw2.open(server.folder)
    table = repository.read(["id", "label"])
    now = dict(zip(table["id"].to_pylist(), table["label"].to_pylist(), strict=True))
    wanted = {edit["ids"][0]: edit["label"] for edit in edits}
    assert {key: now[key] for key in wanted} == wanted
    assert fsck(repository) == []
