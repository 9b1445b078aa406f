"""The pages that teach are true: their commands are run, and what they print is compared."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGES = ["tutorial.md", "branches.md"]
BLOCK = re.compile(r"```(console|python)\n(.*?)```", re.DOTALL)


def steps(page: str) -> list[tuple[str, str]]:
    """("console", one command and what it prints) and ("python", a script), in order."""
    found = []
    for kind, text in BLOCK.findall((ROOT / "docs" / page).read_text()):
        parts = re.split(r"^(?=\$ )", text, flags=re.MULTILINE) if kind == "console" else [text]
        found += [(kind, part) for part in parts if part.strip()]
    return found


def pattern(expected: list[str]) -> str:
    """`…` alone stands for any lines, `…` in a line for anything in that line."""
    lines = [
        r"(?:.*\n)*" if line == "…" else re.escape(line).replace("…", ".*") + r"\n"
        for line in expected
    ]
    return "".join(lines)


@pytest.mark.parametrize("page", PAGES)
def test_a_page_does_what_it_says(page, tmp_path):
    scripts = Path(sys.executable).parent
    environment = os.environ | {
        "PATH": f"{scripts}{os.pathsep}{os.environ['PATH']}",
        "SW2_AUTHOR": "Ann",
        "PYTHONPATH": str(ROOT / "src"),
    }
    here = tmp_path
    for kind, text in steps(page):
        command, *expected = text.splitlines()
        if command.startswith("$ cd "):
            here = here / command.removeprefix("$ cd ")
            continue
        shell = ["bash", "-c", command.removeprefix("$ ")] if kind == "console" else None
        ran = subprocess.run(
            shell or [sys.executable, "-c", text],
            cwd=here,
            env=environment,
            capture_output=True,
            text=True,
        )
        assert ran.returncode == 0, f"{command}\n{ran.stdout}{ran.stderr}"
        if kind == "console" and expected:
            assert re.fullmatch(pattern(expected), ran.stdout), f"{command}\n{ran.stdout}"
