"""How well are wrong labels found, what does it cost, and what is fixing them worth?

    python bench/suspects.py [--quick] [--json] [--seeds N] [--idx FOLDER]

Input: the sample that sw2 ships (4,000 training and 1,000 test pictures of clothes, 250 training
labels wrong on purpose), or with --idx the same drawn by seed from Fashion-MNIST's four gz files.
The full run adds other kinds of noise, a second data set (scikit-learn's digits), and cleanlab on
the same labels, given what it asks for: probabilities from five-fold training of the same network.
Exits 1 when a figure misses its bar."""

import argparse
import csv
import gzip
import io
import json
import resource
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import sw2
from sw2.build import Signals, Spec
from sw2.build.data import Data
from sw2.build.run import signals_of
from sw2.build.training import train
from sw2.insight import suspects
from sw2.media import pixels
from sw2.progress import silent

VENV = Path(__file__).parent / ".venvs" / "cleanlab"
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


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="one build, no peer, within 45 s")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--idx", type=Path, help="folder with Fashion-MNIST's gz files")
    options = parser.parse_args()
    figures = Figures()
    load = (lambda seed: from_idx(options.idx, seed)) if options.idx else lambda seed: from_sample()
    seeds = range(1 if options.quick else options.seeds)
    results = [run(load(seed), seed) for seed in seeds]
    figures.sample(results)
    if not options.quick:
        fixed = [run(corrected(load(seed)), seed) for seed in seeds]
        figures.gain(results, fixed)
        figures.settings(load(0))
        figures.peer(load(0), results[0].ap)
    figures.show(options.json)
    return 0 if figures.good() else 1


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


def from_idx(folder: Path, seed: int) -> Labelled:
    """400 training and 100 test pictures of each class, 250 training labels moved."""
    rng = np.random.default_rng(seed)
    pictures, true, split = [], [], []
    for part, name, count in (("train", "train", 400), ("test", "t10k", 100)):
        images = idx(folder / f"{name}-images-idx3-ubyte.gz", 16).reshape(-1, 28, 28, 1)
        labels = idx(folder / f"{name}-labels-idx1-ubyte.gz", 8)
        for label in range(10):
            chosen = rng.permutation(np.flatnonzero(labels == label))[:count]
            pictures.append(images[chosen])
            true += [label] * count
            split += [part] * count
    clean = Labelled(a_data(np.concatenate(pictures), true, split), np.array(true, np.int32))
    return moved(clean, 250, rng, None)


def idx(path: Path, header: int) -> NDArray[np.uint8]:
    return np.frombuffer(gzip.decompress(path.read_bytes()), np.uint8, offset=header)


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


def environment() -> str:
    """Makes cleanlab's environment when it is not there; returns why it cannot be had, or ""."""
    if (VENV / "done").exists():
        return ""
    VENV.parent.mkdir(parents=True, exist_ok=True)
    steps = [
        [sys.executable, "-m", "venv", str(VENV)],
        [str(VENV / "bin" / "pip"), "install", "-q", "cleanlab>=2.7"],
    ]
    for step in steps:
        done = subprocess.run(step, capture_output=True, text=True, check=False)
        if done.returncode:
            return done.stderr.strip().splitlines()[-1][:200]
    (VENV / "done").touch()
    return ""


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


class Figures:
    """name -> value, unit, bar, whether it must be at least or at most the bar, and the peer's."""

    def __init__(self) -> None:
        self.found: dict[str, dict[str, Any]] = {}
        self.skipped = ""

    def add(
        self,
        name: str,
        value: float,
        unit: str,
        least: float | None = None,
        most: float | None = None,
        peer: float | None = None,
    ) -> None:
        ok = (least is None or value >= least) and (most is None or value <= most)
        bar = least if least is not None else most
        self.found[name] = {
            "value": round(value, 4), "unit": unit, "bar": bar, "peer": peer, "ok": ok,
        }  # fmt: skip

    def sample(self, results: list[Result]) -> None:
        worst = min(results, key=lambda r: r.ap)
        self.add("average precision, worst seed", worst.ap, "", least=0.85)
        self.add("right in the first 100", min(r.first_100 for r in results), "", least=0.95)
        self.add("listed: precision", mean(r.listed_precision for r in results), "", least=0.7)
        self.add("listed: recall", mean(r.listed_recall for r in results), "", least=0.8)
        self.add("accuracy before fixing", mean(r.accuracy for r in results), "", least=0.85)
        self.add("training", mean(r.build_seconds for r in results), "CPU s", most=75)
        self.add("ranking", mean(r.rank_seconds for r in results), "CPU s", most=2)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        self.add("peak memory", peak, "MB", most=1500)

    def gain(self, before: list[Result], after: list[Result]) -> None:
        self.add("accuracy after fixing all", mean(r.accuracy for r in after), "", least=0.87)
        gain = mean(a.accuracy - b.accuracy for a, b in zip(after, before, strict=True))
        self.add("gain of fixing all", gain * 100, "points", least=0)

    def settings(self, sample: Labelled) -> None:
        """Other noise, and another data set when the peer's environment can be had."""
        sets = {"clothes": (sample, CLOTHES_PAIRS)}
        if not environment():
            sets["digits"] = (digits(), DIGIT_PAIRS)
        bars = {"clothes, pairs 10 %": 0.7, "clothes, any 5 %": 0.85, "clothes, any 10 %": 0.85}
        for name, (labelled, pairs) in sets.items():
            for kind, share in (("any", 0.05), ("any", 0.1), ("pairs", 0.1)):
                rng = np.random.default_rng(11)
                count = round(share * len(labelled.data.rows("train")))
                noisy = moved(labelled, count, rng, pairs if kind == "pairs" else None)
                title = f"{name}, {kind} {share:.0%}".replace("%", " %")
                self.add(f"AP {title}", run(noisy, 0).ap, "", least=bars.get(title, 0.95))

    def peer(self, sample: Labelled, own: float) -> None:
        reason = environment()
        if reason:
            self.skipped = reason
            return
        scores, seconds = cleanlab(sample)
        best = max(scores.values())
        self.found["average precision, worst seed"]["peer"] = round(best, 4)
        self.found["training"]["peer"] = round(seconds, 1)
        self.add("lead over cleanlab's best score", own - best, "AP", least=0)
        for method, ap in scores.items():
            self.add(f"cleanlab {method}, five folds", ap, "AP")

    def good(self) -> bool:
        return all(figure["ok"] for figure in self.found.values())

    def show(self, as_json: bool) -> None:
        if as_json:
            print(json.dumps(self.found, indent=1))
            return
        print(f"{'figure':42} {'value':>10} {'unit':7} {'bar':>7} {'peer':>8}")
        for name, f in self.found.items():
            bar, peer = ("" if f[k] is None else f[k] for k in ("bar", "peer"))
            miss = "" if f["ok"] else "  MISSED"
            print(f"{name:42} {f['value']:10.4g} {f['unit']:7} {bar:>7} {peer:>8}{miss}")
        if self.skipped:
            print(f"cleanlab and digits were skipped: {self.skipped}")


def mean(values: Iterable[float]) -> float:
    return float(np.mean(list(values)))


if __name__ == "__main__":
    sys.exit(main())
