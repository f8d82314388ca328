"""How much arithmetic a graph is: multiplications and additions of convolutions and matrices."""

from __future__ import annotations

from math import prod

import onnx
from onnx import GraphProto, ModelProto, NodeProto, helper, shape_inference

Shapes = dict[str, tuple[int, ...]]


def count_flop(content: bytes) -> int:
    """Return the floating-point operations of one run of an ONNX graph with static shapes."""
    model: ModelProto = shape_inference.infer_shapes(onnx.load_model_from_string(content))
    shapes = _shapes(model.graph)
    return sum(_COUNTS[node.op_type](node, shapes) for node in model.graph.node if _counts(node))


def _counts(node: NodeProto) -> bool:
    return node.op_type in _COUNTS


def _shapes(graph: GraphProto) -> Shapes:
    values = (*graph.input, *graph.output, *graph.value_info)
    shapes = {
        value.name: tuple(d.dim_value for d in value.type.tensor_type.shape.dim) for value in values
    }
    return shapes | {tensor.name: tuple(tensor.dims) for tensor in graph.initializer}


def _conv(node: NodeProto, shapes: Shapes) -> int:
    _, per_group, *kernel = shapes[node.input[1]]
    return 2 * prod(shapes[node.output[0]]) * per_group * prod(kernel)


def _conv_transpose(node: NodeProto, shapes: Shapes) -> int:
    _, per_group, *kernel = shapes[node.input[1]]
    return 2 * prod(shapes[node.input[0]]) * per_group * prod(kernel)


def _matmul(node: NodeProto, shapes: Shapes) -> int:
    return 2 * prod(shapes[node.output[0]]) * shapes[node.input[0]][-1]


def _gemm(node: NodeProto, shapes: Shapes) -> int:
    transposed = any(a.name == "transA" and helper.get_attribute_value(a) for a in node.attribute)
    return 2 * prod(shapes[node.output[0]]) * shapes[node.input[0]][0 if transposed else 1]


_COUNTS = {"Conv": _conv, "ConvTranspose": _conv_transpose, "MatMul": _matmul, "Gemm": _gemm}
