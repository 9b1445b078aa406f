"""The page's types are those of the server as it is now."""

import json
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

ROOT = Path(__file__).parent.parent.parent
FILTERS = ["split", "label", "prediction", "finding", "state", "change", "q", "order", "id", "code"]
LISTS = ["examples", "examples/ids", "facets", "problems", "pending", "log", "builds"]
NAMED = ["media", "thumb", "commits", "builds"]
# What the server knows, so that questions get past the first check, and what it does not.
known = st.sampled_from(
    ["train", "test", "Bag", "none", "W101", "edited", "disagree", "better", "recent", "0001"]
)
words = known | st.text(max_size=8)
numbers = st.integers().map(str) | st.text(max_size=4)
paths = st.sampled_from([*LISTS, "session", "example"]) | st.builds(
    "{}/{}".format,
    st.sampled_from(NAMED),
    (words | st.sampled_from(["HEAD", "HEAD~1", "main~99999999999", "0" * 64])).map(
        lambda name: quote(name, safe="")
    ),
)
queries = st.dictionaries(st.sampled_from(FILTERS), st.lists(words, max_size=3)) | st.dictionaries(
    st.sampled_from(["offset", "limit"]), numbers
)


def test_the_description_is_the_committed_one(tmp_path):
    made = tmp_path / "openapi.json"
    subprocess.run([sys.executable, ROOT / "tools/openapi.py", made], check=True)
    committed = json.loads((ROOT / "web/openapi.json").read_text())
    assert json.loads(made.read_text()) == committed, "run `make api`"


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(paths, queries)
def test_no_question_breaks_the_server(client, path, query):
    answer = client.get(f"/api/{path}", params=query)
    assert answer.status_code < 500
    if answer.status_code >= 400:
        assert set(answer.json()) == {"kind", "message", "hint"}
