"""What OpenVINO makes of a graph: it compiles it and tells which kernels it would run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import prod
from typing import Any

from rap_edge.runtime.backends.openvino import compile_graph, read_graph
from rap_edge.runtime.doctor.diagnosis import Layer

PRECISIONS = {
    "u8": "int8",
    "i8": "int8",
    "I8": "int8",
    "f16": "fp16",
    "bf16": "bf16",
    "f32": "fp32",
}
LAYERS = ("Convolution", "FullyConnected", "MatMul")
NOT_RUN = ("Input", "Output")
FUSED = "Subgraph"


@dataclass(frozen=True)
class Kernel:
    """One node of the compiled graph, and the nodes of the file that it computes."""

    name: str
    operator: str
    precision: str
    implementation: str  # such as brgemm_avx512_I8
    originals: tuple[str, ...]
    shapes: tuple[tuple[int, ...], ...]  # of its inputs, then of its output
    weighted: bool  # one of its first two inputs is constant
    reorders: bool = False  # it changes the memory layout

    @property
    def computes(self) -> str:
        """What it multiplies in: the precision of a node may be that of its packed weights."""
        kernel = PRECISIONS.get(self.implementation.rpartition("_")[2])
        return kernel or PRECISIONS.get(self.precision, self.precision)


@dataclass(frozen=True)
class Compiled:
    """The kernels of a graph, and the arithmetic of the file."""

    kernels: tuple[Kernel, ...]
    macs: int

    def layers(self) -> Iterator[tuple[Kernel, Layer]]:
        """Yield the kernels that are convolutions or matrix products.

        What no kernel of its own computes, attention for instance, is in subgraphs compiled for
        the purpose: their arithmetic, fp32, is yielded as one layer without weights.
        """
        found = 0
        for kernel in self.kernels:
            if kernel.operator in LAYERS:
                macs = _macs(kernel)
                found += macs
                weighted = kernel.weighted or kernel.operator != "MatMul"
                yield kernel, Layer(kernel.name, kernel.operator, kernel.computes, macs, weighted)
        if self.macs > found:
            rest = Kernel("fused", FUSED, "f32", "", (), (), False)
            yield rest, Layer("fused", FUSED, "fp32", self.macs - found, False)


def compile_kernels(name: str, files: Mapping[str, bytes]) -> Compiled:
    """Compile a graph as `rap-edge` would run it, and look at its kernels.

    Raises BackendUnavailable and InvalidBundle as opening it does.
    """
    compiled = compile_graph(name, files, 1)
    macs = sum(map(_macs_of_file, read_graph(files).get_ordered_ops()))
    return Compiled(tuple(_kernels(compiled.get_runtime_model().get_ordered_ops())), macs)


def _kernels(nodes: list[Any]) -> Iterator[Kernel]:
    """Yield what runs each time: what depends on constants alone was computed in compiling."""
    constants: set[str] = set()
    for node in nodes:
        inputs = [port.get_source_output() for port in node.inputs()]
        facts, names = _facts(node), [port.get_node().get_friendly_name() for port in inputs]
        operator = facts.get("layerType", "")
        if operator == "Const" or (names and constants.issuperset(names)):
            constants.add(node.get_friendly_name())
        elif operator not in NOT_RUN:
            originals = tuple(n for n in facts.get("originalLayersNames", "").split(",") if n)
            yield Kernel(
                name=next(iter(originals), node.get_friendly_name()),
                operator=operator,
                precision=facts.get("runtimePrecision", ""),
                implementation=facts.get("primitiveType", ""),
                originals=originals,
                shapes=tuple(_shape(port) for port in (*node.inputs(), *node.outputs()[:1])),
                weighted=not constants.isdisjoint(names[:2]),
                reorders=_reorders(facts, inputs),
            )


def _facts(node: Any) -> dict[str, str]:
    return {key: str(value.astype(str)) for key, value in node.get_rt_info().items()}


def _reorders(facts: Mapping[str, str], inputs: list[Any]) -> bool:
    """Say whether a kernel does nothing but change the layout: not a view, not a conversion."""
    if facts.get("layerType") == "Transpose":
        return not facts.get("primitiveType", "").startswith("unknown")  # that is a view
    if facts.get("layerType") != "Reorder":
        return False
    layouts = _facts(inputs[0].get_node()).get("outputLayouts", "").split(",")
    return layouts[int(inputs[0].get_index()) % len(layouts)] != facts.get("outputLayouts")


def _macs(kernel: Kernel) -> int:
    rows, weights, *_, result = kernel.shapes
    if kernel.operator == "Convolution":
        return prod(result) * prod(weights[len(weights) - len(rows) + 1 :])
    return prod(result) * (rows[-1] if rows[-2:-1] == result[-2:-1] else rows[-2])


def _macs_of_file(node: Any) -> int:
    kind = node.get_type_name()
    if kind not in ("Convolution", "GroupConvolution", "MatMul"):
        return 0
    rows, weights = (_shape(port) for port in node.inputs())
    results = prod(_shape(node.output(0)))
    if kind != "MatMul":
        return results * prod(weights[len(weights) - len(rows) + 1 :])
    return results * rows[-2 if node.get_attributes()["transpose_a"] else -1]


def _shape(port: Any) -> tuple[int, ...]:
    """Return a shape; a size that is not fixed is 0."""
    shape = port.get_partial_shape()
    if shape.rank.is_dynamic:
        return (0, 0)
    return tuple(0 if size.is_dynamic else size.get_length() for size in shape)
