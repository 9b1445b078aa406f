"""Whatever is asked, the answer has one shape, and nobody without the token gets one."""

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx2
import pytest
from small_shop import Server
from starlette.routing import Route
from starlette.testclient import TestClient
from tiny_shop import a_tiny_shop

from sw2.build import builds, job_of
from sw2.errors import BuildFailed
from sw2.ide import app as ide
from sw2.ide import live, security, worker
from sw2.ide.app import create_app
from sw2.ide.builder import Builder
from sw2.ide.workbench import Workbench
from sw2.repo import Edit, Repository
from sw2.values import Origin

HOME = "http://127.0.0.1:8765"
SIGNED_IN = {"authorization": "Bearer t"}


@pytest.fixture
def shop(tmp_path) -> Iterator[Repository]:
    repository = a_tiny_shop(tmp_path / "shop", spread=12)
    yield repository
    repository.close()


def a_client(repository: Repository, **headers: str) -> TestClient:
    app = create_app(repository, "Ann", "t")
    return TestClient(app, base_url=HOME, headers=headers, raise_server_exceptions=False)


def every_call(app) -> Iterator[tuple[str, str]]:
    for route in app.routes:
        if isinstance(route, Route):
            path = route.path.replace("{name}", "0" * 64).replace("{path:path}", "index.html")
            for method in route.methods or ():
                yield method, path


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"authorization": "Bearer no"},
        {"authorization": "Bearer \xe9"},
        {"cookie": "sw2-token-8765=no"},
        SIGNED_IN | {"host": "evil.example"},
        SIGNED_IN | {"host": ""},
        SIGNED_IN | {"origin": "http://evil.example"},
        SIGNED_IN | {"origin": "http://127.0.0.1:1"},
    ],
    ids=str,
)
def test_every_path_refuses_strangers(shop, headers):
    client = a_client(shop)
    raw = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
    calls = list(every_call(client.app))
    assert len(calls) > 20
    for method, path in calls:
        answer = client.request(method, path, headers=raw)
        assert answer.status_code == 403, (method, path)
        if method != "HEAD":
            assert answer.json()["kind"] == "forbidden"
    assert shop.status().clean
    assert builds(shop) == []


def test_a_token_of_strange_letters_is_a_wrong_one(shop):
    assert a_client(shop).get("/", params={"token": "é中"}).status_code == 403


@pytest.mark.parametrize(
    ("method", "path", "status", "kind"),
    [
        ("GET", "/api/nothing", 404, "not-found"),
        ("POST", "/api/nothing", 405, "not-found"),
        ("DELETE", "/api/session", 405, "not-found"),
        ("GET", "/assets/of-an-older-page.js", 404, "not-found"),
        ("GET", f"/api/media/{'a' * 63}", 404, "not-found"),
        ("GET", f"/api/media/{'A' * 64}", 404, "not-found"),
        ("GET", "/api/media/..%2f..%2fstate.sqlite", 404, "not-found"),
        ("POST", "/api/edits", 422, "invalid-input"),
        ("POST", "/api/commit", 422, "invalid-input"),
    ],
)
def test_errors_have_one_shape(shop, method, path, status, kind):
    answer = a_client(shop, **SIGNED_IN).request(method, path)
    assert answer.status_code == status
    assert set(answer.json()) == {"kind", "message", "hint"}
    assert answer.json()["kind"] == kind


def test_a_fault_of_the_server_has_that_shape_too(shop, monkeypatch):
    monkeypatch.setattr(Workbench, "session", lambda self: 1 // 0)
    answer = a_client(shop, **SIGNED_IN).get("/api/session")
    assert answer.status_code == 500
    assert answer.json()["kind"] == "error"
    assert "ZeroDivisionError" in answer.json()["message"]


@pytest.mark.parametrize("path", ["/%00", "/" + "a" * 5000, "/..", "/view/problems", "/%ff"])
def test_a_path_that_is_no_file_is_the_page(shop, path, tmp_path, monkeypatch):
    (tmp_path / "static").mkdir()
    (tmp_path / "static" / "index.html").write_text("the page")
    monkeypatch.setattr(ide, "STATIC", tmp_path / "static")
    assert a_client(shop, **SIGNED_IN).get(path).text == "the page"


def test_without_a_built_page_it_says_how_to_build_one(shop, tmp_path, monkeypatch):
    monkeypatch.setattr(ide, "STATIC", tmp_path)
    answer = a_client(shop, **SIGNED_IN).get("/")
    assert (answer.status_code, answer.json()["hint"]) == (404, "Run `make web`")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b'{"client_id": "", "verb": "keep", "ids": ["0000.png"]}',
        b'{"client_id": "\\ud800", "verb": "keep", "ids": ["0000.png"]}',
        b'{"client_id": "1", "verb": "keep", "ids": ["\\ud800"]}',
        b'{"client_id": "1", "verb": "keep", "ids": []}',
        b'{"client_id": "1", "verb": "keep", "ids": "0000.png"}',
        b'{"client_id": "1", "verb": "label", "ids": ["0000.png"], "label": 1}',
        b"\xff\xfe",
    ],
)
def test_a_body_that_makes_no_sense_is_refused_and_changes_nothing(shop, body):
    headers = SIGNED_IN | {"content-type": "application/json"}
    answer = a_client(shop, **headers).post("/api/edits", content=body)
    assert answer.status_code in (404, 422)
    assert set(answer.json()) == {"kind", "message", "hint"}
    assert shop.status().clean


