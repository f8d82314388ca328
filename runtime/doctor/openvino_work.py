"""What will be slow in a graph, by what OpenVINO makes of it."""

from __future__ import annotations

from collections.abc import Iterator

from rap_edge.runtime.doctor.diagnosis import Finding, Work, counted
from rap_edge.runtime.doctor.in_openvino import Compiled, Kernel
from rap_edge.runtime.doctor.machine import Machine
from rap_edge.runtime.doctor.onnx_graph import Node, OnnxGraph
from rap_edge.runtime.doctor.source import LAYERS, source_findings
from rap_edge.runtime.doctor.unfused import Reason, is_dequantized, reason, unfused

DYNAMIC = ("ConvInteger", "MatMulInteger")
FEW_REORDERS = 8
QUANTIZERS = ("QuantizeLinear", "DequantizeLinear")
UNKNOWN: Reason = (
    "OpenVINO does not say why",
    "compare its Q/DQ pairs with those of a layer that is int8",
)


def openvino_work(source: OnnxGraph | None, compiled: Compiled, machine: Machine) -> Work:
    """Count what OpenVINO runs and find what is slow; ``source`` is None for a graph in IR."""
    pairs = list(compiled.layers())
    layers = [layer for _, layer in pairs]
    findings: list[Finding] = []
    if source is not None:
        floats = [kernel for kernel, layer in pairs if layer.precision != "int8"]
        left = _left_in_float(source, floats)
        findings += source_findings(source, layers)
        findings += _dynamic(source)
        findings += unfused(left, lambda node: reason(source, node) or UNKNOWN)
    findings += [*machine.slow_int8(layers), *_reorders(compiled, len(layers))]
    return Work.of(len(compiled.kernels), layers, tuple(findings))


def _dynamic(source: OnnxGraph) -> Iterator[Finding]:
    names = tuple(node.outputs[0] for node in source.nodes if node.operator in DYNAMIC)
    if names:
        yield Finding(
            "layers are quantized dynamically",
            "OpenVINO unpacks them and computes in fp32, beside the quantizing itself",
            "calibrate: quantize statically",
            names,
        )


def _left_in_float(source: OnnxGraph, kernels: list[Kernel]) -> list[Node]:
    """Return the quantized layers of the file that kernels compute in float."""
    names = dict.fromkeys(name.split("/")[0] for kernel in kernels for name in kernel.originals)
    found = {node.outputs[0]: node for name in names for node in _layer(source, name)}
    return [node for node in found.values() if is_dequantized(source, node)]


def _layer(source: OnnxGraph, name: str) -> Iterator[Node]:
    """Yield the layer that a name means: its own, its output's, or that of a pair behind it."""
    node = source.named.get(name)
    while node is not None and node.operator in QUANTIZERS:
        node = source.producers.get(node.inputs[0])
    if node is not None and node.operator in LAYERS:
        yield node


def _reorders(compiled: Compiled, layers: int) -> Iterator[Finding]:
    count = sum(kernel.reorders for kernel in compiled.kernels)
    if count >= FEW_REORDERS and count > layers:
        yield Finding(
            f"{count} kernels change the memory layout, for {counted(layers, 'layer')}",
            "each is a pass over memory that computes nothing",
            "keep one layout: write attention and convolutions with fewer transpositions",
        )
