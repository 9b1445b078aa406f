"""Builders: small real pictures, folders of them, labels files."""

import io
from pathlib import Path

import numpy as np
from PIL import Image

from sw2.repo import Repository


def a_picture(seed: int = 0, side: int = 8, kind: str = "PNG") -> bytes:
    pixels = np.random.default_rng(seed).integers(0, 256, (side, side), np.uint8)
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, kind)
    return out.getvalue()


def a_folder(root: Path, *paths: str) -> Path:
    """Each path becomes a picture of its own; returns root."""
    for seed, path in enumerate(paths):
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(a_picture(seed))
    return root


def a_table(path: Path, text: str, encoding: str = "utf-8") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode(encoding))
    return path


def rows(repository: Repository) -> dict[str, dict[str, object]]:
    return {row.pop("id"): row for row in repository.read().to_pylist()}


def cells(repository: Repository, column: str) -> dict[str, object]:
    return {id: row[column] for id, row in rows(repository).items()}
