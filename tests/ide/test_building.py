"""Builds from the page: in a process of their own, followed, stopped, resumed, compared."""

import json
import os
import signal
import time

import httpx2
import pytest

import sw2
from sw2.build import builds
from sw2.repo import Edit, Repository
from sw2.values import Origin

LONG = 120.0  # seconds; only something that hangs takes as long


def wait_until(true, what: str):
    deadline = time.monotonic() + LONG
    while time.monotonic() < deadline:
        if found := true():
            return found
        time.sleep(0.1)
    raise AssertionError(f"{what} did not happen")


def status(client, build_id: str) -> str:
    return client.get(f"/api/builds/{build_id}").json()["info"]["status"]


def finished(client, build_id: str) -> dict:
    wait_until(lambda: status(client, build_id) != "running", "the end of the build")
    return client.get(f"/api/builds/{build_id}").json()


def change_a_label(client, client_id: str = "1") -> None:
    first = client.get("/api/examples", params={"limit": 1}).json()["items"][0]
    request = {"client_id": client_id, "verb": "accept", "ids": [first["id"]]}
    client.post("/api/edits", json=request).raise_for_status()
    client.post("/api/commit", json={"message": "Fix one"}).raise_for_status()


def longer(repository: Repository, epochs: int = 400) -> None:
    (repository.root / "sw2.toml").write_text(f"[build]\nepochs = {epochs}\n")
    repository.commit("Train longer", "Ann")


def test_an_unchanged_build_is_answered_at_once(client):
    answer = client.post("/api/builds").json()
    assert (answer["status"], answer["cached"]) == ("done", True)


def test_after_a_fix_the_build_tells_before_and_after(client):
    change_a_label(client)
    started = client.post("/api/builds").json()
    assert (started["status"], started["commit_message"]) == ("running", "Fix one")
    report = finished(client, started["id"])
    assert report["info"]["status"] == "done"
    comparison = report["comparison"]
    low, high = comparison["difference_interval"]
    difference = comparison["after_accuracy"] - comparison["before_accuracy"]
    assert low <= difference <= high
    assert comparison["tested"] == 80
    for change in ("better", "worse"):
        found = client.get("/api/examples/ids", params={"change": change}).json()
        assert len(found) == comparison[change]
    assert len(report["epochs"]) == 4
    assert sum(map(sum, report["confusion"])) == 80
    assert client.get("/api/session").json()["program"]["build"] == started["id"]


def test_only_one_build_runs_and_it_can_be_stopped_and_resumed(client, repository):
    longer(repository)
    started = client.post("/api/builds").json()
    again = client.post("/api/builds")
    assert (again.status_code, again.json()["kind"]) == (409, "conflict")
    wait_until(lambda: client.get(f"/api/builds/{started['id']}").json()["epochs"], "an epoch")
    stopped = client.post(f"/api/builds/{started['id']}/cancel").json()
    assert stopped["status"] == "cancelled"
    resumed = client.post("/api/builds").json()
    assert (resumed["id"], resumed["status"]) == (started["id"], "running")
    wait_until(
        lambda: "goes on in epoch" in client.get(f"/api/builds/{started['id']}").json()["log"],
        "going on where it stopped",
    )
    client.post(f"/api/builds/{started['id']}/cancel")


@pytest.mark.slow
def test_a_resumed_build_finishes_as_one(client, repository):
    longer(repository, epochs=150)
    started = client.post("/api/builds").json()
    wait_until(lambda: client.get(f"/api/builds/{started['id']}").json()["epochs"], "an epoch")
    stopped = client.post(f"/api/builds/{started['id']}/cancel").json()
    assert stopped["status"] == "cancelled"
    assert client.post("/api/builds").json()["id"] == started["id"]
    report = finished(client, started["id"])
    assert report["info"]["status"] == "done"
    assert [point["epoch"] for point in report["epochs"]] == list(range(1, 151))


