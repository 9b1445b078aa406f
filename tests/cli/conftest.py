import pytest
from command_line import CommandLine


@pytest.fixture
def cli(tmp_path, monkeypatch):
    """The command line in an empty folder, acting as Ann."""
    monkeypatch.setenv("SW2_AUTHOR", "Ann <ann@example.org>")
    monkeypatch.setenv("SW2_NO_BACKGROUND", "1")
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.chdir(tmp_path)
    return CommandLine(tmp_path)


@pytest.fixture
def repository(cli):
    """A repository with six committed examples: three bars across, three bars down."""
    cli.pictures("pictures", across=3, down=3)
    cli.ok("init", ".", "--name", "bars")
    cli.ok("add", "pictures")
    cli.ok("commit", "-m", "Import")
    return cli


@pytest.fixture(scope="session")
def built(tmp_path_factory):
    """A repository with a finished build of 90 examples, for tests that only read it."""
    cli = CommandLine(tmp_path_factory.mktemp("built"))
    cli.pictures("pictures/train", across=30, down=30)
    cli.pictures("pictures/test", across=15, down=15)
    cli.ok("init", ".", "--name", "bars")
    (cli.folder / "sw2.toml").write_text('[program]\nname = "bars"\n\n[build]\nepochs = 3\n')
    cli.ok("add", "pictures")
    cli.ok("commit", "-m", "Import", "--author", "Ann")
    return cli, cli.run("build")
