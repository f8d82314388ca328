"""Layers between Q/DQ pairs that run in float all the same, and why.

They are slower than fp32: their weights are unpacked, or their inputs converted, in every run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from rap_edge.runtime.doctor.diagnosis import Finding, counted
from rap_edge.runtime.doctor.onnx_graph import Node, OnnxGraph
from rap_edge.runtime.doctor.source import layers_of, name_of

Reason = tuple[str, str]
"""Why a layer is not int8, and what to do."""


def is_dequantized(graph: OnnxGraph, node: Node) -> bool:
    """Say whether a factor of a layer comes out of a DequantizeLinear."""
    return any(graph.dequantizer(name) for name in node.inputs[:2])


def unfused(nodes: Iterable[Node], explain: Callable[[Node], Reason]) -> list[Finding]:
    """Group layers of the file that did not become int8 by the reason."""
    groups: dict[Reason, list[str]] = {}
    for node in nodes:
        groups.setdefault(explain(node), []).append(name_of(node))
    return [
        Finding(
            f"{counted(len(names), 'layer')} in float between Q/DQ pairs", why, fix, tuple(names)
        )
        for (why, fix), names in groups.items()
    ]


def in_file(source: OnnxGraph, graph: OnnxGraph, node: Node) -> Node:
    """Return the layer of the file that an optimized node computes: by its name or its weights."""
    weights = graph.root(node.inputs[1])
    for layer in layers_of(source):
        if node.name and layer.name == node.name:
            return layer
        if weights is not None and source.root(layer.inputs[1]) == weights:
            return layer
    return node


def reason(graph: OnnxGraph, node: Node) -> Reason | None:
    """Say what is wrong with a quantized layer for every runtime; None if nothing is."""
    values, weights = (graph.dequantizer(name) for name in node.inputs[:2])
    constant = graph.root(node.inputs[1]) is not None
    if values is None:
        return (
            "only its weights are quantized: they are unpacked in every run",
            "quantize its activations too, or store its weights as fp16",
        )
    if weights is None and constant:
        return "its weights are not quantized", "quantize its weights too, or leave it out by name"
    if weights is None:
        return (
            "only one of the two activations that it multiplies is quantized",
            "leave products of two activations in float, by name",
        )
    types = {graph.quantized_type(values), graph.quantized_type(weights)}
    wide = sorted(kind for kind in types if kind not in ("uint8", "int8", None))
    if wide:
        return (
            f"it is quantized to {' and '.join(wide)}: only 8 bits are multiplied",
            "quantize to uint8, with int8 weights",
        )
    if node.operator == "Conv" and not constant:
        return "its weights are not constant", "leave it in float, or make its weights constant"
    return None
