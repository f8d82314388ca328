"""An ONNX graph as a doctor looks at it: nodes, and shapes and types of its weights.

It is read without the onnx package, which a device does not have, and without running anything.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from math import prod
from typing import Any

from rap_edge.errors import InvalidBundle
from rap_edge.onnx_policy import _MODEL as MODEL
from rap_edge.protobuf_wire import BYTES, VARINT, Field, Malformed, Message, read_text

KINDS = {
    1: "float32", 2: "uint8", 3: "int8", 4: "uint16", 5: "int16", 6: "int32", 7: "int64", 9: "bool",
    10: "float16", 11: "float64", 16: "bfloat16", 21: "uint4", 22: "int4",
}  # fmt: skip
"""Names of TensorProto.DataType."""

FEW_VALUES = 1 << 12
MOVED_BY = ("Cast", "Transpose", "Reshape", "Identity")
"""Operators that may stand between a DequantizeLinear, or a weight, and its layer."""

READ = {
    "the model": ("ir_version", "graph", "opset_import"),
    "an opset": ("domain", "version"),
    "the graph": ("node", "initializer", "input", "output"),
    "a node": ("input", "output", "name", "op_type", "attribute", "domain"),
    "an attribute": ("name", "i"),
    "a tensor": ("dims", "data_type", "int32_data", "name", "raw_data", "data_location"),
}
"""What is read of each message; the rest is skipped."""


def _part(name: str, fields: Mapping[int, Field]) -> Message:
    return Message(name, fields, partial=True)


_DIMENSION = _part("a dimension", {1: Field("size", VARINT)})
_SHAPE = _part("a shape", {1: Field("dim", many=True, message=_DIMENSION)})
_TENSOR_TYPE = _part("a tensor type", {2: Field("shape", message=_SHAPE)})
_TYPE = _part("a type", {1: Field("tensor_type", message=_TENSOR_TYPE)})
VALUE = _part("a value", {1: Field("name"), 2: Field("type", message=_TYPE)})


def _reduced(message: Message) -> Message:
    """Return the part that is read of a message."""
    kept = {n: one for n, one in message.fields.items() if one.name in READ[message.name]}
    return _part(message.name, {n: _as_read(message, one) for n, one in kept.items()})


def _as_read(message: Message, one: Field) -> Field:
    if message.name == "the graph" and one.name in ("input", "output"):
        return replace(one, message=VALUE)
    if one.name == "int32_data":
        return replace(one, wire=BYTES)  # packed, and left so: only zeros are of interest
    return one if one.message is None else replace(one, message=_reduced(one.message))


_READER = _reduced(MODEL)


@dataclass(frozen=True)
class Tensor:
    """A constant; of its values only whether all are 0."""

    shape: tuple[int, ...]
    kind: str  # float32, uint8, ...
    zeros: bool = False  # told of integers with few values, such as zero points


@dataclass(frozen=True)
class Node:
    """One operator; ``ints`` are its integer attributes."""

    name: str
    domain: str
    operator: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    ints: Mapping[str, int] = field(default_factory=dict)

    @property
    def qualified(self) -> str:
        """The operator with its domain, as in com.microsoft.QGemm."""
        return f"{self.domain}.{self.operator}".lstrip(".")


@dataclass(frozen=True)
class OnnxGraph:
    """A model with one graph; a size of 0 of an input is not fixed."""

    ir: int
    opset: int
    nodes: tuple[Node, ...]
    constants: Mapping[str, Tensor]
    inputs: Mapping[str, tuple[int, ...]]
    outputs: tuple[str, ...]

    @cached_property
    def producers(self) -> dict[str, Node]:
        return {name: node for node in self.nodes for name in node.outputs}

    @cached_property
    def named(self) -> dict[str, Node]:
        """Nodes by what a runtime may call them: their names and outputs."""
        return {**self.producers, **{node.name: node for node in self.nodes if node.name}}

    @cached_property
    def consumers(self) -> dict[str, list[Node]]:
        found: dict[str, list[Node]] = {}
        for node in self.nodes:
            for name in node.inputs:
                found.setdefault(name, []).append(node)
        return found

    def made_by(self, name: str, operator: str) -> Node | None:
        """Return the node that makes a tensor if it has this operator."""
        node = self.producers.get(name)
        return node if node is not None and node.operator == operator else None

    def root(self, name: str) -> str | None:
        """Return the constant that a tensor is, or is dequantized, cast or transposed from."""
        while name not in self.constants:
            node = self.producers.get(name)
            if node is None or node.operator not in (*MOVED_BY, "DequantizeLinear"):
                return None
            name = node.inputs[0]
        return name

    def dequantizer(self, name: str) -> Node | None:
        """Return the DequantizeLinear that a tensor comes out of, cast or transposed perhaps."""
        node = self.producers.get(name)
        while node is not None and node.operator in MOVED_BY:
            node = self.producers.get(node.inputs[0])
        return node if node is not None and node.operator == "DequantizeLinear" else None

    def zero_point(self, node: Node) -> Tensor | None:
        """Return the zero point of a QuantizeLinear or DequantizeLinear, None if unknown."""
        return self.constants.get(node.inputs[2]) if len(node.inputs) > 2 else None

    def quantized_type(self, node: Node) -> str | None:
        """Return the type of a QuantizeLinear's result, None if unknown."""
        zero_point = self.zero_point(node)
        return None if zero_point is None else zero_point.kind


