"""A synthetic bundle without torch, whose frames show what they were made of."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from rap_edge.config import TINY

if TYPE_CHECKING:
    from typing import TypeAlias

    from onnx import ModelProto, NodeProto, ValueInfoProto

    from rap_edge.bundle import Bundle
    from rap_edge.manifest import GraphSpec, TensorSpec

    Synthetic: TypeAlias = tuple[ModelProto, GraphSpec]

os.environ["RAP_EDGE_NO_MEASURE"] = "1"  # what is opened must not depend on what else runs here

PAINTED_BIN = 8  # mel bin that the frames' red channel shows


@pytest.fixture(scope="session")
def synthetic_bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle of the tiny configuration that paints frame n with one colour.

    Red is ``128 + 5 * (mel bin 8 of hop 4 n)``, green counts latents through the decoder's state,
    blue is the reference's first red value.
    """
    from rap_edge.bundle import Part, write_bundle
    from rap_edge.features import feature_contract
    from rap_edge.manifest import FORMAT_VERSION, Manifest, Variant

    graphs = {
        "portrait": _portrait(),
        "audio": _audio(),
        "denoiser": _denoiser(),
        "decoder": _decoder(),
    }
    files = {name: f"graphs/{name}.onnx" for name in graphs}
    manifest = Manifest(
        format_version=FORMAT_VERSION,
        name="synthetic",
        minimum_runtime="0.1.0",
        config=TINY,
        features=feature_contract(),
        graphs={name: spec for name, (_, spec) in graphs.items()},
        variants=(Variant("onnxruntime", "fp32", files),),
        card="card.md",
    )
    parts = {
        files[name]: Part(model.SerializeToString(), "graph", "CC0-1.0")
        for name, (model, _) in graphs.items()
    }
    parts["card.md"] = Part(b"Paints what it hears.\n", "card", "CC0-1.0")
    folder = tmp_path_factory.mktemp("bundles") / "synthetic"
    return write_bundle(folder, manifest, parts).path


