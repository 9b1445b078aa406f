"""A tiny repository of bars and blobs, for what the sample of clothes does not have."""

import io

import numpy as np
import pyarrow as pa
from PIL import Image

from sw2.repo import Repository
from sw2.table import Schema
from sw2.values import Origin

LABELS = ("across", "down", "blob")
SPEC = "[build]\nepochs = 2\nseed = 1\n"


def a_drawing(kind: int, rng: np.random.Generator) -> bytes:
    """A noisy bar across, a bar down, or a square, of 12 x 12 pixels."""
    image = rng.integers(0, 90, (12, 12), dtype=np.uint8)
    at = int(rng.integers(2, 7))
    place = [np.s_[at : at + 2, :], np.s_[:, at : at + 2], np.s_[at : at + 4, at : at + 4]][kind]
    image[place] = rng.integers(120, 255)
    out = io.BytesIO()
    Image.fromarray(image).save(out, "PNG")
    return out.getvalue()


def a_tiny_shop(folder, spread=60, twins=0, split=True, reviewed=True, commit=True) -> Repository:
    """`spread` drawings, a fourth of them held out, and `twins` copies under another label.

    split, reviewed: whether there are such columns."""
    rng = np.random.default_rng(0)
    kinds = [number % 3 for number in range(spread)]
    drawings = [a_drawing(kind, rng) for kind in kinds]
    repository = Repository.init(folder)
    with repository.write_media() as put:
        names = [put(drawing) for drawing in drawings]
    rows = {
        "id": [f"{number:04d}.png" for number in range(spread)],
        "image": names,
        "label": [LABELS[kind] for kind in kinds],
        "split": ["test" if number % 4 == 3 else "train" for number in range(spread)],
        "reviewed": [False] * spread,
    }
    for number in range(twins):
        copy = [f"twin{number}.png", names[number], LABELS[(kinds[number] + 1) % 3]]
        for name, cell in zip(rows, [*copy, rows["split"][number], False], strict=True):
            rows[name].append(cell)
    schema = Schema.create("examples", "id", {"id": "string", "image": "image"})
    schema = schema.add("label", "category", LABELS)
    schema = schema.add("split", "category", ("train", "test")) if split else schema
    schema = schema.add("reviewed", "bool") if reviewed else schema
    types = {"label": pa.string(), "image": pa.string(), "split": pa.string()}
    table = pa.table(
        {name: pa.array(rows[name], types.get(name)) for name in schema.names},
    )
    repository.stage_rows(table, Origin("test"), "add", schema)
    (folder / "sw2.toml").write_text(SPEC)
    if commit:
        repository.commit("The drawings", "test")
    return repository


def insert(repository: Repository, key: str, picture: bytes | str | None) -> None:
    """Adds a row. picture: its bytes, the name of an object, or None for an empty cell."""
    if isinstance(picture, bytes):
        with repository.write_media() as put:
            picture = put(picture)
    row = {"id": [key], "image": pa.array([picture], pa.string()), "label": ["blob"]}
    repository.stage_rows(pa.table(row), Origin("test"), f"add {key}")
