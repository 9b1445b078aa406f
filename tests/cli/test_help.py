"""Every command documents itself, quickly."""

import subprocess
import sys
from pathlib import Path

import click
import pytest
from command_line import ENTRY, environment

from sw2 import __version__
from sw2.cli import main
from sw2.cli.catalogue import COMMANDS

ROOT = Path(__file__).parent.parent.parent


def run(words):
    return subprocess.run(words, capture_output=True, text=True, check=False, env=environment())


def command(name):
    found = main.get_command(click.Context(main), name)
    assert found is not None
    return found


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_an_example_and_a_page(name):
    assert f"  $ sw2 {name}" in command(name).help
    assert f"## sw2 {name}\n" in (ROOT / "docs" / "cli.md").read_text()


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_says_of_itself_what_the_overview_says(name):
    assert command(name).help.splitlines()[0] == COMMANDS[name].line


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_takes_json_and_explains_each_option(name):
    options = [p for p in command(name).params if isinstance(p, click.Option)]
    assert "json" in [option.name for option in options]
    assert all(option.help for option in options)


def test_the_page_is_what_the_commands_say():
    tool = [sys.executable, str(ROOT / "tools" / "cli_docs.py"), "--check"]
    done = run(tool)
    assert done.returncode == 0, done.stderr


def test_the_overview_lists_every_command(cli):
    text = cli.ok("--help")
    assert text.startswith("Usage: sw2 [OPTIONS] COMMAND")
    assert all(f"  {name} " in text and entry.line in text for name, entry in COMMANDS.items())


def test_the_version_is_told(cli):
    assert cli.ok("--version") == f"sw2 {__version__}\n"


def test_help_imports_no_room_and_takes_a_quarter_of_a_second_at_most():
    code = (
        "import sys, time\n"
        "from sw2.cli import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: pass\n"
        "heavy = {'numpy', 'pyarrow', 'PIL', 'torch', 'rich', 'onnxruntime', 'sw2.repo'}\n"
        "print(sorted(heavy & set(sys.modules)), time.process_time(), file=sys.stderr)"
    )
    done = run([sys.executable, "-c", code])
    loaded, seconds = done.stderr.rsplit(" ", 1)
    assert loaded == "[]"
    assert float(seconds) < 0.25


@pytest.mark.parametrize("words", [("status",), ("log", "-5")])
def test_what_commits_alone_tell_is_told_without_what_they_do_not_need(repository, words):
    code = (
        "import sys\n"
        "from sw2.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "heavy = {'numpy', 'pyarrow', 'rich', 'subprocess', 'webbrowser', 'hashlib'}\n"
        "print(sorted(heavy & set(sys.modules)), file=sys.stderr)"
    )
    assert run([sys.executable, "-c", code, *words]).stderr == "[]\n"


def test_without_a_command_the_overview_is_shown(cli):
    done = run(ENTRY)
    assert done.returncode == 2
    assert "Usage: sw2" in done.stderr
    assert done.stdout == ""
