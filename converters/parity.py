"""What was converted computes what torch computes, or nothing is packed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnxruntime as ort
import torch
from numpy.typing import NDArray
from onnx import ModelProto

from rap_edge.converters.graphs import GraphSource
from rap_edge.errors import ParityError

UINT8_LEVELS = 1

Array = NDArray[Any]
Tensors = Mapping[str, Array]


@dataclass(frozen=True)
class Difference:
    """How far one output of a converted graph is from torch's, at most.

    Floats are relative to the output's largest value where that is above 1, uint8 in levels.
    """

    graph: str
    output: str
    largest: float
    allowed: float

    @property
    def failed(self) -> bool:
        return not self.largest <= self.allowed  # NaN fails

    def __str__(self) -> str:
        return f"{self.graph}.{self.output} differs by {self.largest:.3g} (<= {self.allowed:.3g})"


def compare(source: GraphSource, model: ModelProto) -> list[Difference]:
    """Run the example inputs through torch and the converted graph, in fp32 on one thread."""
    inputs = {name: value.numpy() for name, value in source.inputs.items()}
    expected, actual = in_torch(source, inputs), in_session(open_session(model), inputs)
    return [
        difference(source.name, name, value, actual[name], source.tolerance)
        for name, value in expected.items()
    ]


def require_parity(differences: list[Difference]) -> None:
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


def in_session(session: ort.InferenceSession, inputs: Tensors) -> dict[str, Array]:
    """Run a converted graph, on those of ``inputs`` that it takes."""
    names = [output.name for output in session.get_outputs()]
    given = {value.name: inputs[value.name] for value in session.get_inputs()}
    return dict(zip(names, session.run(names, given), strict=True))


def open_session(model: ModelProto) -> ort.InferenceSession:
    """Open a converted graph in fp32 on one thread."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    return ort.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )


def difference(
    graph: str,
    output: str,
    expected: Array,
    actual: Array,
    tolerance: float,
) -> Difference:
    """Compare an output; pictures may differ by a level, another shape or dtype by nothing."""
    levels = expected.dtype == np.uint8
    allowed = UINT8_LEVELS if levels else tolerance
    if expected.shape != actual.shape or expected.dtype != actual.dtype:
        return Difference(graph, output, float("inf"), allowed)
    error = np.abs(expected.astype(np.float64) - actual.astype(np.float64)).max(initial=0.0)
    scale = 1.0 if levels else np.abs(expected).max(initial=1.0)
    return Difference(graph, output, float(error / scale), allowed)
