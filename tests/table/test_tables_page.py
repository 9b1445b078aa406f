"""The page about tables is true: its examples are run in order, in one Python."""

import re
from pathlib import Path

from sw2.cli.tables import schema as command
from sw2.table.cells import SHAPES, TYPES
from sw2.table.convert import CONVERTS

PAGE = (Path(__file__).parent.parent.parent / "docs" / "tables.md").read_text()


def test_the_examples_do_what_they_say(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = {}
    for block in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL):
        exec(compile(block, "docs/tables.md", "exec"), names)


def test_every_type_and_field_is_in_a_table():
    rows = [line for line in PAGE.splitlines() if line.startswith("| `")]
    assert all(any(f"`{kind}`" in row for row in rows) for kind in TYPES)
    for kind, shape in SHAPES.items():
        (row,) = [row for row in rows if row.startswith(f"| `{kind}` |")]
        assert all(f"`{field}`" in row for field in shape.fields)


def test_the_page_and_the_help_name_what_there_is():
    assert all(re.search(rf"\b{kind}\b", command.help) for kind in TYPES)
    pairs = PAGE.split("| from | to |")[1].split("\n\n")[0]
    lines = pairs.splitlines()
    for old, kinds in CONVERTS.items():
        (row,) = [line for line in lines if line and f"`{old}`" in line.split("|")[1]]
        assert all(f"`{new}`" in row for new in kinds)
