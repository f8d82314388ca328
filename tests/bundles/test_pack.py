"""Packing: one bundle of several variants, nothing twice, and nothing below the gate."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rap_edge import golden
from rap_edge.bundle import Bundle, Papers, Part, pack_bundles, require_quality, write_bundle
from rap_edge.bundle.placing import place_graphs
from rap_edge.config import TINY
from rap_edge.errors import ConfigError, InvalidBundle, QualityError
from rap_edge.manifest import FORMAT_VERSION, FeatureContract, GraphSpec, Manifest, TensorSpec
from rap_edge.manifest import Variant as VariantOf
from rap_edge.quality import GATE, Quality
from rap_edge.quantization import Quantization

GOOD = Quality(40, 36, 0.99, 0.7, 0.71, 0.2, 0.2, 0.1, 0.1, 37, 33, 6, 60, 1, 60)
SPEC = GraphSpec((TensorSpec("x", (1, 4), "float32"),), (TensorSpec("y", (1, 4), "float32"),))

Make = Callable[..., Bundle]


def graph(scale: float) -> bytes:
    from onnx import helper, numpy_helper

    value = helper.make_tensor_value_info
    made = helper.make_graph(
        [helper.make_node("Mul", ["x", "scale"], ["y"])], "g",
        [value("x", 1, (1, 4))], [value("y", 1, (1, 4))],
        [numpy_helper.from_array(np.float32(scale), "scale")],
    )  # fmt: skip
    opsets = [helper.make_opsetid("", 20)]
    return bytes(helper.make_model(made, opset_imports=opsets, ir_version=10).SerializeToString())


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Write a bundle of one variant with the graphs ``a`` and ``b``."""

    def write(
        precision: str = "fp32", b: float = 1.0, quality: Quality | None = None, **head: Any
    ) -> Bundle:
        files = {"a": "a.onnx", "b": "b.onnx"}
        backend = head.pop("backend", "onnxruntime")
        variant = VariantOf(
            backend, precision, files, quality=quality, tolerances={"a": 0.1, "b": 0.1},
            quantization=Quantization("u8s8", ("b",), worst_nodes=("b/mul",)) if quality else None,
        )  # fmt: skip
        manifest = Manifest(
            format_version=FORMAT_VERSION, name="small", minimum_runtime="0.1.0", config=TINY,
            features=FeatureContract("rap", "0123"), graphs={"a": SPEC, "b": SPEC},
            variants=(variant,), provenance={"seed": 1, "precision": precision},
        )  # fmt: skip
        parts = {
            "a.onnx": Part(graph(1.0), "graph", "CC0-1.0"),
            "b.onnx": Part(graph(b), "graph", "CC0-1.0"),
        }
        return write_bundle(tmp_path / f"{backend}-{precision}", replace(manifest, **head), parts)

    return write


def test_variants_share_what_is_identical(make: Make, tmp_path: Path) -> None:
    int8, fp32 = make("int8", b=2.0, quality=GOOD), make()
    packed = pack_bundles([int8, fp32], tmp_path / "packed")
    first, second = packed.manifest.variants
    assert [first.label, second.label] == ["onnxruntime/int8", "onnxruntime/fp32"]
    assert dict(second.files) == {"a": "onnx/a.onnx", "b": "onnx/b.onnx"}
    assert dict(first.files) == {"a": "onnx/a.onnx", "b": "onnx-int8/b.onnx"}
    assert set(packed.files) == {"onnx/a.onnx", "onnx/b.onnx", "onnx-int8/b.onnx"}
    assert packed.read("onnx-int8/b.onnx") == graph(2.0)
    assert first.quality == GOOD


def test_two_backends_read_one_file(make: Make, tmp_path: Path) -> None:
    packed = pack_bundles([make(), make(backend="openvino")], tmp_path / "packed")
    assert [dict(v.files) for v in packed.manifest.variants] == 2 * [
        {"a": "onnx/a.onnx", "b": "onnx/b.onnx"}
    ]
    other = pack_bundles([make(), make(backend="openvino", b=3.0)], tmp_path / "other")
    assert other.manifest.variants[1].files["b"] == "onnx-openvino/b.onnx"


def test_packing_the_same_gives_the_same_bytes(make: Make, tmp_path: Path) -> None:
    sources = [make("int8", b=2.0, quality=GOOD), make()]
    for name in ("one.rapb", "two.rapb"):
        pack_bundles(sources, tmp_path / name)
    assert (tmp_path / "one.rapb").read_bytes() == (tmp_path / "two.rapb").read_bytes()


def test_without_a_measured_quality_only_fp32_is_packed(make: Make, tmp_path: Path) -> None:
    with pytest.raises(QualityError, match=r"int8 has no measured quality.*`rap-edge gate`"):
        pack_bundles([make("int8"), make()], tmp_path / "packed")
    named = replace(make().variants[0], quantization=Quantization("w4", ("b",)))
    with pytest.raises(QualityError, match="fp32 has no measured quality"):
        require_quality(named)
    assert not (tmp_path / "packed").exists()


