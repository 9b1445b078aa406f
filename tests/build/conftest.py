"""A tiny data set of bars and blobs that a build learns in a second."""

import io

import numpy as np
import pytest
from PIL import Image

from sw2.build import Job, Spec, make
from sw2.build.data import Rows, prepare
from sw2.progress import silent

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


@pytest.fixture(scope="session")
def finished(tmp_path_factory):
    """One build, shared by all tests that only read it."""
    rows, media = some_rows()
    return build_rows(tmp_path_factory.mktemp("build") / "one", rows, media)
