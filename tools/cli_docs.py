"""Writes docs/cli.md from the commands' own help. `--check` compares instead.

$ python tools/cli_docs.py
"""

import sys
from pathlib import Path

import click

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "src"))

from sw2.cli import main  # noqa: E402
from sw2.cli.catalogue import SECTIONS  # noqa: E402

PAGE = ROOT / "docs" / "cli.md"
WIDTH = 80
HEAD = """\
<!-- Written by tools/cli_docs.py from the commands' help. Do not edit. -->

# The command line

Answers go to stdout; talk, progress and errors go to stderr. On a pipe there is no colour and no
bar. `NO_COLOR` is obeyed.

- **`--json`**, on every command: one JSON document on stdout. Times are milliseconds since 1970, as
  in the HTTP API. An error is `{kind, message, hint}`; the `kind` never changes.
- **`-C PATH`**, before the command: run as if started in PATH.
- **Who**: `--author`, else `SW2_AUTHOR`, else git's `user.name` and `user.email`, else the login
  name.
- **Revisions**: as in git: `HEAD`, `@`, a branch, a tag, four or more digits of a commit's id, `-`
  for the branch that was left last; after it `~N`, `^`, `^N`, `@{N}`, `@{yesterday}`,
  `@{2 days ago}`, `@{2026-11-20}`.
- **Programs**: a file, the beginning of a build's id, or `latest`, the newest finished build.

| exit code | means |
| --- | --- |
| 0 | done |
| 1 | failed, and stderr says why |
| 2 | the command line is wrong |
| 130 | interrupted; `sw2 build` goes on from there next time |

`sw2 lint` exits with 1 when a finding of an error code (E…) is open, with `--strict` when any is;
`sw2 fsck` when something is damaged; `sw2 run` when some pictures could not be read.

Errors look the same everywhere:

```text
error: `Caot` is not a label of column `label`

hint: Did you mean `Coat`? Its labels: Ankle boot, Bag, Coat
```
"""


def page() -> str:
    parts = [HEAD, _block(_help(main, click.Context(main, info_name="sw2")))]
    for title, entries in SECTIONS.items():
        parts.append(f"# {title}\n")
        for name in entries:
            context = click.Context(main, info_name="sw2")
            command = main.get_command(context, name)
            assert command is not None
            inner = click.Context(command, info_name=name, parent=context)
            parts.append(f"## sw2 {name}\n\n{_block(_help(command, inner))}")
    return "\n".join(parts)


def _help(command: click.Command, context: click.Context) -> str:
    context.terminal_width = context.max_content_width = WIDTH
    context.help_option_names = ["-h", "--help"]
    return command.get_help(context)


def _block(text: str) -> str:
    lines = "\n".join(line.rstrip() for line in text.splitlines())
    return f"```text\n{lines}\n```\n"


if __name__ == "__main__":
    if "--check" in sys.argv[1:]:
        current = PAGE.read_text(encoding="utf-8") if PAGE.exists() else ""
        sys.exit(0 if current == page() else "docs/cli.md is old: run python tools/cli_docs.py")
    PAGE.write_text(page(), encoding="utf-8")
