"""The default network: plain convolutions, no residuals, sized by the picture.

A plan is data; torch and ONNX are two readers of it, so nothing is traced and the graph holds no
trace of this machine."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import torch

FEATURES = 64
WIDTHS = (16, 32, 32, 64, 64, 64)
EPSILON = 1e-5  # of batch normalisation


@dataclass(frozen=True, slots=True)
class Layer:
    """conv: 3 x 3, padded, then batch normalisation and ReLU, then 2 x 2 max pooling if `pool`.
    dense: a matrix, then ReLU if `activate`."""

    kind: Literal["conv", "dense"]
    name: str
    inputs: int
    outputs: int
    pool: bool = False
    activate: bool = True


@dataclass(frozen=True, slots=True)
class Plan:
    """layers: convolutions, then `hidden` (it gives the features), then `head` (the logits)."""

    height: int
    width: int
    channels: int
    layers: tuple[Layer, ...]


def plan(height: int, width: int, channels: int, classes: int) -> Plan:
    """Halves the picture until its shorter side is below 6, with at least two convolutions."""
    layers: list[Layer] = []
    inputs, rows, columns = channels, height, width
    while len(layers) < 2 or min(rows, columns) >= 6:
        pool = min(rows, columns) >= 6
        outputs = WIDTHS[min(len(layers), len(WIDTHS) - 1)]
        layers.append(Layer("conv", f"conv{len(layers) + 1}", inputs, outputs, pool))
        inputs = outputs
        if pool:
            rows, columns = rows // 2, columns // 2
    layers.append(Layer("dense", "hidden", inputs * rows * columns, FEATURES))
    layers.append(Layer("dense", "head", FEATURES, classes, activate=False))
    return Plan(height, width, channels, tuple(layers))


class Network:
    """Weights of a plan as tensors: `trained` are optimised, `running` are batch statistics."""

    def __init__(self, plan: Plan, seed: int) -> None:
        import torch

        generator = torch.Generator().manual_seed(seed)
        self.plan = plan
        self.trained: dict[str, torch.Tensor] = {}
        self.running: dict[str, torch.Tensor] = {}
        for layer in plan.layers:
            conv = layer.kind == "conv"
            shape = (layer.outputs, layer.inputs, 3, 3) if conv else (layer.outputs, layer.inputs)
            fan_in = layer.inputs * (9 if conv else 1)
            # He et al. 2015 before a ReLU; the head starts smaller, for it has none after it.
            scale = (2.0 if layer.activate else 1.0) / fan_in
            weight = torch.randn(shape, generator=generator) * scale**0.5
            self.trained[f"{layer.name}.weight"] = weight
            self.trained[f"{layer.name}.bias"] = torch.zeros(layer.outputs)
            if conv:
                # Channels last: 30 % less processor time on these sizes, measured.
                self.trained[f"{layer.name}.weight"] = weight.contiguous(
                    memory_format=torch.channels_last
                )
                self.trained[f"{layer.name}.scale"] = torch.ones(layer.outputs)
                self.running[f"{layer.name}.mean"] = torch.zeros(layer.outputs)
                self.running[f"{layer.name}.variance"] = torch.ones(layer.outputs)

    def features(self, x: "torch.Tensor", training: bool) -> "torch.Tensor":
        """x: (B, C, H, W) float32, normalised. Returns (B, FEATURES) float32."""
        from torch.nn import functional as f

        for layer in self.plan.layers[:-1]:
            weight, bias = self.trained[f"{layer.name}.weight"], self.trained[f"{layer.name}.bias"]
            if layer.kind == "dense":
                x = f.relu(f.linear(x.flatten(1), weight, bias))
                continue
            mean, variance = (
                self.running[f"{layer.name}.mean"],
                self.running[f"{layer.name}.variance"],
            )
            gain = self.trained[f"{layer.name}.scale"]
            x = f.conv2d(x, weight, padding=1)
            x = f.relu(f.batch_norm(x, mean, variance, gain, bias, training, 0.1, EPSILON))
            x = f.max_pool2d(x, 2) if layer.pool else x
        return x

    def logits(self, features: "torch.Tensor") -> "torch.Tensor":
        """(B, FEATURES) -> (B, K) float32, unnormalised."""
        from torch.nn import functional as f

        return f.linear(features, self.trained["head.weight"], self.trained["head.bias"])

    def folded(self) -> dict[str, NDArray[np.float32]]:
        """Weights for running: batch statistics multiplied into the convolutions, computed in
        double precision, which keeps the answers within 1e-6 of the network trained."""
        weights: dict[str, NDArray[np.float32]] = {}
        arrays = as_arrays({**self.trained, **self.running})
        for layer in self.plan.layers:
            weight = arrays[f"{layer.name}.weight"].astype(np.float64)
            bias = arrays[f"{layer.name}.bias"].astype(np.float64)
            if layer.kind == "conv":
                variance = arrays[f"{layer.name}.variance"].astype(np.float64)
                gain = arrays[f"{layer.name}.scale"] / np.sqrt(variance + EPSILON)
                weight = weight * gain[:, None, None, None]
                bias = bias - arrays[f"{layer.name}.mean"] * gain
            weights[f"{layer.name}.weight"] = np.ascontiguousarray(weight, dtype=np.float32)
            weights[f"{layer.name}.bias"] = np.ascontiguousarray(bias, dtype=np.float32)
        return weights


def as_arrays(tensors: "Mapping[str, torch.Tensor]") -> dict[str, NDArray[np.float32]]:
    return {name: tensor.detach().contiguous().numpy() for name, tensor in tensors.items()}
