"""The frame around commands: found when called, --json and -C for all, errors in one shape."""

import errno
import re
import sys
from collections.abc import Callable, Sequence
from contextlib import chdir
from importlib import import_module
from inspect import cleandoc
from typing import Any

import click

from sw2 import __version__
from sw2.cli.catalogue import COMMANDS, SECTIONS
from sw2.cli.environment import colourless
from sw2.cli.terminal import Terminal, plain
from sw2.errors import Cancelled, InvalidInput, Sw2Error, Unavailable

FAILED = 1
USAGE = 2
INTERRUPTED = 130  # 128 + SIGINT, as a shell reports it


class Usage(InvalidInput):
    """The command line itself is wrong; told by the exit code 2."""


class Frame(click.Group):
    """`sw2` itself."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        entry = COMMANDS.get(cmd_name)
        if entry is None:
            return None
        found = getattr(import_module(f"sw2.cli.{entry.module}"), entry.function)
        assert isinstance(found, click.Command)
        return found

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        if name not in COMMANDS and not name.startswith("-"):
            import difflib  # here, for it takes 3 ms of every command

            near = difflib.get_close_matches(name, COMMANDS, 1, 0.5)
            hint = f"Did you mean `sw2 {near[0]}`?" if near else "`sw2 --help` lists the commands"
            raise Usage(f"there is no command `{plain(name)}`", hint=hint)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        width = max(map(len, COMMANDS))
        for title, entries in SECTIONS.items():
            with formatter.section(title):
                lines = [(name.ljust(width), entry.line) for name, entry in entries.items()]
                formatter.write_dl(lines)

    def main(self, args: Sequence[str] | None = None, *rest: Any, **settings: Any) -> Any:
        """Runs a command line and exits: 0 done, 1 failed, 2 wrong usage, 130 interrupted."""
        words = list(sys.argv[1:] if args is None else args)
        settings["standalone_mode"] = False
        terminal = Terminal("--json" in words, not colourless())
        settings["obj"] = terminal
        settings["prog_name"] = self.name
        code = _guarded(lambda: super(Frame, self).main(words, *rest, **settings), terminal)
        sys.exit(code)


def _guarded(run: Callable[[], Any], terminal: Terminal) -> int:
    """The exit code; every failure that can be foreseen is told in the one shape."""
    try:
        done = run()
        return done if isinstance(done, int) else 0
    except Cancelled as error:
        terminal.error(error)
        return INTERRUPTED
    except Usage as error:
        terminal.error(error)
        return USAGE
    except Sw2Error as error:
        terminal.error(error)
        return FAILED
    except click.exceptions.NoArgsIsHelpError as error:
        terminal.say(error.format_message())
        return USAGE
    except click.UsageError as error:
        terminal.error(_usage(error))
        return USAGE
    except click.ClickException as error:
        terminal.error(Usage(error.format_message()))
        return USAGE
    except (click.Abort, KeyboardInterrupt):
        terminal.error(Cancelled("interrupted"))
        return INTERRUPTED
    except OSError as error:
        return _system(error, terminal)


def _usage(error: click.UsageError) -> Usage:
    message = error.format_message()
    name = error.ctx.command_path if error.ctx else "sw2"
    return Usage(message[:1].lower() + message[1:].rstrip("."), hint=f"See `{name} --help`")


def _system(error: OSError, terminal: Terminal) -> int:
    where = f"`{error.filename}`: " if error.filename else ""
    hints = {
        errno.ENOSPC: "Free some space; what was recorded before is safe",
        errno.EACCES: "Check who may read and write there",
        errno.EROFS: "The place cannot be written; use another",
    }
    message = f"{where}{(error.strerror or str(error)).lower()}"
    terminal.error(Unavailable(message, hint=hints.get(error.errno or 0, "")))
    return FAILED


def _ask_json(ctx: click.Context, parameter: click.Parameter, value: bool) -> None:
    ctx.ensure_object(Terminal).json |= value


class Counted(click.Command):
    """Takes `-5` for `--limit 5`, as git does."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        words = [re.sub(r"^-(\d+)$", r"--limit=\1", word) for word in args]
        return super().parse_args(ctx, words)


def command(
    *, example: str, counted: bool = False
) -> Callable[[Callable[..., Any]], click.Command]:
    """A command that takes --json and ends its help with an example. It is called with the
    Terminal first, and may return an exit code. counted: `-5` stands for `--limit 5`."""

    def decorate(function: Callable[..., Any]) -> click.Command:
        text = f"{cleandoc(function.__doc__ or '')}\n\n\b\nExample:\n" + "\n".join(
            f"  $ {line}" for line in example.splitlines()
        )
        kind = Counted if counted else click.Command
        made = click.command(help=text, cls=kind)(click.pass_obj(function))
        made.params.append(
            click.Option(
                ["--json"],
                is_flag=True,
                is_eager=True,
                expose_value=False,
                callback=_ask_json,
                help="Answer with one JSON document.",
            )
        )
        return made

    return decorate


@click.command(
    cls=Frame,
    name="sw2",
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="`sw2 COMMAND --help` tells more about each. Start with `sw2 demo`.",
)
@click.option(
    "-C",
    "folder",
    metavar="PATH",
    type=click.Path(exists=True, file_okay=False),
    help="Run as if started in PATH.",
)
@click.version_option(__version__, message="sw2 %(version)s")
@click.pass_context
def main(ctx: click.Context, folder: str | None) -> None:
    """Version, clean, build and run programs that are written in data.

    \b
    $ sw2 demo                      5,000 pictures, 250 wrong labels, the IDE
    $ sw2 init && sw2 add pictures  your own
    """
    if folder:
        ctx.with_resource(chdir(folder))
