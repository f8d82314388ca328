"""The bundle that is mutated: small, signed, with graphs of every format and golden vectors."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from onnx import ModelProto, helper, numpy_helper

from hostile.coreml_sample import specification, weights
from rap_edge import archive, golden
from rap_edge.bundle import MANIFEST, SIGNATURE, Part, sign_bundle, write_bundle
from rap_edge.config import TINY
from rap_edge.features import feature_contract
from rap_edge.keys import PrivateKey, make_key_pair, read_private_key
from rap_edge.manifest import FORMAT_VERSION, GraphSpec, Manifest, TensorSpec, Variant
from rap_edge.signing import sign

Files = dict[str, bytes]

GRAPH = "onnx/decoder.onnx"
IR = "openvino/decoder.xml"
PACKAGE = "coreml/decoder.mlpackage"
SPECIFICATION = f"{PACKAGE}/Data/com.apple.CoreML/model.mlmodel"
WEIGHTS = f"{PACKAGE}/Data/com.apple.CoreML/weights/weight.bin"
GOLDEN = "golden.npz"
IR_TEXT = b"""<?xml version="1.0"?>
<net name="decoder" version="11"><layers>
<layer id="0" name="latent" type="Parameter" version="opset1"><data element_type="f32"/></layer>
<layer id="1" name="w" type="Const" version="opset1"><data offset="0" size="64"/></layer>
</layers><edges><edge from-layer="0" from-port="0" to-layer="1" to-port="0"/></edges>
<rt_info><anything value="1"/></rt_info></net>
"""
PACKAGE_TEXT = json.dumps(
    {"itemInfoEntries": {"1": {"path": "com.apple.CoreML/model.mlmodel"}}, "rootModelIdentifier": 1}
).encode()


@dataclass(frozen=True)
class Sample:
    """The untouched bundle in both forms, the key that is trusted, and an attacker's."""

    files: Mapping[str, bytes]
    archive: bytes
    trusted: Path  # public key
    key: PrivateKey
    attacker: PrivateKey

    def remade(
        self,
        changed: Mapping[str, bytes | None],
        edit: Callable[[dict[str, Any]], object] = lambda manifest: None,
    ) -> Files:
        """Return the files after a change, with digests to match and without a signature.

        ``changed`` maps paths to contents, None to remove; ``edit`` changes the manifest then.
        """
        files = {n: c for n, c in {**self.files, **changed}.items() if c is not None}
        files.pop(SIGNATURE, None)
        manifest = json.loads(files[MANIFEST])
        known = {entry["path"]: entry for entry in manifest["files"]}
        plain = {"role": "document", "licence": "CC0-1.0"}
        manifest["files"] = [
            {
                **known.get(name, plain),
                "path": name,
                "size": len(content),
                "sha256": hashlib.sha256(content).hexdigest(),
            }
            for name, content in files.items()
            if name not in (MANIFEST, "subset.json")
        ]
        edit(manifest)
        files[MANIFEST] = json.dumps(manifest, indent=1, sort_keys=True).encode() + b"\n"
        return files


def signed(files: Files, key: PrivateKey) -> Files:
    """Return the files with a signature by ``key`` over what they are."""
    rest = {name: content for name, content in files.items() if name != SIGNATURE}
    digests = {name: hashlib.sha256(content).hexdigest() for name, content in rest.items()}
    return {**rest, SIGNATURE: sign("sample", digests, key)}


def packed(files: Mapping[str, bytes]) -> bytes:
    return b"".join(archive.build(files))


def make_sample(folder: Path) -> Sample:
    """Write the bundle and two key pairs below ``folder``, and load them."""
    trusted, _ = make_key_pair(folder / "trusted.pem")
    make_key_pair(folder / "attacker.pem")
    key = read_private_key(folder / "trusted.pem")
    bundle = write_bundle(folder / "sample", _manifest(), _parts())
    sign_bundle(bundle.path, key)
    files = {
        place.relative_to(bundle.path).as_posix(): place.read_bytes()
        for place in bundle.path.rglob("*")
        if place.is_file()
    }
    attacker = read_private_key(folder / "attacker.pem")
    return Sample(files, packed(files), trusted, key, attacker)


def graph() -> ModelProto:
    """A graph of two nodes and a weight: frames = Clip(latent * w)."""
    weight = numpy_helper.from_array(np.arange(16, dtype=np.float32).reshape(4, 4), "w")
    value = helper.make_tensor_value_info
    made = helper.make_graph(
        [helper.make_node("MatMul", ["latent", "w"], ["product"]),
         helper.make_node("Relu", ["product"], ["frames"])],
        "decoder", [value("latent", 1, (1, 4))], [value("frames", 1, (1, 4))], [weight],
    )  # fmt: skip
    return helper.make_model(made, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)


def _manifest() -> Manifest:
    fp32 = Variant("onnxruntime", "fp32", {"decoder": GRAPH}, tolerances={"decoder": 1e-4})
    return Manifest(
        format_version=FORMAT_VERSION,
        name="sample",
        minimum_runtime="0.1.0",
        config=TINY,
        features=feature_contract(),
        graphs={"decoder": _SPEC},
        variants=(
            fp32,
            replace(fp32, backend="openvino", files={"decoder": IR}),
            replace(fp32, backend="coreml", precision="fp16", files={"decoder": PACKAGE}),
        ),
        card="card.md",
        golden=GOLDEN,
    )  # fmt: skip


_SPEC = GraphSpec(
    (TensorSpec("latent", (1, 4), "float32"),), (TensorSpec("frames", (1, 4), "float32"),)
)


def _parts() -> dict[str, Part]:
    x = np.ones((1, 4), np.float32)
    contents = {
        GRAPH: graph().SerializeToString(),
        IR: IR_TEXT,
        IR.replace(".xml", ".bin"): bytes(range(64)),
        f"{PACKAGE}/Manifest.json": PACKAGE_TEXT,
        SPECIFICATION: specification(),
        WEIGHTS: weights(),
        GOLDEN: golden.write({"decoder": {"latent": x, "frames": x}}),
        "card.md": b"A sample.\n",
        "licences/LICENSE.txt": b"Do as you like.\n",
    }
    roles = {GOLDEN: "golden", "card.md": "card", "licences/LICENSE.txt": "licence"}
    return {n: Part(c, roles.get(n, "graph"), "CC0-1.0") for n, c in contents.items()}
