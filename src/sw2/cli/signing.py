"""Signatures of commits: made with a key, checked against a file that says whose keys are whose."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sw2.cli.environment import allowed_signers, signing_key
from sw2.cli.frame import command
from sw2.cli.terminal import Terminal, plain

if TYPE_CHECKING:
    from sw2.repo import Commit
    from sw2.repo.commits import Signature


@dataclass(frozen=True, slots=True)
class Mark:
    """state: `good`, `unknown key`, `bad` or `not signed`.  principal: who, by the file of allowed
    signers.  fingerprint: of the key."""

    state: str
    principal: str | None = None
    fingerprint: str = ""

    @property
    def told(self) -> str:
        colour = {"good": "green", "bad": "red"}.get(self.state, "yellow")
        who = plain(self.principal or self.fingerprint)
        return click.style(self.state, fg=colour) + (f" ({who})" if who else "")


@command(example="sw2 verify\nsw2 verify v1 --allowed team_signers")
@click.argument("revision", default="HEAD")
@click.option("--allowed", type=click.Path(), help="Whose keys are whose, as OpenSSH writes it.")
def verify(terminal: Terminal, revision: str, allowed: str | None) -> int:
    """Check the signature of a commit.

    A good one was made by a key that the file of allowed signers (--allowed, SW2_ALLOWED_SIGNERS,
    else ~/.ssh/allowed_signers) gives to somebody. Exits with 1 for every other answer."""
    with terminal.ledger() as repository:
        commit = repository.commit_of(revision)
        mark = verdict_of(commit, allowed)
    document = {"commit": commit.name, "author": commit.author, "signature": mark}
    terminal.answer(document, [f"commit {commit.short} by {plain(commit.author)}: {mark.told}"])
    return int(mark.state != "good")


def signer_of(terminal: Terminal, key: str | None) -> "Callable[[bytes], Signature]":
    """What signs a commit: the key that was named, or the one of the environment."""
    from sw2.repo.signing import sign

    def ask() -> str:
        answer: str = click.prompt("passphrase of the key", hide_input=True, err=True)
        return answer

    file = Path(key) if key else signing_key()
    return partial(sign, key_file=file, passphrase=ask, warn=terminal.say)


def verdict_of(commit: "Commit", allowed: str | None) -> Mark:
    """Whether a commit is signed, and by whom. A file that is not there gives no one's key, unless
    it was named."""
    from sw2.repo.commits import signed_bytes
    from sw2.repo.signing import AllowedSigners, verify

    if commit.signature is None:
        return Mark("not signed")
    file = Path(allowed) if allowed else allowed_signers()
    known = AllowedSigners.read(file) if allowed or file.exists() else AllowedSigners()
    verdict = verify(signed_bytes(commit), commit.signature, known, commit.at)
    return Mark(verdict.state, verdict.principal, verdict.fingerprint)
