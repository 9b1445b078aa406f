"""Puts the parts of a program into one file."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from blake3 import blake3
from numpy.typing import NDArray

from sw2.binary.archive import name_of_file, write_members
from sw2.binary.manifest import Manifest
from sw2.binary.records import to_json
from sw2.binary.report import Report


@dataclass(frozen=True, slots=True)
class Parts:
    """graph: ONNX whose weights are external.  weights: by the graph's names, float32.
    golden_inputs: (G, H, W, C) uint8.  golden_outputs: (G, K) float32: what it must answer."""

    graph: bytes
    weights: Mapping[str, NDArray[np.float32]]
    report: Report
    golden_inputs: NDArray[np.uint8]
    golden_outputs: NDArray[np.float32]


def write(path: Path, manifest: Manifest, parts: Parts) -> str:
    """Writes the program, its member hashes filled in; returns the binary's name.

    The same parts give the same bytes on every machine and at any time."""
    from safetensors.numpy import save

    weights: dict[str, Any] = {name: parts.weights[name] for name in sorted(parts.weights)}
    members = {
        "graph.onnx": parts.graph,
        "weights.safetensors": save(weights),
        "report.json": to_json(parts.report),
        "golden.safetensors": save(
            {"image": parts.golden_inputs, "probabilities": parts.golden_outputs}
        ),
    }
    hashes = {name: blake3(raw).hexdigest() for name, raw in members.items()}
    header = to_json(replace(manifest, members=hashes))
    write_members(path, {"manifest.json": header, **members})
    return name_of_file(path)
