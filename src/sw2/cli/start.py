"""The first minute: an empty repository, or the sample one."""

from pathlib import Path

import click

from sw2.cli.environment import author as author_of
from sw2.cli.frame import command
from sw2.cli.progress import progress
from sw2.cli.terminal import Terminal, percent, plain

SPEC = """\
[program]
name = "{name}"
task = "classify"

[data]
input = "image"
target = "label"
"""


@command(example="sw2 init && sw2 add pictures")
@click.argument("folder", default=".", type=click.Path(file_okay=False))
@click.option("--name", help="The repository's name, instead of its folder's.")
def init(terminal: Terminal, folder: str, name: str | None) -> None:
    """Make an empty repository.

    Writes `.sw2/`, and `sw2.toml` unless there is one."""
    from sw2.repo import Repository

    repository = Repository.init(folder, name)
    spec = repository.root / "sw2.toml"
    if not spec.exists():
        spec.write_text(SPEC.format(name=_program_name(repository.name)))
    document = {"name": repository.name, "path": repository.root}
    repository.close()
    terminal.answer(document, [f"empty repository in {plain(repository.root)}"])
    terminal.say("next: sw2 add FOLDER")


def _program_name(name: str) -> str:
    """A name that the spec accepts, nearest to the repository's."""
    kept = "".join(c if c.isascii() and (c.isalnum() or c in "._-") else "-" for c in name)
    return kept.lstrip("._-") or "program"


@command(example="sw2 demo\nsw2 demo my-demo --no-ide")
@click.argument("folder", default="sw2-demo", type=click.Path(file_okay=False))
@click.option("--port", type=click.IntRange(0, 65535), help="Of the IDE, as in `sw2 ide`.")
@click.option("--no-browser", is_flag=True, help="Only print the address.")
@click.option("--no-ide", is_flag=True, help="Only make the repository.")
@click.option("--author", help="Who edits, instead of SW2_AUTHOR, git's user or the login name.")
def demo(
    terminal: Terminal,
    folder: str,
    port: int | None,
    no_browser: bool,
    no_ide: bool,
    author: str | None,
) -> None:
    """Open the IDE on pictures with wrong labels planted.

    Makes a repository of 5,000 small pictures of clothes in FOLDER, `sw2-demo` by default; 250 of
    their labels are wrong on purpose. Builds a first program, and opens the IDE on what it doubts.
    A demo that is there already is opened as it is."""
    from sw2.build import builds
    from sw2.cli.building import make
    from sw2.cli.serving import serve
    from sw2.demo import create, planted

    terminal.say(f"1 of 3: the repository, in {plain(folder)}")
    with progress(terminal) as tell:
        repository = create(Path(folder), tell)
    wrong, right = planted(repository)
    if no_ide:
        rows = repository.status().rows
        document = {"path": repository.root, "rows": rows, "planted": wrong, "fixed": right}
        lines = [f"{rows:,} examples in {plain(repository.root)}, {wrong - right} labels wrong"]
        terminal.answer(document, lines)
        terminal.say(f"next: cd {plain(folder)} && sw2 build")
    else:
        terminal.say(f"2 of 3: a first program, from labels of which {wrong} were made wrong")
        done = next((build for build in builds(repository) if build.complete()), None)
        state = (done or make(terminal, repository, "HEAD")).state
        right_share = percent(state.accuracy or 0.0)
        terminal.say(f"program {plain(state.name)}: {right_share} of the test examples right")
        terminal.say(f"3 of 3: the IDE; {right} of the {wrong} are right again so far")
        serve(terminal, repository, port, not no_browser, author_of(author))
    repository.close()
