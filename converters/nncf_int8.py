"""Static int8 by NNCF, in OpenVINO's own format."""

from __future__ import annotations

from collections.abc import Sequence

from onnx import ModelProto

from rap_edge.converters.quiet import quiet
from rap_edge.converters.running import installed
from rap_edge.converters.speaking import Tensors
from rap_edge.converters.to_openvino import save


def quantized_by_nncf(
    model: ModelProto, calls: Sequence[Tensors], transformer: bool, smoothing: float | None
) -> dict[str, bytes]:
    """Calibrate and quantize a graph in float; return ``<graph>.xml`` and ``<graph>.bin``.

    Raises NotSupported if nncf or openvino is not installed.
    """
    ov = installed("openvino", "openvino")
    with quiet():
        nncf = installed("nncf", "nncf")
        nncf.set_log_level(40)
        strength = -1.0 if smoothing is None else smoothing  # negative: none
        smooth = nncf.AdvancedSmoothQuantParameters(matmul=strength)
        quantized = nncf.quantize(
            ov.Core().read_model(model.SerializeToString(), b""),
            nncf.Dataset([dict(call) for call in calls]),
            subset_size=len(calls),
            model_type=nncf.ModelType.TRANSFORMER if transformer else None,
            advanced_parameters=nncf.AdvancedQuantizationParameters(smooth_quant_alphas=smooth),
        )
    return save(quantized, model.graph.name)
