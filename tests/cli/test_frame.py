"""What all commands have in common: errors, JSON, colour, folders, pipes."""

import errno
import json
import os
import pty
import subprocess

import pytest
from command_line import ENTRY, environment

from sw2.cli import environment as from_environment
from sw2.cli.terminal import plain


def test_an_error_says_what_and_how_to_mend_it(cli):
    result = cli.run("status")
    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr == (
        f"error: there is no repository in `{cli.folder}` or above it\n\n"
        "hint: Run `sw2 init` to make one\n"
    )


def test_an_error_is_one_json_document_when_asked(cli):
    result = cli.run("status", "--json")
    assert result.exit_code == 1
    assert result.stderr == ""
    assert json.loads(result.stdout) == {
        "kind": "not-a-repository",
        "message": f"there is no repository in `{cli.folder}` or above it",
        "hint": "Run `sw2 init` to make one",
    }


def test_an_unknown_command_names_the_nearest(cli):
    result = cli.run("biuld")
    assert result.exit_code == 2
    assert (
        result.stderr == "error: there is no command `biuld`\n\nhint: Did you mean `sw2 build`?\n"
    )


def test_a_command_like_none_points_at_the_list(cli):
    assert "`sw2 --help` lists the commands" in cli.run("xyzzy").stderr


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["add"], "missing argument 'FOLDER'"),
        (["commit"], "a commit needs a message"),
        (["log", "--limit", "0"], "invalid value for '--limit'"),
        (["log", "--colour"], "no such option"),
        (["diff", "a", "b", "c"], "3 revisions given"),
    ],
)
def test_wrong_usage_ends_with_2(cli, words, message):
    result = cli.run(*words)
    assert result.exit_code == 2
    assert message in result.stderr
    assert cli.json(*words)["kind"] == "invalid-input"


def test_c_runs_as_if_started_there(repository, tmp_path_factory, monkeypatch):
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    monkeypatch.chdir(elsewhere)
    assert repository.json("status")["path"] == str(repository.folder)


def test_a_folder_that_may_not_be_written_is_told(cli, monkeypatch):
    def refuse(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device", "pack")

    monkeypatch.setattr("sw2.repo.Repository.init", refuse)
    result = cli.run("init")
    assert result.exit_code == 1
    assert result.stderr == (
        "error: `pack`: no space left on device\n\n"
        "hint: Free some space; what was recorded before is safe\n"
    )
    assert cli.json("init")["kind"] == "unavailable"


def test_an_interrupt_ends_with_130(cli, monkeypatch):
    def interrupt(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("sw2.repo.Repository.init", interrupt)
    result = cli.run("init")
    assert (result.exit_code, result.stderr.strip()) == (130, "error: interrupted")


def test_a_bug_is_not_dressed_up_as_an_error(cli, monkeypatch):
    monkeypatch.setattr("sw2.repo.Repository.init", lambda *_: 1 / 0)
    assert isinstance(cli.run("init").exception, ZeroDivisionError)


def test_text_cannot_steer_the_terminal():
    assert plain("a\x1b[31mb\nc\x9b\u202e") == "a\\x1b[31mb\\nc\\x9b\\u202e"
    assert plain("manteau d'été 大衣") == "manteau d'été 大衣"


def test_a_reader_that_has_enough_ends_it_quietly(repository):
    process = repository.start("log")
    process.stdout.close()
    assert process.wait(timeout=60) in (0, 1)
    assert "Traceback" not in process.stderr.read()


@pytest.mark.parametrize(("value", "coloured"), [("", True), ("1", False)])
def test_colour_is_for_terminals_without_no_color(repository, value, coloured):
    parent, child = pty.openpty()
    settings = environment(NO_COLOR=value, TERM="xterm")
    with subprocess.Popen([*ENTRY, "log"], cwd=repository.folder, stdout=child, env=settings):
        os.close(child)
        shown = b""
        while b"Import" not in shown:
            shown += os.read(parent, 4096)
    os.close(parent)
    assert (b"\x1b[" in shown) is coloured


def test_the_author_is_given_set_configured_or_logged_in(monkeypatch):
    monkeypatch.setattr(from_environment, "_git_author", lambda: "Git <g@x>")
    monkeypatch.setenv("SW2_AUTHOR", "Env")
    assert from_environment.author("Given") == "Given"
    assert from_environment.author() == "Env"
    monkeypatch.delenv("SW2_AUTHOR")
    assert from_environment.author() == "Git <g@x>"
    monkeypatch.setattr(from_environment, "_git_author", lambda: "")
    monkeypatch.setenv("LOGNAME", "logged-in")
    assert from_environment.author() == "logged-in"
