"""Commits are signed and verified on the command line."""

import pytest
from command_line import CommandLine
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey


@pytest.fixture
def signed(repository: CommandLine, tmp_path, monkeypatch) -> CommandLine:
    """HEAD is signed by Ann's key, which `signers` lists."""
    key = Ed25519PrivateKey.generate()
    file = repository.folder.parent / "id_ed25519"
    openssh, none = serialization.PrivateFormat.OpenSSH, serialization.NoEncryption()
    file.write_bytes(key.private_bytes(serialization.Encoding.PEM, openssh, none))
    file.chmod(0o600)
    public = key.public_key().public_bytes(
        serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH
    )
    signers = repository.folder.parent / "signers"
    signers.write_bytes(b"ann@example.org " + public + b"\n")
    monkeypatch.setenv("SW2_SIGNING_KEY", str(file))
    monkeypatch.setenv("SW2_ALLOWED_SIGNERS", str(signers))
    repository.ok("label", "pictures/across/0.png", "down")
    repository.ok("commit", "-m", "Signed", "--sign")
    return repository


def test_a_signed_commit_is_good_by_whom_the_file_says(signed):
    told = signed.ok("verify")
    assert told.endswith("good (ann@example.org)\n")
    assert signed.json("verify")["signature"]["principal"] == "ann@example.org"
    first, second = signed.ok("log", "--signatures").splitlines()
    assert first.endswith("good (ann@example.org)")
    assert second.endswith("not signed")


def test_a_commit_without_a_signature_or_a_known_key_is_not_good(signed, tmp_path):
    assert signed.run("verify", "HEAD~1").exit_code == 1
    nobody = signed.folder.parent / "nobody"
    nobody.write_text("# empty\n")
    result = signed.run("verify", "--allowed", str(nobody))
    assert (result.exit_code, "unknown key (SHA256:" in result.stdout) == (1, True)
    assert "no file of allowed signers" in signed.run("verify", "--allowed", "missing").stderr


def test_an_amended_commit_loses_the_signature(signed):
    signed.ok("commit", "--amend", "-m", "Not signed")
    assert signed.json("verify")["signature"]["state"] == "not signed"


def test_a_key_that_is_not_there_commits_nothing(signed):
    signed.ok("label", "pictures/across/1.png", "down")
    error = signed.run("commit", "-m", "x", "--sign", "--key", "missing")
    assert (error.exit_code, "missing" in error.stderr) == (1, True)
    assert signed.json("status")["edited"] == 1
