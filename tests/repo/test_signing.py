"""Signatures: what was signed, by whom, and whether anybody says whose key it is."""

import shutil
import struct
import subprocess
import sys
from base64 import b64encode
from dataclasses import replace
from importlib.util import find_spec

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sw2.errors import InvalidInput, MissingExtra, NotFound, Sw2Error
from sw2.repo.signing import AllowedSigners, Signature, sign, verify

pytest.importorskip("cryptography")
from cryptography.hazmat.primitives import serialization as formats
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

COMMIT = b'{"author":"ann","format":1}'
NOBODY = AllowedSigners()
needs_ssh = pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="no ssh-keygen here")


def a_key(folder, name="id_ed25519", passphrase=None, seed=1, mode=0o600):
    """A private key of OpenSSH, made from a seed."""
    key = ed25519.Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32)
    return write(folder / name, key, passphrase, mode)


def write(file, key, passphrase=None, mode=0o600):
    locked = formats.BestAvailableEncryption(passphrase) if passphrase else formats.NoEncryption()
    file.write_bytes(key.private_bytes(formats.Encoding.PEM, formats.PrivateFormat.OpenSSH, locked))
    file.chmod(mode)
    return file


def allowed(*lines):
    return AllowedSigners.parse("\n".join(lines))


@pytest.fixture(scope="module")
def signature(tmp_path_factory):
    return sign(COMMIT, a_key(tmp_path_factory.mktemp("keys")))


def test_a_signature_by_an_allowed_signer_is_good(signature):
    verdict = verify(COMMIT, signature, allowed(f"ann@example.org {signature.public_key} laptop"))
    assert (verdict.state, verdict.principal) == ("good", "ann@example.org")
    assert verdict.fingerprint.startswith("SHA256:")


def test_a_key_that_nobody_is_said_to_have_is_unknown(signature, tmp_path):
    other = sign(COMMIT, a_key(tmp_path, seed=2)).public_key
    verdict = verify(COMMIT, signature, allowed(f"bob@example.org {other}"))
    assert (verdict.state, verdict.principal) == ("unknown key", None)


def test_another_commit_key_or_value_is_bad(signature, tmp_path):
    other = sign(COMMIT, a_key(tmp_path, seed=2))
    for payload, odd in (
        (COMMIT + b" ", signature),
        (COMMIT, replace(signature, public_key=other.public_key)),
        (COMMIT, replace(signature, value=other.value)),
    ):
        assert verify(payload, odd, allowed(f"ann {signature.public_key}")).state == "bad"


