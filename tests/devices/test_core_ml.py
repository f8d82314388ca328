"""Core ML, on a fake of coremltools' interface: it runs on macOS only."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator
from enum import Enum
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

from rap_edge.errors import BackendUnavailable, InvalidBundle
from rap_edge.manifest import GraphSpec, TensorSpec
from rap_edge.runtime.backends import Graph, open_graph

SPEC = GraphSpec(
    (TensorSpec("picture", (1, 2, 2, 3), "uint8"), TensorSpec("by", (1,), "float32")),
    (TensorSpec("darker", (1, 2, 2, 3), "uint8"), TensorSpec("mean", (1,), "float32")),
)
FILES = {
    "coreml-fp16/a.mlpackage/Manifest.json": b"{}",
    "coreml-fp16/a.mlpackage/Data/com.apple.CoreML/model.mlmodel": b"model",
}


class ComputeUnit(Enum):
    ALL, CPU_AND_GPU, CPU_ONLY, CPU_AND_NE = range(4)


class MLModel:
    """coremltools.models.MLModel of a graph that subtracts, in float32 as Core ML does."""

    opened: list[tuple[dict[str, bytes], ComputeUnit]]
    refuses = False

    def __init__(self, model: str, compute_units: ComputeUnit = ComputeUnit.ALL) -> None:
        if self.refuses:
            raise RuntimeError("Error compiling model")
        root = Path(model)
        files = {str(p.relative_to(root)): p.read_bytes() for p in root.rglob("*") if p.is_file()}
        self.opened.append((files, compute_units))

    def get_compiled_model_path(self) -> str:
        return "a.mlmodelc"

    def predict(self, data: dict[str, Any]) -> dict[str, Any]:
        assert {value.dtype.name for value in data.values()} == {"float32"}
        darker = data["picture"] - data["by"]
        return {"darker": darker.reshape(2, 2, 3), "mean": darker.mean(keepdims=True)}


class MLCPUComputeDevice: ...


class MLNeuralEngineComputeDevice: ...


class MLComputePlan:
    """coremltools.models.compute_plan.MLComputePlan: two operations there, one on the CPU."""

    devices: tuple[type, ...] = (MLNeuralEngineComputeDevice,) * 2 + (MLCPUComputeDevice,)

    @classmethod
    def load_from_path(cls, path: str, compute_units: ComputeUnit) -> MLComputePlan:
        assert path == "a.mlmodelc"
        return cls()

    @property
    def model_structure(self) -> SimpleNamespace:
        block = SimpleNamespace(operations=[None, *self.devices])
        functions = {"main": SimpleNamespace(block=block)}
        return SimpleNamespace(program=SimpleNamespace(functions=functions))

    def get_compute_device_usage_for_mlprogram_operation(self, operation: Any) -> Any:
        """``operation`` is here the device's class; a constant has none."""
        return operation and SimpleNamespace(preferred_compute_device=operation())


@pytest.fixture
def coreml(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Graph]]:
    """Open a graph on a Mac's Core ML."""
    module = ModuleType("coremltools")
    plan = SimpleNamespace(MLComputePlan=MLComputePlan)
    fakes = {
        "__version__": "9.0",
        "ComputeUnit": ComputeUnit,
        "models": SimpleNamespace(MLModel=MLModel, compute_plan=plan),
    }
    for name, value in fakes.items():
        setattr(module, name, value)
    monkeypatch.setattr(MLModel, "opened", [], raising=False)
    monkeypatch.setitem(sys.modules, "coremltools", module)
    monkeypatch.delitem(sys.modules, "rap_edge.runtime.backends.coreml", raising=False)
    importlib.import_module("rap_edge.runtime.backends.coreml")
    monkeypatch.setattr("rap_edge.runtime.backends.sys", SimpleNamespace(platform="darwin"))
    monkeypatch.setattr("rap_edge.runtime.backends.is_installed", lambda name: True)

    def opened(device: str | None = None, strict: bool = False, files: Any = FILES) -> Graph:
        return open_graph("coreml", "a", files, SPEC, "fp16", 1, device, None, strict)

    yield opened
    sys.modules.pop("rap_edge.runtime.backends.coreml", None)


def test_a_package_is_opened_as_it_was_verified(coreml: Callable[..., Graph]) -> None:
    coreml("ane")
    ((files, units),) = MLModel.opened
    assert files == {path.split(".mlpackage/")[1]: content for path, content in FILES.items()}
    assert units is ComputeUnit.CPU_AND_NE
    with pytest.raises(InvalidBundle, match=r"expected one \.mlpackage"):
        coreml(files={"a.onnx": b""})


def test_bytes_are_levels_for_core_ml(coreml: Callable[..., Graph]) -> None:
    """It takes and gives float32 alone; levels are rounded and never wrap."""
    graph = coreml()
    picture = np.full((1, 2, 2, 3), 3, np.uint8)
    outputs = graph.run({"picture": picture, "by": np.float32([0.6])})
    assert outputs["darker"].dtype == np.uint8
    assert (outputs["darker"] == 2).all()
    assert outputs["mean"].shape == (1,)
    assert (graph.run({"picture": picture, "by": np.float32([9])})["darker"] == 0).all()


def test_a_binding_gives_into_the_callers_arrays(coreml: Callable[..., Graph]) -> None:
    binding = coreml().bind()
    binding.inputs["picture"][:] = 100
    frames = np.zeros((1, 2, 2, 3), np.uint8)
    binding.run({"darker": frames}, {"by": np.float32([1])})
    assert (frames == 99).all()
    assert not binding.outputs["darker"].any()


def test_where_operations_run_is_told(coreml: Callable[..., Graph]) -> None:
    assert coreml().placement.device == "ane,cpu"
    place = coreml("ane").placement
    assert (place.device, place.share) == ("ane", pytest.approx(2 / 3))
    assert place.rest == "1 of 3 operations on cpu"
    with pytest.raises(BackendUnavailable, match="1 of 3 operations on cpu"):
        coreml("ane", strict=True)


def test_a_system_without_compute_plans_is_unknown_not_wrong(
    coreml: Callable[..., Graph], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(MLComputePlan, "load_from_path")
    place = coreml("ane", strict=True).placement
    assert (place.device, place.share, place.rest) == ("ane", None, "")


def test_a_package_that_core_ml_refuses_is_unavailable(
    coreml: Callable[..., Graph], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(MLModel, "refuses", True)
    with pytest.raises(BackendUnavailable, match=r"coremltools 9\.0\): Error compiling model"):
        coreml()
