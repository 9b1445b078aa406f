import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from small_shop import Server, a_shop
from starlette.testclient import TestClient

import sw2
from sw2.build import build
from sw2.ide.app import create_app
from sw2.repo import Repository

TOKEN = "a-token"
HOME = "http://127.0.0.1:8765"


@pytest.fixture(scope="session")
def built_shop(tmp_path_factory) -> Path:
    """A small shop with a program, built once for all tests; copy it before changing it."""
    folder = tmp_path_factory.mktemp("shops") / "shop"
    repository = a_shop(folder)
    build(repository)
    repository.close()
    return folder


@pytest.fixture
def repository(built_shop, tmp_path) -> Iterator[Repository]:
    opened = sw2.open(shutil.copytree(built_shop, tmp_path / "shop"))
    yield opened
    opened.close()


@pytest.fixture
def client(repository) -> Iterator[TestClient]:
    headers = {"authorization": f"Bearer {TOKEN}"}
    with TestClient(create_app(repository, "Ann", TOKEN), base_url=HOME, headers=headers) as found:
        yield found


@pytest.fixture
def serve() -> Iterator[Callable[[Path], Server]]:
    """Starts a server on a folder, in a process of its own that does not outlive the test."""
    servers: list[Server] = []

    def start(folder: Path) -> Server:
        servers.append(Server(folder))
        return servers[-1].start()

    yield start
    for server in servers:
        server.kill()
