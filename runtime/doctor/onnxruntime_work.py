"""What will be slow in a graph, by what onnxruntime makes of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from rap_edge.runtime.doctor.diagnosis import Finding, Work, counted
from rap_edge.runtime.doctor.in_onnxruntime import FLOAT, WEIGHT_ONLY, Fused
from rap_edge.runtime.doctor.machine import Machine, slow_bytes
from rap_edge.runtime.doctor.onnx_graph import Node, OnnxGraph
from rap_edge.runtime.doctor.source import activation_kinds, source_findings
from rap_edge.runtime.doctor.unfused import Reason, in_file, is_dequantized, reason, unfused

MOVES = ("Transpose", "ReorderInput", "ReorderOutput")
FEW_MOVES = 8
SIGNED_FIX = "quantize activations to uint8, with int8 weights; int8 is for ARM and TensorRT"


def onnxruntime_work(source: OnnxGraph, fused: Fused, machine: Machine) -> Work:
    """Count what onnxruntime runs and find what is slow."""
    pairs = list(fused.layers())
    layers = [layer for _, layer in pairs]
    left = [
        in_file(source, fused.graph, node)
        for node, _ in pairs
        if node.operator in FLOAT and is_dequantized(fused.graph, node)
    ]
    findings = (
        *source_findings(source, machine),
        *_signed(source, machine),
        *unfused(left, lambda node: _reason(source, node, machine)),
        *_operators(fused),
        *slow_bytes(layers, machine),
        *_moves(Counter(node.operator for node in fused.graph.nodes), len(layers)),
    )
    return Work.of(len(fused.graph.nodes), layers, findings)


def _signed(source: OnnxGraph, machine: Machine) -> Iterator[Finding]:
    if machine.x86 and "int8" in activation_kinds(source):
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
    values = source.producers[node.inputs[0]]
    if source.zero_point_kind(values) == "int8" and machine.x86:
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
    bias = node.inputs[2] if len(node.inputs) > 2 else ""
    if bias and not source.made_by(bias, "DequantizeLinear"):
        return "its bias is float", "quantize the bias to int32, with the product of both scales"
    return (
        "onnxruntime does not know the pattern around it",
        "quantize the graph that onnxruntime has prepared, where linear layers are MatMul or Gemm "
        "with constant weights of rank 2",
    )


def _operators(fused: Fused) -> Iterator[Finding]:
    """Look at kernels that are slower than they seem."""
    dynamic, packed, products = [], [], []
    for node, layer in fused.layers():
        if node.operator == "ConvInteger":
            dynamic.append(layer.name)
        elif layer.precision == WEIGHT_ONLY:
            packed.append(layer.name)
        elif layer.precision == "int8" and not layer.weighted:
            products.append(layer.name)
    if dynamic:
        yield Finding(
            "convolutions are quantized dynamically",
            "ConvInteger has no fast kernel, and the range of its input is measured in every run",
            "calibrate: quantize convolutions statically, or leave them in float",
            tuple(dynamic),
        )
    if packed:
        yield Finding(
            "only weights are quantized",
            "they are unpacked in every run, and products stay float: a CPU gains for a few "
            "tokens, and loses for a hundred",
            "static int8 for speed; weight-only where size is the goal",
            tuple(packed),
        )
    if products:
        yield Finding(
            "products of two activations are int8",
            "as in attention: both factors are converted in every run, and probabilities need "
            "more than 8 bits",
            "leave products of two activations in float, by name",
            tuple(products),
        )


def _moves(operators: Counter[str], layers: int) -> Iterator[Finding]:
    moves = sum(operators[name] for name in MOVES)
    if moves >= FEW_MOVES and moves > layers:
        yield Finding(
            f"{moves} nodes change the layout of values, for {counted(layers, 'layer')}",
            "each is a pass over memory that computes nothing",
            "keep one layout: write attention and convolutions with fewer transpositions",
        )
