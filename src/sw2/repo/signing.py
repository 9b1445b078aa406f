"""Signatures over commits, by the Ed25519 keys that people have for SSH already.

What is signed is `sw2 commit`, a line feed, and the commit's canonical bytes without its signature:
the words keep a signature from being used for anything else. Keys are read in OpenSSH's format
(PROTOCOL.key), and who may sign from a file of allowed signers, as ssh-keygen(1) describes it under
ALLOWED SIGNERS. Signatures are those of RFC 8032, 64 bytes."""

import base64
import binascii
import hashlib
import re
import stat
import struct
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from sw2.errors import InvalidInput, MissingExtra, NotFound, Unavailable
from sw2.repo.commits import Signature
from sw2.values import now_ms

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

State = Literal["good", "unknown key", "bad"]

PREFIX = b"sw2 commit\n"
# What the option `namespaces` of an allowed signer must admit.
NAMESPACE = "sw2"
KEY_TYPE = "ssh-ed25519"
MAKE_ONE = "Make a key with `ssh-keygen -t ed25519`"


@dataclass(frozen=True, slots=True)
class Verdict:
    """state: "good", by an allowed signer; "unknown key", it fits and nobody says whose key it is;
    "bad", it does not fit what was signed.  principal: who, as the file of allowed signers has it.
    fingerprint: `SHA256:…` as ssh-keygen shows it, "" where the key cannot be read."""

    state: State
    principal: str | None
    fingerprint: str


@dataclass(frozen=True, slots=True)
class AllowedSigner:
    """key: 32 bytes.  namespaces: patterns; None: for everything.  after, before: ms since 1970."""

    principals: str
    key: bytes
    namespaces: tuple[str, ...] | None = None
    after: int | None = None
    before: int | None = None

    def admits(self, key: bytes, at: int) -> bool:
        within = (self.after is None or self.after <= at) and (
            self.before is None or at <= self.before
        )
        return self.key == key and within and _matches(self.namespaces, NAMESPACE)


@dataclass(frozen=True, slots=True)
class AllowedSigners:
    """Whose keys are whose. Empty: every key is unknown."""

    signers: tuple[AllowedSigner, ...] = ()

    @staticmethod
    def read(file: Path) -> "AllowedSigners":
        """Raises NotFound without such a file, Unavailable when it cannot be read, InvalidInput
        naming a line that cannot be understood."""
        return AllowedSigners.parse(_read(file, "file of allowed signers").decode(errors="replace"))

    @staticmethod
    def parse(text: str) -> "AllowedSigners":
        """Lines of principals, perhaps options, and a key. Lines for keys of other types and for
        certificate authorities are left out: those never sign here."""
        signers = []
        for number, line in enumerate(text.splitlines(), start=1):
            if line.strip() and not line.lstrip().startswith("#"):
                signers.append(_signer(line.strip(), number))
        return AllowedSigners(tuple(signer for signer in signers if signer is not None))

    def principal(self, key: bytes, at: int) -> str | None:
        return next((s.principals for s in self.signers if s.admits(key, at)), None)


def sign(
    payload: bytes,
    key_file: Path,
    passphrase: Callable[[], str] | None = None,
    warn: Callable[[str], None] | None = None,
) -> Signature:
    """Signs a commit's canonical bytes. passphrase: asked only where the key is encrypted.
    warn: told when others can read the key.

    Raises NotFound without such a file, InvalidInput for a wrong passphrase or a key that is no
    Ed25519 key, MissingExtra without the package `cryptography`."""
    key = _private_key(_read(key_file, "key"), key_file, passphrase)
    mode = stat.S_IMODE(key_file.stat().st_mode)
    if warn is not None and mode & 0o077:
        warn(f"others can read the key `{key_file}` (mode {mode:03o}): run `chmod 600 {key_file}`")
    raw = key.public_key().public_bytes_raw()
    return Signature(_public_text(raw), key.sign(PREFIX + payload).hex())


