"""Outliers move from activations into weights, channel by channel, before both become int8.

SmoothQuant (arXiv 2211.10438, equation 4), with the factors multiplied in where the layer is
called: in a transformer whose layers share one modulation, no weight could absorb them.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor, nn

from rap_edge.converters.graphs import GraphSource
from rap_edge.converters.parity import in_torch
from rap_edge.converters.speaking import Tensors

LEAST = 1e-5
Layer = nn.Linear | nn.Conv1d


class Smoothed(nn.Module):
    """A layer whose input channels are divided by factors that its weights are multiplied by."""

    def __init__(self, layer: Layer, factors: Tensor) -> None:
        super().__init__()
        trailing = (1,) * (layer.weight.dim() - 2)
        self.layer = copy.deepcopy(layer)
        self.layer.weight.data *= factors.reshape(1, -1, *trailing)
        self.register_buffer("inverse", (1 / factors).reshape(-1, *trailing))

    inverse: Tensor

    def forward(self, x: Tensor) -> Tensor:
        """x: (..., D) for a linear layer, (N, D, L) for a convolution."""
        result: Tensor = self.layer(x * self.inverse)
        return result


def smoothed(source: GraphSource, calls: Sequence[Tensors], strength: float) -> GraphSource:
    """Return a graph that computes the same with activations that quantize better.

    ``strength`` (0 to 1) is how much of an outlier goes into the weights; ``calls`` show the
    outliers.
    """
    module = copy.deepcopy(source.module)
    peaks = observed_peaks(replace(source, module=module), calls)
    for name, peak in peaks.items():
        parent, _, leaf = name.rpartition(".")
        layer = module.get_submodule(name)
        assert isinstance(layer, Layer)
        setattr(module.get_submodule(parent), leaf, Smoothed(layer, factors(layer, peak, strength)))
    return replace(source, module=module)


def factors(layer: Layer, peak: Tensor, strength: float) -> Tensor:
    """Return a factor (D,) for every input channel, about 1 in the geometric mean.

    Powers of two: what fp16 held of a weight before, it holds after.
    """
    weights = layer.weight.data.abs().transpose(0, 1).flatten(1).amax(1).clamp(min=LEAST)
    raw = peak.clamp(min=LEAST) ** strength / weights ** (1 - strength)
    return (raw.log2() - raw.log2().mean()).round().exp2()


def observed_peaks(source: GraphSource, calls: Sequence[Tensors]) -> dict[str, Tensor]:
    """Return the largest magnitude (D,) of every input channel of every layer, by its name."""
    peaks: dict[str, Tensor] = {}

    def watch(name: str, layer: nn.Module, x: Tensor) -> None:
        channels = x.detach().abs().movedim(1 if isinstance(layer, nn.Conv1d) else -1, 0)
        largest = channels.flatten(1).amax(1)
        peaks[name] = torch.maximum(peaks.get(name, largest), largest)

    hooks = [
        layer.register_forward_pre_hook(
            lambda layer, given, name=name: watch(name, layer, given[0])
        )
        for name, layer in source.module.named_modules()
        if isinstance(layer, Layer)
    ]
    for call in calls:
        in_torch(source, call)
    for hook in hooks:
        hook.remove()
    return peaks
