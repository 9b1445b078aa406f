"""Rows of a table -> arrays for training. All faults are found at once, before training starts;
a row that cannot be used is left out and reported, never a reason to stop."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sw2.binary import Skipped
from sw2.build.spec import Spec
from sw2.errors import BuildFailed, Damaged, InvalidInput, NotFound
from sw2.media import Probe, pixels, probe
from sw2.progress import Event, Progress

if TYPE_CHECKING:
    from sw2.repo import Repository

LARGEST_SIDE = 64  # of the default network's input
GREY = ("1", "L", "LA", "La", "I", "I;16", "I;16B", "I;16L")
HELD_OUT = 0.2


@dataclass(frozen=True, slots=True)
class Rows:
    """What the table says. media: object names, None where the cell is empty.  given: label index,
    -1 without one.  split: as written, "" where empty.  labels: names by index."""

    keys: tuple[str, ...]
    media: tuple[str | None, ...]
    given: NDArray[np.int32]
    split: tuple[str, ...]
    labels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Data:
    """What is trained on. pictures: (N, H, W, C) uint8.  given: (N,) int32, -1 without a label.
    split: as used.  skipped: rows left out.  notes: sentences for the report."""

    keys: tuple[str, ...]
    pictures: NDArray[np.uint8]
    given: NDArray[np.int32]
    split: tuple[str, ...]
    labels: tuple[str, ...]
    skipped: tuple[Skipped, ...]
    notes: tuple[str, ...]

    def rows(self, split: str) -> NDArray[np.int64]:
        """Indexes of the labelled examples of a split."""
        return np.flatnonzero((np.array(self.split) == split) & (self.given >= 0))


def columns_read(repository: "Repository", spec: Spec, rev: str) -> list[str]:
    """The columns that a build reads: key, input, target, and split where there is one.

    Raises InvalidInput when the spec names a column that the table does not have."""
    schema = repository.schema(rev=rev)
    for role, name in (("input", spec.input), ("target", spec.target)):
        if name not in schema.names:
            raise InvalidInput(
                f"sw2.toml: {role} is `{name}`, which the table does not have",
                hint=f"Columns: {', '.join(schema.names)}",
            )
    if schema.column(spec.input).type != "image":
        raise InvalidInput(
            f"sw2.toml: input is `{spec.input}`, a {schema.column(spec.input).type} column",
            hint="Programs take pictures for now; name an image column",
        )
    split = [spec.split] if spec.split in schema.names else []
    return [schema.key, spec.input, spec.target, *split]


def read_rows(repository: "Repository", spec: Spec, rev: str) -> Rows:
    """Raises InvalidInput as `columns_read` does."""
    schema = repository.schema(rev=rev)
    columns = columns_read(repository, spec, rev)
    table = repository.read(columns, rev)
    given, labels = label_indexes(table[spec.target].to_pylist(), schema.column(spec.target).labels)
    splits = table[spec.split].to_pylist() if spec.split in columns else [None] * len(table)
    return Rows(
        keys=tuple(str(key) for key in table[schema.key].to_pylist()),
        media=tuple(table[spec.input].to_pylist()),
        given=given,
        split=tuple(value or "" for value in splits),
        labels=labels,
    )


def label_indexes(
    cells: Sequence[object], labels: Sequence[str]
) -> tuple[NDArray[np.int32], tuple[str, ...]]:
    """Indexes into the labels of a category, with retired ones that occur after them; for a plain
    column into its sorted distinct values."""
    texts = [None if cell is None or cell == "" else str(cell) for cell in cells]
    names = tuple(dict.fromkeys((*labels, *sorted({t for t in texts if t is not None}))))
    index = {name: number for number, name in enumerate(names)}
    return np.array([-1 if t is None else index[t] for t in texts], dtype=np.int32), names


def prepare(rows: Rows, media: Callable[[str], bytes], spec: Spec, progress: Progress) -> Data:
    """Probes and decodes every picture, and settles splits.

    Raises BuildFailed, listing everything found, when no program can come of it."""
    probes, skipped = probe_all(rows, media, spec, progress)
    height, width, channels = picture_shape(list(probes.values()), spec.size)
    pictures = np.zeros((len(probes), height, width, channels), np.uint8)
    kept: list[int] = []
    for done, index in enumerate(probes):
        try:
            raw = media(str(rows.media[index]))
            pictures[len(kept)] = pixels(raw, height, width, channels)
            kept.append(index)
        except InvalidInput as error:
            skipped.append(Skipped(rows.keys[index], spec.input, "E301", error.message))
        if done % 500 == 499:
            progress(Event("decode", done + 1, len(probes)))
    given = rows.given[kept]
    split, notes = settle_splits([rows.split[i] for i in kept], given, spec.seed)
    notes += class_notes(given, split, rows.labels)
    data = Data(
        keys=tuple(rows.keys[i] for i in kept),
        pictures=pictures[: len(kept)],
        given=given,
        split=split,
        labels=rows.labels,
        skipped=tuple(sorted(skipped, key=lambda s: s.key)),
        notes=tuple(notes),
    )
    refuse_hopeless(data)
    return data


def probe_all(
    rows: Rows, media: Callable[[str], bytes], spec: Spec, progress: Progress
) -> tuple[dict[int, Probe], list[Skipped]]:
    probes: dict[int, Probe] = {}
    skipped: list[Skipped] = []
    for index, name in enumerate(rows.media):
        if name is None:
            skipped.append(Skipped(rows.keys[index], spec.input, "E302", "no picture"))
            continue
        try:
            probes[index] = probe(media(name))
        except InvalidInput as error:
            skipped.append(Skipped(rows.keys[index], spec.input, "E301", error.message))
        except (NotFound, Damaged) as error:
            skipped.append(Skipped(rows.keys[index], spec.input, "E302", error.message))
        if index % 500 == 499:
            progress(Event("check", index + 1, len(rows.media)))
    return probes, skipped


def picture_shape(probes: Sequence[Probe], size: int) -> tuple[int, int, int]:
    """(height, width, channels) that the program sees: the most common size, scaled down so that
    the longer side is at most `size` (LARGEST_SIDE when 0); grey only when every picture is."""
    if not probes:
        return 8, 8, 1
    (width, height), _ = Counter((p.width, p.height) for p in probes).most_common(1)[0]
    longest = max(width, height)
    scale = size / longest if size else min(1.0, LARGEST_SIDE / longest)
    channels = 1 if all(p.mode in GREY for p in probes) else 3
    return max(8, round(height * scale)), max(8, round(width * scale)), channels


def settle_splits(
    written: Sequence[str], given: NDArray[np.int32], seed: int
) -> tuple[tuple[str, ...], list[str]]:
    """An empty cell means train. Without a labelled test example, a fifth of each class is held out
    by the seed."""
    split = np.array([name or "train" for name in written], dtype=object)
    if ((split == "test") & (given >= 0)).any():
        return tuple(split), []
    rng = np.random.default_rng(seed)
    held = 0
    for label in np.unique(given[given >= 0]):
        members = rng.permutation(np.flatnonzero((given == label) & (split == "train")))
        chosen = members[: int(len(members) * HELD_OUT)]
        split[chosen], held = "test", held + len(chosen)
    return tuple(split), [
        f"There is no test split: {held} of {int((given >= 0).sum())} labelled examples were held "
        f"out, {HELD_OUT:.0%} of each class, by seed {seed}."
    ]


def class_notes(
    given: NDArray[np.int32], split: tuple[str, ...], labels: tuple[str, ...]
) -> list[str]:
    names = np.array(split)
    notes = [
        f"`{label}` has no training example; the program cannot learn it."
        for index, label in enumerate(labels)
        if not ((given == index) & (names == "train")).any()
    ]
    unlabelled = int((given < 0).sum())
    if unlabelled:
        notes.append(f"{unlabelled} examples have no label; they are predicted, not trained on.")
    return notes


def refuse_hopeless(data: Data) -> None:
    classes = len(np.unique(data.given[data.rows("train")]))
    if classes >= 2:
        return
    causes = [f"{s.key}: {s.message}" for s in data.skipped[:5]] + list(data.notes[:5])
    raise BuildFailed(
        f"{len(data.rows('train'))} usable training examples of {classes} classes; two are needed"
        + "".join(f"\n  {cause}" for cause in causes),
        hint="Label examples of at least two classes in the train split",
    )
