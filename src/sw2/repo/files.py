"""The small files of the working folder that a commit takes along."""

from collections.abc import Mapping
from pathlib import Path

from sw2.errors import InvalidInput, Unavailable
from sw2.repo.commits import Commit
from sw2.store import ObjectStore, name_of

FILES = ("sw2.toml", "README.md")


def working(root: Path, path: str) -> bytes | None:
    """A small file as it is in the folder; None where it is not there."""
    file = root / path
    try:
        return file.read_bytes() if file.is_file() else None
    except OSError as error:
        raise Unavailable(
            f"`{file}` cannot be read: {error.strerror}",
            hint="Look at the disk and the permissions of the file",
        ) from error


def changed(root: Path, commit: Commit | None) -> list[str]:
    """Files that differ between the folder and a commit."""
    found = []
    for path in FILES:
        raw = working(root, path)
        now = None if raw is None else name_of(raw)
        if now != (commit.files.get(path) if commit else None):
            found.append(path)
    return found


def check_replaceable(root: Path, held: Mapping[str, str], wanted: Mapping[str, str]) -> None:
    """Raises InvalidInput where a file that is to become another was changed since `held`."""
    for path in FILES:
        raw = working(root, path)
        now = None if raw is None else name_of(raw)
        if held.get(path) != wanted.get(path) and now not in (held.get(path), wanted.get(path)):
            raise InvalidInput(
                f"`{path}` has changes that are not committed and would be overwritten",
                hint="Run `sw2 commit` or `sw2 stash` first",
            )


def replace_files(
    root: Path, store: ObjectStore, held: Mapping[str, str], wanted: Mapping[str, str]
) -> None:
    """Makes the files of the folder those of another commit; the others stay as they are."""
    for path in FILES:
        if held.get(path) == wanted.get(path):
            continue
        try:
            if path in wanted:
                (root / path).write_bytes(store.get(wanted[path]))
            else:
                (root / path).unlink(missing_ok=True)
        except OSError as error:
            raise Unavailable(
                f"`{root / path}` cannot be written: {error.strerror}",
                hint="Look at the disk and the permissions of the file",
            ) from error
