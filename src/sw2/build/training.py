"""The training loop: deterministic, interruptible anywhere, recording every example as it goes.

All randomness is a function of (seed, epoch), so the state of a run is its tensors and a position:
a run that was stopped goes on to the same bits as one that was not. One compute thread: another
number sums in another order (PyTorch issues 2201 and 88718) and is slower at this size."""

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sw2.binary import Epoch
from sw2.build.checkpoint import load_checkpoint, save_checkpoint
from sw2.build.data import Data
from sw2.build.network import Network, as_arrays, plan
from sw2.build.spec import Spec
from sw2.errors import BuildFailed, Cancelled
from sw2.progress import Event, Progress

if TYPE_CHECKING:
    import torch

PEAK_RATE, WARM_UP, WEIGHT_DECAY = 0.01, 0.25, 5e-4  # one cycle of AdamW: Smith & Topin 2018
EVALUATION_BATCH = 256
SECONDS_BETWEEN_CHECKPOINTS = 10.0
SECONDS_BETWEEN_EVENTS = 0.2
Stop = Callable[[], bool]


@dataclass(frozen=True, slots=True)
class Trained:
    """For N examples in the order of the data, K labels, E epochs; NaN where nothing was recorded.

    probabilities: (N, K) of the finished network.  features: (N, 64).  losses: (N, E).
    margin: (N,) mean over epochs.  average: (N, K) mean over epochs of the probabilities."""

    network: Network
    mean: list[float]
    deviation: list[float]
    probabilities: NDArray[np.float32]
    features: NDArray[np.float32]
    losses: NDArray[np.float32]
    margin: NDArray[np.float32]
    average: NDArray[np.float32]
    epochs: tuple[Epoch, ...]


def train(data: Data, spec: Spec, checkpoint: Path, progress: Progress, stop: Stop) -> Trained:
    """Trains, or goes on from `checkpoint` (a file that is written at each epoch's end, every ten
    seconds, and on a stop).

    Raises Cancelled once `stop()` is true, and BuildFailed when the loss is no longer a number."""
    with one_thread():
        run = Run(data, spec)
        found = load_checkpoint(checkpoint, run.tensors(), run.restore)
        if found == "restored":
            found = f"goes on in epoch {run.epoch + 1} of {spec.epochs}"
        if found != "absent":
            progress(Event("train", run.epoch * run.batches + run.batch, run.pace.total, found))
        while run.epoch < spec.epochs:
            run.one_epoch(checkpoint, progress, stop)
        return run.finish()


@contextmanager
def one_thread() -> Iterator[None]:
    import torch

    threads = torch.get_num_threads()
    strict = torch.are_deterministic_algorithms_enabled()
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
        torch.use_deterministic_algorithms(strict)


