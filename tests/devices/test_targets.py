"""What a caller may ask for, and what it is told of what there is not."""

from __future__ import annotations

import pytest

from rap_edge.errors import BackendUnavailable, NotSupported
from rap_edge.manifest import Variant
from rap_edge.runtime.backends import require_backend
from rap_edge.runtime.backends.target import Target, every_target, first_device
from rap_edge.runtime.choice import candidates


@pytest.mark.parametrize(
    ("text", "backend", "device"),
    [
        ("auto", "auto", None),
        ("onnxruntime", "onnxruntime", None),
        ("OpenVINO:GPU.1", "openvino", "gpu.1"),
        ("onnxruntime:cuda", "onnxruntime", "cuda"),
        ("coreml:ane", "coreml", "ane"),
        ("elsewhere", "elsewhere", None),
    ],
)
def test_a_backend_may_name_a_device(text: str, backend: str, device: str | None) -> None:
    assert Target.parse(text) == Target(backend, device)


def test_every_target_is_read() -> None:
    for text in every_target():
        target = Target.parse(text)
        assert f"{target.backend}:{target.device}" == text
        assert first_device(target.backend) in ("cpu", "all")


@pytest.mark.parametrize(
    ("text", "offered"),
    [
        ("onnxruntime:gpu", "onnxruntime:cuda, onnxruntime:tensorrt"),
        ("openvino:", "openvino:cpu, openvino:gpu, openvino:npu"),
        ("openvino:cpu.1", "openvino:npu"),
        ("openvino:gpu.", "openvino:gpu"),
        ("cuda:0", "onnxruntime:cuda"),
        ("auto:gpu", "coreml:ane"),
    ],
)
def test_a_device_that_is_not_there_is_refused_with_those_that_are(text: str, offered: str) -> None:
    with pytest.raises(NotSupported, match=offered):
        Target.parse(text)


VARIANTS = tuple(
    Variant(backend, precision, {})
    for backend, precision in [("onnxruntime", "fp32"), ("openvino", "fp32")]
)


@pytest.mark.parametrize(
    ("text", "strict", "labels"),
    [
        ("auto", True, ["onnxruntime/fp32", "openvino/fp32"]),
        ("openvino:gpu", True, ["openvino:gpu/fp32"]),
        ("openvino:gpu", False, ["openvino:gpu/fp32", "openvino/fp32", "onnxruntime/fp32"]),
        ("openvino:cpu", True, ["openvino/fp32"]),
    ],
)
def test_a_device_that_was_named_comes_first(text: str, strict: bool, labels: list[str]) -> None:
    found = candidates(VARIANTS, Target.parse(text), None, strict)
    assert [candidate.label for candidate in found] == labels


def test_core_ml_is_for_macs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    with pytest.raises(BackendUnavailable, match="macOS only"):
        require_backend("coreml")
    monkeypatch.setattr("sys.platform", "darwin")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(BackendUnavailable, match=r"pip install 'rap-edge\[coreml\]'"):
        require_backend("coreml")
