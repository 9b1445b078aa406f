"""A half-done training run on disk: one safetensors file, the position as JSON in its header.

One file, so that tensors and position cannot disagree after a crash; no pickle."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Restore = Callable[[dict[str, NDArray[Any]], dict[str, Any]], None]
UNKNOWN_BEFORE_A_STEP = "optimiser."  # AdamW makes its state at the first step


def save_checkpoint(path: Path, tensors: dict[str, NDArray[Any]], position: dict[str, Any]) -> None:
    """Replaces the file at `path` whole."""
    from safetensors.numpy import save

    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    arrays: dict[str, Any] = {name: np.asarray(array, order="C") for name, array in tensors.items()}
    with partial.open("wb") as file:
        file.write(save(arrays, metadata={"position": json.dumps(position)}))
        file.flush()
        os.fsync(file.fileno())
    os.replace(partial, path)


def load_checkpoint(path: Path, expected: dict[str, NDArray[Any]], restore: Restore) -> str:
    """Hands tensors and position to `restore` if a fitting checkpoint is there; says what happened.

    One that cannot be read or has other shapes costs only time: the run starts again. Returns
    "absent", "restored", or why it was not used."""
    from safetensors import SafetensorError, safe_open

    if not path.exists():
        return "absent"
    try:
        with safe_open(str(path), "numpy") as file:
            position = json.loads((file.metadata() or {})["position"])
            found = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError, ValueError, KeyError) as error:
        return f"the checkpoint cannot be read: {error}"
    shapes = {name: array.shape for name, array in expected.items()}
    kept = {
        name: array.shape
        for name, array in found.items()
        if name in shapes or not name.startswith(UNKNOWN_BEFORE_A_STEP)
    }
    if kept != shapes:
        return "the checkpoint is of another network"
    restore(found, position)
    return "restored"
