"""What was converted computes what torch computes, or nothing is packed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import torch

from rap_edge.converters.speaking import Array, Run, Tensors
from rap_edge.errors import ParityError

if TYPE_CHECKING:
    from rap_edge.converters.graphs import GraphSource

UINT8_LEVELS = 1.0


@dataclass(frozen=True)
class Bound:
    """How near to torch an output has to be.

    largest: no value is further off than this, relative to the output's largest, or to 1 if that is
    more; pictures by a level. decibels: the peak of the output over the root mean square error.
    """

    value: float
    measure: Literal["largest", "decibels"] = "largest"


@dataclass(frozen=True)
class Difference:
    """How far one output of a converted graph is from torch's."""

    graph: str
    output: str
    value: float
    bound: Bound
    backend: str = ""

    @property
    def failed(self) -> bool:
        if self.bound.measure == "decibels":
            return not self.value >= self.bound.value  # NaN fails
        return not self.value <= self.bound.value

    def __str__(self) -> str:
        name, bound = f"{self.graph}.{self.output}", self.bound.value
        if self.bound.measure == "decibels":
            return f"{name} agrees to {self.value:.1f} dB (>= {bound:g})"
        return f"{name} differs by {self.value:.3g} (<= {bound:.3g})"


def compare(source: GraphSource, run: Run, bound: Bound | None = None) -> list[Difference]:
    """Run the example inputs through torch and the converted graph.

    Without ``bound``, the graph's own hold.
    """
    inputs = {name: value.numpy() for name, value in source.inputs.items()}
    expected, actual = in_torch(source, inputs), run(source.name, inputs)
    return [
        difference(source.name, name, value, actual[name], bound or source.bound(name))
        for name, value in expected.items()
    ]


def require_parity(differences: Sequence[Difference]) -> None:
    """Raise ParityError that lists every output that is too far off."""
    failing = [str(difference) for difference in differences if difference.failed]
    if failing:
        raise ParityError(
            f"{len(failing)} outputs are not what torch computes: {'; '.join(failing)} - "
            "the conversion is wrong, nothing was written"
        )


@torch.no_grad()
def in_torch(source: GraphSource, inputs: Tensors) -> dict[str, Array]:
    """Run a graph as it was before its conversion, on those of ``inputs`` that it takes."""
    given = [torch.from_numpy(np.ascontiguousarray(inputs[name])) for name in source.inputs]
    outputs = source.module(*given)
    values = outputs if isinstance(outputs, tuple) else (outputs,)
    return {name: value.numpy() for name, value in zip(source.outputs, values, strict=True)}


def difference(graph: str, output: str, expected: Array, actual: Array, bound: Bound) -> Difference:
    """Compare an output; another shape or dtype is as far off as can be."""
    worst = {"largest": float("inf"), "decibels": float("-inf")}[bound.measure]
    if expected.shape != actual.shape or expected.dtype != actual.dtype:
        return Difference(graph, output, worst, bound)
    error = np.abs(expected.astype(np.float64) - actual.astype(np.float64))
    if bound.measure == "decibels":
        return Difference(graph, output, peak_to_error_db(expected, error), bound)
    if expected.dtype == np.uint8:
        return Difference(graph, output, float(error.max(initial=0)), Bound(UINT8_LEVELS))
    scale = np.abs(expected).max(initial=1.0)
    return Difference(graph, output, float(error.max(initial=0) / scale), bound)


def peak_to_error_db(expected: Array, error: Array) -> float:
    """Return how far the peak, 255 of pictures, is above the root mean square error, in dB."""
    peak = 255.0 if expected.dtype == np.uint8 else np.abs(expected).max(initial=0.0)
    with np.errstate(divide="ignore"):
        return float(20 * np.log10(np.float64(peak) / np.sqrt(np.square(error).mean())))
