"""An ONNX graph as a doctor looks at it: nodes, and shapes and types of its weights; no values.

It is read without the onnx package, which a device does not have, and without running anything.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from rap_edge.errors import InvalidBundle
from rap_edge.protobuf_wire import VARINT, Field, Malformed, Message

KINDS = {
    1: "float32", 2: "uint8", 3: "int8", 4: "uint16", 5: "int16", 6: "int32", 7: "int64", 9: "bool",
    10: "float16", 11: "float64", 16: "bfloat16", 21: "uint4", 22: "int4",
}  # fmt: skip
"""Names of TensorProto.DataType."""

PASSED_ON = ("DequantizeLinear", "Cast", "Transpose", "Reshape", "Identity")
"""Operators that bring a weight to its layer."""


def _part(name: str, fields: Mapping[int, Field]) -> Message:
    return Message(name, fields, partial=True)


_ATTRIBUTE = _part("an attribute", {1: Field("name"), 3: Field("i", VARINT)})
_TENSOR = _part(
    "a tensor",
    {
        1: Field("dims", VARINT, many=True),
        2: Field("data_type", VARINT),
        8: Field("name"),
        14: Field("data_location", VARINT),
    },
)
_NODE = _part(
    "a node",
    {
        1: Field("input", many=True),
        2: Field("output", many=True),
        3: Field("name"),
        4: Field("op_type"),
        5: Field("attribute", many=True, message=_ATTRIBUTE),
        7: Field("domain"),
    },
)
_DIMENSION = _part("a dimension", {1: Field("size", VARINT)})
_SHAPE = _part("a shape", {1: Field("dim", many=True, message=_DIMENSION)})
_TENSOR_TYPE = _part("a tensor type", {2: Field("shape", message=_SHAPE)})
_TYPE = _part("a type", {1: Field("tensor_type", message=_TENSOR_TYPE)})
_VALUE = _part("a value", {1: Field("name"), 2: Field("type", message=_TYPE)})
_GRAPH = _part(
    "the graph",
    {
        1: Field("node", many=True, message=_NODE),
        5: Field("initializer", many=True, message=_TENSOR),
        11: Field("input", many=True, message=_VALUE),
        12: Field("output", many=True, message=_VALUE),
    },
)
_OPSET = _part("an opset", {1: Field("domain"), 2: Field("version", VARINT)})
_MODEL = _part(
    "the model",
    {
        1: Field("ir_version", VARINT),
        7: Field("graph", message=_GRAPH),
        8: Field("opset_import", many=True, message=_OPSET),
    },
)


@dataclass(frozen=True)
class Tensor:
    """A constant, without its values."""

    shape: tuple[int, ...]
    kind: str  # float32, uint8, ...


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
            if node is None or node.operator not in PASSED_ON:
                return None
            name = node.inputs[0]
        return name

    def zero_point_kind(self, node: Node) -> str | None:
        """Return the 8-bit type of a QuantizeLinear or DequantizeLinear, None if unknown."""
        zero_point = self.constants.get(node.inputs[2]) if len(node.inputs) > 2 else None
        return None if zero_point is None else zero_point.kind


def read_onnx(name: str, content: bytes) -> OnnxGraph:
    """Read an ONNX file; raise InvalidBundle if it is damaged or its weights lie elsewhere."""
    try:
        model = _MODEL.read(memoryview(content))
        if "graph" not in model or not model.get("ir_version"):
            raise Malformed("it has no graph")
        return _graph(model)
    except Malformed as error:
        raise InvalidBundle(
            f"{name} is not an ONNX file that can be read: {error}; export it again, as one file"
        ) from error


def _graph(model: dict[str, Any]) -> OnnxGraph:
    graph = model["graph"]
    opsets = {_text(o.get("domain")): o.get("version", 0) for o in model["opset_import"]}
    constants = dict(_constant(tensor) for tensor in graph["initializer"])
    return OnnxGraph(
        ir=model["ir_version"],
        opset=opsets.get("", opsets.get("ai.onnx", 0)),
        nodes=tuple(_node(node) for node in graph["node"]),
        constants=constants,
        inputs=dict(_inputs(graph["input"], constants)),
        outputs=tuple(_text(value.get("name")) for value in graph["output"]),
    )


def _node(values: dict[str, Any]) -> Node:
    return Node(
        name=_text(values.get("name")),
        domain=_text(values.get("domain")).removeprefix("ai.onnx"),
        operator=_text(values.get("op_type")),
        inputs=tuple(map(_text, values["input"])),
        outputs=tuple(map(_text, values["output"])),
        ints={_text(a.get("name")): a["i"] for a in values["attribute"] if "i" in a},
    )


def _constant(values: dict[str, Any]) -> tuple[str, Tensor]:
    name, kind = _text(values.get("name")), values.get("data_type", 0)
    if values.get("data_location"):
        raise Malformed(f"tensor {name!r} has its values in another file")
    return name, Tensor(tuple(values["dims"]), KINDS.get(kind, f"type {kind}"))


def _inputs(
    values: list[dict[str, Any]], constants: Mapping[str, Tensor]
) -> Iterator[tuple[str, tuple[int, ...]]]:
    for value in values:
        name = _text(value.get("name"))
        shape = value.get("type", {}).get("tensor_type", {}).get("shape", {"dim": [{}]})
        if name not in constants:
            yield name, tuple(dimension.get("size", 0) for dimension in shape["dim"])


def _text(raw: memoryview | None) -> str:
    try:
        return "" if raw is None else bytes(raw).decode("utf-8")
    except UnicodeDecodeError as error:
        raise Malformed("a name is not UTF-8") from error