@pytest.mark.parametrize(
    ("metric", "value", "message"),
    [
        ("frame_psnr_db", 35.0, r"frame PSNR is 35\.000 dB \(at least 36\.000\)"),
        ("mouth_psnr_db", float("nan"), "mouth crop PSNR is nan"),
        ("mouth_curve_r", 0.9, r"mouth curve r is 0\.900 .*at least 0\.980"),
        ("lip_sync_r", 0.5, r"lip-sync r is 0\.500 .*at least 0\.690"),
        ("flicker", 9.0, r"flicker is 9\.000 levels \(at most 0\.300\)"),
        ("drift_db", 9.0, r"drift is 9\.000 dB \(at most 0\.600\)"),
        ("worst_mouth_psnr_db", 20.0, r"worst mouth PSNR is 20\.000 dB \(at least 28\.000\)"),
        ("people", 1, r"measured is 1\.000 people \(at least 6\.000\)"),
        ("long_seconds", 2.0, r"drift measured is 2\.000 s of a clip \(at least 55\.000\)"),
    ],
)
def test_below_the_gate_the_metric_both_numbers_and_the_worst_nodes_are_named(
    make: Make, tmp_path: Path, metric: str, value: float, message: str
) -> None:
    bad = replace(GOOD, **{metric: value})
    assert len(GATE.failures(bad)) == 1
    source = make("int8", b=2.0, quality=GOOD)
    variant = replace(source.variants[0], quality=bad)
    bundle = dataclasses.replace(source, variants=(variant,))
    with pytest.raises(QualityError, match=f"{message}.*worst nodes: b/mul"):
        pack_bundles([bundle, make()], tmp_path / "packed")
    assert not (tmp_path / "packed").exists()


@pytest.mark.parametrize(
    ("head", "message"),
    [
        ({"name": "other"}, "name 'small' differs from name 'other'"),
        ({"config": replace(TINY, fps=50)}, "config .* differs"),
        ({"features": FeatureContract("rap", "4567")}, "features .* differs"),
        ({}, "onnxruntime/fp32 is in two of the bundles"),
    ],
)
def test_bundles_of_different_models_are_not_mixed(
    make: Make, tmp_path: Path, head: dict[str, Any], message: str
) -> None:
    backend = "openvino" if head else "onnxruntime"
    with pytest.raises(InvalidBundle, match=message):
        pack_bundles([make(), make(backend=backend, **head)], tmp_path / "packed")


@pytest.mark.parametrize("what", ["checkpoint", "locator", "eyes"])
def test_bundles_of_different_checkpoints_are_not_mixed(
    make: Make, tmp_path: Path, what: str
) -> None:
    sources = [
        make(),
        make(backend="openvino", provenance={what: {"sha256": "12"}}),
        make(backend="coreml", provenance={what: {"sha256": "34"}}),
    ]
    pack_bundles(sources[:2], tmp_path / "packed")
    with pytest.raises(InvalidBundle, match=f"openvino-fp32 was made of {what} .*12.* of .*34"):
        pack_bundles(sources, tmp_path / "packed")


def test_a_name_for_two_papers_or_two_graphs_is_refused(make: Make, tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "MIT.txt").write_text(folder)
    twice = Papers(licences=(tmp_path / "a/MIT.txt", tmp_path / "b/MIT.txt"))
    with pytest.raises(ConfigError, match=r"licences/MIT\.txt is given twice"):
        pack_bundles([make()], tmp_path / "packed", twice)
    source = make()
    (variant,) = source.variants
    others = [
        (make(backend=name, b=b), replace(variant, backend="x"))
        for b, name in enumerate(("p", "q", "r"), 2)
    ]
    with pytest.raises(InvalidBundle, match="x/fp32 has no free name for its graph 'b'"):
        place_graphs([(source, variant), *others])


def test_papers_are_put_in(make: Make, tmp_path: Path) -> None:
    (tmp_path / "card").write_text("A card.")
    (tmp_path / "MIT.txt").write_text("A licence.")
    x = np.ones((1, 4), np.float32)
    vectors = {"a": {"x": x, "y": x}, "b": {"x": 2 * x, "y": x}}
    (tmp_path / "g").write_bytes(golden.write(vectors))
    papers = Papers(
        card=tmp_path / "card", licences=(tmp_path / "MIT.txt",), golden=tmp_path / "g",
        version="2.0.0", provenance={"by": "us"}, quality={"r": 0.7},
    )  # fmt: skip
    sources = [make(), make(backend="openvino", provenance={"seed": 1, "precision": "other"})]
    packed = pack_bundles(sources, tmp_path / "packed", papers)
    manifest = packed.manifest
    assert (manifest.card, manifest.golden, manifest.version) == ("card.md", "golden.npz", "2.0.0")
    assert packed.read("licences/MIT.txt") == b"A licence."
    found = packed.golden()
    assert found is not None
    np.testing.assert_array_equal(found["b"]["x"], 2 * x)
    assert manifest.provenance["seed"] == 1
    assert manifest.provenance["variants"]["openvino/fp32"] == {"precision": "other"}
    with pytest.raises(ConfigError, match="cannot be read"):
        pack_bundles([make()], tmp_path / "packed", Papers(card=tmp_path / "nowhere"))


def test_golden_vectors_of_another_model_are_refused(make: Make, tmp_path: Path) -> None:
    (tmp_path / "g").write_bytes(golden.write({"c": {"x": np.ones(3)}}))
    with pytest.raises(InvalidBundle, match="tensors are not those of the graphs"):
        pack_bundles([make()], tmp_path / "packed", Papers(golden=tmp_path / "g"))
