"""Graphs and golden vectors that do what a bundle's may not, with digests to match."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Mapping
from random import Random

import numpy as np
from onnx import GraphProto, ModelProto, NodeProto, TensorProto, helper, numpy_helper

from hostile.judge import Case
from hostile.placing import damaged, either_case
from hostile.sample import GOLDEN, GRAPH, IR, IR_TEXT, PACKAGE, Sample, graph, packed, signed
from rap_edge.bundle import MANIFEST

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
    return _served(random, f"ONNX{change.__name__}", sample, {GRAPH: model.SerializeToString()})


def hostile_wire(random: Random, sample: Sample) -> Case:
    """Protobuf that other readers forgive: unknown fields, groups, repeats, endless numbers."""
    content = sample.files[GRAPH]
    extra = random.choice((
        b"\xfa\x01\x02hi", b"\x0b\x0c", b"\x08\x0a", b"\x3a\x00", b"\xff" * 12, b"\x3a\xff\xff\xff",
        b"\x08" + b"\x80" * 40, b"\x00\x00", b"\xa2\x01\x02\x0a\x00", b"\x3d\0\0\0\0",
    ))  # fmt: skip
    if random.random() < 0.1:
        return crowded_onnx(random, sample)
    return _served(random, f"wire {extra[:8]!r}", sample, {GRAPH: content + extra})


def crowded_onnx(random: Random, sample: Sample) -> Case:
    """A megabyte that would become millions of objects."""
    nodes = b"\x0a\x00" * random.randrange(1 << 18, 1 << 19)
    body = b"\x08\x0a\x3a" + _varint(len(nodes)) + nodes + b"\x42\x02\x10\x14"
    return _served(random, "crowded ONNX", sample, {GRAPH: body})


def _varint(value: int) -> bytes:
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def no_graph(random: Random, sample: Sample) -> Case:
    """Something else under the name of a graph: a pickle, a library, a script, nothing."""
    content = random.choice((
        b"\x80\x04cos\nsystem\n(S'id'\ntR.", b"\x7fELF" + bytes(60), b"#!/bin/sh\n", b"", b"\0",
        b"PK\3\4", random.randbytes(64),
    ))  # fmt: skip
    name = random.choice((GRAPH, IR))
    return _served(random, f"{content[:8]!r} as {name}", sample, {name: content})


IR_CHANGES = (
    (b"<net ", b'<!DOCTYPE net [<!ENTITY a "aa"><!ENTITY b "&a;&a;">]><net '),
    (b"<net ", b'<!DOCTYPE net SYSTEM "file:///etc/passwd"><net '),
    (b"<net ", b'<?xml-stylesheet href="x"?><net '),
    (b'version="opset1"><data offset', b'version="extension"><data offset'),
    (b'version="opset1"><data offset', b'version="opset1x"><data offset'),
    (b"</layers>", b"<body/></layers>"), (b"</layers>", b"<extension/></layers>"),
    (b'size="64"', b'size="65"'), (b'offset="0"', b'offset="18446744073709551615"'),
    (b'size="64"', b'size="-1"'), (b'size="64"', b""), (b"<net ", b"<xet "),
    (b"<edges>", b"<edges>&lol;"), (b"</net>", b""), (b"<layers>", b"<dim>" * 50),
)  # fmt: skip


def hostile_ir(random: Random, sample: Sample) -> Case:
    old, new = random.choice(IR_CHANGES)
    return _served(random, f"IR {new[:24]!r}", sample, {IR: IR_TEXT.replace(old, new, 1)})


def hostile_package(random: Random, sample: Sample) -> Case:
    """A Core ML package with a file more or less, or a manifest that points elsewhere."""
    place = random.choice(("../../x", "/etc/passwd", "com.apple.CoreML/other", ""))
    text = json.dumps({"itemInfoEntries": {"1": {"path": place}}}).encode()
    changed: dict[str, bytes | None] = random.choice((
        {f"{PACKAGE}/Manifest.json": text}, {f"{PACKAGE}/Manifest.json": b"["},
        {f"{PACKAGE}/Manifest.json": b"{}"}, {f"{PACKAGE}/Manifest.json": None},
        {f"{PACKAGE}/Data/com.apple.CoreML/model.mlmodel": None},
        {f"{PACKAGE}/plugin.dylib": b"\xcf\xfa"}, {f"{PACKAGE}/Manifest.json": b" " * (1 << 17)},
    ))  # fmt: skip
    return _served(random, "Core ML package", sample, changed)


def hostile_golden(random: Random, sample: Sample) -> Case:
    """Zip bombs, wrong sizes, endless aliases and other arrays as golden vectors."""
    latent = np.ones((1, 4), np.float32)
    kind = random.choice(
        ("bomb", "numpy", "header", "alias", "extra", "missing", "damaged", "pickle")
    )
    right = {"aliases.json": b'{"equal": {}}', **{f"decoder/{n}.npy": _npy(latent)
             for n in ("latent", "frames")}}  # fmt: skip
    if kind == "bomb":
        content = _deflated({**right, "decoder/latent.npy": bytes(1 << 22)})
    elif kind == "numpy":
        content = _deflated(right)
    elif kind == "damaged":
        content = damaged(random, sample.files[GOLDEN])
    else:
        content = packed(_wrong(kind, right, random))
    return _served(random, f"golden {kind}", sample, {GOLDEN: content})


def _wrong(kind: str, right: dict[str, bytes], random: Random) -> dict[str, bytes]:
    if kind == "header":
        other = random.choice((np.ones((1, 5)), np.ones((1, 4)), np.ones((2, 2), np.float32)))
        return {**right, "decoder/latent.npy": _npy(other)}
    if kind == "pickle":
        return {**right, "decoder/latent.npy": b"\x93NUMPY\1\0\x46\0{'descr': '|O'}" + bytes(200)}
    if kind == "extra":
        return {**right, "decoder/more.npy": _npy(np.ones(1))}
    if kind == "missing":
        return {name: content for name, content in right.items() if "frames" not in name}
    equal = random.choice((
        '{"decoder/latent": "decoder/frames", "decoder/frames": "decoder/latent"}',
        '{"decoder/latent": "decoder/latent"}', '{"decoder/latent": "../x"}', '{"x": "y"}', "[]",
    ))  # fmt: skip
    rest = {n: c for n, c in right.items() if "npy" not in n or random.random() < 0.5}
    return {**rest, "aliases.json": f'{{"equal": {equal}}}'.encode()}


def _npy(value: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, value)
    return buffer.getvalue()


def _deflated(files: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in files.items():
            file.writestr(name, content)
    return buffer.getvalue()


def _served(random: Random, name: str, sample: Sample, changed: Mapping[str, bytes | None]) -> Case:
    """With digests to match: unsigned and forgiven, or signed by a key that nobody trusts."""
    files = sample.remade(changed)
    assert files[MANIFEST] != sample.files[MANIFEST]
    if random.random() < 0.8:
        return either_case(random, name, files, unsigned=True)
    return either_case(random, f"{name}, signed anew", signed(files, sample.attacker))


FAMILY = (
    hostile_onnx,
    hostile_wire,
    no_graph,
    hostile_ir,
    hostile_package,
    hostile_golden,
)