def read_onnx(name: str, content: bytes) -> OnnxGraph:
    """Read an ONNX file; raise InvalidBundle if it is damaged or its weights lie elsewhere."""
    try:
        model = _READER.read(memoryview(content))
        if "graph" not in model or not model.get("ir_version"):
            raise Malformed("it has no graph")
        return _graph(model)
    except Malformed as error:
        raise InvalidBundle(
            f"{name} is not an ONNX file that can be read: {error}; export it again, as one file"
        ) from error


def _graph(model: dict[str, Any]) -> OnnxGraph:
    graph = model["graph"]
    opsets = {read_text(o.get("domain")): o.get("version", 0) for o in model["opset_import"]}
    constants = dict(_constant(tensor) for tensor in graph["initializer"])
    return OnnxGraph(
        ir=model["ir_version"],
        opset=opsets.get("", opsets.get("ai.onnx", 0)),
        nodes=tuple(_node(node) for node in graph["node"]),
        constants=constants,
        inputs=dict(_inputs(graph["input"], constants)),
        outputs=tuple(read_text(value.get("name")) for value in graph["output"]),
    )


def _node(values: dict[str, Any]) -> Node:
    return Node(
        name=read_text(values.get("name")),
        domain=read_text(values.get("domain")).removeprefix("ai.onnx"),
        operator=read_text(values.get("op_type")),
        inputs=tuple(map(read_text, values["input"])),
        outputs=tuple(map(read_text, values["output"])),
        ints={read_text(a.get("name")): a["i"] for a in values["attribute"] if "i" in a},
    )


def _constant(values: dict[str, Any]) -> tuple[str, Tensor]:
    name, number = read_text(values.get("name")), values.get("data_type", 0)
    if values.get("data_location"):
        raise Malformed(f"tensor {name!r} has its values in another file")
    kind = KINDS.get(number, f"type {number}")
    contents = (values.get("raw_data", b""), *values["int32_data"])
    zeros = "int" in kind and prod(values["dims"]) <= FEW_VALUES and not any(map(any, contents))
    return name, Tensor(tuple(values["dims"]), kind, zeros)


def _inputs(
    values: list[dict[str, Any]], constants: Mapping[str, Tensor]
) -> Iterator[tuple[str, tuple[int, ...]]]:
    for value in values:
        name = read_text(value.get("name"))
        shape = value.get("type", {}).get("tensor_type", {}).get("shape", {"dim": [{}]})
        if name not in constants:
            yield name, tuple(dimension.get("size", 0) for dimension in shape["dim"])