class Run:
    """A training run at a position: `epoch` epochs are complete and `batch` batches of the next."""

    def __init__(self, data: Data, spec: Spec) -> None:
        import torch

        count, height, width, channels = data.pictures.shape
        self.data, self.spec = data, spec
        self.train, self.classes = data.rows("train"), len(data.labels)
        others = np.ones(count, bool)
        others[self.train] = False
        self.watched = np.flatnonzero(others & (data.given >= 0))
        self.size = min(64, max(8, len(self.train) // 16))
        self.batches = math.ceil(len(self.train) / self.size)
        self.network = Network(plan(height, width, channels, self.classes), spec.seed)
        self.weights = list(self.network.trained.values())
        for weight in self.weights:
            weight.requires_grad_()
        self.optimiser = torch.optim.AdamW(self.weights, lr=PEAK_RATE, weight_decay=WEIGHT_DECAY)
        self.mean, self.deviation = channel_statistics(data.pictures[self.train])
        self.losses = np.full((count, spec.epochs), np.nan, np.float32)
        self.margin = np.zeros(count, np.float32)
        self.average = np.zeros((count, self.classes), np.float32)
        self.epochs: list[Epoch] = []
        self.epoch = self.batch = 0
        self.saved_at = self.told_at = time.monotonic()
        self.pace = Pace(spec.epochs * self.batches)

    def one_epoch(self, checkpoint: Path, progress: Progress, stop: Stop) -> None:
        """Ends with `epoch` one higher. Raises Cancelled after saving the position."""
        order = self.order()
        while self.batch < self.batches:
            if stop():
                self.save(checkpoint)
                where = f"epoch {self.epoch + 1}, batch {self.batch} of {self.batches}"
                raise Cancelled(
                    f"the build was stopped at {where}", hint="The next build goes on from there"
                )
            start = self.batch * self.size
            self.step(order[start : start + self.size])
            self.batch += 1
            if time.monotonic() - self.saved_at > SECONDS_BETWEEN_CHECKPOINTS:
                self.save(checkpoint)
            if time.monotonic() - self.told_at > SECONDS_BETWEEN_EVENTS:
                self.tell(progress, order[: self.batch * self.size])
        accuracy = self.watch()
        loss = float(self.losses[self.train, self.epoch].mean())
        self.epochs.append(Epoch(self.epoch + 1, loss, accuracy))
        self.epoch, self.batch = self.epoch + 1, 0
        self.save(checkpoint)
        self.tell(progress, None)

    def order(self) -> NDArray[np.int64]:
        """This epoch's order of the training examples."""
        return np.random.default_rng((self.spec.seed, 1, self.epoch)).permutation(self.train)

    def shift(self) -> tuple[int, int]:
        """This batch's shift down and right, pixels: a light augmentation that no label minds."""
        reach = max(1, round(min(self.data.pictures.shape[1:3]) / 14))
        rng = np.random.default_rng((self.spec.seed, 2, self.epoch, self.batch))
        down, right = rng.integers(-reach, reach + 1, 2)
        return int(down), int(right)

    def step(self, rows: NDArray[np.int64]) -> None:
        """One batch: records what the network thinks of it, then learns from it."""
        import torch
        from torch.nn import functional as f

        rate = one_cycle(
            (self.epoch * self.batches + self.batch) / (self.spec.epochs * self.batches)
        )
        self.optimiser.param_groups[0]["lr"] = rate
        target = torch.from_numpy(self.data.given[rows].astype(np.int64))
        images = shifted(self.data.pictures[rows], *self.shift())
        logits = self.network.logits(self.network.features(self.normalised(images), training=True))
        losses = f.cross_entropy(logits, target, reduction="none")
        self.optimiser.zero_grad()
        losses.mean().backward()  # type: ignore[no-untyped-call]
        self.optimiser.step()
        self.record(rows, logits.detach(), losses.detach())

    def record(
        self, rows: NDArray[np.int64], logits: "torch.Tensor", losses: "torch.Tensor"
    ) -> None:
        """Adds one epoch's loss, margin and probabilities of some examples."""
        values = losses.numpy()
        if not np.isfinite(values).all():
            raise BuildFailed(
                f"the loss is no longer a number in epoch {self.epoch + 1}",
                hint="Check the pictures for a few that differ wildly from the rest",
            )
        self.losses[rows, self.epoch] = values
        self.margin[rows] += margins(logits.numpy(), self.data.given[rows])
        self.average[rows] += logits.softmax(1).numpy()

    def watch(self) -> float | None:
        """Records the labelled examples that are not trained on; returns the test accuracy."""
        import torch
        from torch.nn import functional as f

        right: list[NDArray[np.bool_]] = []
        for rows in blocks(self.watched):
            target = torch.from_numpy(self.data.given[rows].astype(np.int64))
            with torch.no_grad():
                images = self.normalised(self.data.pictures[rows])
                logits = self.network.logits(self.network.features(images, training=False))
                self.record(rows, logits, f.cross_entropy(logits, target, reduction="none"))
            right.append(logits.argmax(1).numpy() == self.data.given[rows])
        test = np.array([self.data.split[row] == "test" for row in self.watched], bool)
        return float(np.concatenate(right)[test].mean()) if test.any() else None

    def normalised(self, images: NDArray[np.uint8]) -> "torch.Tensor":
        """(B, H, W, C) uint8 -> (B, C, H, W) float32, by the graph's own formula."""
        import torch

        scale = 1.0 / (255.0 * np.array(self.deviation))
        shift = -np.array(self.mean) / np.array(self.deviation)
        values = torch.from_numpy(np.ascontiguousarray(images)).float()
        values = values * torch.from_numpy(scale.astype(np.float32))
        return (values + torch.from_numpy(shift.astype(np.float32))).permute(0, 3, 1, 2)

    def finish(self) -> Trained:
        """Runs the finished network over every example."""
        import torch

        everything = np.arange(len(self.data.keys))
        features, probabilities = [], []
        for rows in blocks(everything):
            with torch.no_grad():
                images = self.normalised(self.data.pictures[rows])
                found = self.network.features(images, training=False)
                features.append(found.numpy())
                probabilities.append(self.network.logits(found).softmax(1).numpy())
        labelled = self.data.given >= 0
        final = np.concatenate(probabilities)
        average = np.where(labelled[:, None], self.average / self.spec.epochs, final)
        margin = np.where(labelled, self.margin / self.spec.epochs, np.float32(np.nan))
        return Trained(
            self.network,
            self.mean,
            self.deviation,
            probabilities=final,
            features=np.concatenate(features),
            losses=self.losses,
            margin=margin.astype(np.float32),
            average=average.astype(np.float32),
            epochs=tuple(self.epochs),
        )

    def tell(self, progress: Progress, seen: NDArray[np.int64] | None) -> None:
        self.told_at = time.monotonic()
        done = self.epoch * self.batches + self.batch
        column = self.epoch if seen is not None else self.epoch - 1
        rows = seen if seen is not None else self.train
        metrics = {
            "epoch": float(column + 1),
            "loss": float(self.losses[rows, column].mean()),
            "seconds_left": self.pace.left(done),
        }
        if self.epochs and self.epochs[-1].accuracy is not None:
            metrics["accuracy"] = self.epochs[-1].accuracy
        message = ""
        if seen is None:
            figures = (
                f"{name} {metrics[name]:.4f}" for name in ("loss", "accuracy") if name in metrics
            )
            message = f"epoch {self.epoch} of {self.spec.epochs}: {', '.join(figures)}"
        progress(Event("train", done, self.pace.total, message, metrics))

    def tensors(self) -> dict[str, NDArray[Any]]:
        """Everything that the rest of the run depends on, beside the position."""
        found = {f"network.{k}": v for k, v in as_arrays(self.network.trained).items()}
        found |= {f"network.{k}": v for k, v in as_arrays(self.network.running).items()}
        for name, weight in self.network.trained.items():
            for slot, value in self.optimiser.state[weight].items():
                found[f"optimiser.{name}.{slot}"] = value.contiguous().numpy()
        recorded = {"losses": self.losses, "margin": self.margin, "average": self.average}
        return found | {f"record.{name}": array for name, array in recorded.items()}

    def save(self, path: Path) -> None:
        position = {"epoch": self.epoch, "batch": self.batch}
        save_checkpoint(
            path, self.tensors(), position | {"epochs": [asdict(e) for e in self.epochs]}
        )
        self.saved_at = time.monotonic()

    def restore(self, found: dict[str, NDArray[Any]], position: dict[str, Any]) -> None:
        """Takes over the tensors and the position of a checkpoint."""
        import torch

        for name, tensor in (self.network.trained | self.network.running).items():
            tensor.data.copy_(torch.from_numpy(found[f"network.{name}"]))
        for name, weight in self.network.trained.items():
            prefix = f"optimiser.{name}."
            slots = {k.removeprefix(prefix): v for k, v in found.items() if k.startswith(prefix)}
            self.optimiser.state[weight] = {
                slot: torch.from_numpy(value.copy()) for slot, value in slots.items()
            }
        self.losses, self.margin = found["record.losses"].copy(), found["record.margin"].copy()
        self.average = found["record.average"].copy()
        self.epoch, self.batch = position["epoch"], position["batch"]
        self.epochs = [Epoch(**entry) for entry in position["epochs"]]
        self.pace = Pace(self.pace.total, self.epoch * self.batches + self.batch)


class Pace:
    """Seconds left, from the pace since this process started on the run."""

    def __init__(self, total: int, done: int = 0) -> None:
        self.total, self.first, self.started = total, done, time.monotonic()

    def left(self, done: int) -> float:
        worked = max(1, done - self.first)
        return (time.monotonic() - self.started) / worked * (self.total - done)


def channel_statistics(pictures: NDArray[np.uint8]) -> tuple[list[float], list[float]]:
    """Mean and deviation of each channel, of values from 0 to 1. pictures: (N, H, W, C)."""
    counts = [
        np.bincount(pictures[..., c].ravel(), minlength=256) for c in range(pictures.shape[3])
    ]
    levels = np.arange(256) / 255.0
    mean = [float((n * levels).sum() / n.sum()) for n in counts]
    square = [float((n * levels**2).sum() / n.sum()) for n in counts]
    return mean, [
        max(0.01, math.sqrt(max(0.0, s - m * m))) for m, s in zip(mean, square, strict=True)
    ]


def one_cycle(position: float) -> float:
    """The learning rate at a position from 0 to 1: up along a cosine, then down along another."""
    if position < WARM_UP:
        return PEAK_RATE * (0.04 + 0.96 * (1 - math.cos(math.pi * position / WARM_UP)) / 2)
    fall = (position - WARM_UP) / (1 - WARM_UP)
    return PEAK_RATE * max(1e-5, (1 + math.cos(math.pi * fall)) / 2)


def shifted(images: NDArray[np.uint8], down: int, right: int) -> NDArray[np.uint8]:
    """(B, H, W, C) moved by whole pixels, the edge repeated."""
    height, width = images.shape[1:3]
    rows = np.clip(np.arange(height) - down, 0, height - 1)
    columns = np.clip(np.arange(width) - right, 0, width - 1)
    return images[:, rows][:, :, columns]


def margins(logits: NDArray[np.float32], given: NDArray[np.int32]) -> NDArray[np.float32]:
    """(B,) the given label's logit less the largest other."""
    rows = np.arange(len(given))
    others = logits.copy()
    others[rows, given] = -np.inf
    return np.asarray(logits[rows, given] - others.max(1), dtype=np.float32)


def blocks(rows: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
    for start in range(0, len(rows), EVALUATION_BATCH):
        yield rows[start : start + EVALUATION_BATCH]
