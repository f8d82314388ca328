"""Components that run a bundle's graphs: what they tell, and what of bundles they cannot run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from rap_edge.benchmarks.components import measure_component, runtime, yardstick
from rap_edge.benchmarks.components.rows import AGAINST
from rap_edge.bundle import Bundle, open_bundle


def with_variants(given: Bundle, *labels: str) -> Bundle:
    """A bundle as if of its variants only those were there."""
    return replace(given, variants=tuple(one for one in given.variants if one.label in labels))


def test_the_runtime_stands_beside_its_bare_graphs(check: Callable[..., None]) -> None:
    found = measure_component("runtime", 0.0, 1)
    check(found, "runtime")
    ours = [row for row in found if AGAINST in row.subject]
    assert any(row.subject.startswith("onnxruntime/") for row in ours)
    for row in ours:
        assert row.values["error"].value <= 0.01
        assert {"cpu_ratio", "ratio", "ms_per_call", "us_per_call"} < set(row.values)


def test_variants_stand_beside_fp32_graph_by_graph(
    small: Bundle, check: Callable[..., None]
) -> None:
    found = {row.subject: row for row in measure_component("variants", 0.0, 1, small)}
    check(list(found.values()), "variants")
    assert "speed_to_fp32" in found["onnxruntime/int8"].values
    assert "speed_to_fp32" not in found["onnxruntime/fp32"].values
    for graph in ("audio", "denoiser", "decoder"):
        row = found[f"onnxruntime/int8 {graph}{AGAINST}onnxruntime/fp32 {graph}"]
        assert 0 < row.values["error"].value < 0.5


def test_the_yardstick_is_as_large_as_wav2lip() -> None:
    onnx = pytest.importorskip("onnx")
    from rap_edge.benchmarks.components.wav2lip_shape import build
    from rap_edge.benchmarks.flops import count_flop

    network = build()
    weights = onnx.load_model_from_string(network).graph.initializer
    assert sum(np.prod(tensor.dims) for tensor in weights) == pytest.approx(36.3e6, rel=0.002)
    assert count_flop(network) == pytest.approx(7.93e9, rel=0.002)


def test_a_frame_of_ours_stands_beside_one_of_the_yardstick(
    small: Bundle, check: Callable[..., None]
) -> None:
    pytest.importorskip("onnx")
    found = measure_component("yardstick", 0.0, 1, small)
    check(found, "yardstick")
    ours = [row for row in found if AGAINST in row.subject]
    assert len(ours) == 2
    gflop = {row.values["gflop_per_frame"].value for row in ours}
    assert len(gflop) == 1
    assert 0.5 < gflop.pop() < 3


@pytest.mark.parametrize("name", ["runtime", "variants", "yardstick"])
def test_graphs_that_were_not_checked_have_no_numbers(
    name: str, synthetic_bundle: Path, check: Callable[..., None]
) -> None:
    if name == "yardstick":
        pytest.importorskip("onnx")
    found = measure_component(name, 0.0, 1, open_bundle(synthetic_bundle))
    check(found, name)
    ours = [row for row in found if row.subject != yardstick.THEIRS]
    assert ours
    for row in ours:
        assert row.values == {}
        assert "no golden vectors for audio, decoder" in row.missing["ms_per_call"]


def test_without_fp32_nothing_is_compared_with_it_and_arithmetic_is_missing(
    small: Bundle, check: Callable[..., None]
) -> None:
    pytest.importorskip("onnx")
    int8 = with_variants(small, "onnxruntime/int8")
    *_, row = measure_component("yardstick", 0.0, 1, int8)
    assert {"ms_per_call", "ratio"} == set(row.values)
    assert {"gflop_per_frame", "gflop_per_s"} == set(row.missing)
    assert "has no onnxruntime/fp32" in row.missing["gflop_per_s"]
    found = measure_component("variants", 0.0, 1, int8)
    check(found, "variants")
    assert all("speed_to_fp32" not in row.values and AGAINST not in row.subject for row in found)


def test_a_graph_of_several_files_is_told(
    tested: Bundle, monkeypatch: pytest.MonkeyPatch, check: Callable[..., None]
) -> None:
    files = {"graphs/a.onnx": b"", "graphs/a.data": b""}
    monkeypatch.setattr(runtime, "open_checked", lambda *_: None)
    monkeypatch.setattr(Bundle, "read_graph", lambda *_: files)
    found = measure_component("runtime", 0.0, 1, tested)
    check(found, "runtime")
    assert [row.subject for row in found] == ["openvino/fp32", "onnxruntime/fp32"]
    for row in found:
        assert "the files graphs/a.data, graphs/a.onnx: expected one" in row.missing["ms_per_call"]


def test_a_bundle_without_what_stands_beside_it_is_told(tested: Bundle) -> None:
    (only,) = measure_component("runtime", 0.0, 1, with_variants(tested))
    assert "no variant for onnxruntime or openvino" in only.missing["ms_per_call"]
