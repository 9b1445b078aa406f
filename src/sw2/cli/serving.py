"""`sw2 ide`: the server of the IDE, in this process."""

import asyncio
import logging
import socket
import sys
import webbrowser
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import click

from sw2.cli.environment import author as author_of
from sw2.cli.environment import browser_is_here
from sw2.cli.frame import command
from sw2.cli.terminal import Terminal, bold, plain
from sw2.errors import MissingExtra, Unavailable

if TYPE_CHECKING:
    from sw2.repo import Repository

PORT = 8765
PORTS_TRIED = 20
SECONDS_TO_CLOSE = 1  # for what is being saved; the page's stream of events never ends by itself


@command(example="sw2 ide --port 9000 --no-browser")
@click.option("--port", type=click.IntRange(0, 65535), help=f"Instead of {PORT}, or the next free.")
@click.option("--no-browser", is_flag=True, help="Only print the address.")
@click.option("--author", help="Who edits, instead of SW2_AUTHOR, git's user or the login name.")
def ide(terminal: Terminal, port: int | None, no_browser: bool, author: str | None) -> None:
    """Open the IDE: look, label, commit, build in a browser.

    Serves this repository to this machine alone, at an address with a token, until Ctrl-C. Every
    edit is on disk before the page shows it as saved."""
    with terminal.repository() as repository:
        serve(terminal, repository, port, not no_browser, author_of(author))


def serve(
    terminal: Terminal, repository: "Repository", port: int | None, browser: bool, author: str
) -> None:
    """Serves until Ctrl-C. Raises MissingExtra without FastAPI and uvicorn, Unavailable when the
    port is taken."""
    uvicorn, create_app, token_of = _server()
    token = token_of(repository.folder)
    app = create_app(repository, author, token)
    with _listen(port) as listening:
        at = listening.getsockname()[1]
        url = f"http://127.0.0.1:{at}/?token={token}"
        document = {"url": url, "port": at, "path": repository.root, "author": author}
        terminal.answer(document, [f"the IDE is at {bold(url)}"])
        sys.stdout.flush()
        terminal.say(f"repository: {plain(repository.root)}, as {plain(author)}")
        terminal.say("Ctrl-C stops it; every edit is on disk already")
        if browser and browser_is_here():
            webbrowser.open(url)
        logging.getLogger("uvicorn.error").addFilter(_not_of_closing)
        config = uvicorn.Config(
            app, log_level="warning", timeout_graceful_shutdown=SECONDS_TO_CLOSE
        )
        # uvicorn closes down on Ctrl-C and then passes the signal on.
        with suppress(KeyboardInterrupt):
            uvicorn.Server(config).run(sockets=[listening])
    terminal.say("stopped")


def _not_of_closing(record: logging.LogRecord) -> bool:
    """False for what uvicorn says of a stream that it cuts when it closes down, as each open page
    has one: an error for uvicorn, the usual end here."""
    cut = record.exc_info and isinstance(record.exc_info[1], asyncio.CancelledError)
    return not cut and "timeout graceful shutdown exceeded" not in record.getMessage()


def _server() -> tuple[Any, Any, Any]:
    try:
        import uvicorn

        from sw2.ide.app import create_app
        from sw2.ide.security import token_of
    except ModuleNotFoundError as error:
        if error.name is None or error.name.split(".")[0] == "sw2":
            raise
        raise MissingExtra(
            f"the IDE needs `{error.name}`, which is not installed",
            hint="Run `pip install 'sw2[ide]'`",
        ) from error
    return uvicorn, create_app, token_of


def _listen(port: int | None) -> socket.socket:
    """A listening socket, before the address is printed: a browser that is quicker than the server
    waits instead of being refused."""
    ports = [port] if port is not None else range(PORT, PORT + PORTS_TRIED)
    for one in ports:
        listening = socket.socket()
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind(("127.0.0.1", one))
            listening.listen(128)
        except OSError as error:
            listening.close()
            reason = error.strerror
        else:
            return listening
    told = f"port {ports[0]}" if len(ports) == 1 else f"ports {ports[0]} to {ports[-1]}"
    raise Unavailable(f"{told} cannot be used: {reason}", hint="Choose another with `--port`")
