"""What will be slow in a graph, by what onnxruntime makes of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator

from rap_edge.runtime.doctor.diagnosis import Finding, Layer, Work, counted
from rap_edge.runtime.doctor.in_onnxruntime import FLOAT, WEIGHT_ONLY, Optimized
from rap_edge.runtime.doctor.machine import Machine
from rap_edge.runtime.doctor.onnx_graph import Node, OnnxGraph
from rap_edge.runtime.doctor.source import activation_types, source_findings
from rap_edge.runtime.doctor.unfused import Reason, in_file, is_dequantized, reason, unfused

REORDERS = ("Transpose", "ReorderInput", "ReorderOutput")
FEW_REORDERS = 8
SIGNED_FIX = "quantize activations to uint8, with int8 weights; int8 is for ARM and TensorRT"

Kernels = tuple[Callable[[Layer], bool], str, str, str]
"""Which layers are slower than they seem; what, why and what to do."""

SLOW_KERNELS: tuple[Kernels, ...] = (
    (
        lambda layer: layer.operator == "ConvInteger",
        "convolutions are quantized dynamically",
        "ConvInteger has no fast kernel, and the range of its input is measured in every run",
        "calibrate: quantize convolutions statically, or leave them in float",
    ),
    (
        lambda layer: layer.precision == WEIGHT_ONLY,
        "only weights are quantized",
        "they are unpacked in every run, and products stay float: a CPU gains for a few tokens, "
        "and loses for a hundred",
        "static int8 for speed; weight-only where size is the goal",
    ),
    (
        lambda layer: layer.precision == "int8" and not layer.weighted,
        "products of two activations are int8",
        "as in attention: both factors are converted in every run, and probabilities need more "
        "than 8 bits",
        "leave products of two activations in float, by name",
    ),
)


def onnxruntime_work(source: OnnxGraph, optimized: Optimized, machine: Machine) -> Work:
    """Count what onnxruntime runs and find what is slow."""
    pairs = list(optimized.layers())
    layers = [layer for _, layer in pairs]
    left = [
        in_file(source, optimized.graph, node)
        for node, _ in pairs
        if node.operator in FLOAT and is_dequantized(optimized.graph, node)
    ]
    findings = (
        *source_findings(source, layers),
        *_signed(source, machine),
        *unfused(left, lambda node: _reason(source, node, machine)),
        *_slow_kernels(layers),
        *machine.slow_int8(layers),
        *_reorders(Counter(node.operator for node in optimized.graph.nodes), len(layers)),
    )
    return Work.of(len(optimized.graph.nodes), layers, findings)


def _signed(source: OnnxGraph, machine: Machine) -> Iterator[Finding]:
    if machine.x86 and "int8" in activation_types(source):
        yield Finding(
            "activations are int8",
            "x86 multiplies uint8 by int8: onnxruntime rewrites every pair, some lose their "
            "pattern, and with opset 21 the graph may be refused",
            SIGNED_FIX,
        )


def _reason(source: OnnxGraph, node: Node, machine: Machine) -> Reason:
    """Say why onnxruntime leaves a layer between Q/DQ pairs in float."""
    common = reason(source, node)
    if common is not None:
        return common
    values = source.dequantizer(node.inputs[0])
    if machine.x86 and values is not None and source.quantized_type(values) == "int8":
        return (
            "its activations are int8: x86 multiplies uint8 by int8, and rewriting them broke "
            "the pattern",
            SIGNED_FIX,
        )
    readers = source.consumers.get(node.outputs[0], [])
    quantized = readers and all(reader.operator == "QuantizeLinear" for reader in readers)
    if node.operator == "Conv" and (node.outputs[0] in source.outputs or not quantized):
        return (
            "its result is not quantized: a convolution is int8 only between Q and DQ",
            "quantize the results of convolutions: exclude those of linear layers only",
        )
    return (
        "its pattern is none that onnxruntime fuses",
        "quantize the graph that onnxruntime has prepared: weights right behind their "
        "DequantizeLinear, of rank 2 in linear layers, one scale for all or for each output",
    )


def _slow_kernels(layers: list[Layer]) -> Iterator[Finding]:
    for is_slow, what, why, fix in SLOW_KERNELS:
        names = tuple(layer.name for layer in layers if is_slow(layer))
        if names:
            yield Finding(what, why, fix, names)


def _reorders(operators: Counter[str], layers: int) -> Iterator[Finding]:
    count = sum(operators[name] for name in REORDERS)
    if count >= FEW_REORDERS and count > layers:
        yield Finding(
            f"{count} nodes change the memory layout, for {counted(layers, 'layer')}",
            "each is a pass over memory that computes nothing",
            "keep one layout: write attention and convolutions with fewer transpositions",
        )
