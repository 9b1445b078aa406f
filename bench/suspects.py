"""How well are wrong labels found, what does it cost, and what is fixing them worth?

    python bench/suspects.py [--quick] [--json]

Input: the sample that sw2 ships (4,000 training and 1,000 test pictures of clothes, 250 training
labels wrong on purpose); each seed is another training. The full run adds other kinds of noise, a
second data set (scikit-learn's digits), and cleanlab on the same labels, given what it asks for:
probabilities from five-fold training of the same network.
Exits 1 when a figure misses its bar."""

import csv
import io
import resource
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from _bench import VENVS, Figure, Options, environment
from _bench import run as bench
from numpy.typing import NDArray

import sw2
from sw2.build import Signals, Spec
from sw2.build.data import Data
from sw2.build.run import signals_of
from sw2.build.training import train
from sw2.insight import suspects
from sw2.media import pixels
from sw2.progress import silent

VENV = VENVS / "cleanlab"
SEEDS = 3
LEAST: dict[str, Any] = {"at_least": True}
SAMPLE = Path(sw2.__file__).parent / "demo" / "data"
# Confused classes of Fashion-MNIST, in the order of upstream's numbers, and of digits by shape.
CLOTHES_PAIRS = {0: 6, 6: 0, 2: 4, 4: 2, 5: 7, 7: 9, 9: 7, 1: 3, 3: 1, 8: 5}
DIGIT_PAIRS = {0: 6, 6: 0, 1: 7, 7: 1, 3: 8, 8: 3, 4: 9, 9: 4, 2: 7, 5: 3}
UPSTREAM = ("T-shirt", "Trouser", "Pullover", "Dress", "Coat")
UPSTREAM += ("Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot")


Mask = NDArray[np.bool_]
Pairs = dict[int, int] | None


@dataclass(frozen=True)
class Labelled:
    """data: with the labels as given.  true: (N,) the labels before any was moved."""

    data: Data
    true: NDArray[np.int32]

    @property
    def wrong(self) -> Mask:
        return (self.data.given != self.true) & (np.array(self.data.split) == "train")


@dataclass(frozen=True)
class Result:
    signals: Signals
    ap: float
    first_100: float
    listed_precision: float
    listed_recall: float
    accuracy: float
    build_seconds: float
    rank_seconds: float


def measure(options: Options) -> Iterator[Figure]:
    seeds = range(1 if options.quick else SEEDS)
    results = [run(from_sample(), seed) for seed in seeds]
    reason = "left out" if options.quick else environment("cleanlab", "cleanlab>=2.7")
    peer = ({}, reason) if reason else cleanlab(from_sample())
    yield from of_the_sample(results, *peer)
    if options.quick:
        return
    fixed = [run(corrected(from_sample()), seed) for seed in seeds]
    yield Figure("accuracy after fixing all", mean(r.accuracy for r in fixed), "", 0.87, **LEAST)
    gain = mean(a.accuracy - b.accuracy for a, b in zip(fixed, results, strict=True))
    yield Figure("gain of fixing all", gain * 100, "points", 0, **LEAST)
    yield from of_other_noise(with_digits=not reason)
    if not reason:
        lead = results[0].ap - max(peer[0].values())
        yield Figure("lead over cleanlab's best score", lead, "AP", 0, **LEAST)


def run(labelled: Labelled, seed: int) -> Result:
    started = time.process_time()
    with tempfile.TemporaryDirectory() as folder:
        checkpoint = Path(folder) / "state.safetensors"
        trained = train(labelled.data, Spec(seed=seed), checkpoint, silent, lambda: False)
    signals = signals_of(labelled.data, trained)
    built = time.process_time()
    found = suspects(signals, trained.features)
    ranked = time.process_time()
    rows = labelled.data.rows("train")
    wrong, listed = labelled.wrong[rows], found.listed[rows]
    order = np.argsort(-found.score[rows], kind="stable")
    test = labelled.data.rows("test")
    return Result(
        signals,
        ap=average_precision(wrong[order]),
        first_100=float(wrong[order[:100]].mean()),
        listed_precision=float(wrong[listed].mean()) if listed.any() else 0.0,
        listed_recall=float(wrong[listed].sum() / max(1, wrong.sum())),
        accuracy=float((signals.prediction == labelled.true)[test].mean()),
        build_seconds=built - started,
        rank_seconds=ranked - built,
    )


