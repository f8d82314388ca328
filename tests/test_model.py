"""Opening a bundle: what runs where, what is refused, and what an avatar is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest

import rap_edge
from rap_edge.bundle import Part, open_bundle, write_bundle
from rap_edge.errors import BackendUnavailable, InvalidBundle, NotSupported
from rap_edge.manifest import Variant
from rap_edge.portrait import Crop
from rap_edge.runtime import Model
from rap_edge.runtime.backends import BACKENDS, is_installed, open_graph
from rap_edge.runtime.choice import choose_variants


@pytest.fixture(scope="module")
def model(synthetic_bundle: Path) -> Model:
    return rap_edge.open(synthetic_bundle, threads=1)


def test_an_avatar_is_immutable(model: Model) -> None:
    avatar = model.avatar(np.zeros((80, 80, 3), np.uint8), crop=Crop(8, 8, 64))
    with pytest.raises(ValueError, match="read-only"):
        avatar.image[0] = 0
    with pytest.raises(AttributeError):
        avatar.crop = Crop(0, 0, 1)  # type: ignore[misc]


def test_a_bundle_without_locator_asks_for_a_crop(model: Model) -> None:
    with pytest.raises(NotSupported, match="pass crop="):
        model.avatar(np.zeros((80, 80, 3), np.uint8))


def test_placement_says_where_every_graph_runs(model: Model) -> None:
    assert set(model.placement) == {"portrait", "audio", "denoiser", "decoder"}
    for place in model.placement.values():
        assert (place.backend, place.device) == ("onnxruntime", "cpu")
        assert (place.precision, place.threads) == ("fp32", 1)


def test_a_model_is_shown_in_a_line(model: Model) -> None:
    version = model.bundle.manifest.version
    assert repr(model) == f"Model(synthetic {version}, onnxruntime/fp32)"


VARIANTS = tuple(
    Variant(backend, precision, {})
    for backend, precision in [
        ("elsewhere", "int8"),
        ("onnxruntime", "int8"),
        ("onnxruntime", "fp32"),
    ]
)


@pytest.mark.parametrize(
    ("backend", "precision", "strict", "chosen"),
    [
        ("auto", None, True, [1, 2, 0]),
        ("auto", "fp32", True, [2]),
        ("onnxruntime", None, True, [1, 2]),
        ("elsewhere", None, True, [0]),
        ("elsewhere", None, False, [0, 1, 2]),
        ("onnxruntime", "fp64", False, [1, 2, 0]),
    ],
)
def test_a_fallback_is_taken_only_when_it_is_allowed(
    backend: str, precision: str | None, strict: bool, chosen: list[int]
) -> None:
    variants = choose_variants(VARIANTS, backend, precision, strict)
    assert variants == [VARIANTS[i] for i in chosen]


@pytest.fixture
def two_variants(
    synthetic_bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Model]:
    """Open a bundle whose first variant is on a backend that does not start here."""
    bundle = open_bundle(synthetic_bundle)
    (works,) = bundle.manifest.variants
    variants = (replace(works, backend="elsewhere"), works)
    parts = {
        entry.path: Part(bundle.read(entry.path), entry.role, entry.licence)
        for entry in bundle.manifest.files
    }
    write_bundle(tmp_path / "two", replace(bundle.manifest, variants=variants), parts)
    monkeypatch.setattr("rap_edge.runtime.choice.can_run", lambda variant: True)
    return partial(rap_edge.open, tmp_path / "two", threads=1)


def test_auto_takes_the_first_variant_that_starts(two_variants: Callable[..., Model]) -> None:
    assert two_variants().backend == "onnxruntime"
    assert two_variants(backend="elsewhere", strict=False).backend == "onnxruntime"
    with pytest.raises(BackendUnavailable, match="elsewhere"):
        two_variants(backend="elsewhere")


def test_what_a_bundle_does_not_offer_is_refused(synthetic_bundle: Path) -> None:
    with pytest.raises(NotSupported, match="it offers onnxruntime/fp32"):
        rap_edge.open(synthetic_bundle, precision="int8")
    with pytest.raises(NotSupported, match="threads is 0"):
        rap_edge.open(synthetic_bundle, threads=0)
    assert not is_installed("elsewhere")


def test_a_damaged_graph_is_refused(synthetic_bundle: Path) -> None:
    spec = open_bundle(synthetic_bundle).manifest.graphs["audio"]
    damaged = {"audio.onnx": b"no graph"}
    other = {"audio.onnx": (synthetic_bundle / "graphs/decoder.onnx").read_bytes()}
    for backend in BACKENDS:
        with pytest.raises(InvalidBundle, match=f"graph audio is refused by {backend}"):
            open_graph(backend, "audio", damaged, spec, "fp32", 1)
        with pytest.raises(InvalidBundle, match="as the manifest says"):
            open_graph(backend, "audio", other, spec, "fp32", 1)
    with pytest.raises(BackendUnavailable, match="elsewhere"):
        open_graph("elsewhere", "audio", other, spec, "fp32", 1)
    with pytest.raises(BackendUnavailable, match="coreml"):
        open_graph("coreml", "audio", other, spec, "fp16", 1)
    with pytest.raises(InvalidBundle, match=r"expected one \.onnx"):
        open_graph("onnxruntime", "audio", {"a.xml": b"", "a.bin": b""}, spec, "fp32", 1)
