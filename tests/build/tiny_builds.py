"""A tiny data set of bars and blobs that a build learns in a second."""

import io

import numpy as np
import pyarrow as pa
from PIL import Image

from sw2.build import Job, Spec, make
from sw2.build.data import Rows, prepare
from sw2.progress import silent
from sw2.repo import Repository
from sw2.table import Schema
from sw2.values import Origin

LABELS = ("across", "down", "blob")
TOOLS = {"sw2": "test", "torch": "test"}


def a_picture(label, rng, side=12):
    """A noisy bar across, a bar down, or a square."""
    image = rng.integers(0, 60, (side, side), dtype=np.uint8)
    at = int(rng.integers(2, side - 5))
    place = [np.s_[at : at + 2, :], np.s_[:, at : at + 2], np.s_[at : at + 4, at : at + 4]][label]
    image[place] = rng.integers(180, 255)
    out = io.BytesIO()
    Image.fromarray(image).save(out, "PNG")
    return out.getvalue()


def some_rows(train=40, test=12, seed=0):
    """Rows and their media, `train` and `test` examples of each class."""
    rng = np.random.default_rng(seed)
    keys, given, split, media = [], [], [], {}
    for number in range(3 * (train + test)):
        keys.append(f"{number:04d}.png")
        given.append(number % 3)
        split.append("train" if number < 3 * train else "test")
        media[keys[-1]] = a_picture(number % 3, rng)
    rows = Rows(tuple(keys), tuple(keys), np.array(given, np.int32), tuple(split), LABELS)
    return rows, media


def a_job(**changes):
    return Job(Spec(**{"epochs": 4, "seed": 1, **changes}), "c0ffee", "data", TOOLS)


def build_rows(folder, rows, media, job=None, progress=silent, stop=lambda: False):
    job = job or a_job()

    def ready(tell):
        return prepare(rows, media.__getitem__, job.spec, tell)

    return make(folder, job, ready, progress, stop)


def a_schema():
    schema = Schema.create("examples", "id", {"id": "string", "image": "image"})
    schema = schema.add("label", "category", LABELS).add("split", "category", ("train", "test"))
    return schema.add("reviewed", "bool")


def a_repository(folder, rows, media, spec="[build]\nepochs = 4\nseed = 1\n"):
    """A repository with one commit that holds the rows."""
    repository = Repository.init(folder)
    with repository.write_media() as put:
        names = [put(media[key]) for key in rows.keys]
    table = pa.table(
        {
            "id": rows.keys,
            "image": names,
            "label": [None if g < 0 else LABELS[g] for g in rows.given],
            "split": rows.split,
            "reviewed": [False] * len(names),
        }
    )
    repository.stage_rows(table, Origin("test"), "add", a_schema())
    (folder / "sw2.toml").write_text(spec)
    repository.commit("the examples", "test")
    return repository
