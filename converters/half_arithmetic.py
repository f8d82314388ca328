"""ONNX graphs that compute in fp16, for GPUs: slower than fp32 on a CPU, which converts it back."""

from __future__ import annotations

import onnx
from onnx import ModelProto

from rap_edge.converters.operators import require_allowed
from rap_edge.converters.to_onnx import clean


def in_half(model: ModelProto) -> ModelProto:
    """Return a graph with fp16 arithmetic between inputs and outputs that stay fp32.

    Positions at which pictures are looked up stay fp32, from the last layer on that learned them:
    fp16 knows a place in a 256-pixel picture to a sixteenth of a pixel.
    """
    from onnxruntime.quantization.onnx_model import ONNXModel
    from onnxruntime.transformers.float16 import convert_float_to_float16

    copy = ModelProto()
    copy.CopyFrom(model)
    result: ModelProto = convert_float_to_float16(
        copy, keep_io_types=True, node_block_list=positions(copy), disable_shape_infer=False
    )
    ONNXModel(result).topological_sort()
    clean(result, model.graph.name)
    require_allowed(result)
    onnx.checker.check_model(result)
    return result


def positions(model: ModelProto) -> list[str]:
    """Name the nodes that look pictures up, and those that compute where, back to a layer."""
    made_by = {output: node for node in model.graph.node for output in node.output}
    weights = {tensor.name for tensor in model.graph.initializer}
    found: dict[str, None] = {}
    waiting = [node for node in model.graph.node if node.op_type == "GridSample"]
    while waiting:
        node = waiting.pop()
        if node.name in found:
            continue
        found[node.name] = None
        sources = node.input[1:] if node.op_type == "GridSample" else node.input
        for name in sources:
            maker = made_by.get(name)
            learned = maker is not None and maker.op_type == "Conv" and maker.input[1] in weights
            if maker is not None and not learned:
                waiting.append(maker)
    return list(found)
