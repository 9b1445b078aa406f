"""The manifest of a binary: what it is, takes, gives and costs, and what it was made of."""

import json
from dataclasses import dataclass
from typing import Any

from sw2.binary.records import from_json
from sw2.errors import Damaged, InvalidInput

FORMAT = 1


@dataclass(frozen=True, slots=True)
class Tensor:
    """One input or output. dims: -1 is the batch.  layout: such as NHWC.  low, high: least and
    greatest value.  labels: names along the last axis of a classifier's output."""

    name: str
    dtype: str
    dims: tuple[int, ...]
    layout: str
    low: float
    high: float
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Cost:
    """For one example, computed from the graph. operators: how many of each.
    activation_bytes: the largest sum of tensors alive at once, weights not counted."""

    parameters: int
    multiply_adds: int
    weight_bytes: int
    activation_bytes: int
    operators: dict[str, int]


@dataclass(frozen=True, slots=True)
class Lock:
    """What went in. key: names the build.  commit: where the data was read.  data: hash of what the
    tables said.  spec: canonical JSON.  toolchain: versions and the processor's vector units."""

    key: str
    commit: str
    data: str
    spec: str
    seed: int
    toolchain: dict[str, str]


@dataclass(frozen=True, slots=True)
class Manifest:
    """members: BLAKE3 of each other member of the zip, hex."""

    format: int
    name: str
    task: str
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    cost: Cost
    lock: Lock
    created_by: str
    members: dict[str, str]

    @property
    def labels(self) -> tuple[str, ...]:
        return self.outputs[0].labels

    @property
    def picture(self) -> tuple[int, int, int]:
        """(height, width, channels) of the input."""
        _, height, width, channels = self.inputs[0].dims
        return height, width, channels


def parse_manifest(raw: bytes, where: str) -> Manifest:
    """Checks the version first, for a newer format may differ in everything else.

    Raises InvalidInput for an unknown version and Damaged for a wrong shape."""
    try:
        document: Any = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise Damaged(f"{where} is not JSON: {error}") from None
    version = document.get("format") if isinstance(document, dict) else None
    if version != FORMAT:
        raise InvalidInput(
            f"{where}: format {str(version)[:20]!r}, this sw2 reads format {FORMAT}",
            hint="Update sw2, or build the program again",
        )
    manifest = from_json(Manifest, raw, where)
    check_signature(manifest, where)
    return manifest


def check_signature(manifest: Manifest, where: str) -> None:
    """A picture classifier: uint8 NHWC in, float32 probabilities of the named labels out."""
    if len(manifest.inputs) != 1 or len(manifest.outputs) != 1:
        raise Damaged(f"{where}: {len(manifest.inputs)} inputs, {len(manifest.outputs)} outputs")
    given, answer = manifest.inputs[0], manifest.outputs[0]
    sides = given.dims[1:3]
    pictures = len(given.dims) == 4 and given.dims[0] == -1 and given.dims[3] in (1, 3)
    if given.dtype != "uint8" or not pictures or not all(0 < side <= 4096 for side in sides):
        raise Damaged(f"{where}: input is {given.dtype} {given.dims}, not uint8 pictures")
    if answer.dtype != "float32" or answer.dims != (-1, len(answer.labels)) or not answer.labels:
        raise Damaged(
            f"{where}: output is {answer.dtype} {answer.dims} with {len(answer.labels)} labels"
        )
