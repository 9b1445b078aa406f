"""Loads a binary and runs it, with onnxruntime, numpy and Pillow."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from blake3 import blake3
from numpy.typing import NDArray

from sw2.binary.archive import LIMITS, read_members
from sw2.binary.graph import summarise
from sw2.binary.manifest import Manifest, parse_manifest
from sw2.binary.records import from_json
from sw2.binary.report import Report
from sw2.errors import Damaged, InvalidInput, NotFound
from sw2.media import from_array, pixels

TOLERANCE = 1e-5  # across processors; torch against onnxruntime differs by 4e-6 (measured)
Picture = bytes | str | Path | NDArray[np.uint8]  # str: a path


@dataclass(frozen=True, slots=True)
class Prediction:
    """probability: of `label`, the most likely one.  probabilities: of all labels, in order."""

    label: str
    probability: float
    probabilities: dict[str, float]


@dataclass(frozen=True, slots=True)
class SelfTest:
    """The program's answers here against those recorded when it was built."""

    cases: int
    max_difference: float
    passed: bool


class Program:
    """An open program. Safe to use from several threads."""

    def __init__(
        self, manifest: Manifest, report: Report, session: Any, golden: dict[str, NDArray[Any]]
    ) -> None:
        self.manifest = manifest
        self.report = report
        self._session = session
        self._golden = golden

    @property
    def labels(self) -> tuple[str, ...]:
        return self.manifest.labels

    def predict(self, pictures: Sequence[Picture], batch: int = 64) -> list[Prediction]:
        """Predicts encoded pictures, files or uint8 arrays (H, W[, 1 or 3]) of any size.

        Raises InvalidInput, saying which picture is broken, and NotFound for a missing file."""
        found: list[Prediction] = []
        for start in range(0, len(pictures), batch):
            stack = [
                self._decode(p, start + i) for i, p in enumerate(pictures[start : start + batch])
            ]
            for row in self.probabilities(np.stack(stack)):
                best = int(row.argmax())
                shares = dict(zip(self.labels, row.tolist(), strict=True))
                found.append(Prediction(self.labels[best], float(row[best]), shares))
        return found

    def probabilities(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """images: (N, H, W, C) uint8, as the manifest says. Returns (N, K) float32, sum 1."""
        if images.dtype != np.uint8 or images.shape[1:] != self.manifest.picture:
            raise InvalidInput(
                f"pictures are {images.dtype} {images.shape}",
                hint=f"The program takes uint8 (N, {', '.join(map(str, self.manifest.picture))})",
            )
        name, answer = self.manifest.inputs[0].name, self.manifest.outputs[0].name
        try:
            rows: NDArray[np.float32] = self._session.run([answer], {name: images})[0]
        except refusals() as error:
            raise Damaged(f"the program cannot be run: {error}") from error
        return rows

    def self_test(self) -> SelfTest:
        """Runs the golden examples that travel with the program."""
        expected = self._golden["probabilities"]
        actual = self.probabilities(self._golden["image"])
        difference = float(np.abs(actual - expected).max(initial=0.0))
        same = bool((actual.argmax(1) == expected.argmax(1)).all())
        return SelfTest(len(expected), difference, same and difference <= TOLERANCE)

    def _decode(self, picture: Picture, index: int) -> NDArray[np.uint8]:
        height, width, channels = self.manifest.picture
        try:
            if isinstance(picture, np.ndarray):
                return from_array(picture, height, width, channels)
            raw = picture if isinstance(picture, bytes) else Path(picture).read_bytes()
            return pixels(raw, height, width, channels)
        except OSError as error:
            raise NotFound(f"picture {index}: {error}") from None
        except InvalidInput as error:
            where = f" ({picture})" if isinstance(picture, str | Path) else ""
            raise InvalidInput(
                f"picture {index}{where}: {error.message}", hint=error.hint
            ) from error


def inspect(path: str | Path) -> Manifest:
    """Reads the manifest alone. Raises NotFound, Damaged, or InvalidInput for an unknown format."""
    raw = read_members(Path(path), ("manifest.json",))["manifest.json"]
    return parse_manifest(raw, f"{path}: manifest.json")


def read_report(path: str | Path) -> Report:
    """Reads the report alone. Raises as `inspect` does."""
    manifest = inspect(path)
    return from_json(
        Report, verified(Path(path), manifest, ("report.json",))["report.json"], str(path)
    )


def load(path: str | Path, threads: int = 1) -> Program:
    """Opens a program after checking every member; nothing in the file is executed but its graph.

    threads: of onnxruntime; one is fastest for small nets, for idle workers spin.
    Raises NotFound, Damaged, or InvalidInput for an unknown format."""
    path = Path(path)
    manifest = inspect(path)
    members = verified(path, manifest, tuple(n for n in LIMITS if n != "manifest.json"))
    report = from_json(Report, members["report.json"], f"{path}: report.json")
    weights = tensors(members["weights.safetensors"], f"{path}: weights.safetensors")
    golden = tensors(members["golden.safetensors"], f"{path}: golden.safetensors")
    summary = summarise(members["graph.onnx"])
    if summary.external != weights.keys():
        odd = sorted(summary.external ^ weights.keys())[:3]
        raise Damaged(f"{path}: graph and weights differ in {', '.join(odd)}")
    program = Program(
        manifest, report, session(members["graph.onnx"], weights, threads, path), golden
    )
    check_golden(program, golden, path)
    return program


def verified(path: Path, manifest: Manifest, names: tuple[str, ...]) -> dict[str, bytes]:
    members = read_members(path, names)
    for name, raw in members.items():
        if blake3(raw).hexdigest() != manifest.members.get(name):
            raise Damaged(f"{path}: {name} does not match the hash in its manifest")
    return members


def tensors(raw: bytes, where: str) -> dict[str, NDArray[Any]]:
    from safetensors import SafetensorError
    from safetensors.numpy import load as load_tensors

    try:
        arrays: dict[str, NDArray[Any]] = load_tensors(raw)
    except (SafetensorError, ValueError, KeyError) as error:
        raise Damaged(f"{where}: {error}") from error
    return arrays


def session(graph: bytes, weights: dict[str, NDArray[Any]], threads: int, path: Path) -> Any:
    """An onnxruntime session on the processor, weights handed over from memory."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 4  # what goes wrong is raised; nothing is printed
    values = [onnxruntime.OrtValue.ortvalue_from_numpy(array) for array in weights.values()]
    options.add_external_initializers(list(weights), values)
    processor = ["CPUExecutionProvider"]
    try:
        return onnxruntime.InferenceSession(graph, options, processor, enable_fallback=0)
    except refusals() as error:
        raise Damaged(f"{path}: the graph cannot be run: {error}") from error


def refusals() -> tuple[type[Exception], ...]:
    """What onnxruntime raises for graphs it will not run; they share no base class of their own.

    ValueError: names that are not UTF-8, found by the fuzz test."""
    from onnxruntime.capi import onnxruntime_pybind11_state as state

    names = ("Fail", "InvalidArgument", "InvalidGraph", "InvalidProtobuf", "NoSuchFile")
    more = ("NotImplemented", "RuntimeException")
    return (*(getattr(state, name) for name in (*names, *more)), RuntimeError, ValueError)


def check_golden(program: Program, golden: dict[str, NDArray[Any]], path: Path) -> None:
    """The graph's own signature and the golden examples must be those of the manifest."""
    [given], [answer] = program._session.get_inputs(), program._session.get_outputs()
    signature = program.manifest.inputs[0], program.manifest.outputs[0]
    if (given.name, answer.name) != tuple(t.name for t in signature):
        raise Damaged(f"{path}: the graph maps {given.name} to {answer.name}, not what it declares")
    image, expected = golden.get("image"), golden.get("probabilities")
    if image is None or expected is None or expected.shape != (len(image), len(program.labels)):
        raise Damaged(f"{path}: golden.safetensors does not fit the manifest")
    if image.dtype != np.uint8 or image.shape[1:] != program.manifest.picture:
        raise Damaged(f"{path}: golden examples are {image.dtype} {image.shape}")