def test_a_body_that_is_too_large_or_does_not_say_its_size_is_refused(shop, monkeypatch):
    monkeypatch.setattr(security, "LARGEST_BODY", 1 << 20)
    client = a_client(shop, **SIGNED_IN)
    assert client.post("/api/edits", content=b" " * (1 << 20)).status_code == 422
    assert client.post("/api/edits", content=b" " * ((1 << 20) + 1)).status_code == 413
    assert client.post("/api/edits", content=iter([b"{", b"}"])).status_code == 413
    assert client.post("/api/undo", headers={"content-length": "-1"}).status_code == 413


def test_a_client_id_names_one_request_only(shop):
    client = a_client(shop, **SIGNED_IN)
    keep = {"client_id": "1", "verb": "keep", "ids": ["0000.png"]}
    client.post("/api/edits", json=keep).raise_for_status()
    assert client.post("/api/undo", json={"client_id": "1"}).status_code == 422
    assert client.get("/api/session").json()["pending"] == 1


def test_what_happens_after_connecting_is_told_whenever_it_happens(shop):
    """Also what happens between the first look and the first turn of the stream."""

    async def first_two() -> list[str]:
        bench = Workbench(shop, "Ann")
        seen = await live.look(bench)
        shop.edit([Edit("0000.png", "label", "blob")], Origin("Bob"), "from elsewhere")
        stream = live.stream(bench, seen)
        told = [await anext(stream), await anext(stream)]
        await stream.aclose()
        return told

    with ThreadPoolExecutor(1) as aside:  # this thread may have a loop: that of a browser's tests
        hello, session = aside.submit(asyncio.run, first_two()).result()
    assert hello.startswith("event: hello\n")
    assert session.startswith("event: session\n")
    assert "from elsewhere" in session


def test_an_open_page_follows_a_build_to_its_end(shop):
    server = Server(shop.root).start()
    told = []
    with (
        httpx2.Client(
            base_url=f"http://127.0.0.1:{server.port}",
            headers={"authorization": f"Bearer {server.token}"},
            timeout=120,
        ) as http,
        http.stream("GET", "/api/events") as stream,
    ):
        lines = (line for line in stream.iter_lines() if line.startswith("data: "))
        assert '"hello"' in next(lines)
        build_id = http.post("/api/builds").json()["id"]
        for line in lines:
            told.append(line)
            if '"status":"done"' in line:
                break
    server.stop()
    running = [line for line in told if '"type":"build"' in line]
    assert all(build_id in line for line in running)


def test_the_worker_builds_the_commit_that_was_asked_for(shop):
    first = shop.head
    wanted = job_of(shop).id
    shop.edit([Edit("0000.png", "label", "blob")], Origin("Ann"), "meanwhile")
    shop.commit("Meanwhile", "Ann")
    command = [sys.executable, "-m", "sw2.ide.worker", str(shop.root), first]
    assert subprocess.run(command, check=False).returncode == 0
    assert [(build.id, build.commit) for build in builds(shop)] == [(wanted, first)]


def test_a_worker_that_cannot_begin_says_why(shop, monkeypatch, tmp_path):
    broken = tmp_path / "no-python"
    broken.write_text("#!/bin/sh\necho 'the disk is on fire' >&2\nexit 4\n")
    broken.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(broken))
    with pytest.raises(BuildFailed) as caught:
        Builder(Workbench(shop, "Ann")).start()
    assert "status 4" in caught.value.message
    assert caught.value.hint == "the disk is on fire"


def test_a_worker_tells_a_failure_in_three_lines(shop, capsys):
    assert worker.main(str(shop.root), "no such commit") == 3
    assert capsys.readouterr().err.splitlines()[0] == "not-found"


def test_a_build_whose_server_died_can_be_stopped_by_the_next(shop):
    (shop.root / "sw2.toml").write_text("[build]\nepochs = 1000\n")
    shop.commit("Train long", "Ann")
    first = Server(shop.root).start()
    url = f"http://127.0.0.1:{first.port}/api/builds"
    headers = {"authorization": f"Bearer {first.token}"}
    build_id = httpx2.post(url, headers=headers, timeout=120).json()["id"]
    first.kill()
    client = a_client(shop, **SIGNED_IN)
    assert client.get("/api/session").json()["building"] == build_id
    assert client.post("/api/builds").status_code == 409
    assert client.post(f"/api/builds/{build_id}/cancel").json()["status"] == "cancelled"
