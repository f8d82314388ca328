"""What a Core ML package of a bundle may hold, checked before Core ML sees its bytes.

The specification is an ML program of one function, without blocks in blocks, whose tensors are
arrays of fixed shape. So there is no custom layer, no linked or updatable model, no pipeline, no
operator off the list of `rap_edge.operators`, and no weight outside the package's own file.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from typing import Any

from rap_edge.coreml_messages import MODEL
from rap_edge.errors import InvalidBundle
from rap_edge.operators import MAX_COREML, MIL, MIL_OPSETS
from rap_edge.protobuf_wire import Malformed, read_text, require

MAX_OPERATIONS = 1 << 15
MAX_VALUES = 1 << 18  # of a specification
METADATA = ("rap_edge.graph",)
WEIGHTS = "@model_path/weights/weight.bin"

_BLOB = struct.Struct("<LLQQ")  # mark, type, bytes, and where they begin
_BLOB_MARK = 0xDEADBEEF

Values = dict[str, Any]


def check_specification(name: str, content: bytes, weights: bytes) -> None:
    """Raise InvalidBundle unless a ``model.mlmodel`` holds nothing but what a bundle may.

    ``weights`` are the bytes of its ``weight.bin``, empty if there is none.
    """
    try:
        model = MODEL.read(memoryview(content), MAX_VALUES)
        _check_model(model)
        for operation in _operations(model):
            _check_operation(operation, weights)
    except Malformed as error:
        raise InvalidBundle(
            f"{name} is not a graph that a bundle may hold: {error}; get the bundle again"
        ) from error


def _check_model(model: Values) -> None:
    version = model.get("version", 0)
    require(0 < version <= MAX_COREML, f"its version is {version}: expected 1 to {MAX_COREML}")
    require("program" in model, "it has no ML program")
    metadata = model.get("description", {}).get("metadata", {"own": []})
    for entry in metadata["own"]:
        key, value = read_text(entry.get("key")), read_text(entry.get("value"))
        plain = key in METADATA and re.fullmatch(r"[\w. -]{0,64}", value, re.ASCII)
        require(plain, f"it has metadata {key!r}: {value!r}")


def _operations(model: Values) -> Iterator[Values]:
    """Yield the operations of the only block of the only function."""
    function = _only(model["program"]["functions"], "function")
    require(function[0] == "main", f"its function is {function[0]!r}: expected 'main'")
    opset = read_text(function[1].get("opset"))
    require(opset in MIL_OPSETS, f"its opset is {opset!r}: expected one of {MIL_OPSETS}")
    block = _only(function[1]["blocks"], "block")
    require(block[0] == opset, f"its block is for {block[0]!r}: expected {opset!r}")
    count = len(block[1]["operations"])
    require(count <= MAX_OPERATIONS, f"it has {count} operations: expected {MAX_OPERATIONS}")
    yield from block[1]["operations"]


def _only(entries: list[Values], what: str) -> tuple[str, Values]:
    require(len(entries) == 1, f"it has {len(entries)} entries for its {what}: expected one")
    require("value" in entries[0], f"its {what} is empty")
    return read_text(entries[0].get("key")), entries[0]["value"]


def _check_operation(operation: Values, weights: bytes) -> None:
    operator = read_text(operation.get("type"))
    require(operator in MIL, f"it uses the operator {operator!r}")
    for entries in (operation["inputs"], operation["attributes"]):
        keys = [read_text(entry.get("key")) for entry in entries]
        require(len(set(keys)) == len(keys), f"an argument of {operator} is there twice")
    values = [entry.get("value", {}) for entry in operation["attributes"]]
    for entry in operation["inputs"]:
        bindings = entry.get("value", {"bindings": []})["bindings"]
        values += [binding["value"] for binding in bindings if "value" in binding]
    for value in values:
        if "blob" in value:
            _check_blob(value["blob"], weights)


def _check_blob(blob: Values, weights: bytes) -> None:
    """The head of a blob is where it should be, and so are its bytes."""
    file, offset = read_text(blob.get("file")), blob.get("offset", 0)
    require(file == WEIGHTS, f"it has a weight in {file[:60]!r}: expected {WEIGHTS!r}")
    require(offset + _BLOB.size <= len(weights), f"it has a weight at byte {offset} of none")
    mark, _, size, begin = _BLOB.unpack_from(weights, offset)
    whole = mark == _BLOB_MARK and begin + size <= len(weights)
    require(whole, f"it has a weight at byte {offset} that is not within {len(weights)} bytes")
