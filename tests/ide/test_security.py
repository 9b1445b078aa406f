"""The local server listens to a browser on this machine that came with the token, only."""

import pytest
from starlette.testclient import TestClient

from sw2.ide.app import create_app
from sw2.ide.security import token_of

PATHS = ["/", "/api/session", "/api/examples", "/api/events", "/assets/x.js", "/favicon.svg"]
HERE = "http://127.0.0.1:8765"


@pytest.fixture
def stranger(repository) -> TestClient:
    app = create_app(repository, "Ann", "a-token")
    return TestClient(app, base_url=HERE, follow_redirects=False)


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("token", ["", "Bearer ", "Bearer wrong", "Bearer a-toke", "a-token-2"])
def test_without_the_token_nothing_is_told(stranger, path, token):
    answer = stranger.get(path, headers={"authorization": token})
    assert answer.status_code == 403
    assert answer.json()["kind"] == "forbidden"


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8765", "127.0.0.1.evil.example"])
def test_a_foreign_name_is_refused_even_with_the_token(stranger, host):
    headers = {"authorization": "Bearer a-token", "host": host}
    assert stranger.get("/api/session", headers=headers).status_code == 403


@pytest.mark.parametrize("origin", ["http://evil.example", "http://127.0.0.1:9999", "null"])
def test_another_page_in_the_same_browser_is_refused(stranger, origin):
    headers = {"authorization": "Bearer a-token", "origin": origin}
    assert stranger.post("/api/undo", json={"client_id": "1"}, headers=headers).status_code == 403


def test_the_token_leaves_the_address_and_becomes_a_cookie_that_scripts_cannot_read(stranger):
    answer = stranger.get("/?token=a-token&view=problems")
    assert answer.status_code == 303
    assert answer.headers["location"] == "/?view=problems"
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert stranger.get("/api/session").status_code == 200


@pytest.mark.parametrize(
    "path", ["/../app.py", "/..%2fapp.py", "/%2e%2e/app.py", "/assets/..%2f..%2fapp.py"]
)
def test_files_outside_the_page_are_not_served(client, path):
    assert "create_app" not in client.get(path).text


def test_the_token_is_kept_for_its_owner_only(repository):
    token = token_of(repository.folder)
    assert token_of(repository.folder) == token
    assert len(token) >= 32
    path = repository.folder / "cache" / "ide-token"
    assert path.stat().st_mode & 0o077 == 0
