"""What a graph may hold: everything converters write, and nothing that reaches out of its file."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from onnx import GraphProto, ModelProto, TensorProto, helper, numpy_helper

from rap_edge.bundle import open_bundle
from rap_edge.coreml_policy import check_specification
from rap_edge.errors import InvalidBundle
from rap_edge.graph_policy import check_graph
from rap_edge.onnx_policy import check_onnx
from rap_edge.openvino_policy import check_ir
from rap_edge.operators import MIL
from rap_edge.protobuf_wire import VARINT, Field, Malformed, Message

if TYPE_CHECKING:
    from hostile.sample import Sample


@pytest.fixture
def model() -> ModelProto:
    from hostile.sample import graph

    return graph()


def test_the_default_bundle_is_within_the_policy() -> None:
    bundle = open_bundle()
    for variant in bundle.variants:
        for graph in variant.files:
            assert bundle.read_graph(variant, graph)


def test_quantization_operators_are_allowed(model: ModelProto) -> None:
    nodes = [
        helper.make_node("QuantizeLinear", ["product", "w"], ["q"]),
        helper.make_node("DequantizeLinear", ["q", "w"], ["d"]),
        helper.make_node("MatMulNBits", ["d", "w", "w"], ["e"], domain="com.microsoft", K=4, N=4),
    ]
    model.graph.node.extend(nodes)
    model.opset_import.add(domain="com.microsoft", version=1)
    check_onnx("a.onnx", model.SerializeToString())


@pytest.mark.parametrize(
    "tensor",
    [
        numpy_helper.from_array(np.zeros((2, 3), np.float16), "t"),
        numpy_helper.from_array(np.float32(1), "t"),
        numpy_helper.from_array(np.zeros((0, 4), np.int64), "t"),
        helper.make_tensor("t", TensorProto.FLOAT, (2,), [1.0, 2.0]),
        helper.make_tensor("t", TensorProto.INT4, (3,), [1, 2, 3]),
        helper.make_tensor("t", TensorProto.UINT8, (3,), b"abc", raw=True),
    ],
    ids=lambda tensor: TensorProto.DataType.Name(tensor.data_type),
)
def test_tensors_as_onnx_writes_them_are_allowed(model: ModelProto, tensor: TensorProto) -> None:
    model.graph.initializer.append(tensor)
    check_onnx("a.onnx", model.SerializeToString())


def external(m: ModelProto) -> object:
    m.graph.initializer[0].external_data.add(key="location", value="../w.bin")
    return None


def subgraph(m: ModelProto) -> object:
    return m.graph.node[0].attribute.add(name="then_branch").g.CopyFrom(GraphProto(name="x"))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (external, "external data"),
        (lambda m: setattr(m.graph.initializer[0], "data_location", 1), "external data"),
        (subgraph, "a subgraph"),
        (lambda m: m.functions.add(name="f"), "functions"),
        (lambda m: m.training_info.add(), "training information"),
        (lambda m: m.graph.sparse_initializer.add(), "sparse initializers"),
        (lambda m: setattr(m.graph.node[0], "op_type", "Loop"), "operator 'Loop'"),
        (lambda m: setattr(m.graph.node[0], "domain", "custom"), r"operator 'custom\.MatMul'"),
        (lambda m: m.opset_import.add(domain="custom", version=1), "domain 'custom'"),
        (lambda m: setattr(m.opset_import[0], "version", 21), "21: expected 20 at most"),
        (lambda m: setattr(m, "ir_version", 11), "IR version is 11"),
        (lambda m: m.metadata_props.add(key="config", value="x"), "metadata 'config'"),
        (lambda m: m.graph.initializer[0].dims.append(2), "not the contents of shape"),
        (lambda m: setattr(m.graph.initializer[0], "data_type", 8), "data type 8"),
        (lambda m: m.ClearField("graph"), "it has no graph"),
    ],
)
def test_what_reaches_out_of_a_graph_is_refused_by_name(
    model: ModelProto, change: Callable[[ModelProto], Any], message: str
) -> None:
    change(model)
    with pytest.raises(InvalidBundle, match=message):
        check_onnx("a.onnx", model.SerializeToString())


def test_other_formats_are_refused() -> None:
    for path, files in (("a.pt", {"a.pt": b""}), ("a.onnx", {"a.onnx": b"", "b": b""}), ("a", {})):
        with pytest.raises(InvalidBundle, match=r"expected \.onnx, \.xml or \.mlpackage"):
            check_graph(path, files)


@pytest.mark.parametrize("path", ["onnx", "m.onnx", "m.onnx/", "xml", "mlpackage", "a.mlpackage"])
def test_a_folder_under_the_name_of_a_format_is_refused(path: str) -> None:
    with pytest.raises(InvalidBundle):
        check_graph(path, {f"{path}/a.onnx": b""})


def test_an_ir_keeps_to_numbered_opsets_and_to_its_weights(sample: Sample) -> None:
    from hostile.sample import IR_TEXT

    check_ir("a.xml", IR_TEXT, 64)
    with pytest.raises(InvalidBundle, match="up to byte 64: its weights have 63"):
        check_ir("a.xml", IR_TEXT, 63)
    with pytest.raises(InvalidBundle, match="expected a numbered opset"):
        check_ir("a.xml", IR_TEXT.replace(b'"opset1"', b'"extension"'), 64)
    with pytest.raises(InvalidBundle, match="document type"):
        check_ir("a.xml", IR_TEXT.replace(b"<net ", b"<!DOCTYPE net><net "), 64)


@pytest.mark.parametrize("kind", ["If", "Loop", "TensorIterator", "ReadValue", "Assign", ""])
def test_an_ir_keeps_to_the_listed_layers(sample: Sample, kind: str) -> None:
    from hostile.sample import IR_TEXT

    with pytest.raises(InvalidBundle, match=f"a layer of type '{kind}'"):
        check_ir("a.xml", IR_TEXT.replace(b"Const", kind.encode()), 64)
    with pytest.raises(InvalidBundle, match="'opset15': expected a numbered opset, 14 at most"):
        check_ir("a.xml", IR_TEXT.replace(b'"opset1"', b'"opset15"'), 64)


def test_a_core_ml_program_of_operators_and_its_own_weights_is_allowed(sample: Sample) -> None:
    from hostile.coreml_sample import specification, weights

    check_specification("a", specification(), weights())


def test_what_a_core_ml_program_may_not_be_is_refused(sample: Sample) -> None:
    from hostile.coreml_sample import weights
    from hostile.graph_cases import SPECIFICATIONS

    for content in SPECIFICATIONS:
        with pytest.raises(InvalidBundle, match="a graph that a bundle may hold"):
            check_specification("a", content, weights())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"operations": "custom"}, "operator 'custom'"),
        ({"operations": "const", "blob": ("/etc/passwd", 64)}, "a weight in '/etc/passwd'"),
        ({"operations": "const", "blob": ("@model_path/weights/weight.bin", 65)}, "at byte 65"),
        ({"function": "other"}, "its function is 'other'"),
        ({"functions": 2}, "2 entries for its function"),
        ({"opset": "CoreML99"}, "opset is 'CoreML99'"),
        ({"version": 99}, "version is 99"),
        ({"model": b"\xda\x22\x00"}, "a custom model"),
        ({"model": b"\xe2\x22\x00"}, "a linked model"),
    ],
)
def test_a_core_ml_program_is_refused_by_name(
    sample: Sample, change: dict[str, Any], message: str
) -> None:
    from hostile.coreml_sample import operation, specification, weights

    if "operations" in change:
        change = {"operations": [operation(change["operations"], change.get("blob"))]}
    with pytest.raises(InvalidBundle, match=message):
        check_specification("a", specification(**change), weights())


def test_the_operators_of_core_ml_are_those_with_a_rule() -> None:
    from rap_edge.converters.mil.operators import OPERATORS

    assert set(OPERATORS) | {"const"} == MIL


NUMBER = Message("a number", {1: Field("n", VARINT), 2: Field("many", VARINT, many=True)})


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\x08", "cut off"),
        (b"\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", "more than 64 bits"),
        (b"\x08\x01\x08\x01", "n of a number is there twice"),
        (b"\x18\x01", "field 3"),
        (b"\x0a\x01a", "n of a number has wire type 2"),
        (b"\x0b", "wire type 3"),
        (b"\x12\x05\x01", "cut off"),
        (b"\x10\x00" * (1 << 18), "more values than a graph needs"),
    ],
)
def test_protobuf_that_could_be_read_in_two_ways_is_refused(content: bytes, message: str) -> None:
    with pytest.raises(Malformed, match=message):
        NUMBER.read(memoryview(content))


def test_packed_and_plain_numbers_are_the_same() -> None:
    values = NUMBER.read(memoryview(b"\x08\x07\x12\x02\x01\x02\x10\x03"))
    assert values == {"n": 7, "many": [1, 2, 3]}
