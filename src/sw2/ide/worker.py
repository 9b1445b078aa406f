"""One build in a process of its own: `python -m sw2.ide.worker FOLDER COMMIT`.

Apart from the server, so that building never makes looking or labelling wait. What happens is told
through the build's folder; an interrupt stops it and leaves a state that the next build resumes."""

import signal
import sys
from types import FrameType

from sw2.build import build
from sw2.errors import Sw2Error
from sw2.repo import Repository


def main(folder: str, commit: str) -> int:
    """0 when the build is done, 3 when it ended in an error that its folder tells."""
    asked: list[int] = []

    def ask(number: int, frame: FrameType | None) -> None:
        asked.append(number)

    signal.signal(signal.SIGINT, ask)
    signal.signal(signal.SIGTERM, ask)
    repository = Repository.open(folder)
    try:
        build(repository, commit, stop=lambda: bool(asked))
    except Sw2Error as error:
        sys.stderr.write(f"{error.kind}\n{error.message}\n{error.hint}\n")
        return 3
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
