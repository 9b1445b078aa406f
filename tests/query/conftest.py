import pytest
from hypothesis import settings
from shelves import a_repository

from sw2.table import segment

# No deadline: how long a test takes says more about the machine than about the code.
settings.register_profile("sw2", deadline=None, max_examples=60)
settings.load_profile("sw2")


@pytest.fixture
def small_segments(monkeypatch):
    """Tables of a few rows get several segments, as tables of a million have."""
    monkeypatch.setattr(segment, "ROWS", 4)


@pytest.fixture
def repository(tmp_path, small_segments):
    """Ten examples and three votes; then a commit that relabels, inserts and deletes."""
    made = a_repository(tmp_path / "shop")
    yield made
    made.close()
