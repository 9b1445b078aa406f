"""Findings: what is suspect about the data, most suspect first, judged by the labels of today.

E301 broken picture      W101 wrong label?        W201 duplicate picture
E302 missing picture     W401 class imbalance     W202 leak between train and test
                                                  W203 same picture, different labels"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

from sw2.binary import Skipped
from sw2.build import Build
from sw2.build.spec import Spec
from sw2.errors import Sw2Error
from sw2.insight.suspicion import suspicion_of
from sw2.media import pixels

if TYPE_CHECKING:
    from sw2.repo import Repository

RARE = 1 / 5  # of the median class


@dataclass(frozen=True, slots=True)
class Finding:
    """code: as above; codes are only added.  key: the example, "" for the table as a whole.
    probability: of the proposed label.  score: from 0 to 1, the most suspect first.
    resolved: somebody has dealt with it since the build."""

    code: str
    key: str
    message: str
    given: str | None
    proposed: str | None
    probability: float | None
    score: float
    column: str
    resolved: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """An example as it stands now. media: the picture's object name."""

    key: str
    media: str | None
    label: str | None
    split: str
    reviewed: bool


def findings(
    repository: "Repository", build: Build | None, spec: Spec | None = None
) -> list[Finding]:
    """Everything found, open and resolved. build: a finished one; None checks the data alone.

    Scores are those of the build, so the order does not move while labels are edited.
    spec: names the columns, the defaults when None."""
    spec = spec or Spec()
    rows = rows_now(repository, spec)
    found = [*same_pictures(rows, spec), *imbalance(rows, spec)]
    if build is not None and build.status == "done":
        found += wrong_labels(build, rows, spec)
        found += broken_pictures(repository, build.report().skipped, rows, spec)
    return sorted(found, key=lambda f: (-f.score, f.code, f.key))


def rows_now(repository: "Repository", spec: Spec) -> dict[str, Row]:
    schema = repository.schema()
    wanted = [schema.key, spec.input, spec.target, spec.split, "reviewed"]
    table = repository.read([name for name in wanted if name in schema.names])

    def cells(name: str) -> list[object]:
        found = name in schema.names
        return table[name].to_pylist() if found else [None] * table.num_rows

    columns = (cells(name) for name in wanted)
    return {
        str(key): Row(
            str(key),
            None if media is None else str(media),
            None if label is None else str(label),
            str(split or "train"),
            bool(reviewed),
        )
        for key, media, label, split, reviewed in zip(*columns, strict=True)
    }


def wrong_labels(build: Build, rows: Mapping[str, Row], spec: Spec) -> Iterator[Finding]:
    suspicion, signals = suspicion_of(build), build.signals()
    labels = build.report().labels
    for index in suspicion.listed.nonzero()[0]:
        row = rows.get(suspicion.keys[index])
        if row is None:
            continue  # the example was deleted since
        given, proposed = labels[signals.given[index]], labels[suspicion.proposed[index]]
        share = float(suspicion.probability[index])
        yield Finding(
            code="W101",
            key=row.key,
            message=f"labelled `{given}`, looks like `{proposed}` ({share:.0%} of the evidence)",
            given=given,
            proposed=proposed,
            probability=share,
            score=float(suspicion.score[index]),
            column=spec.target,
            resolved=row.reviewed or row.label != given,
        )


def same_pictures(rows: Mapping[str, Row], spec: Spec) -> Iterator[Finding]:
    """Rows whose pictures are the same bytes, which is the same object name."""
    groups: dict[str, list[Row]] = defaultdict(list)
    for row in rows.values():
        if row.media is not None:
            groups[row.media].append(row)
    for group in groups.values():
        if len(group) > 1:
            yield from same_picture(group, spec)


def same_picture(group: list[Row], spec: Spec) -> Iterator[Finding]:
    first, rest = group[0], group[1:]
    labels = sorted({row.label for row in group if row.label is not None})
    trained = [row for row in group if row.split == "train"]
    tested = [row for row in group if row.split == "test"]
    if len(labels) > 1:
        names = ", ".join(f"`{label}`" for label in labels)
        for row in group:
            others = ", ".join(other.key for other in group if other is not row)
            message = f"the same picture as {others} with different labels: {names}"
            yield found_same("W203", row, message, 1.0, spec.target, all(r.reviewed for r in group))
    if trained and tested:
        for row in tested:
            message = f"tests on the same picture that {trained[0].key} trains on"
            yield found_same("W202", row, message, 0.99, spec.split, False)
    elif len(labels) < 2:
        for row in rest:
            message = f"the same picture as {first.key}"
            yield found_same("W201", row, message, 0.5, spec.input, row.reviewed)


def found_same(
    code: str, row: Row, message: str, score: float, column: str, resolved: bool
) -> Finding:
    return Finding(code, row.key, message, row.label, None, None, score, column, resolved)


def imbalance(rows: Mapping[str, Row], spec: Spec) -> Iterator[Finding]:
    """Classes of the train split with fewer than a fifth of the median class's examples."""
    trained = [row for row in rows.values() if row.split == "train" and row.label is not None]
    counts = Counter(row.label for row in trained)
    middle = median(counts.values()) if counts else 0
    for label, count in sorted(counts.items(), key=lambda pair: (pair[1], str(pair[0]))):
        if count < RARE * middle:
            example = next(row for row in trained if row.label == label)
            message = f"`{label}` has {count} training examples, the median class {middle:g}"
            yield Finding("W401", example.key, message, label, None, None, 0.4, spec.target)


def broken_pictures(
    repository: "Repository", skipped: tuple[Skipped, ...], rows: Mapping[str, Row], spec: Spec
) -> Iterator[Finding]:
    for entry in skipped:
        row = rows.get(entry.key)
        if row is not None:
            mended = readable(repository, row.media)
            message = f"{entry.message}; left out of the build"
            yield Finding(
                entry.code, row.key, message, row.label, None, None, 1.0, entry.column, mended
            )


def readable(repository: "Repository", media: str | None) -> bool:
    """Whether the picture that the row has now can be decoded."""
    if media is None:
        return False
    try:
        pixels(repository.media(media), 8, 8, 1)
    except Sw2Error:
        return False
    return True
