"""How commands speak: answers to stdout, talk to stderr, one JSON document with --json."""

import json
import shutil
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, is_dataclass
from datetime import datetime
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from sw2.errors import Sw2Error
    from sw2.repo import Ledger, Repository


@dataclass
class Terminal:
    """json: answer in JSON.  coloured: colour is wanted where a person reads."""

    json: bool = False
    coloured: bool = True

    def answer(self, document: Any, lines: Iterable[str], paged: bool = False) -> None:
        """What the command was asked for; `lines` for people, unless --json is given. paged: on a
        terminal with fewer lines, through the pager."""
        if self.json:
            click.echo(to_json(document))
            return
        if paged and sys.stdout.isatty():
            lines = iter(lines)
            begun = list(islice(lines, shutil.get_terminal_size().lines - 1))
            if (more := next(lines, None)) is not None:
                told = (f"{line}\n" for line in chain(begun, [more], lines))
                click.echo_via_pager(told, color=self.coloured)
                return
            lines = begun
        for line in lines:
            self._write(line, sys.stdout)

    def say(self, line: str = "") -> None:
        """Talk beside the answer."""
        self._write(line, sys.stderr)

    def _write(self, line: str, file: Any) -> None:
        click.echo(line, file=file, color=None if self.coloured else False)

    @contextmanager
    def repository(self) -> "Iterator[Repository]":
        """The repository of the current folder. Raises NotARepository."""
        without_pandas()
        from sw2.repo import Repository

        repository = Repository.open()
        try:
            yield repository
        finally:
            repository.close()

    @contextmanager
    def ledger(self) -> "Iterator[Ledger]":
        """Commits and refs of the repository of the current folder, without its tables. Raises
        NotARepository."""
        from sw2.repo import Ledger

        ledger = Ledger.open()
        try:
            yield ledger
        finally:
            ledger.close()

    def error(self, error: "Sw2Error") -> None:
        """`error: …`, a blank line, `hint: …`; with --json {kind, message, hint} on stdout."""
        if self.json:
            click.echo(to_json(error.as_dict()))
            return
        self.say(click.style("error: ", fg="red", bold=True) + plain(error.message, "\n"))
        if error.hint:
            self.say()
            self.say(click.style("hint: ", fg="cyan", bold=True) + plain(error.hint, "\n"))


class _NoPandas:
    """Finds no pandas."""

    @staticmethod
    def find_spec(name: str, path: Any = None, target: Any = None) -> None:
        if name == "pandas":
            raise ModuleNotFoundError("No module named 'pandas'", name=name)


def without_pandas() -> None:
    """Has Arrow do without pandas: it loads it where it is installed, which takes 0.3 s of each
    command, and no command hands a data frame out."""
    if "pyarrow" not in sys.modules and "pandas" not in sys.modules:
        sys.meta_path.insert(0, _NoPandas)
        try:
            import pyarrow

            pyarrow.array([0])  # it looks once
        finally:
            sys.meta_path.remove(_NoPandas)


def to_json(document: Any) -> str:
    return json.dumps(document, ensure_ascii=False, indent=2, default=_encode)


def _encode(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} has no place in JSON")


def plain(value: object, keep: str = "") -> str:
    """A cell or a path as safe text: control characters, which could steer a terminal or feign
    another line, are spelt out."""
    if value is None:
        return "(none)"
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = str(value)
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c in keep else _spelt(c) for c in text)


def _spelt(char: str) -> str:
    return char.encode("unicode_escape").decode()


def count(number: int, noun: str) -> str:
    """`1 example`, `2,000 examples`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def person(author: str) -> str:
    """`Ann` of `Ann <ann@example.org>`: what a line has room for."""
    return plain(author.partition(" <")[0] or author)


def date(at: int) -> str:
    """Local time. at: ms since 1970."""
    return datetime.fromtimestamp(at / 1000).strftime("%Y-%m-%d %H:%M")


def dim(text: str) -> str:
    return click.style(text, dim=True)


def bold(text: str) -> str:
    return click.style(text, bold=True)
