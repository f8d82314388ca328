"""The form of a Core ML specification, as far as a bundle's may go; see `rap_edge.coreml_policy`.

Fields that are left out are refused. The numbers are those of coremltools' ``Model.proto``,
``FeatureTypes.proto`` and ``MIL.proto``.
"""

from __future__ import annotations

from rap_edge.protobuf_wire import FIXED32, FIXED64, VARINT, Field, Message


def _one(name: str, wire: int, many: bool = True) -> Message:
    """A message of one field: protobuf's way to repeat, or to choose."""
    return Message(name, {1: Field("values", wire, many)})


def _entry(name: str, message: Message | None) -> Message:
    """An entry of a map."""
    return Message(name, {1: Field("key"), 2: Field("value", message=message)})


_DIMENSION = Message(
    "a dimension", {1: Field("constant", message=_one("a size", VARINT, False))}, {2: "no size"}
)
_TENSOR_TYPE = Message(
    "a tensor's type",
    {
        1: Field("data_type", VARINT),
        2: Field("rank", VARINT),
        3: Field("dimensions", many=True, message=_DIMENSION),
    },
    {4: "attributes"},
)
_OTHER_TYPES = {2: "a list", 3: "a tuple", 4: "a dictionary", 5: "a state"}
_TYPE = Message("a type", {1: Field("tensor", message=_TENSOR_TYPE)}, _OTHER_TYPES)
_TENSOR = Message(
    "a tensor",
    {
        1: Field("floats", message=_one("floats", FIXED32)),
        2: Field("ints", message=_one("ints", VARINT)),
        3: Field("bools", message=_one("bools", VARINT)),
        4: Field("strings", message=Message("strings", {1: Field("values", many=True)})),
        5: Field("longs", message=_one("longs", VARINT)),
        6: Field("doubles", message=_one("doubles", FIXED64)),
        7: Field("bytes", message=Message("bytes", {1: Field("values")})),
    },
)
_IMMEDIATE = Message("a value", {1: Field("tensor", message=_TENSOR)}, _OTHER_TYPES)
_BLOB = Message("a blob", {1: Field("file"), 2: Field("offset", VARINT)})
_VALUE = Message(
    "a value",
    {
        1: Field("doc"),
        2: Field("type", message=_TYPE),
        3: Field("immediate", message=_IMMEDIATE),
        5: Field("blob", message=_BLOB),
    },
)
_NAMED_TYPE = Message("a tensor", {1: Field("name"), 2: Field("type", message=_TYPE)})
_BINDING = Message("an argument", {1: Field("name"), 2: Field("value", message=_VALUE)})
_ARGUMENT = Message("an argument", {1: Field("bindings", many=True, message=_BINDING)})
_OPERATION = Message(
    "an operation",
    {
        1: Field("type"),
        2: Field("inputs", many=True, message=_entry("an input", _ARGUMENT)),
        3: Field("outputs", many=True, message=_NAMED_TYPE),
        5: Field("attributes", many=True, message=_entry("an attribute", _VALUE)),
    },
    {4: "a block"},
)
_BLOCK = Message(
    "the block",
    {2: Field("outputs", many=True), 3: Field("operations", many=True, message=_OPERATION)},
    {1: "inputs", 4: "attributes"},
)
_FUNCTION = Message(
    "the function",
    {
        1: Field("inputs", many=True, message=_NAMED_TYPE),
        2: Field("opset"),
        3: Field("blocks", many=True, message=_entry("a block", _BLOCK)),
    },
    {4: "attributes"},
)
_PAIR = Message("a pair", {1: Field("key", message=_VALUE), 2: Field("value", message=_VALUE)})
_PAIRS = Message("pairs", {1: Field("pairs", many=True, message=_PAIR)})
_PAIR_TYPE = Message("a type", {1: Field("key", message=_TYPE), 2: Field("value", message=_TYPE)})
_BUILD_INFO = Message(  # versions of what made it
    "build information",
    {
        2: Field("type", message=Message("a type", {4: Field("pairs", message=_PAIR_TYPE)})),
        3: Field("immediate", message=Message("a value", {4: Field("pairs", message=_PAIRS)})),
    },
)
_PROGRAM = Message(
    "the program",
    {
        1: Field("version", VARINT),
        2: Field("functions", many=True, message=_entry("a function", _FUNCTION)),
        4: Field("attributes", many=True, message=_entry("an attribute", _BUILD_INFO)),
    },
)
_ARRAY = Message("an array", {1: Field("shape", VARINT, many=True), 2: Field("type", VARINT)})
_FEATURE = Message(
    "a feature",
    {
        1: Field("name"),
        3: Field("type", message=Message("a type", {5: Field("array", message=_ARRAY)})),
    },
)
_METADATA = Message("metadata", {100: Field("own", many=True, message=_entry("an entry", None))})
_DESCRIPTION = Message(
    "the description",
    {
        1: Field("inputs", many=True, message=_FEATURE),
        10: Field("outputs", many=True, message=_FEATURE),
        100: Field("metadata", message=_METADATA),
    },
    {13: "a state", 20: "functions", 21: "a default function", 50: "training inputs"},
)
MODEL = Message(
    "the model",
    {
        1: Field("version", VARINT),
        2: Field("description", message=_DESCRIPTION),
        502: Field("program", message=_PROGRAM),
    },
    {
        10: "a mark that it can be trained",
        202: "a pipeline",
        500: "a neural network",
        555: "a custom model",
        556: "a linked model",
        3000: "a serialized model",
    },
)
