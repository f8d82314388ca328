"""What onnxruntime makes of a graph: it opens it, and the graph that it would run is read.

Nothing is computed. The optimized graph has no shapes, so that it is opened once more with every
tensor as an output: of outputs, a session tells shapes and types.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path
from tempfile import TemporaryDirectory

import onnxruntime as ort

from rap_edge.onnx_policy import _GRAPH as GRAPH
from rap_edge.onnx_policy import _MODEL as MODEL
from rap_edge.protobuf_wire import BYTES, Message
from rap_edge.runtime.backends.ort import open_session, session_options
from rap_edge.runtime.doctor.diagnosis import Layer
from rap_edge.runtime.doctor.onnx_graph import VALUE, Node, OnnxGraph, read_onnx

INT8 = {
    "QLinearConv": 3,
    "QLinearMatMul": 3,
    "QGemm": 3,
    "MatMulIntegerToFloat": 1,
    "DynamicQuantizeMatMul": 1,
    "MatMulInteger": 1,
    "ConvInteger": 1,
}
"""Operators that multiply bytes, and which of their inputs are the weights."""

FLOAT = ("Conv", "FusedConv", "NhwcFusedConv", "MatMul", "FusedMatMul", "Gemm", "FusedGemm")
PACKED = ("MatMulNBits",)
PRECISIONS = {"tensor(float)": "fp32", "tensor(float16)": "fp16", "tensor(bfloat16)": "bf16"}
WEIGHT_ONLY = "weight-only"


@dataclass(frozen=True)
class Optimized:
    """The graph that onnxruntime runs, with shape and type of each tensor."""

    graph: OnnxGraph
    shapes: Mapping[str, tuple[int, ...]]
    types: Mapping[str, str]

    def layers(self) -> Iterator[tuple[Node, Layer]]:
        """Yield the nodes that are convolutions or matrix products."""
        for node in self.graph.nodes:
            precision = self._precision(node)
            if precision is not None:
                factors = (node.inputs[0], node.inputs[INT8.get(node.operator, 1)])
                weighted = any(self.graph.root(factor) is not None for factor in factors)
                name = node.name or node.outputs[0]
                yield node, Layer(name, node.operator, precision, self._macs(node), weighted)

    def _precision(self, node: Node) -> str | None:
        if node.operator in INT8:
            return "int8"
        if node.operator in PACKED:
            return WEIGHT_ONLY
        if node.operator in FLOAT:
            return PRECISIONS.get(self.types.get(node.outputs[0], ""), "other")
        return None

    def _macs(self, node: Node) -> int:
        results = prod(self._shape(node.outputs[0]))
        if "Conv" in node.operator:
            return results * prod(self._shape(node.inputs[INT8.get(node.operator, 1)])[1:])
        rows = self._shape(node.inputs[0])
        return results * rows[-2 if node.ints.get("transA") else -1]

    def _shape(self, name: str) -> tuple[int, ...]:
        constant = self.graph.constants.get(name)
        return constant.shape if constant is not None else self.shapes.get(name) or (0, 0)


def optimize(name: str, model: bytes) -> Optimized:
    """Let onnxruntime prepare a graph for this CPU as `rap-edge` would run it.

    Raises BackendUnavailable and InvalidBundle as opening it does.
    """
    with TemporaryDirectory(prefix="rap-edge-doctor-") as scratch:
        place = Path(scratch, "optimized.onnx")
        options = session_options(1)
        options.optimized_model_filepath = str(place)
        open_session(name, model, options)
        content = place.read_bytes()
    graph = read_onnx(name, content)
    shapes, types = _tensors(name, content, tuple(graph.producers))
    return Optimized(graph, {**graph.inputs, **shapes}, types)


def _tensors(
    name: str, model: bytes, tensors: tuple[str, ...]
) -> tuple[dict[str, tuple[int, ...]], dict[str, str]]:
    """Return shapes and types; a size that is not fixed is 0."""
    options = session_options(1)
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    found = open_session(name, _with_outputs(model, tensors), options).get_outputs()
    shapes = {
        tensor.name: tuple(n if isinstance(n, int) else 0 for n in tensor.shape) for tensor in found
    }
    return shapes, {tensor.name: tensor.type for tensor in found}


def _with_outputs(model: bytes, tensors: tuple[str, ...]) -> bytes:
    """Append outputs to a model: in protobuf, a message that comes twice is merged."""
    outputs = b"".join(
        _field(GRAPH, "output", _field(VALUE, "name", name.encode())) for name in tensors if name
    )
    return model + _field(MODEL, "graph", outputs)


def _field(message: Message, name: str, content: bytes) -> bytes:
    number = next(number for number, field in message.fields.items() if field.name == name)
    return _varint(number << 3 | BYTES) + _varint(len(content)) + content


def _varint(value: int) -> bytes:
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*encoded, value])
