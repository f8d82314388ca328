"""onnxruntime's other providers, on a fake of its interface: none of them runs here."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rap_edge.bundle import Bundle
from rap_edge.errors import BackendUnavailable
from rap_edge.runtime.backends import Graph, open_graph

PROVIDERS = {
    "cuda": "CUDAExecutionProvider",
    "tensorrt": "TensorrtExecutionProvider",
    "coreml": "CoreMLExecutionProvider",
    "openvino": "OpenVINOExecutionProvider",
}
Install = Callable[..., Any]


def opened(
    bundle: Bundle,
    device: str,
    precision: str = "fp32",
    strict: bool = True,
    cache: Path | None = None,
    graph: str = "decoder",
) -> Graph:
    files = bundle.read_graph(bundle.variants[0], graph)
    spec = bundle.manifest.graphs[graph]
    return open_graph("onnxruntime", graph, files, spec, precision, 2, device, cache, strict)


@pytest.mark.parametrize("device", PROVIDERS)
def test_the_provider_is_asked_first_and_the_cpu_takes_the_rest(
    tested: Bundle, with_provider: Install, provider: Any, device: str, tmp_path: Path
) -> None:
    fake = with_provider(provider(PROVIDERS[device]))
    graph = opened(tested, device, cache=tmp_path)
    (call,) = fake.opened
    expected = [PROVIDERS[device], "CPUExecutionProvider"]
    if device == "tensorrt":  # CUDA takes what TensorRT does not
        expected.insert(1, "CUDAExecutionProvider")
    assert list(call["chain"]) == expected
    assert all(isinstance(v, str) for given in call["chain"].values() for v in given.values())
    assert call["entries"]["session.record_ep_graph_assignment_info"] == "1"
    assert call["entries"]["session.intra_op.allow_spinning"] == "0"
    place = graph.placement
    assert (place.device, place.version, place.share, place.rest) == (device, "9.9.9", 1.0, "")
    assert not place.verified


@pytest.mark.parametrize(("precision", "fp16", "int8"), [
    ("fp32", "0", "0"), ("fp16", "1", "0"), ("int8", "0", "1"),
])  # fmt: skip
def test_tensorrt_keeps_engines_and_computes_as_the_file_does(
    tested: Bundle, with_provider: Install, provider: Any, tmp_path: Path,
    precision: str, fp16: str, int8: str,
) -> None:  # fmt: skip
    fake = with_provider(provider(PROVIDERS["tensorrt"]))
    opened(tested, "tensorrt.1", precision, cache=tmp_path)
    options = fake.opened[0]["chain"][PROVIDERS["tensorrt"]]
    assert (options["trt_fp16_enable"], options["trt_int8_enable"]) == (fp16, int8)
    assert options["trt_engine_cache_path"] == options["trt_timing_cache_path"] == str(tmp_path)
    assert options["device_id"] == fake.opened[0]["chain"]["CUDAExecutionProvider"]["device_id"]
    assert options["device_id"] == "1"


def test_a_provider_that_is_missing_says_how_to_get_it(tested: Bundle) -> None:
    with pytest.raises(BackendUnavailable, match="pip install onnxruntime-gpu"):
        opened(tested, "cuda")


def test_a_provider_that_does_not_start_is_refused(
    tested: Bundle, with_provider: Install, provider: Any
) -> None:
    """onnxruntime only logs it, and goes on with the CPU."""
    with_provider(provider(PROVIDERS["cuda"], starts=False))
    for strict in (True, False):
        with pytest.raises(BackendUnavailable, match="does not start here"):
            opened(tested, "cuda", strict=strict)


def test_a_graph_that_a_device_refuses_is_no_fault_of_the_bundle(
    tested: Bundle, with_provider: Install, provider: Any
) -> None:
    with_provider(provider(PROVIDERS["tensorrt"], refuses="no engine " + "x" * 5000))
    with pytest.raises(BackendUnavailable, match="on tensorrt: no engine") as failure:
        opened(tested, "tensorrt")
    assert len(str(failure.value)) < 600


def test_a_part_that_stays_on_the_cpu_is_told_or_refused(
    tested: Bundle, with_provider: Install, provider: Any
) -> None:
    with_provider(provider(PROVIDERS["coreml"], on_cpu=1))
    place = opened(tested, "coreml", strict=False).placement
    assert place.share == 0.75
    assert place.rest == "1 of 4 nodes on CPUExecutionProvider"
    with pytest.raises(BackendUnavailable, match="in part only: 1 of 4 nodes on CPUExecution"):
        opened(tested, "coreml")


def test_an_older_onnxruntime_is_asked_for_no_fallback(
    tested: Bundle, with_provider: Install, provider: Any
) -> None:
    fake = with_provider(provider(PROVIDERS["cuda"], tells=False))
    assert opened(tested, "cuda").placement.share is None
    assert opened(tested, "cuda", strict=False).placement.share is None
    strict, loose = (call["entries"] for call in fake.opened)
    assert strict["session.disable_cpu_ep_fallback"] == "1"
    assert "session.disable_cpu_ep_fallback" not in loose


def test_a_binding_brings_what_was_written_to_the_device(
    tested: Bundle, with_provider: Install, provider: Any
) -> None:
    """A device has a copy of each input: it has to be a new one for every run."""
    with_provider(provider(PROVIDERS["cuda"]))
    graph = opened(tested, "cuda")
    binding = graph.bind()
    for count in (0.0, 5.0, 9.0):
        binding.inputs["state.count"][:] = count
        binding.run()
        assert binding.outputs["next_state.count"].item() == count + 1
        assert np.array_equal(binding.outputs["frames"], graph.run(binding.inputs)["frames"])
