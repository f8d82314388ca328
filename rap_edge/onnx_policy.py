"""What an ONNX graph of a bundle may hold, checked before a runtime sees its bytes.

The message is read with nothing but the table below: no field that is not in it is accepted. So
there is no external data, no function, no subgraph, no sparse or string tensor, no training
information and no operator off the list of `rap_edge.operators`.
"""

from __future__ import annotations

import math
import re
from typing import Any

from rap_edge.errors import InvalidBundle
from rap_edge.manifest_check import MAX_ELEMENTS, MAX_RANK
from rap_edge.operators import DOMAINS, MAX_IR, MAX_OPSET
from rap_edge.protobuf_wire import (
    FIXED32,
    FIXED64,
    VARINT,
    Field,
    Malformed,
    Message,
    read_text,
    require,
)

MAX_NODES = 1 << 15
METADATA = ("rap_edge.graph", "onnx.infer", "onnx.quant.pre_process")
TENSOR_BITS = {1: 32, 2: 8, 3: 8, 4: 16, 5: 16, 6: 32, 7: 64, 9: 8, 10: 16, 11: 64, 21: 4, 22: 4}
"""Bits of an element, by TensorProto.DataType; a type that is not here is refused."""

_STRINGS = Message("an entry", {1: Field("key"), 2: Field("value")})
_TENSOR = Message(
    "a tensor",
    {
        1: Field("dims", VARINT, many=True),
        2: Field("data_type", VARINT),
        4: Field("float_data", FIXED32, many=True),
        5: Field("int32_data", VARINT, many=True),
        7: Field("int64_data", VARINT, many=True),
        8: Field("name"),
        9: Field("raw_data"),
        10: Field("double_data", FIXED64, many=True),
        12: Field("doc_string"),
        14: Field("data_location", VARINT),
    },
    {3: "segments", 6: "strings", 13: "external data", 16: "metadata"},
)
_ATTRIBUTE = Message(
    "an attribute",
    {
        1: Field("name"),
        2: Field("f", FIXED32),
        3: Field("i", VARINT),
        4: Field("s"),
        5: Field("t", message=_TENSOR),
        7: Field("floats", FIXED32, many=True),
        8: Field("ints", VARINT, many=True),
        9: Field("strings", many=True),
        13: Field("doc_string"),
        20: Field("type", VARINT),
    },
    {6: "a subgraph", 11: "subgraphs", 21: "a function's parameter", 22: "a sparse tensor"},
)
_NODE = Message(
    "a node",
    {
        1: Field("input", many=True),
        2: Field("output", many=True),
        3: Field("name"),
        4: Field("op_type"),
        5: Field("attribute", many=True, message=_ATTRIBUTE),
        6: Field("doc_string"),
        7: Field("domain"),
    },
    {8: "an overload", 9: "metadata", 10: "device configurations"},
)
_GRAPH = Message(
    "the graph",
    {
        1: Field("node", many=True, message=_NODE),
        2: Field("name"),
        5: Field("initializer", many=True, message=_TENSOR),
        10: Field("doc_string"),
        11: Field("input", many=True),
        12: Field("output", many=True),
        13: Field("value_info", many=True),
    },
    {14: "quantization annotations", 15: "sparse initializers", 16: "metadata"},
)
_OPSET = Message("an opset", {1: Field("domain"), 2: Field("version", VARINT)})
_MODEL = Message(
    "the model",
    {
        1: Field("ir_version", VARINT),
        2: Field("producer_name"),
        3: Field("producer_version"),
        4: Field("domain"),
        5: Field("model_version", VARINT),
        6: Field("doc_string"),
        7: Field("graph", message=_GRAPH),
        8: Field("opset_import", many=True, message=_OPSET),
        14: Field("metadata_props", many=True, message=_STRINGS),
    },
    {20: "training information", 25: "functions", 26: "device configurations"},
)


def check_onnx(name: str, content: bytes) -> None:
    """Raise InvalidBundle unless an ONNX file holds nothing but what a bundle may."""
    try:
        model = _MODEL.read(memoryview(content))
        _check_model(model)
        for tensor in model["graph"]["initializer"]:
            _check_tensor(tensor)
        for node in model["graph"]["node"]:
            _check_node(node)
    except Malformed as error:
        raise InvalidBundle(
            f"{name} is not a graph that a bundle may hold: {error}; get the bundle again"
        ) from error


def _check_model(model: dict[str, Any]) -> None:
    ir = model.get("ir_version", 0)
    require(0 < ir <= MAX_IR, f"its IR version is {ir}: expected 1 to {MAX_IR}")
    require("graph" in model, "it has no graph")
    nodes = len(model["graph"]["node"])
    require(nodes <= MAX_NODES, f"it has {nodes} nodes: expected {MAX_NODES} at most")
    opsets = [(read_text(o.get("domain")), o.get("version", 0)) for o in model["opset_import"]]
    require(len(dict(opsets)) == len(opsets), "a domain is imported twice")
    for domain, version in opsets:
        most = MAX_OPSET if domain == "" else 1
        require(domain in DOMAINS, f"it imports the domain {domain!r}")
        require(0 < version <= most, f"its opset is {domain} {version}: expected {most} at most")
    for entry in model["metadata_props"]:
        key, value = read_text(entry.get("key")), read_text(entry.get("value"))
        plain = key in METADATA and re.fullmatch(r"[\w. -]{0,64}", value, re.ASCII)
        require(plain, f"it has metadata {key!r}: {value!r}")


def _check_node(node: dict[str, Any]) -> None:
    domain, operator = read_text(node.get("domain")), read_text(node.get("op_type"))
    listed = operator in DOMAINS.get(domain, ())
    require(listed, f"it uses the operator {f'{domain}.{operator}'.lstrip('.')!r}")
    for attribute in node["attribute"]:
        if "t" in attribute:
            _check_tensor(attribute["t"])


def _check_tensor(tensor: dict[str, Any]) -> None:
    """The contents have the size that the shape says, so that nothing is made larger or missing."""
    name, kind, dims = read_text(tensor.get("name")), tensor.get("data_type", 0), tensor["dims"]
    require(not tensor.get("data_location", 0), f"tensor {name!r} has external data")
    require(kind in TENSOR_BITS, f"tensor {name!r} has data type {kind}")
    sane = len(dims) <= MAX_RANK and all(size <= MAX_ELEMENTS for size in dims)
    require(sane and math.prod(dims) <= MAX_ELEMENTS, f"tensor {name!r} has shape {dims}")
    elements, bits = math.prod(dims), TENSOR_BITS[kind]
    typed = sum(len(tensor[k]) for k in tensor if k.endswith("_data") and k != "raw_data")
    if "raw_data" in tensor:
        whole = typed == 0 and len(tensor["raw_data"]) == (elements * bits + 7) // 8
    else:
        whole = typed in (elements, (elements * bits + 7) // 8)
    require(whole, f"tensor {name!r} has not the contents of shape {dims}")
