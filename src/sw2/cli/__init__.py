"""The command line. `main` knows every command's name and first line; a command's module, and the
rooms below it, are imported when that command is called."""

from sw2.cli.frame import main

__all__ = ["main"]
