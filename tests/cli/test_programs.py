"""build, builds, lint, run, inspect, ide, demo: the loop around a program."""

import json
import re
import signal
import socket
import urllib.request

import pytest
from command_line import CommandLine

pytest.importorskip("torch")


def test_a_build_tells_its_score_its_suspects_and_what_is_next(built):
    _, result = built
    assert result.exit_code == 0
    assert re.match(r"build [0-9a-f]{16} of commit [0-9a-f]{10} done in \d+\.\d s\n", result.stdout)
    assert re.search(
        r"accuracy \d+\.\d % \(\d+\.\d to \d+\.\d\) on 30 test examples", result.stdout
    )
    assert re.search(r"\d+ suspect labels? to look at\n", result.stdout)
    assert "train: epoch 3 of 3: loss" in result.stderr
    assert result.stderr.endswith("next: sw2 lint / sw2 ide\n")


def test_a_build_that_was_made_says_why_it_is_not_made_again(built):
    cli, _ = built
    text = cli.ok("build")
    assert "is up to date: the data of commit" in text
    assert cli.json("build")["cached"] is True


def test_builds_are_listed(built):
    cli, _ = built
    (only,) = cli.json("builds")
    assert only["status"] == "done"
    assert cli.ok("builds").startswith(only["id"])
    assert "newest build: " + only["id"] in cli.ok("status")


@pytest.mark.parametrize("name", ["latest", "prefix", "path"])
def test_a_program_is_named_by_file_build_or_latest(built, name):
    cli, _ = built
    (only,) = cli.json("builds")
    binary = {"latest": "latest", "prefix": only["id"][:6], "path": only["binary"]}[name]
    result = cli.run("run", binary, "pictures/test/across/0.png")
    assert re.fullmatch(r"pictures/test/across/0.png: (across|down) [01]\.\d{3}\n", result.stdout)


def test_a_picture_that_cannot_be_read_does_not_stop_the_others(built):
    cli, _ = built
    good = "pictures/test/across/0.png"
    result = cli.run("run", "latest", good, "none.png", "sw2.toml", "--top", "2")
    assert result.exit_code == 1
    assert result.stdout.startswith(f"{good}: ")
    assert result.stdout.count(",") == 1
    assert "skipped: none.png: there is no such file\n" in result.stderr
    assert "skipped: sw2.toml: not a picture" in result.stderr
    answers = cli.json("run", "latest", good, "none.png")
    assert set(answers[0]["probabilities"]) == {"across", "down"}
    assert answers[1]["kind"] == "not-found"


@pytest.mark.parametrize(
    ("binary", "message"),
    [
        ("abcd", "there is no build `abcd`"),
        ("x.sw2b", "there is no program `x.sw2b`"),
        ("sw2.toml", "sw2.toml"),
    ],
)
def test_a_program_that_is_none_is_an_error(built, binary, message):
    cli, _ = built
    result = cli.run("inspect", binary)
    assert result.exit_code == 1
    assert message in result.stderr


def test_inspect_tells_what_a_program_is(built):
    cli, _ = built
    text = cli.ok("inspect", "latest")
    assert "program    bars (classify)\n" in text
    assert "takes      pictures of any size, seen as 12 x 12 grey\n" in text
    assert "answers    2 labels: across, down\n" in text
    assert cli.json("inspect", "latest")["manifest"]["name"] == "bars"


def test_lint_reads_like_a_linter_and_fails_when_strict(repository):
    source = repository.folder / "pictures" / "down" / "0.png"
    (repository.folder / "pictures" / "across" / "same.png").write_bytes(source.read_bytes())
    repository.ok("add", "pictures")
    result = repository.run("lint")
    assert result.exit_code == 0
    assert result.stdout.splitlines()[0] == (
        "pictures/across/same.png: W203 the same picture as pictures/down/0.png with different "
        "labels: `across`, `down`"
    )
    assert "2 open findings: W203 2\n" in result.stderr
    assert "labels were not judged" in result.stderr
    assert repository.run("lint", "--strict").exit_code == 1
    assert repository.run("lint", "--strict", "--code", "W101").exit_code == 0
    limited = repository.json("lint", "--limit", "1")
    assert (limited["open"], len(limited["findings"])) == (2, 1)


def test_lint_proposes_the_command_that_mends_a_label(tmp_path, monkeypatch):
    from sw2.cli import checks
    from sw2.insight import Finding

    finding = Finding("W101", "my pictures/1.png", "labelled", "a", "b c", 0.9, 0.9, "label")
    assert checks._fix(finding).count("[fix: sw2 label 'my pictures/1.png' 'b c']") == 1