def average_precision(wrong_in_order: Mask) -> float:
    """Mean, over the wrong ones, of the precision at their place."""
    hits = np.cumsum(wrong_in_order)
    places = np.flatnonzero(wrong_in_order)
    return float((hits[places] / (places + 1)).mean()) if len(places) else 0.0


# Data


def from_sample() -> Labelled:
    archive = zipfile.ZipFile(SAMPLE / "fashion-5000.zip")
    name = next(n for n in archive.namelist() if n.endswith(".csv"))
    lines = sorted(csv.DictReader(io.TextIOWrapper(archive.open(name))), key=lambda r: r["path"])
    with (SAMPLE / "answer-key.csv").open() as file:
        key = {line["path"]: line["true_label"] for line in csv.DictReader(file)}
    labels = UPSTREAM
    given = [labels.index(line["label"]) for line in lines]
    true = [labels.index(key.get(line["path"], line["label"])) for line in lines]
    pictures = np.stack([pixels(archive.read(line["path"]), 28, 28, 1) for line in lines])
    keys, split = ([line[column] for line in lines] for column in ("path", "split"))
    return Labelled(a_data(pictures, given, split, keys, labels), np.array(true, np.int32))


def digits() -> Labelled:
    """scikit-learn's 1,797 digits, which come with the peer's environment; the last 397 test."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "digits.npz"
        code = (
            "import sys, numpy; from sklearn.datasets import load_digits; d = load_digits()\n"
            "numpy.savez(sys.argv[1], images=d.images, target=d.target)"
        )
        subprocess.run([str(VENV / "bin" / "python"), "-c", code, str(out)], check=True)
        with np.load(out) as found:
            images, target = found["images"] * 15.9375, found["target"]
    split = ["train"] * 1400 + ["test"] * (len(target) - 1400)
    data = a_data(images.astype(np.uint8)[..., None], target, split)
    return Labelled(data, target.astype(np.int32))


def a_data(
    pictures: NDArray[np.uint8],
    given: Sequence[int],
    split: Sequence[str],
    keys: Sequence[str] | None = None,
    labels: Sequence[str] = "0123456789",
) -> Data:
    keys = keys or [f"{number:05d}" for number in range(len(given))]
    labelled = np.array(given, np.int32)
    return Data(tuple(keys), pictures, labelled, tuple(split), tuple(labels), (), ())


def corrected(labelled: Labelled) -> Labelled:
    return replace(labelled, data=replace(labelled.data, given=labelled.true.copy()))


def moved(labelled: Labelled, count: int, rng: np.random.Generator, pairs: Pairs) -> Labelled:
    """Moves `count` training labels: to any other class, or along `pairs`."""
    rows = rng.choice(labelled.data.rows("train"), count, replace=False)
    given = labelled.true.copy()
    if pairs is None:
        given[rows] = (given[rows] + rng.integers(1, 10, count)) % 10
    else:
        given[rows] = [pairs[int(label)] for label in given[rows]]
    return replace(labelled, data=replace(labelled.data, given=given))


# The peer


CLEANLAB = """
import sys, time, numpy
started = time.process_time()
from cleanlab.rank import get_label_quality_scores
found = numpy.load(sys.argv[1])
scores = {method: get_label_quality_scores(found["given"], found["shares"], method=method)
          for method in ("self_confidence", "normalized_margin")}
