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
    """How far one output of a converted graph is from torch's, at most."""

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
        _difference(source, name, torch_value.numpy(), actual[name])
        for name, torch_value in zip(source.outputs, expected, strict=True)
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
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    session = ort.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(names, inputs), strict=True))


def _difference(
    source: GraphSource,
    name: str,
    expected: NDArray[np.generic],
    actual: NDArray[np.generic],
) -> Difference:
    allowed = UINT8_LEVELS if expected.dtype == np.uint8 else source.tolerance
    if expected.shape != actual.shape or expected.dtype != actual.dtype:
        return Difference(source.name, name, float("inf"), allowed)
    wide = expected.astype(np.float64) - actual.astype(np.float64)
    return Difference(source.name, name, float(np.abs(wide).max(initial=0.0)), allowed)
