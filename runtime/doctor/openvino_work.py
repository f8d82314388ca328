"""What will be slow in a graph, by what OpenVINO makes of it."""

from __future__ import annotations

from collections.abc import Iterator

from rap_edge.runtime.doctor.diagnosis import Finding, Work, counted
from rap_edge.runtime.doctor.in_openvino import Compiled, Kernel
from rap_edge.runtime.doctor.machine import Machine, slow_bytes
from rap_edge.runtime.doctor.onnx_graph import Node, OnnxGraph
from rap_edge.runtime.doctor.source import layers_of, source_findings
from rap_edge.runtime.doctor.unfused import Reason, is_dequantized, reason, unfused

REORDERS = ("Reorder", "Transpose")
DYNAMIC = ("ConvInteger", "MatMulInteger")
FEW_MOVES = 8
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
        findings += source_findings(source, machine)
        findings += _dynamic(source)
        findings += unfused(left, lambda node: reason(source, node) or UNKNOWN)
    findings += [*_reference([kernel for kernel, _ in pairs]), *slow_bytes(layers, machine)]
    findings += _moves(compiled, len(layers))
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
    named = {name.split("/")[0] for kernel in kernels for name in kernel.originals}
    return [
        node
        for node in layers_of(source)
        if is_dequantized(source, node) and ({node.name, node.outputs[0]} & named - {""})
    ]


def _reference(kernels: list[Kernel]) -> Iterator[Finding]:
    names = tuple(kernel.name for kernel in kernels if kernel.implementation.startswith("ref"))
    if names:
        yield Finding(
            f"{counted(len(names), 'layer')} in OpenVINO's reference code",
            "it has no kernel for their shapes or types on this CPU",
            "change shapes (channels in multiples of 32) or leave these layers in float",
            names,
        )


def _moves(compiled: Compiled, layers: int) -> Iterator[Finding]:
    moved = [
        kernel
        for kernel in compiled.kernels
        if kernel.operator in REORDERS and kernel.implementation.split("_")[0] != "unknown"
    ]
    if len(moved) >= FEW_MOVES and len(moved) > layers:
        yield Finding(
            f"{len(moved)} kernels change the layout of values, for {counted(layers, 'layer')}",
            "each is a pass over memory that computes nothing",
            "keep one layout: write attention and convolutions with fewer transpositions",
        )
