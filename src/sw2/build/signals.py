"""What a training run says about every example, as one Arrow table."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Signals:
    """One row an example, sorted by key; K labels.

    split: train, test, or another name, as the build used it.
    given: (N,) int32 label index, -1 without a label.
    prediction: (N,) int32; probabilities: (N, K) float32: of the finished program.
    average: (N, K) float32, probabilities averaged over epochs, for training examples from the
    training passes: less overfitted. Equal to `probabilities` where nothing was recorded.
    loss: (N,) float32, -ln p(given) of the finished program, nats, NaN without a label.
    losses: (N, E) float32, the loss at each epoch, NaN where not recorded.
    margin: (N,) float32, area under the margin: the mean over epochs of the given label's logit
    less the largest other, NaN without a label. Source: Pleiss et al. 2020, "Identifying
    mislabeled data using the area under the margin ranking".
    entropy: (N,) float32, of `probabilities`, nats."""

    keys: tuple[str, ...]
    split: tuple[str, ...]
    given: NDArray[np.int32]
    prediction: NDArray[np.int32]
    probabilities: NDArray[np.float32]
    average: NDArray[np.float32]
    loss: NDArray[np.float32]
    losses: NDArray[np.float32]
    margin: NDArray[np.float32]
    entropy: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.keys)


def write_signals(path: Path, signals: Signals) -> None:
    pieces = {
        "key": pa.array(signals.keys, pa.string()),
        "split": pa.array(signals.split, pa.string()),
        "given": pa.array(signals.given),
        "prediction": pa.array(signals.prediction),
        "probabilities": fixed_list(signals.probabilities),
        "average": fixed_list(signals.average),
        "loss": pa.array(signals.loss),
        "losses": fixed_list(signals.losses),
        "margin": pa.array(signals.margin),
        "entropy": pa.array(signals.entropy),
    }
    table = pa.table(pieces)
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)


def read_signals(path: Path) -> Signals:
    with pa.memory_map(str(path)) as source:
        table = pa.ipc.open_file(source).read_all().combine_chunks()

    def column(name: str) -> NDArray[np.float32]:
        return np.asarray(table[name].to_numpy(), dtype=np.float32)

    return Signals(
        keys=tuple(table["key"].to_pylist()),
        split=tuple(table["split"].to_pylist()),
        given=np.asarray(table["given"].to_numpy(), dtype=np.int32),
        prediction=np.asarray(table["prediction"].to_numpy(), dtype=np.int32),
        probabilities=matrix(table["probabilities"]),
        average=matrix(table["average"]),
        loss=column("loss"),
        losses=matrix(table["losses"]),
        margin=column("margin"),
        entropy=column("entropy"),
    )


def fixed_list(values: NDArray[np.float32]) -> pa.Array:
    flat = pa.array(np.ascontiguousarray(values, dtype=np.float32).ravel())
    return pa.FixedSizeListArray.from_arrays(flat, values.shape[1])


def matrix(column: pa.ChunkedArray) -> NDArray[np.float32]:
    width = column.type.list_size
    chunks = [np.asarray(chunk.flatten(), dtype=np.float32) for chunk in column.chunks]
    flat = np.concatenate(chunks) if chunks else np.zeros(0, np.float32)
    return flat.reshape(-1, width)