def test_findings_that_are_dealt_with_are_only_listed_on_request(repository):
    source = repository.folder / "pictures" / "down" / "0.png"
    for name in ("same", "again"):
        (repository.folder / "pictures" / "down" / f"{name}.png").write_bytes(source.read_bytes())
    repository.ok("add", "pictures")
    repository.ok("label", "pictures/down/same.png", "down")
    listed = {line.split(":")[0] for line in repository.ok("lint").splitlines()}
    assert "pictures/down/same.png" not in listed
    assert "[resolved]" in repository.ok("lint", "--all")


def a_slow_repository(cli):
    cli.pictures("pictures/train", across=60, down=60)
    cli.pictures("pictures/test", across=5, down=5)
    cli.ok("init")
    (cli.folder / "sw2.toml").write_text("[build]\nepochs = 1000\n")
    cli.ok("add", "pictures")
    cli.ok("commit", "-m", "Import")


def test_an_interrupted_build_keeps_its_state_and_the_next_goes_on(cli):
    a_slow_repository(cli)
    for goes_on in (False, True):
        process = cli.start("build")
        told = ""
        while "train: epoch" not in told:
            line = process.stderr.readline()
            assert line, told
            told += line
        process.send_signal(signal.SIGINT)
        _, rest = process.communicate(timeout=60)
        assert process.returncode == 130
        assert "stopping; the state is kept and `sw2 build` resumes it" in rest
        assert "error: the build was stopped at epoch" in rest
        assert ("goes on in epoch" in told) is goes_on
    assert cli.json("builds")[0]["status"] == "cancelled"


def test_a_build_is_compared_with_the_one_before(cli):
    cli.pictures("pictures/train", across=20, down=20)
    cli.pictures("pictures/test", across=10, down=10)
    cli.ok("init")
    (cli.folder / "sw2.toml").write_text("[build]\nepochs = 2\n")
    cli.ok("add", "pictures")
    cli.ok("commit", "-m", "Import")
    cli.ok("build")
    cli.ok("label", "pictures/train/across/0.png", "down")
    assert "1 staged edit not in this build" in cli.run("build").stderr
    cli.ok("commit", "-m", "Turn one")
    text = cli.ok("build")
    assert re.search(r"before: .* \(build [0-9a-f]{16}\)\nafter: ", text)
    assert re.search(r"change: [+-]\d+\.\d points .* of 20 tested", text)


def test_a_repository_without_a_commit_cannot_be_built(cli):
    cli.ok("init")
    assert cli.json("build")["message"] == "nothing is committed yet"


@pytest.fixture
def serving():
    """Starts a serving command and ends it as a person does."""
    started = []

    def start(cli: CommandLine, *words: str):
        process = cli.start(*words, "--no-browser", "--json")
        started.append(process)
        text = ""
        while not text.endswith("}\n"):
            line = process.stdout.readline()
            assert line, process.stderr.read()
            text += line
        return process, json.loads(text)

    yield start
    for process in started:
        process.kill()
        process.communicate()


def ask(document, path):
    token = document["url"].split("token=")[1]
    url = f"http://127.0.0.1:{document['port']}{path}"
    return urllib.request.urlopen(
        urllib.request.Request(url, headers={"Authorization": f"Bearer {token}"}), timeout=30
    )


def test_the_ide_answers_at_the_address_it_prints_and_ends_cleanly(repository, serving):
    process, document = serving(repository, "ide")
    with ask(document, "/api/session") as answer:
        assert json.load(answer)["rows"] == 6
    with ask(document, "/api/events") as events:
        assert events.readline() == b"event: hello\n"
        process.send_signal(signal.SIGINT)
        _, talk = process.communicate(timeout=30)
    assert process.returncode == 0
    assert talk.endswith("stopped\n")
    assert "Traceback" not in talk
    assert "Ctrl-C stops it" in talk


def test_a_port_that_is_taken_is_told_or_stepped_over(repository, serving):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        error = repository.json("ide", "--no-browser", "--port", port)
        assert error["kind"] == "unavailable"
        assert error["message"].startswith(f"port {port} cannot be used")
    first, second = serving(repository, "ide")[1], serving(repository, "ide")[1]
    assert first["port"] != second["port"]


def test_a_missing_part_says_how_to_install_it(repository, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "uvicorn", None)
    error = repository.json("ide", "--no-browser")
    assert error["kind"] == "missing-extra"
    assert error["hint"] == "Run `pip install 'sw2[ide]'`"


def test_the_demo_is_made_once(cli):
    document = cli.json("demo", "d", "--no-ide")
    assert (document["rows"], document["planted"], document["fixed"]) == (5000, 250, 0)
    inside = CommandLine(cli.folder / "d")
    key = "pictures/train/00163.png"
    inside.ok("label", key, "T-shirt")
    assert cli.json("demo", "d", "--no-ide")["fixed"] == 1