@pytest.fixture(scope="session")
def tested(synthetic_bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """The same bundle with golden vectors, for onnxruntime and OpenVINO."""
    from rap_edge import golden
    from rap_edge.bundle import Part, open_bundle, write_bundle

    plain = open_bundle(synthetic_bundle)
    vectors = {name: _vectors(plain, name) for name in plain.manifest.graphs}
    (variant,) = plain.variants
    variant = replace(
        variant,
        tolerances=dict.fromkeys(vectors, 0.001),
        tolerances_levels={"decoder": 1.0},
    )
    variants = (variant, replace(variant, backend="openvino"))
    manifest = replace(plain.manifest, variants=variants, golden="golden.npz")
    parts = {
        entry.path: Part(plain.read(entry.path), entry.role, entry.licence)
        for entry in plain.manifest.files
    }
    parts["golden.npz"] = Part(golden.write(vectors), "golden", "CC0-1.0")
    return write_bundle(tmp_path_factory.mktemp("bundles") / "tested", manifest, parts)


def _vectors(bundle: Bundle, name: str) -> dict[str, np.ndarray]:
    from rap_edge.runtime.backends import open_graph

    spec, files = bundle.manifest.graphs[name], bundle.read_graph(bundle.variants[0], name)
    rng = np.random.default_rng(0)
    inputs = {t.name: rng.uniform(0, 9, t.shape).astype(t.dtype) for t in spec.inputs}
    return {**inputs, **open_graph("onnxruntime", name, files, spec, "fp32", 1).run(inputs)}


def _portrait() -> Synthetic:
    nodes = [
        _node("Cast", "reference", "pixels", to=1),
        _node("Transpose", "pixels", "reference_image", perm=[0, 3, 1, 2]),
    ]
    side = TINY.vae.resolution
    outputs = [("reference_image", (1, 3, side, side)), ("reference_map", (1, 8, 2, 2))]
    constants = {"nothing": np.zeros((1, 8, 2, 2), np.float32)}
    nodes.append(_node("Add", ["nothing", "nothing"], "reference_map"))
    return _graph(nodes, [("reference", (1, side, side, 3))], outputs, constants)


def _audio() -> Synthetic:
    """Token t is the first mels of the hop at which it starts."""
    left, tokens = TINY.audio.left_hops(), TINY.sampler.window * TINY.tokens_per_latent
    constants = {
        "start": np.array([left, 0]),
        "stop": np.array([left + 2 * tokens, TINY.audio.width]),
        "axes": np.array([1, 2]),
        "step": np.array([2, 1]),
    }
    nodes = [_node("Slice", ["hops", *constants], "tokens")]
    hops = (1, TINY.audio.window_hops(tokens), TINY.audio.n_mels)
    return _graph(nodes, [("hops", hops)], [("tokens", (1, tokens, TINY.audio.width))], constants)


def _denoiser() -> Synthetic:
    """Channel c of a latent is the painted bin of its token c; the noise is ignored."""
    constants = {
        "start": np.array([PAINTED_BIN]),
        "stop": np.array([PAINTED_BIN + 1]),
        "axes": np.array([2]),
        "column": np.array([1, 5, 8, 1, 1]),
        "shape": np.array([1, 5, 8, 2, 2]),
    }
    nodes = [
        _node("Slice", ["tokens", "start", "stop", "axes"], "bin"),
        _node("Reshape", ["bin", "column"], "columns"),
        _node("Expand", ["columns", "shape"], "clean"),
    ]
    inputs = [
        ("latent", (1, 5, 8, 2, 2)),
        ("timestep", (1, 32)),
        ("tokens", (1, 40, 32)),
        ("reference_map", (1, 8, 2, 2)),
    ]
    return _graph(nodes, inputs, [("clean", (1, 5, 8, 2, 2))], constants)


def _decoder() -> Synthetic:
    side = TINY.vae.resolution
    constants = {
        "first": np.zeros(4, np.int64),
        "one": np.ones(4, np.int64),
        "axes": np.arange(4),
        "channels": np.array([1, 8, 1, 1]),
        "square": np.array([1, 8, 2, 2]),
        "every_other": np.array([1, 2, 1, 1]),
        "column": np.array([4, 1, 1, 1]),
        "picture": np.array([4, side, side, 3]),
        "five": np.float32(5),
        "grey": np.float32(128),
        "next": np.float32(1),
    }
    nodes = [
        _node("Reshape", ["latent", "square"], "codes"),
        _node("Slice", ["codes", "first", "channels", "axes", "every_other"], "mels"),
        _node("Reshape", ["mels", "column"], "frames_mels"),
        _node("Mul", ["frames_mels", "five"], "scaled"),
        _node("Add", ["scaled", "grey"], "red"),
        _node("Expand", ["state.count", "column"], "green"),
        _node("Slice", ["reference_image", "first", "one", "axes"], "corner"),
        _node("Expand", ["corner", "column"], "blue"),
        _node("Concat", ["red", "green", "blue"], "colour", axis=3),
        _node("Round", "colour", "levels"),
        _node("Expand", ["levels", "picture"], "pictures"),
        _node("Cast", "pictures", "frames", to=2),
        _node("Add", ["state.count", "next"], "next_state.count"),
    ]
    inputs = [
        ("latent", (1, 1, 8, 2, 2)),
        ("reference_image", (1, 3, side, side)),
        ("state.count", (1, 1, 1, 1)),
    ]
    outputs = [("frames", (4, side, side, 3)), ("next_state.count", (1, 1, 1, 1))]
    return _graph(nodes, inputs, outputs, constants)


def _node(kind: str, inputs: str | list[str], output: str, **attributes: object) -> NodeProto:
    from onnx import helper

    names = [inputs] if isinstance(inputs, str) else inputs
    return helper.make_node(kind, names, [output], **attributes)


def _graph(
    nodes: list[NodeProto],
    inputs: Sequence[tuple[str, tuple[int, ...]]],
    outputs: Sequence[tuple[str, tuple[int, ...]]],
    constants: dict[str, np.ndarray],
) -> Synthetic:
    from onnx import checker, helper, numpy_helper

    from rap_edge.manifest import GraphSpec

    spec = GraphSpec(tuple(_spec(*t) for t in inputs), tuple(_spec(*t) for t in outputs))
    graph = helper.make_graph(
        nodes,
        "synthetic",
        [_info(tensor) for tensor in spec.inputs],
        [_info(tensor) for tensor in spec.outputs],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    checker.check_model(model, full_check=True)
    return model, spec


def _spec(name: str, shape: tuple[int, ...]) -> TensorSpec:
    from rap_edge.manifest import TensorSpec

    return TensorSpec(name, shape, "uint8" if name in ("reference", "frames") else "float32")


def _info(tensor: TensorSpec) -> ValueInfoProto:
    from onnx import helper

    kind = helper.np_dtype_to_tensor_dtype(np.dtype(tensor.dtype))
    return helper.make_tensor_value_info(tensor.name, kind, tensor.shape)
