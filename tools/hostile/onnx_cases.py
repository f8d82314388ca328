"""ONNX graphs that do what a bundle's may not, with digests to match."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import numpy as np
from onnx import GraphProto, ModelProto, NodeProto, TensorProto, helper, numpy_helper

from hostile.judge import Case
from hostile.placing import served_case
from hostile.sample import GRAPH, Sample, graph
from hostile.wire import varint

OPERATORS = (
    "If", "Loop", "Scan", "Identity", "Constant", "ConstantOfShape", "RandomNormal", "EPContext",
    "SequenceMap", "StringNormalizer", "PyOp", "OptionalGetElement", "MatMulNBits", "",
)  # fmt: skip


def _external(r: Random, m: ModelProto) -> None:
    tensor = r.choice((m.graph.initializer[0], _constant(m)))
    tensor.data_location = r.choice((TensorProto.EXTERNAL, TensorProto.DEFAULT))
    place = r.choice(("../secret", "/etc/passwd", "w.bin", "link", ""))
    tensor.external_data.add(key="location", value=place)
    if r.random() < 0.5:
        tensor.ClearField("raw_data")


def _constant(m: ModelProto) -> TensorProto:
    node = m.graph.node.add(op_type="Relu", input=["latent"], output=["c"])
    node.attribute.append(helper.make_attribute("value", numpy_helper.from_array(np.ones(2), "c")))
    return node.attribute[0].t


def _located_elsewhere(r: Random, m: ModelProto) -> None:
    m.graph.initializer[0].data_location = TensorProto.EXTERNAL


def _operator(r: Random, m: ModelProto) -> None:
    m.graph.node[0].op_type = r.choice(OPERATORS)


def _domain(r: Random, m: ModelProto) -> None:
    m.graph.node[0].domain = r.choice(("custom", "com.microsoft", "ai.onnx.ml", "pyop", "ai.onnx"))


def _imported_domain(r: Random, m: ModelProto) -> None:
    m.opset_import.add(domain=r.choice(("custom", "ai.onnx.ml", "ai.onnx", "")), version=1)


def _subgraph(r: Random, m: ModelProto) -> None:
    inner = GraphProto(name="inner", node=[NodeProto(op_type="Relu")])
    attribute = m.graph.node[0].attribute.add(name="then_branch")
    if r.random() < 0.5:
        attribute.g.CopyFrom(inner)
    else:
        attribute.graphs.append(inner)


def _function(r: Random, m: ModelProto) -> None:
    m.functions.add(name="f", domain="", node=[NodeProto(op_type="Relu")])


def _sparse(r: Random, m: ModelProto) -> None:
    found = r.choice((m.graph.sparse_initializer, None))
    tensor = m.graph.node[0].attribute.add(name="s").sparse_tensor if found is None else found.add()
    tensor.values.CopyFrom(numpy_helper.from_array(np.ones(1, np.float32), "s"))


def _versions(r: Random, m: ModelProto) -> None:
    if r.random() < 0.5:
        m.opset_import[0].version = r.choice((0, -1, 21, 99, 1 << 40))
    else:
        m.ir_version = r.choice((0, -1, 11, 99, 1 << 40))


def _metadata(r: Random, m: ModelProto) -> None:
    key, value = r.choice((
        ("ep_cache_context", "x.bin"), ("rap_edge.graph", "../../x"), ("config", "{}"),
        ("rap_edge.graph", "x" * 999), ("", ""),
    ))  # fmt: skip
    m.metadata_props.add(key=key, value=value)


def _training(r: Random, m: ModelProto) -> None:
    m.training_info.add().initialization.name = "x"


def _strings(r: Random, m: ModelProto) -> None:
    tensor = m.graph.initializer[0]
    tensor.data_type = r.choice((0, TensorProto.STRING, 12, 14, 16, 99))
    if r.random() < 0.5:
        tensor.string_data.append(b"/etc/passwd")


def _shape(r: Random, m: ModelProto) -> None:
    m.graph.initializer[0].dims[:] = r.choice(
        ([4, 5], [1 << 40], [1 << 31, 1 << 31], [-1, 4], [4] * 99, [0, 4], [3, 5])
    )


def _names(r: Random, m: ModelProto) -> None:
    m.graph.quantization_annotation.add(tensor_name="x")


CHANGES: tuple[Callable[[Random, ModelProto], object], ...] = (
    _external, _located_elsewhere, _operator, _domain, _imported_domain, _subgraph, _function,
    _sparse, _versions, _metadata, _training, _strings, _shape, _names,
)  # fmt: skip


def hostile_onnx(random: Random, sample: Sample) -> Case:
    change = random.choice(CHANGES)
    model = graph()
    change(random, model)
    return served_case(random, f"ONNX{change.__name__}", sample, {GRAPH: model.SerializeToString()})


def hostile_wire(random: Random, sample: Sample) -> Case:
    """Protobuf that other readers forgive: unknown fields, groups, repeats, endless numbers."""
    content = sample.files[GRAPH]
    extra = random.choice((
        b"\xfa\x01\x02hi", b"\x0b\x0c", b"\x08\x0a", b"\x3a\x00", b"\xff" * 12, b"\x3a\xff\xff\xff",
        b"\x08" + b"\x80" * 40, b"\x00\x00", b"\xa2\x01\x02\x0a\x00", b"\x3d\0\0\0\0",
    ))  # fmt: skip
    if random.random() < 0.1:
        return crowded_onnx(random, sample)
    return served_case(random, f"wire {extra[:8]!r}", sample, {GRAPH: content + extra})


def crowded_onnx(random: Random, sample: Sample) -> Case:
    """A megabyte that would become millions of objects."""
    nodes = b"\x0a\x00" * random.randrange(1 << 18, 1 << 19)
    body = b"\x08\x0a\x3a" + varint(len(nodes)) + nodes + b"\x42\x02\x10\x14"
    return served_case(random, "crowded ONNX", sample, {GRAPH: body})


FAMILY = (hostile_onnx, hostile_wire)
