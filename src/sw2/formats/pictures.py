"""Import of a folder of pictures into the table `examples`."""

import os
from pathlib import Path

from sw2.formats.report import AddReport
from sw2.formats.rows import Plan, plan
from sw2.formats.source import Source, collect
from sw2.formats.splits import TEST_SHARE
from sw2.formats.store import store_pictures
from sw2.progress import Event, Progress, silent
from sw2.repo import Repository
from sw2.values import Origin


def add_pictures(
    repository: Repository,
    folder: str | os.PathLike[str],
    labels: str | os.PathLike[str] | None = None,
    progress: Progress = silent,
    *,
    by: str = "",
    prefix: str | None = None,
    overwrite: bool = False,
) -> AddReport:
    """Stages the pictures of a folder as one undoable action; adding a folder again stages only
    what differs.

    labels: a CSV file with a path and a label in each line; without one, folders name the labels.
    by: who imports.  prefix: what ids begin with, instead of the folder's place in the repository
    (outside of it, the folder's name).  overwrite: let labels and splits of the source replace
    those that somebody has set since.

    Bad pictures and lines are reported, and the rest goes on. An interrupted import has staged
    nothing, but keeps the packs it finished, so the next one is quicker.
    Raises InvalidInput when the folder or the labels file cannot be used at all."""
    folder = Path(folder)
    progress(Event("look", message=str(folder)))
    source = collect(folder, Path(labels) if labels is not None else None)
    start = id_prefix(repository.root, folder) if prefix is None else prefix.strip("/")
    stored, unreadable = store_pictures(repository, source.items, start, progress)
    progress(Event("compare", total=len(stored)))
    planned = plan(repository, source, stored, overwrite)
    if planned.rows:
        origin = Origin(by or source.name, "import", source.name)
        label = f"add {len(planned.rows)} examples from {source.name}"
        repository.stage_rows(planned.table(), origin, label, planned.schema)
    return AddReport(
        added=planned.added,
        updated=planned.updated,
        unchanged=planned.unchanged,
        skipped=(*source.skipped, *unreadable, *planned.skipped),
        kept=tuple(planned.kept),
        labels=_in_order(planned, "label"),
        splits=_in_order(planned, "split"),
        unlabelled=planned.labels[None],
        notes=(*source.notes, *_notes(source, planned)),
    )


def id_prefix(root: Path, folder: Path) -> str:
    """Inside the repository, the path from its root, so that ids are paths as one types them there;
    elsewhere, the folder's own name, so that they do not depend on where the data lies today."""
    for place in (Path(os.path.abspath(folder)), folder.resolve()):
        if place.is_relative_to(root):
            below = place.relative_to(root).as_posix()
            return "" if below == "." else below
    return Path(os.path.abspath(folder)).name


def _in_order(planned: Plan, name: str) -> dict[str, int]:
    counts = planned.labels if name == "label" else planned.splits
    return {v: counts[v] for v in planned.schema.column(name).labels if counts[v]}


def _notes(source: Source, planned: Plan) -> list[str]:
    notes = []
    if planned.drawn:
        total = sum(planned.drawn.values())
        notes.append(
            f"{total} pictures came without a split: {planned.drawn['train']} went to train and "
            f"{planned.drawn['test']} to test ({TEST_SHARE:.0%}), by the hash of their bytes, so "
            "the answer is always the same and exact duplicates stay together"
        )
    elif planned.splits and not planned.splits["test"]:
        notes.append("no picture is in the split `test`: a build will hold out some by itself")
    if not source.items and not source.skipped:
        notes.append("the folder holds no pictures")
    return notes
