"""What the file itself makes slow, whichever runtime opens it."""

from __future__ import annotations

from collections.abc import Iterator

from rap_edge.runtime.doctor.diagnosis import Finding, counted
from rap_edge.runtime.doctor.machine import BFLOAT16, Machine
from rap_edge.runtime.doctor.onnx_graph import Node, OnnxGraph

LAYERS = ("Conv", "MatMul", "Gemm")
DELICATE = ("Softmax", "LayerNormalization", "Gelu", "Sigmoid")
"""Operators that int8 gains nothing for: they are not products, and their values need more bits."""


def layers_of(graph: OnnxGraph) -> Iterator[Node]:
    """Yield the convolutions and matrix products of a file."""
    return (node for node in graph.nodes if node.operator in LAYERS)


def name_of(node: Node) -> str:
    return node.name or node.outputs[0]


def activation_kinds(graph: OnnxGraph) -> set[str]:
    """Return the types that activations are quantized to."""
    quantizers = (node for node in graph.nodes if node.operator == "QuantizeLinear")
    return {kind for node in quantizers if (kind := graph.zero_point_kind(node))}


def source_findings(graph: OnnxGraph, machine: Machine) -> list[Finding]:
    """Name what costs time and why."""
    return [*_halves(graph, machine), *_delicate(graph)]


def _halves(graph: OnnxGraph, machine: Machine) -> Iterator[Finding]:
    """Arithmetic in 16 bits: weights that are stored so and cast to fp32 are none."""
    kinds = {"float16": "fp16", "bfloat16": "bf16"}
    found: dict[str, list[str]] = {}
    for node in layers_of(graph):
        for tensor in map(graph.constants.get, node.inputs):
            if tensor is not None and tensor.kind in kinds:
                found.setdefault(kinds[tensor.kind], []).append(name_of(node))
    for kind, names in found.items():
        native = BFLOAT16 if kind == "bf16" else ("asimdhp", "avx512_fp16")
        absent = ": this one has no instructions for it" if machine.lacks(*native) else ""
        yield Finding(
            f"{counted(len(set(names)), 'layer')} in {kind}",
            f"a CPU computes it as fp32, or emulates it, with casts around{absent}",
            f"keep {kind} for GPUs; on a CPU take fp32 with weights stored in fp16, or int8",
            tuple(dict.fromkeys(names)),
        )


def _delicate(graph: OnnxGraph) -> Iterator[Finding]:
    names = tuple(
        name_of(node)
        for node in graph.nodes
        if node.operator in DELICATE
        and graph.made_by(node.inputs[0], "DequantizeLinear")
        and any(n.operator == "QuantizeLinear" for n in graph.consumers.get(node.outputs[0], ()))
    )
    if names:
        operators = sorted({n.operator for n in graph.nodes if name_of(n) in names})
        yield Finding(
            f"{' and '.join(operators)} between Q/DQ pairs",
            "its values need more than 8 bits, and converting them costs more than int8 saves",
            "quantize convolutions and linear layers only, and leave these nodes out by name",
            names,
        )
