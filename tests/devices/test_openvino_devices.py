"""OpenVINO's GPU and NPU, on a fake of its interface: neither is here."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from rap_edge.bundle import Bundle
from rap_edge.errors import BackendUnavailable
from rap_edge.runtime.backends import Graph, open_graph


def opened(
    bundle: Bundle,
    device: str,
    precision: str = "fp32",
    strict: bool = True,
    cache: Path | None = None,
) -> Graph:
    files = bundle.read_graph(bundle.variants[1], "decoder")
    spec = bundle.manifest.graphs["decoder"]
    return open_graph("openvino", "decoder", files, spec, precision, 2, device, cache, strict)


@pytest.mark.parametrize(
    ("device", "precision", "arithmetic"),
    [("gpu", "fp32", "f32"), ("gpu.1", "int8", "f16"), ("npu", "fp16", None)],
)
def test_a_device_is_asked_for_steady_latency_in_the_arithmetic_of_the_file(
    tested: Bundle, core: Any, tmp_path: Path, device: str, precision: str, arithmetic: str | None
) -> None:
    place = opened(tested, device, precision, cache=tmp_path).placement
    ((asked, settings),) = core.compiled
    assert asked == device.upper()
    assert settings["PERFORMANCE_HINT"] == "LATENCY"
    assert settings.get("INFERENCE_PRECISION_HINT") == arithmetic
    assert settings["CACHE_DIR"] == str(tmp_path)
    assert (place.device, place.share) == (device, 1.0)


def test_another_device_than_the_one_asked_for_is_told_or_refused(
    tested: Bundle, core: Any
) -> None:
    core.runs_on = lambda device: [device, "CPU"]
    place = opened(tested, "npu", strict=False).placement
    assert (place.device, place.share, place.rest) == ("npu,cpu", None, "CPU runs a part")
    with pytest.raises(BackendUnavailable, match="was asked for on npu and runs on NPU, CPU"):
        opened(tested, "npu")


def test_a_device_that_is_not_here_says_how_to_get_it(tested: Bundle, core: Any) -> None:
    core.devices = ("CPU",)
    with pytest.raises(BackendUnavailable, match="has no GPU here, but CPU: apt install"):
        opened(tested, "gpu")


def test_a_graph_that_a_device_refuses_is_no_fault_of_the_bundle(
    tested: Bundle, core: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any) -> None:
        raise RuntimeError("static shapes only")

    monkeypatch.setattr(core, "compile_model", refuse)
    with pytest.raises(BackendUnavailable, match=r"on NPU: static shapes only"):
        opened(tested, "npu")