@given(st.integers(0, 511))
def test_one_bit_that_differs_makes_a_signature_bad(signature, bit):
    value = bytearray.fromhex(signature.value)
    value[bit // 8] ^= 1 << bit % 8
    assert verify(COMMIT, replace(signature, value=value.hex()), NOBODY).state == "bad"


@given(st.text(max_size=90), st.text(max_size=140))
def test_bytes_that_are_no_signature_are_bad_and_nothing_worse(key, value):
    assert verify(COMMIT, Signature(key, value), NOBODY).state == "bad"
    assert verify(COMMIT, Signature(f"ssh-ed25519 {key}", value), NOBODY).state == "bad"


def test_the_bytes_alone_are_not_what_is_signed(signature, tmp_path):
    key = ed25519.Ed25519PrivateKey.from_private_bytes(bytes([1]) * 32)
    assert verify(COMMIT, replace(signature, value=key.sign(COMMIT).hex()), NOBODY).state == "bad"
    assert signature.value == key.sign(b"sw2 commit\n" + COMMIT).hex()


def test_a_key_with_a_passphrase_asks_for_it_once(tmp_path):
    pytest.importorskip("bcrypt")
    asked = []
    file = a_key(tmp_path, passphrase=b"hunter2")
    found = sign(COMMIT, file, lambda: asked.append(1) or "hunter2")
    assert (verify(COMMIT, found, NOBODY).state, asked) == ("unknown key", [1])
    with pytest.raises(InvalidInput, match="passphrase does not open"):
        sign(COMMIT, file, lambda: "hunter3")


def a_locked_key(folder):
    """What only looks like an encrypted key (PROTOCOL.key), for where it is never opened."""

    def text(*parts):
        return b"".join(struct.pack(">I", len(part)) + part for part in parts)

    how = text(b"aes256-ctr", b"bcrypt", text(bytes(16)) + struct.pack(">I", 16))
    key = text(text(b"ssh-ed25519", bytes(32)), bytes(128))
    raw = b64encode(b"openssh-key-v1\0" + how + struct.pack(">I", 1) + key).decode()
    file = folder / "locked"
    file.write_text(
        f"-----BEGIN OPENSSH PRIVATE KEY-----\n{raw}\n-----END OPENSSH PRIVATE KEY-----\n"
    )
    return file


def test_without_anybody_to_ask_a_passphrase_is_an_error(tmp_path):
    with pytest.raises(InvalidInput, match="has a passphrase"):
        sign(COMMIT, a_locked_key(tmp_path))


def test_without_the_packages_the_extra_is_named(tmp_path, monkeypatch):
    if find_spec("bcrypt") is None:
        with pytest.raises(MissingExtra, match="bcrypt"):
            sign(COMMIT, a_locked_key(tmp_path), lambda: "hunter2")
    for name in [name for name in sys.modules if name.partition(".")[0] == "cryptography"]:
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(MissingExtra) as caught:
        sign(COMMIT, a_locked_key(tmp_path))
    assert "sw2[sign]" in caught.value.hint


def test_what_is_no_private_ed25519_key_is_refused(tmp_path, signature):
    curve = write(tmp_path / "curve", ec.generate_private_key(ec.SECP256R1()))
    public, noise = tmp_path / "key.pub", tmp_path / "noise"
    public.write_text(signature.public_key)
    noise.write_bytes(b"\x00\xff" * 50)
    for file, message in (
        (curve, "type ecdsa-sha2-nistp256"),
        (public, "public key"),
        (noise, "not a"),
    ):
        with pytest.raises(InvalidInput, match=message):
            sign(COMMIT, file)
    with pytest.raises(NotFound, match="there is no key"):
        sign(COMMIT, tmp_path / "none")
    with pytest.raises(Sw2Error, match="cannot be read"):
        sign(COMMIT, tmp_path)


def test_a_key_that_others_can_read_is_told_of(tmp_path):
    told = []
    sign(COMMIT, a_key(tmp_path, mode=0o600), warn=told.append)
    assert told == []
    sign(COMMIT, a_key(tmp_path, mode=0o644), warn=told.append)
    assert "mode 644" in told[0]


def test_a_file_of_allowed_signers_has_comments_options_and_other_keys(signature, tmp_path):
    file = tmp_path / "allowed"
    file.write_text(
        f"# who may sign\n\n"
        f"bob@example.org ssh-rsa AAAAB3NzaC1yc2E= bob\n"
        f"*@example.org cert-authority {signature.public_key}\n"
        f'ann,ann@example.org namespaces="git,sw2" {signature.public_key} her laptop\n'
    )
    verdict = verify(COMMIT, signature, AllowedSigners.read(file))
    assert (verdict.state, verdict.principal) == ("good", "ann,ann@example.org")
    with pytest.raises(NotFound, match="allowed signers"):
        AllowedSigners.read(tmp_path / "none")


@pytest.mark.parametrize(
    ("options", "state"),
    [
        ('namespaces="git"', "unknown key"),
        ('namespaces="s*"', "good"),
        ('namespaces="*,!sw2"', "unknown key"),
        ('namespaces=""', "unknown key"),
        ('valid-before="20240101Z"', "unknown key"),
        ('valid-before="20240601120001Z"', "good"),
        ('valid-after="202406011201Z"', "unknown key"),
        ('VALID-AFTER="20240101",valid-before="20250101"', "good"),
    ],
)
def test_a_signer_is_allowed_for_some_things_and_times(signature, options, state):
    noon = 1_717_243_200_000  # 2024-06-01 12:00 UTC
    signers = allowed(f"ann {options} {signature.public_key}")
    assert verify(COMMIT, signature, signers, at=noon).state == state


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("ann", "line 1 .* has no key"),
        ("ann ssh-ed25519", "has no key"),
        ("ann ssh-ed25519 AAAA", "is no key"),
        ('ann color="red" ssh-ed25519 AAAA', "`color` is no option"),
        ("ann valid-after=20200101 ssh-ed25519 {key}", "`valid-after=20200101` is no option"),
        ('ann valid-after="soon" ssh-ed25519 {key}', "`soon` is no time"),
    ],
)
def test_a_line_that_cannot_be_understood_is_named(signature, line, message):
    key = signature.public_key.split()[1]
    with pytest.raises(InvalidInput, match=message):
        allowed(line.format(key=key))


@given(st.text(max_size=200))
def test_any_text_is_a_file_of_allowed_signers_or_an_error_that_says_why(text):
    try:
        AllowedSigners.parse(text)
    except InvalidInput as odd:
        message = odd.message
    else:
        message = "line"
    assert "line" in message


@needs_ssh
def test_keys_and_fingerprints_are_those_of_ssh_keygen(tmp_path):
    file = tmp_path / "key"
    ssh("-q", "-t", "ed25519", "-N", "", "-C", "ann", "-f", str(file))
    found = sign(COMMIT, file)
    assert found.public_key == " ".join(file.with_suffix(".pub").read_text().split()[:2])
    assert verify(COMMIT, found, NOBODY).fingerprint == ssh("-l", "-f", str(file)).split()[1]


@needs_ssh
@pytest.mark.parametrize(
    "options",
    [
        "",
        'namespaces="sw2" ',
        'valid-before="20200101" ',
        'valid-after="20200101" ',
        "cert-authority ",
    ],
)
def test_who_is_allowed_is_whom_ssh_keygen_allows(tmp_path, options):
    file, payload, signers = a_key(tmp_path), tmp_path / "payload", tmp_path / "allowed"
    found = sign(COMMIT, file)
    payload.write_bytes(COMMIT)
    signers.write_text(f"# signers\nann@example.org,ann {options}{found.public_key} laptop\n")
    ssh("-q", "-Y", "sign", "-f", str(file), "-n", "sw2", str(payload))
    theirs = ssh(
        "-Y", "find-principals", "-s", f"{payload}.sig", "-f", str(signers), check=False
    ).split()
    ours = verify(COMMIT, found, AllowedSigners.read(signers)).principal
    assert (ours.split(",") if ours else []) == theirs


@needs_ssh
def test_a_key_that_ssh_keygen_encrypted_is_opened(tmp_path):
    pytest.importorskip("bcrypt")
    file = tmp_path / "key"
    ssh("-q", "-t", "ed25519", "-N", "correct horse", "-f", str(file))
    found = sign(COMMIT, file, lambda: "correct horse")
    assert found.public_key in file.with_suffix(".pub").read_text()


def ssh(*words, check=True):
    done = subprocess.run(
        ["ssh-keygen", *words], capture_output=True, text=True, check=check, timeout=60
    )
    return done.stdout