numpy.savez(sys.argv[2], seconds=time.process_time() - started, **scores)
"""


def cleanlab(labelled: Labelled) -> tuple[dict[str, float], float]:
    """Average precision by scoring method, and CPU seconds with the five trainings."""
    rows = labelled.data.rows("train")
    fold = np.random.default_rng(0).permutation(len(rows)) % 5
    shares = np.zeros((len(rows), 10), np.float32)
    started = time.process_time()
    for number in range(5):
        split = np.where(fold == number, "test", "train")
        data = replace(
            labelled.data,
            keys=tuple(labelled.data.keys[row] for row in rows),
            pictures=labelled.data.pictures[rows],
            given=labelled.data.given[rows],
            split=tuple(str(name) for name in split),
        )
        with tempfile.TemporaryDirectory() as folder:
            trained = train(data, Spec(), Path(folder) / "s", silent, lambda: False)
        shares[fold == number] = trained.probabilities[fold == number]
    seconds = time.process_time() - started
    with tempfile.TemporaryDirectory() as folder:
        given, out = Path(folder) / "in.npz", Path(folder) / "out.npz"
        np.savez(given, given=labelled.data.given[rows], shares=shares)
        command = [str(VENV / "bin" / "python"), "-c", CLEANLAB, str(given), str(out)]
        subprocess.run(command, check=True, capture_output=True)
        with np.load(out) as found:
            seconds += float(found["seconds"])
            orders = {m: np.argsort(found[m], kind="stable") for m in found.files if m != "seconds"}
    wrong = labelled.wrong[rows]
    return {m: average_precision(wrong[order]) for m, order in orders.items()}, seconds


# Figures


def of_the_sample(
    results: list[Result], cleanlabs: dict[str, float], cleanlab_seconds: float | str
) -> Iterator[Figure]:
    """cleanlabs: its average precision by scoring method; empty where it was not run, and then
    `cleanlab_seconds` is why."""
    scores: dict[str, float | str] = {f"cleanlab {name}": ap for name, ap in cleanlabs.items()}
    peer = scores or {"cleanlab": cleanlab_seconds}
    first = min(r.first_100 for r in results)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    worst = min(r.ap for r in results)
    yield Figure("average precision, worst seed", worst, "", 0.85, peer, at_least=True)
    yield Figure("right in the first 100", first, "", 0.95, **LEAST)
    yield Figure("listed: precision", mean(r.listed_precision for r in results), "", 0.7, **LEAST)
    yield Figure("listed: recall", mean(r.listed_recall for r in results), "", 0.8, **LEAST)
    yield Figure("accuracy before fixing", mean(r.accuracy for r in results), "", 0.85, **LEAST)
    seconds = mean(r.build_seconds for r in results)
    yield Figure("training", seconds, "CPU s", 75, {"cleanlab": cleanlab_seconds})
    yield Figure("ranking", mean(r.rank_seconds for r in results), "CPU s", 2)
    yield Figure("peak memory", peak, "MB", 1500)


def of_other_noise(with_digits: bool) -> Iterator[Figure]:
    """Other noise, and another data set where the peer's environment brings it."""
    sets = {"clothes": (from_sample(), CLOTHES_PAIRS)}
    if with_digits:
        sets["digits"] = (digits(), DIGIT_PAIRS)
    bars = {"clothes, pairs 10 %": 0.7, "clothes, any 5 %": 0.85, "clothes, any 10 %": 0.85}
    for name, (labelled, pairs) in sets.items():
        for kind, share in (("any", 0.05), ("any", 0.1), ("pairs", 0.1)):
            rng = np.random.default_rng(11)
            count = round(share * len(labelled.data.rows("train")))
            noisy = moved(labelled, count, rng, pairs if kind == "pairs" else None)
            title = f"{name}, {kind} {share:.0%}".replace("%", " %")
            yield Figure(f"AP {title}", run(noisy, 0).ap, "", bars.get(title, 0.95), **LEAST)


def mean(values: Iterable[float]) -> float:
    return float(np.mean(list(values)))


if __name__ == "__main__":
    sys.exit(bench(__doc__ or "", measure))