def verify(
    payload: bytes, signature: Signature, allowed: AllowedSigners, at: int | None = None
) -> Verdict:
    """Whether the signature is of these bytes, and whose it is. at: when it was made, ms since
    1970, for signers that are allowed for a time; None: now. Never raises for a signature that is
    damaged. Raises MissingExtra without the package `cryptography`."""
    try:
        key = _public_bytes(signature.public_key)
    except ValueError:
        return Verdict("bad", None, "")
    print_of = fingerprint(key)
    if not _fits(key, signature.value, PREFIX + payload):
        return Verdict("bad", None, print_of)
    principal = allowed.principal(key, now_ms() if at is None else at)
    return Verdict("good" if principal else "unknown key", principal, print_of)


def fingerprint(key: bytes) -> str:
    """`SHA256:…` of a public key (32 bytes), as `ssh-keygen -l` prints it."""
    digest = base64.b64encode(hashlib.sha256(_blob(key)).digest()).decode()
    return f"SHA256:{digest.rstrip('=')}"


def _fits(key: bytes, value: str, signed: bytes) -> bool:
    ed25519 = _cryptography("hazmat.primitives.asymmetric.ed25519")
    exceptions = _cryptography("exceptions")
    if not re.fullmatch("[0-9a-f]{128}", value):
        return False
    try:
        ed25519.Ed25519PublicKey.from_public_bytes(key).verify(bytes.fromhex(value), signed)
    except (exceptions.InvalidSignature, ValueError):
        return False
    return True


def _private_key(
    raw: bytes, file: Path, passphrase: Callable[[], str] | None
) -> "Ed25519PrivateKey":
    formats = _cryptography("hazmat.primitives.serialization")
    load = formats.load_ssh_private_key
    unsupported = _cryptography("exceptions").UnsupportedAlgorithm
    if raw.startswith((b"ssh-", b"ecdsa-", b"sk-")):
        raise InvalidInput(
            f"`{file}` is a public key", hint="Name the private one, without `.pub` at the end"
        )
    try:
        key = load(raw, None)
    except TypeError:  # it is encrypted
        key = _decrypted(raw, file, passphrase, load, unsupported)
    except (ValueError, unsupported) as error:
        raise InvalidInput(
            f"`{file}` is not a private key of OpenSSH: {error}", hint=MAKE_ONE
        ) from error
    text = key.public_key().public_bytes(formats.Encoding.OpenSSH, formats.PublicFormat.OpenSSH)
    if (kind := text.split()[0].decode()) != KEY_TYPE:
        raise InvalidInput(f"`{file}` is a key of type {kind}, not {KEY_TYPE}", hint=MAKE_ONE)
    opened: Ed25519PrivateKey = key
    return opened


def _decrypted(
    raw: bytes, file: Path, passphrase: Callable[[], str] | None, load: Any, unsupported: Any
) -> Any:
    if passphrase is None:
        raise InvalidInput(
            f"the key `{file}` has a passphrase, and nobody can be asked for it",
            hint="Run the command in a terminal, or name a key without a passphrase",
        )
    try:
        return load(raw, passphrase().encode())
    except unsupported as error:
        raise MissingExtra(
            f"a key with a passphrase needs `bcrypt`: {error}", hint="pip install 'sw2[sign]'"
        ) from error
    except (ValueError, TypeError) as error:
        raise InvalidInput(
            f"the passphrase does not open the key `{file}`", hint="Nothing was signed; try again"
        ) from error


def _cryptography(name: str) -> Any:
    """A module of the package, which is loaded only when something is signed or verified."""
    from importlib import import_module

    try:
        return import_module(f"cryptography.{name}")
    except ImportError as error:
        raise MissingExtra(
            "signatures need the package `cryptography`, which is not installed",
            hint="pip install 'sw2[sign]'",
        ) from error


def _read(file: Path, what: str) -> bytes:
    try:
        return file.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        raise NotFound(f"there is no {what} `{file}`", hint="Look at the path") from None
    except OSError as error:
        raise Unavailable(
            f"the {what} `{file}` cannot be read: {error.strerror}",
            hint="Look at who may read it",
        ) from error


