"""IR, Core ML packages and other files as graphs, with digests to match."""

from __future__ import annotations

import json
from random import Random

from hostile.coreml_sample import BLOB, feature, operation, specification, weights
from hostile.judge import Case
from hostile.placing import damaged, served_case
from hostile.sample import GRAPH, IR, IR_TEXT, PACKAGE, SPECIFICATION, WEIGHTS, Sample
from hostile.wire import message


def no_graph(random: Random, sample: Sample) -> Case:
    """Something else under the name of a graph: a pickle, a library, a script, nothing."""
    content = random.choice((
        b"\x80\x04cos\nsystem\n(S'id'\ntR.", b"\x7fELF" + bytes(60), b"#!/bin/sh\n", b"", b"\0",
        b"PK\3\4", random.randbytes(64),
    ))  # fmt: skip
    name = random.choice((GRAPH, IR))
    return served_case(random, f"{content[:8]!r} as {name}", sample, {name: content})


IR_CHANGES = (
    (b"<net ", b'<!DOCTYPE net [<!ENTITY a "aa"><!ENTITY b "&a;&a;">]><net '),
    (b"<net ", b'<!DOCTYPE net SYSTEM "file:///etc/passwd"><net '),
    (b"<net ", b'<?xml-stylesheet href="x"?><net '),
    (b'version="opset1"><data offset', b'version="extension"><data offset'),
    (b'version="opset1"><data offset', b'version="opset1x"><data offset'),
    (b'version="opset1"><data offset', b'version="opset15"><data offset'),
    (b'version="opset1"><data offset', b'version="opset0"><data offset'),
    *((b'type="Const"', b'type="%s"' % kind) for kind in (b"If", b"Loop", b"ReadValue", b"", b"X")),
    (b"</layers>", b"<body/></layers>"), (b"</layers>", b"<extension/></layers>"),
    (b'size="64"', b'size="65"'), (b'offset="0"', b'offset="18446744073709551615"'),
    (b'size="64"', b'size="-1"'), (b'size="64"', b""), (b"<net ", b"<xet "),
    (b"<edges>", b"<edges>&lol;"), (b"</net>", b""), (b"<layers>", b"<dim>" * 50),
)  # fmt: skip


def hostile_ir(random: Random, sample: Sample) -> Case:
    old, new = random.choice(IR_CHANGES)
    return served_case(random, f"IR {new[:24]!r}", sample, {IR: IR_TEXT.replace(old, new, 1)})


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
    return served_case(random, "Core ML package", sample, changed)


SPECIFICATIONS = (
    *(specification(operations=[operation(kind)])
      for kind in ("custom", "cond", "while_loop", "read_state", "classify", "Relu", "")),
    *(specification(operations=[operation("const", blob=(file, 64))])
      for file in ("../../x", "/etc/passwd", "@model_path/weights/other.bin", "@model_path", "")),
    *(specification(operations=[operation("const", blob=(BLOB, offset))])
      for offset in (0, 1, 63, 65, 100, 1 << 40, (1 << 64) - 1)),
    specification(operations=[operation("relu") + message((4, b""))]),  # a block in it
    specification(operations=[operation("relu") + message((2, b"\x0a\x01x")) * 2]),  # x twice
    *(specification(function=name) for name in ("other", "", "Main")),
    *(specification(opset=opset) for opset in ("CoreML8", "CoreML99", "", "x")),
    specification(block="CoreML6"), specification(functions=0), specification(functions=2),
    *(specification(version=version) for version in (0, 9, 1 << 31)),
    *(specification(model=message((number, b""))) for number in (200, 202, 500, 555, 556, 3000, 4)),
    specification(model=message((10, 1))),
    *(specification(description=message((number, b""))) for number in (11, 13, 20, 21, 50, 5)),
    *(specification(description=message((100, message((100, message((1, key), (2, value)))))))
      for key, value in (("rap_edge.graph", "../x"), ("com.apple.x", "1"))),
    specification(description=message((1, feature("x", 4)))),  # a picture
    specification(description=message((1, feature("x", 8)))),  # a state
    specification() + message((2, b"")), specification() + b"\x0b\x0c", specification()[:-1], b"",
)  # fmt: skip


def hostile_specification(random: Random, sample: Sample) -> Case:
    """A Core ML program that is more than operators on arrays and its own weights."""
    which = random.randrange(len(SPECIFICATIONS))
    changed: dict[str, bytes | None] = {SPECIFICATION: SPECIFICATIONS[which]}
    if random.random() < 0.1:
        changed = {WEIGHTS: random.choice((None, b"", weights()[:80], weights(mark=7)))}
    elif random.random() < 0.1:
        changed = {SPECIFICATION: damaged(random, specification())[: random.randrange(99)]}
    return served_case(random, f"Core ML specification {which}", sample, changed)


FAMILY = (no_graph, hostile_ir, hostile_package, hostile_specification)
