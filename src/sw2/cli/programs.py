"""Programs: run one, inspect one. A program is a file, or a build of the repository here."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sw2.cli.frame import FAILED, command
from sw2.cli.progress import progress
from sw2.cli.terminal import Terminal, bold, count, dim, percent, plain
from sw2.errors import InvalidInput, NotFound, Sw2Error
from sw2.progress import Event, Progress

if TYPE_CHECKING:
    from sw2.binary import Manifest, Prediction, Program, Report

BATCH = 64


@command(example="sw2 run latest new/coat.jpg\nsw2 run fashion.sw2b *.png --json")
@click.argument("binary")
@click.argument("pictures", nargs=-1, required=True, type=click.Path())
@click.option("--top", default=1, type=click.IntRange(1), help="Print so many labels of each.")
def run(terminal: Terminal, binary: str, pictures: tuple[str, ...], top: int) -> int:
    """Run a program on pictures.

    BINARY is a file, the beginning of a build's id, or `latest` for the newest finished build.
    A picture that cannot be read is told, the others are run, and the command exits with 1."""
    from sw2.binary import load

    program = load(find_program(binary))
    with progress(terminal) as tell:
        answers = list(_predicted(program, pictures, tell))
    document = [
        {"picture": path} | (found.as_dict() if isinstance(found, Sw2Error) else _best(found, top))
        for path, found in answers
    ]
    good = [(path, found) for path, found in answers if not isinstance(found, Sw2Error)]
    terminal.answer(document, (_line(path, found, top) for path, found in good))
    for path, found in answers:
        if isinstance(found, Sw2Error):
            terminal.say(f"skipped: {plain(path)}: {plain(found.message)}")
    return 0 if len(good) == len(answers) else FAILED


Answer = tuple[str, "Prediction | Sw2Error"]


def _predicted(program: "Program", paths: Sequence[str], tell: Progress) -> Iterator[Answer]:
    for start in range(0, len(paths), BATCH):
        tell(Event("pictures", start, len(paths)))
        batch = paths[start : start + BATCH]
        try:
            yield from zip(batch, program.predict(batch), strict=True)
        except (InvalidInput, NotFound):
            # One of them is broken; singly, it does not take the others with it.
            for path in batch:
                yield path, _one(program, path)


def _one(program: "Program", path: str) -> "Prediction | Sw2Error":
    if not Path(path).is_file():
        return NotFound("there is no such file")
    try:
        return program.predict([path])[0]
    except (InvalidInput, NotFound) as error:
        message = error.message.removeprefix("picture 0").removeprefix(f" ({path})")
        return type(error)(message.removeprefix(": "), hint=error.hint)


def _ranked(prediction: "Prediction", top: int) -> list[tuple[str, float]]:
    pairs = prediction.probabilities.items()
    return sorted(pairs, key=lambda pair: -pair[1])[:top]


def _best(prediction: "Prediction", top: int) -> dict[str, Any]:
    return {
        "label": prediction.label,
        "probability": prediction.probability,
        "probabilities": dict(
            _ranked(prediction, top if top > 1 else len(prediction.probabilities))
        ),
    }


def _line(path: str, prediction: "Prediction", top: int) -> str:
    ranked = ", ".join(f"{plain(name)} {share:.3f}" for name, share in _ranked(prediction, top))
    return f"{plain(path)}: {ranked}"


@command(example="sw2 inspect latest")
@click.argument("binary")
def inspect(terminal: Terminal, binary: str) -> None:
    """Tell what a program is, costs and scores.

    BINARY is a file, the beginning of a build's id, or `latest`. Nothing in it is run."""
    from sw2.binary import inspect as manifest_of
    from sw2.binary import name_of_file, read_report

    path = find_program(binary)
    manifest, report, name = manifest_of(path), read_report(path), name_of_file(path)
    document = {"path": path, "object": name, "manifest": manifest, "report": report}
    terminal.answer(document, _inspected(path, name, manifest, report))


def _inspected(path: Path, name: str, manifest: "Manifest", report: "Report") -> Iterator[str]:
    height, width, channels = manifest.picture
    cost, lock = manifest.cost, manifest.lock
    colours = "grey" if channels == 1 else "RGB"
    labels = ", ".join(plain(label) for label in manifest.labels[:20])
    rows = {
        "program": f"{plain(manifest.name)} ({plain(manifest.task)})",
        "file": f"{plain(path)}, {path.stat().st_size / 1e6:.2f} MB",
        "object": name,
        "takes": f"pictures of any size, seen as {width} x {height} {colours}",
        "answers": f"{count(len(manifest.labels), 'label')}: {labels}",
        "weights": f"{count(cost.parameters, 'parameter')}, {cost.weight_bytes / 1e6:.2f} MB",
        "work": f"{cost.multiply_adds / 1e6:.2f} M multiply-adds a picture, "
        f"{cost.activation_bytes / 1e3:.0f} kB of activations",
        "operators": ", ".join(f"{plain(n)} {k}" for n, k in sorted(cost.operators.items())),
        "commit": plain(lock.commit),
        "data": plain(lock.data),
        "seed": str(lock.seed),
        "tools": ", ".join(f"{plain(k)} {plain(v)}" for k, v in lock.toolchain.items()),
    }
    for key, value in rows.items():
        yield f"{bold(key.ljust(10))} {value}"
    yield from _scores(report)


def _scores(report: "Report") -> Iterator[str]:
    if report.accuracy is not None and report.interval is not None:
        low, high = report.interval
        yield f"{bold('accuracy'.ljust(10))} {percent(report.accuracy)} ({100 * low:.1f} to " + (
            f"{100 * high:.1f}) on {count(report.tested, 'test example')}"
        )
    yield ""
    yield dim(f"{'precision':>9}  {'recall':>6}  {'tested':>6}  label")
    for figure in report.classes:
        precision, recall = (
            "-" if v is None else f"{v:.3f}" for v in (figure.precision, figure.recall)
        )
        yield f"{precision:>9}  {recall:>6}  {figure.support:>6,}  {plain(figure.label)}"


def find_program(given: str) -> Path:
    """The file of a program. Raises NotFound with what there is."""
    path = Path(given)
    if path.is_file():
        return path
    if path.suffix or len(path.parts) > 1:
        raise NotFound(f"there is no program `{given}`", hint="Give a file, a build, or `latest`")
    return _build_named(given)


def _build_named(given: str) -> Path:
    from sw2.build import builds
    from sw2.repo import Repository

    repository = Repository.open()
    done = [build for build in builds(repository) if build.status == "done"]
    repository.close()
    found = done[:1] if given == "latest" else [b for b in done if b.id.startswith(given)]
    if len(found) == 1:
        return found[0].binary
    if found:
        raise NotFound(f"`{given}` is the beginning of {len(found)} builds; give more digits")
    if not done:
        raise NotFound("no build is finished yet", hint="Run `sw2 build`")
    raise NotFound(f"there is no build `{given}`", hint="See `sw2 builds`")