def _blob(key: bytes) -> bytes:
    """A public key as SSH encodes it (RFC 8709): two strings, each with its length before it."""
    parts = (KEY_TYPE.encode(), key)
    return b"".join(struct.pack(">I", len(part)) + part for part in parts)


def _public_text(key: bytes) -> str:
    return f"{KEY_TYPE} {base64.b64encode(_blob(key)).decode()}"


def _public_bytes(text: str) -> bytes:
    """The 32 bytes of `ssh-ed25519 AAAA…`. Raises ValueError when it is not one."""
    kind, _, rest = text.partition(" ")
    raw = base64.b64decode(rest.split(" ")[0].encode(), validate=True)
    if kind != KEY_TYPE or len(raw) < 32 or raw != _blob(raw[-32:]):
        raise ValueError("not an Ed25519 key of OpenSSH")
    return raw[-32:]


# A field ends at a blank that is not between quotes.
_FIELD = re.compile(r'(?:[^\s"]|"[^"]*")+')
_TYPE = re.compile(r"(?:sk-)?(?:ssh|ecdsa)-[a-z0-9@.-]+")
_OPTION = re.compile(r'([A-Za-z-]+)(?:="([^"]*)")?(?:,|$)')


def _signer(line: str, number: int) -> AllowedSigner | None:
    """One line; None for one that can never admit a key of ours."""
    fields = _FIELD.findall(line)
    typed = next((at for at in (1, 2) if at < len(fields) and _TYPE.fullmatch(fields[at])), None)
    if typed is None or typed + 1 >= len(fields):
        raise _odd(number, f"`{line[:60]}` has no key", "PRINCIPALS ssh-ed25519 AAAA…")
    options = _options(fields[1], number) if typed == 2 else {}
    if fields[typed] != KEY_TYPE or "cert-authority" in options:
        return None
    try:
        key = _public_bytes(f"{KEY_TYPE} {fields[typed + 1]}")
    except (ValueError, binascii.Error):
        raise _odd(
            number, f"`{fields[typed + 1][:30]}…` is no key", "the line of a .pub file"
        ) from None
    return AllowedSigner(
        fields[0].strip('"'),
        key,
        tuple(options["namespaces"].split(",")) if "namespaces" in options else None,
        _moment(options, "valid-after", number),
        _moment(options, "valid-before", number),
    )


def _options(text: str, number: int) -> dict[str, str]:
    found, at = {}, 0
    while at < len(text):
        match = _OPTION.match(text, at)
        name = match[1].lower() if match else text[at:]
        if match is None or name not in (
            "cert-authority",
            "namespaces",
            "valid-after",
            "valid-before",
        ):
            raise _odd(number, f"`{name}` is no option", 'valid-before="20261231Z"')
        found[name] = match[2] or ""
        at = match.end()
    return found


def _moment(options: dict[str, str], name: str, number: int) -> int | None:
    """YYYYMMDD or YYYYMMDDHHMM[SS], in local time, or in UTC with a Z at the end."""
    if name not in options:
        return None
    text = options[name]
    digits = text.rstrip("Zz")
    form = {8: "%Y%m%d", 12: "%Y%m%d%H%M", 14: "%Y%m%d%H%M%S"}.get(len(digits), "")
    try:
        moment = datetime.strptime(digits, form)
    except ValueError:
        raise _odd(number, f"`{text}` is no time", f'{name}="20261231Z"') from None
    aware = moment.replace(tzinfo=UTC) if digits != text else moment.astimezone()
    return int(aware.timestamp() * 1000)


def _matches(patterns: tuple[str, ...] | None, name: str) -> bool:
    """OpenSSH's lists of patterns: `*`, `?`, and `!` before one that refuses."""
    if patterns is None:
        return True
    refused = any(p.startswith("!") and fnmatchcase(name, p[1:]) for p in patterns)
    return not refused and any(fnmatchcase(name, p) for p in patterns)


def _odd(number: int, what: str, instead: str) -> InvalidInput:
    return InvalidInput(
        f"line {number} of the allowed signers: {what}", hint=f"It is written like {instead}"
    )
