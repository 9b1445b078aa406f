"""What docs/python.md shows runs."""

import re
from pathlib import Path

import pytest

PAGE = Path(__file__).parent.parent.parent / "docs" / "python.md"
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE.read_text(), flags=re.DOTALL)


@pytest.mark.parametrize("block", BLOCKS, ids=[block.splitlines()[0] for block in BLOCKS])
def test_the_examples_of_the_page_run(repository, monkeypatch, block):
    monkeypatch.chdir(repository.root)
    exec("import sw2\n" + block, {})
