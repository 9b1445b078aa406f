import pytest
from tiny_builds import build_rows, some_rows


@pytest.fixture(scope="session")
def finished(tmp_path_factory):
    """One build, shared by all tests that only read it."""
    rows, media = some_rows()
    return build_rows(tmp_path_factory.mktemp("build") / "one", rows, media)
