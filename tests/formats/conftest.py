import pytest

from sw2.repo import Repository


@pytest.fixture
def repository(tmp_path):
    return Repository.init(tmp_path / "data")
