"""What the file itself makes slow, whichever runtime opens it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rap_edge.runtime.doctor.diagnosis import Finding, Layer, counted
from rap_edge.runtime.doctor.onnx_graph import Node, OnnxGraph

LAYERS = ("Conv", "MatMul", "Gemm")
SENSITIVE = ("Softmax", "LayerNormalization", "Gelu", "Sigmoid")
"""Operators that int8 gains nothing for: they are not products, and their values need more bits."""


def layers_of(graph: OnnxGraph) -> Iterator[Node]:
    """Yield the convolutions and matrix products of a file."""
    return (node for node in graph.nodes if node.operator in LAYERS)


def name_of(node: Node) -> str:
    return node.name or node.outputs[0]


def activation_types(graph: OnnxGraph) -> set[str]:
    """Return the types that activations are quantized to."""
    quantizers = (node for node in graph.nodes if node.operator == "QuantizeLinear")
    return {kind for node in quantizers if (kind := graph.quantized_type(node))}


def is_symmetric(graph: OnnxGraph) -> bool:
    """Say whether every zero point of activations is 0."""
    quantizers = (node for node in graph.nodes if node.operator == "QuantizeLinear")
    points = (graph.zero_point(node) for node in quantizers)
    return all(point is None or point.zeros for point in points)


def source_findings(graph: OnnxGraph, layers: Sequence[Layer]) -> list[Finding]:
    """Name what costs time and why; ``layers`` are those that the runtime computes."""
    return [*_fp16(graph, layers), *_sensitive(graph)]


def _fp16(graph: OnnxGraph, layers: Sequence[Layer]) -> Iterator[Finding]:
    """Find arithmetic in fp16: weights that are stored so and cast to fp32 are none."""
    names = tuple(
        name_of(node)
        for node in layers_of(graph)
        for tensor in map(graph.constants.get, node.inputs[:2])
        if tensor is not None and tensor.kind == "float16"
    )
    if names and not any(layer.precision == "fp16" for layer in layers):
        yield Finding(
            f"{counted(len(names), 'fp16 layer')} computed in fp32",
            "this CPU has no fp16 kernel for them: values are cast in every run",
            "take fp32, whose weights may be stored as fp16, or int8; fp16 is for GPUs",
            names,
        )


def _sensitive(graph: OnnxGraph) -> Iterator[Finding]:
    nodes = [
        node
        for node in graph.nodes
        if node.operator in SENSITIVE
        and graph.made_by(node.inputs[0], "DequantizeLinear")
        and any(n.operator == "QuantizeLinear" for n in graph.consumers.get(node.outputs[0], ()))
    ]
    if nodes:
        yield Finding(
            f"{' and '.join(sorted({node.operator for node in nodes}))} between Q/DQ pairs",
            "its values need more than 8 bits, and converting them costs more than int8 saves",
            "quantize convolutions and linear layers only, and leave these nodes out by name",
            tuple(map(name_of, nodes)),
        )
