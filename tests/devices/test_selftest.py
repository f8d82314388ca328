"""A backend that answers wrongly is found when a bundle is opened, and never used."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import rap_edge
from rap_edge.bundle import Bundle
from rap_edge.errors import BackendUnavailable
from rap_edge.runtime.backends import Array, Tensors
from rap_edge.runtime.backends.ort import OrtGraph

Install = Callable[..., Any]
CUDA = "CUDAExecutionProvider"


@pytest.fixture
def wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    """onnxruntime gets the denoiser wrong by one."""
    right = OrtGraph.run

    def run(graph: OrtGraph, inputs: Tensors) -> dict[str, Array]:
        outputs = right(graph, inputs)
        if graph.name == "denoiser":
            outputs["clean"] += np.float32(1)
        return outputs

    monkeypatch.setattr(OrtGraph, "run", run)


def test_every_graph_that_was_tested_is_told(tested: Bundle) -> None:
    model = rap_edge.open(tested, "openvino", threads=1)
    assert model.verified == set(tested.manifest.graphs)
    for place in model.placement.values():
        assert (place.backend, place.verified, place.note) == ("openvino", True, "")


def test_without_golden_vectors_nothing_is_called_verified(synthetic_bundle: Path) -> None:
    for place in rap_edge.open(synthetic_bundle, threads=1).placement.values():
        assert not place.verified
        assert place.note == "not tested: the bundle has no golden vectors"


@pytest.mark.usefixtures("wrong")
def test_a_backend_that_answers_wrongly_gives_way_to_the_next(tested: Bundle) -> None:
    assert rap_edge.open(tested, threads=1).backend == "openvino"
    assert rap_edge.open(tested, "onnxruntime", strict=False, threads=1).backend == "openvino"


@pytest.mark.usefixtures("wrong")
def test_one_that_was_named_raises_with_the_numbers(tested: Bundle) -> None:
    message = r"graph denoiser computes wrongly on onnxruntime .*clean differs by 1: expected 0\.0"
    with pytest.raises(BackendUnavailable, match=message):
        rap_edge.open(tested, "onnxruntime", threads=1)


def test_a_device_that_fails_when_it_runs_is_refused(
    tested: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(graph: OrtGraph, inputs: Tensors) -> dict[str, Array]:
        raise RuntimeError("out of memory")

    monkeypatch.setattr(OrtGraph, "run", run)
    with pytest.raises(BackendUnavailable, match="it does not run: out of memory"):
        rap_edge.open(tested, "onnxruntime", threads=1)


def test_a_device_that_answers_wrongly_is_refused(
    tested: Bundle, with_provider: Install, provider: Any
) -> None:
    with_provider(provider(CUDA, wrong_by=0.5))
    with pytest.raises(BackendUnavailable, match=r"computes wrongly on onnxruntime 9\.9\.9"):
        rap_edge.open(tested, "onnxruntime:cuda", threads=1)
    model = rap_edge.open(tested, "onnxruntime:cuda", strict=False, threads=1)
    assert {(p.backend, p.device) for p in model.placement.values()} == {("onnxruntime", "cpu")}


def test_a_device_that_answers_rightly_is_used(
    tested: Bundle, with_provider: Install, provider: Any
) -> None:
    with_provider(provider(CUDA))
    model = rap_edge.open(tested, "onnxruntime:cuda", threads=1)
    assert {(p.device, p.share, p.verified) for p in model.placement.values()} == {
        ("cuda", 1.0, True)
    }


def test_a_part_elsewhere_is_never_silent(
    tested: Bundle, with_provider: Install, provider: Any
) -> None:
    with_provider(provider(CUDA, on_cpu=2))
    with pytest.raises(BackendUnavailable, match="2 of 4 nodes on CPUExecutionProvider"):
        rap_edge.open(tested, "onnxruntime:cuda", threads=1)
    model = rap_edge.open(tested, "onnxruntime:cuda", strict=False, threads=1)
    assert {(p.device, p.share) for p in model.placement.values()} == {("cuda", 0.5)}
