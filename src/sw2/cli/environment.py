"""All that the command line takes from the environment. No other room reads it.

Imports what asks other programs where it asks: `sw2 log` would wait for it."""

import os
from pathlib import Path


def colourless() -> bool:
    """NO_COLOR, any value but the empty one: https://no-color.org."""
    return bool(os.environ.get("NO_COLOR"))


def author(given: str | None = None) -> str:
    """Who acts: what was given, SW2_AUTHOR, git's user.name and user.email, the login name."""
    return given or os.environ.get("SW2_AUTHOR") or _git_author() or _login()


def signing_key() -> Path:
    """The private key that commits are signed with, where none is named."""
    return Path(os.environ.get("SW2_SIGNING_KEY") or Path.home() / ".ssh" / "id_ed25519")


def allowed_signers() -> Path:
    """The file that says whose keys are whose, where none is named."""
    return Path(os.environ.get("SW2_ALLOWED_SIGNERS") or Path.home() / ".ssh" / "allowed_signers")


def background() -> bool:
    """Whether a command may leave a process behind that folds; SW2_NO_BACKGROUND forbids it."""
    return not os.environ.get("SW2_NO_BACKGROUND")


def browser_is_here() -> bool:
    """Whether opening a page can work: over SSH or in a container there is no display."""
    if not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")) and os.name == "posix":
        return os.uname().sysname == "Darwin" and not os.environ.get("SSH_CONNECTION")
    import webbrowser

    try:
        webbrowser.get()
    except webbrowser.Error:
        return False
    return True


def _git_author() -> str:
    name, email = _git("user.name"), _git("user.email")
    return f"{name} <{email}>" if name and email else name or email


def _git(key: str) -> str:
    import shutil
    import subprocess

    if shutil.which("git") is None:
        return ""
    done = subprocess.run(["git", "config", key], capture_output=True, text=True, check=False)
    return done.stdout.strip()


def _login() -> str:
    import getpass

    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user without a name
        return f"uid {os.getuid()}"
