import sys
from pathlib import Path

# The builders of tiny repositories and builds live beside the tests of the room below.
sys.path.insert(0, str(Path(__file__).parents[1] / "build"))
