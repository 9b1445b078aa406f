"""The sample repository: 5,000 pictures of clothes, 250 of whose labels are wrong on purpose."""

import csv
import io
import zipfile
from importlib import resources
from pathlib import Path

from sw2.errors import InvalidInput
from sw2.formats import add_pictures
from sw2.progress import Event, Progress, silent
from sw2.repo import Repository

DATA = resources.files("sw2.demo") / "data"
NAME = "demo"
AUTHOR = "sw2 demo"
ANSWER_KEY = "answer-key.csv"
MESSAGE = "Import 5,000 pictures of clothes, 250 with wrong labels"
SPEC = """\
[program]
name = "fashion"
task = "classify"

[data]
input = "image"
target = "label"
"""


def create(folder: Path, progress: Progress = silent) -> Repository:
    """The sample repository in `folder`: makes it, finishes it, or opens it.

    What a killed attempt left is gone over again; a finished one is opened as it is, with all that
    was edited since. Raises InvalidInput when the folder holds something else."""
    folder = Path(folder).resolve()
    if not (folder / ".sw2").exists():
        if folder.exists() and set(_names(folder)) - {"pictures", "labels.csv", "sw2.toml"}:
            raise InvalidInput(
                f"`{folder}` holds other files", hint="Name a new or empty folder for the demo"
            )
        folder.mkdir(parents=True, exist_ok=True)
        Repository.init(folder, NAME).close()
    repository = Repository.open(folder)
    if repository.root != folder:
        raise InvalidInput(f"`{folder}` lies in another repository, `{repository.root}`")
    if repository.head is None:
        _fill(repository, progress)
    return repository


def planted(repository: Repository) -> tuple[int, int]:
    """(how many labels were made wrong, how many of them are right again). (0, 0) for a repository
    without an answer key."""
    path = repository.folder / ANSWER_KEY
    if not path.exists():
        return 0, 0
    with path.open(newline="", encoding="utf-8") as file:
        truth = {row["path"]: row["true_label"] for row in csv.DictReader(file)}
    snapshot = repository.snapshot()
    column = snapshot.schema.column("label")
    found, cells = snapshot.lookup(list(truth), [column.name])
    now = column.decode(cells[column.id]).to_pylist()
    pairs = zip(found, now, truth.values(), strict=True)
    return len(truth), sum(bool(here) and label == true for here, label, true in pairs)


def sample() -> bytes:
    """The zip of pictures and labels.csv that comes with sw2."""
    return (DATA / "fashion-5000.zip").read_bytes()


def _fill(repository: Repository, progress: Progress) -> None:
    """Everything up to the first commit; safe to repeat after a crash anywhere in it."""
    while repository.undo() is not None:
        progress(Event("undo", message="what an earlier attempt had staged"))
    with zipfile.ZipFile(io.BytesIO(sample())) as archive:
        names = archive.namelist()
        for done, name in enumerate(names):
            archive.extract(name, repository.root)
            if done % 100 == 0:
                progress(Event("unpack", done, len(names)))
    progress(Event("unpack", len(names), len(names)))
    (repository.root / "sw2.toml").write_text(SPEC)
    labels = repository.root / "labels.csv"
    report = add_pictures(repository, repository.root / "pictures", labels, progress)
    if report.skipped:
        first = report.skipped[0]
        raise InvalidInput(f"the sample is damaged: `{first.path}`: {first.reason}")
    (repository.folder / ANSWER_KEY).write_bytes((DATA / ANSWER_KEY).read_bytes())
    repository.commit(MESSAGE, AUTHOR)


def _names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]
