"""Linear layers whose weights are stored in 8 or 4 bits and computed with in float: small, slow."""

from __future__ import annotations

from onnx import ModelProto

from rap_edge.converters.operators import require_allowed
from rap_edge.converters.quiet import quiet
from rap_edge.converters.to_onnx import clean, store_half

BLOCK = 32
"""Weights that share a scale."""
ACCURACY = 4
"""onnxruntime's level that multiplies in int8 where it can."""


def weight_only(model: ModelProto, bits: int) -> ModelProto:
    """Return a graph whose linear layers hold ``bits`` (8 or 4) a weight.

    Only onnxruntime runs these graphs, and on a CPU slower than fp32. The graph must hold its
    weights as fp32.
    """
    from onnxruntime.quantization.matmul_nbits_quantizer import (
        DefaultWeightOnlyQuantConfig,
        MatMulNBitsQuantizer,
    )

    copy = ModelProto()
    copy.CopyFrom(model)
    settings = DefaultWeightOnlyQuantConfig(
        block_size=BLOCK, is_symmetric=True, accuracy_level=ACCURACY, bits=bits
    )
    with quiet():
        quantizer = MatMulNBitsQuantizer(copy, algo_config=settings)
        quantizer.process()
    result: ModelProto = quantizer.model.model
    clean(result, model.graph.name)
    store_half(result)
    require_allowed(result)
    return result
