"""A small program with random weights, made without torch."""

from pathlib import Path

import numpy as np
import pytest

from sw2.binary import FORMAT, Cost, ExportCheck, Lock, Manifest, Parts, Report, Tensor, write
from sw2.binary.program import session
from sw2.build.export import cost, export
from sw2.build.network import plan

LABELS = ("cat", "dog", "owl")


def a_report(**changes):
    fields = {
        "accuracy": 0.9,
        "interval": (0.8, 0.95),
        "tested": 10,
        "trained": 40,
        "labels": LABELS,
        "confusion": ((3, 0, 0), (1, 3, 0), (0, 0, 3)),
        "classes": (),
        "epochs": (),
        "export": ExportCheck(10, True, 0.0),
        "skipped": (),
        "notes": (),
    }
    return Report(**{**fields, **changes})


def a_manifest(**changes):
    fields = {
        "format": FORMAT,
        "name": "animals",
        "task": "classify",
        "inputs": (Tensor("image", "uint8", (-1, 12, 12, 1), "NHWC", 0.0, 255.0),),
        "outputs": (Tensor("probabilities", "float32", (-1, 3), "NC", 0.0, 1.0, LABELS),),
        "cost": Cost(1, 1, 4, 4, {}),
        "lock": Lock("k", "c", "d", "{}", 0, {}),
        "created_by": "sw2 test",
        "members": {},
    }
    return Manifest(**{**fields, **changes})


def parts_of(network, seed=0):
    rng = np.random.default_rng(seed)
    weights = {}
    for layer in network.layers:
        tail = (3, 3) if layer.kind == "conv" else ()
        shape = (layer.outputs, layer.inputs, *tail)
        weights[f"{layer.name}.weight"] = rng.normal(0, 0.2, shape).astype(np.float32)
        weights[f"{layer.name}.bias"] = rng.normal(0, 0.2, layer.outputs).astype(np.float32)
    graph, weights = export(network, weights, [0.5], [0.25])
    images = rng.integers(0, 256, (4, 12, 12, 1), dtype=np.uint8)
    answers = session(graph, weights, 1, Path("test")).run(None, {"image": images})[0]
    return Parts(graph, weights, a_report(), images, answers)


@pytest.fixture(scope="session")
def parts():
    return parts_of(plan(12, 12, 1, 3))


@pytest.fixture(scope="session")
def manifest(parts):
    return a_manifest(cost=cost(parts.graph, dict(parts.weights)))


@pytest.fixture(scope="session")
def program_file(tmp_path_factory, parts, manifest):
    path = tmp_path_factory.mktemp("program") / "program.sw2b"
    write(path, manifest, parts)
    return path