def test_a_running_build_tells_how_far_it_is(client, repository):
    longer(repository)
    started = client.post("/api/builds").json()

    def training() -> dict | None:
        progress = client.get("/api/builds").json()[0]["progress"]
        return progress if progress and progress["accuracy"] is not None else None

    progress = wait_until(training, "an epoch")
    assert 0 < progress["done"] <= progress["total"]
    assert 0 <= progress["accuracy"] <= 1
    assert client.get("/api/session").json()["building"] == started["id"]
    client.post(f"/api/builds/{started['id']}/cancel")
    newest = client.get("/api/builds").json()[0]
    assert (newest["status"], newest["progress"]) == ("cancelled", None)
    assert client.get("/api/session").json()["building"] is None


def test_a_killed_worker_reads_as_interrupted_and_can_be_started_again(client, repository):
    longer(repository)
    started = client.post("/api/builds").json()
    os.kill(builds(repository)[0].state.pid, signal.SIGKILL)
    wait_until(lambda: status(client, started["id"]) == "interrupted", "noticing the death")
    assert client.post("/api/builds").json()["status"] == "running"
    client.post(f"/api/builds/{started['id']}/cancel")


def test_a_server_that_stops_stops_its_build(serve, repository):
    longer(repository)
    server = serve(repository.root)
    with httpx2.Client(base_url=f"http://127.0.0.1:{server.port}", timeout=60) as http:
        http.headers["authorization"] = f"Bearer {server.token}"
        http.post("/api/builds").raise_for_status()
    server.process.send_signal(signal.SIGINT)
    server.process.wait()
    wait_until(lambda: builds(sw2.open(repository.root))[0].status == "cancelled", "the stop")


@pytest.mark.parametrize("spec", ["[build]\nepochz = 3\n", "[build\n"])
def test_a_spec_that_cannot_be_read_is_told_with_its_line_or_key(client, repository, spec):
    (repository.root / "sw2.toml").write_text(spec)
    repository.commit("Break the spec", "Ann")
    answer = client.post("/api/builds")
    assert answer.status_code == 422
    assert "sw2.toml" in answer.json()["message"]


def test_once_the_spec_is_mended_it_builds_again(client, repository):
    (repository.root / "sw2.toml").write_text("[build\n")
    repository.commit("Break the spec", "Ann")
    assert client.post("/api/builds").status_code == 422
    longer(repository, epochs=3)
    started = client.post("/api/builds").json()
    assert finished(client, started["id"])["info"]["status"] == "done"
    assert client.get("/api/session").json()["program"]["build"] == started["id"]


def test_a_build_that_fails_says_why(client, repository):
    keys = repository.read(["id"])["id"].to_pylist()
    repository.edit([Edit(key, "label", None) for key in keys], Origin("Ann"), "empty all")
    repository.commit("Take all labels away", "Ann")
    started = client.post("/api/builds").json()
    failed = finished(client, started["id"])["info"]
    assert (failed["status"], failed["error"]["kind"]) == ("failed", "build-failed")
    assert "0 usable training examples" in failed["error"]["message"]
    assert failed["error"]["hint"]


def test_open_pages_hear_of_edits(serve, repository):
    server = serve(repository.root)
    headers = {"authorization": f"Bearer {server.token}"}
    base = f"http://127.0.0.1:{server.port}"
    heard: list[str] = []
    with (
        httpx2.Client(base_url=base, headers=headers, timeout=60) as http,
        http.stream("GET", "/api/events") as stream,
    ):
        lines = stream.iter_lines()
        for line in lines:
            if line.startswith("event: "):
                heard.append(line.removeprefix("event: "))
            if line.startswith("data: ") and heard[-1] == "session":
                assert json.loads(line.removeprefix("data: "))["session"]["pending"] == 1
                break
            if heard == ["hello"]:
                key = repository.read(["id"])["id"][0].as_py()
                request = {"client_id": "1", "verb": "keep", "ids": [key]}
                httpx2.post(f"{base}/api/edits", json=request, headers=headers)
                heard.append("edited")
    assert heard == ["hello", "edited", "session"]
