"""What was converted computes what torch computes, or nothing is packed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import onnxruntime as ort
import torch
from numpy.typing import NDArray
from onnx import ModelProto

from rap_edge.converters.graphs import GraphSource
from rap_edge.errors import ParityError

UINT8_LEVELS = 1


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
    with torch.no_grad():
        outputs = source.module(*source.inputs.values())
    expected = outputs if isinstance(outputs, tuple) else (outputs,)
    actual = _run(model, {name: value.numpy() for name, value in source.inputs.items()})
    return [
        difference(source.name, name, value.numpy(), actual[name], source.tolerance)
        for name, value in zip(source.outputs, expected, strict=True)
    ]


def require_parity(differences: list[Difference]) -> None:
    """Raise ParityError that lists every output that is too far off."""
    failing = [str(difference) for difference in differences if difference.failed]
    if failing:
        raise ParityError(
            f"{len(failing)} outputs are not what torch computes: {'; '.join(failing)} - "
            "the conversion is wrong, nothing was written"
        )


def _run(
    model: ModelProto, inputs: dict[str, NDArray[np.generic]]
) -> dict[str, NDArray[np.generic]]:
    session = open_session(model)
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(names, inputs), strict=True))


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
    expected: NDArray[np.generic],
    actual: NDArray[np.generic],
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
