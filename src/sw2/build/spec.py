"""The spec: what `sw2.toml` says should be built. Everything has a default."""

import difflib
import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from sw2.errors import InvalidInput


@dataclass(frozen=True, slots=True)
class Spec:
    """name: the program's name.  task: only `classify` for now.  input, target, split: columns.
    size: longest side in pixels that the program sees, 0 to derive it from the data.
    epochs: passes over the training examples.  seed: of weights, order and augmentation."""

    name: str = "program"
    task: str = "classify"
    input: str = "image"
    target: str = "label"
    split: str = "split"
    size: int = 0
    epochs: int = 20
    seed: int = 0

    @staticmethod
    def parse(text: str) -> "Spec":
        """Reads `sw2.toml`.

        Raises InvalidInput naming the key, its line, the value, and the nearest known key."""
        try:
            document = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise InvalidInput(
                f"sw2.toml is not valid TOML: {error}", hint="Strings need quotes"
            ) from None
        chosen: dict[str, Any] = {}
        for section, entries in document.items():
            refuse_unknown(section, KEYS, "section", line_of(text, section, None))
            if not isinstance(entries, dict):
                raise InvalidInput(
                    f"sw2.toml: `{section}` is {entries!r}", hint=f"Write a section [{section}]"
                )
            for key, value in entries.items():
                where = line_of(text, section, key)
                refuse_unknown(key, KEYS[section], f"key in [{section}]", where)
                chosen[key] = checked(key, value, KEYS[section][key], where)
        return Spec(**chosen)

    def canonical(self) -> str:
        """The same text for the same meaning, whatever the layout and comments; part of the key."""
        return json.dumps(asdict(self), sort_keys=True)


@dataclass(frozen=True, slots=True)
class Rule:
    """What a key accepts: text matching a pattern, or a whole number from low to high."""

    says: str
    pattern: str = ""
    low: int = 0
    high: int = 0

    def accepts(self, value: object) -> bool:
        if self.pattern:
            return isinstance(value, str) and re.fullmatch(self.pattern, value) is not None
        whole = isinstance(value, int) and not isinstance(value, bool)
        return whole and self.low <= int(str(value)) <= self.high


COLUMN = Rule("the name of a column", pattern=r".+")
KEYS: dict[str, dict[str, Rule]] = {
    "program": {
        "name": Rule("letters, digits, `-`, `_` and `.`", pattern=r"[A-Za-z0-9][A-Za-z0-9._-]*"),
        "task": Rule('"classify"', pattern="classify"),
    },
    "data": {
        "input": COLUMN,
        "target": COLUMN,
        "split": COLUMN,
        "size": Rule("0 or a whole number of pixels from 8 to 256", low=0, high=256),
    },
    "build": {
        "epochs": Rule("a whole number from 1 to 1000", low=1, high=1000),
        "seed": Rule("a whole number from 0 to 2147483647", low=0, high=2**31 - 1),
    },
}


def refuse_unknown(name: str, known: Mapping[str, object], what: str, where: str) -> None:
    if name in known:
        return
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    suggestion = f"Did you mean `{near[0]}`? " if near else ""
    raise InvalidInput(
        f"sw2.toml{where}: unknown {what} `{name}`",
        hint=f"{suggestion}Known: {', '.join(known)}",
    )


def checked(key: str, value: object, rule: Rule, where: str) -> object:
    if rule.accepts(value) and not (key == "size" and 0 < int(str(value)) < 8):
        return value
    raise InvalidInput(f"sw2.toml{where}: `{key}` is {value!r}", hint=f"Give {rule.says}")


def line_of(text: str, section: str, key: str | None) -> str:
    """`, line 3` for a key written in the plain way, else an empty string."""
    inside = False
    for number, line in enumerate(text.splitlines(), 1):
        header = re.match(r"\s*\[\s*([^\]]+?)\s*\]", line)
        if header:
            inside = header[1] == section
            if inside and key is None:
                return f", line {number}"
        elif key is not None and inside and re.match(rf"\s*{re.escape(key)}\s*=", line):
            return f", line {number}"
    return ""
