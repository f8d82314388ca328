"""Static int8: QuantizeLinear and DequantizeLinear around linear layers and convolutions.

Weights are int8, symmetric, one scale for each output channel; activations are 8 bits with one
scale a tensor, over the whole range that calibration showed: clipping it costs quality here
(docs/quantization.md). Products of two activations, as in attention, and the results of linear
layers stay in float.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

import onnx
from onnx import ModelProto
from onnxruntime.quantization import CalibrationDataReader, QDQQuantizer, QuantType
from onnxruntime.quantization.calibrate import CalibrationMethod, create_calibrator
from onnxruntime.quantization.shape_inference import quant_pre_process

from rap_edge.converters.operators import require_allowed
from rap_edge.converters.quiet import quiet
from rap_edge.converters.speaking import Tensors
from rap_edge.converters.to_onnx import clean, store_half

LINEAR = ("Gemm", "MatMul")
LAYERS = (*LINEAR, "Conv")

UNSMOOTHED = 1e-6
"""What fp16 may lose of the weights of layers left in float: smoothing makes some of them tiny."""

Activation = Literal["uint8", "int8"]
"""uint8 is what x86 multiplies with int8 weights; ARM and TensorRT want int8 for both."""

TYPES = {"uint8": QuantType.QUInt8, "int8": QuantType.QInt8}


@dataclass(frozen=True)
class Calibrated:
    """A graph in float, as onnxruntime prepares it, and the range of each of its tensors."""

    model: ModelProto
    ranges: Any  # onnxruntime's TensorsData
    layers: tuple[str, ...]  # nodes that can become int8


def calibrate(model: ModelProto, calls: Sequence[Tensors]) -> Calibrated:
    """Run a graph in float on ``calls`` and keep the range of every tensor.

    The graph must hold its weights as fp32.
    """
    with TemporaryDirectory() as scratch, quiet():
        before, after = Path(scratch, "before.onnx"), Path(scratch, "after.onnx")
        onnx.save(model, before)
        quant_pre_process(before, after, skip_symbolic_shape=True)
        prepared = onnx.load(after)
        calibrator = create_calibrator(
            after,
            list(LAYERS),
            augmented_model_path=str(Path(scratch, "augmented.onnx")),
            calibrate_method=CalibrationMethod.MinMax,
        )
        calibrator.collect_data(Calls(calls))
        ranges = calibrator.compute_data()
    return Calibrated(prepared, ranges, layers_of(prepared))


def layers_of(model: ModelProto) -> tuple[str, ...]:
    """Name the convolutions and linear layers: stacked matrices interpolate, and stay exact."""
    ranks = {tensor.name: len(tensor.dims) for tensor in model.graph.initializer}
    return tuple(
        node.name
        for node in model.graph.node
        if (node.op_type in LINEAR and ranks.get(node.input[1]) == 2)
        or (node.op_type == "Conv" and node.input[1] in ranks)
    )


def quantized(
    calibrated: Calibrated, layers: Collection[str], activation: Activation = "uint8"
) -> ModelProto:
    """Quantize some of the layers of a graph; the others stay in float.

    Raises NotSupported for an operator that not every backend runs.
    """
    model = ModelProto()
    model.CopyFrom(calibrated.model)
    name = model.graph.name
    with quiet():
        quantizer = QDQQuantizer(
            model,
            True,  # a scale for each channel
            False,  # all eight bits
            QuantType.QInt8,
            TYPES[activation],
            calibrated.ranges,
            list(layers),
            [],
            list(LAYERS),
            {
                "OpTypesToExcludeOutputQuantization": list(LINEAR),
                "ActivationSymmetric": activation == "int8",
                "WeightSymmetric": True,
            },
        )
        quantizer.quantize_model()
        quantizer.model.topological_sort()
    result: ModelProto = quantizer.model.model
    clean(result, name)
    store_half(result, UNSMOOTHED)
    require_allowed(result)
    onnx.checker.check_model(result, full_check=True)
    return result


class Calls(CalibrationDataReader):  # type: ignore[misc]  # it has no types
    """Inputs one after the other, as onnxruntime asks for them."""

    def __init__(self, calls: Sequence[Tensors]) -> None:
        self._calls: Iterator[Tensors] = iter(calls)

    def get_next(self) -> Any:
        return next(self._calls, None)
