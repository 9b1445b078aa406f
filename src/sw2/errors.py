"""Every error sw2 raises on purpose.

    Sw2Error
    ├── NotARepository       no `.sw2` here or above
    ├── InvalidInput         (ValueError)  what was given cannot be used
    ├── NotFound             (LookupError) a named thing does not exist
    ├── Conflict             somebody else moved first; read again and retry
    ├── Damaged              stored bytes do not match their name or shape
    ├── Unavailable          storage is full, read-only or locked; nothing was changed
    ├── MissingExtra         (ImportError) an optional part is not installed
    ├── BuildFailed          a build could not make a program
    └── Cancelled            the work was stopped on request

`kind` is never renamed: the command line, the HTTP API and the web application match on it.
The command line prints `error: MESSAGE`, a blank line, `hint: HINT`; the HTTP API answers
`{kind, message, hint}`.
"""

from typing import ClassVar


class Sw2Error(Exception):
    """Base of all. message: what went wrong and where. hint: how to mend it."""

    kind: ClassVar[str] = "error"

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def as_dict(self) -> dict[str, str]:
        return {"kind": self.kind, "message": self.message, "hint": self.hint}


class NotARepository(Sw2Error):
    kind = "not-a-repository"


class InvalidInput(Sw2Error, ValueError):
    kind = "invalid-input"


class NotFound(Sw2Error, LookupError):
    kind = "not-found"


class Conflict(Sw2Error):
    kind = "conflict"


class Damaged(Sw2Error):
    kind = "damaged"


class Unavailable(Sw2Error):
    kind = "unavailable"


class MissingExtra(Sw2Error, ImportError):
    kind = "missing-extra"


class BuildFailed(Sw2Error):
    kind = "build-failed"


class Cancelled(Sw2Error):
    kind = "cancelled"
