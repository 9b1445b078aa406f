"""The page's types are those of the server as it is now."""

import json
import subprocess
import sys
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

ROOT = Path(__file__).parent.parent.parent
FILTERS = ["split", "label", "prediction", "finding", "state", "change", "q", "order", "id", "code"]
PATHS = ["session", "examples", "examples/ids", "facets", "example", "problems", "pending", "log"]


def test_the_description_is_the_committed_one(tmp_path):
    made = tmp_path / "openapi.json"
    subprocess.run([sys.executable, ROOT / "tools/openapi.py", made], check=True)
    committed = json.loads((ROOT / "web/openapi.json").read_text())
    assert json.loads(made.read_text()) == committed, "run `make api`"


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.sampled_from(PATHS), st.dictionaries(st.sampled_from(FILTERS), st.text(max_size=8)))
def test_no_question_breaks_the_server(client, path, query):
    assert client.get(f"/api/{path}", params=query).status_code < 500
