"""Runtimes that have more devices than this machine.

The fakes have the interface of the real modules and compute with the real ones on the CPU; what a
device would do otherwise (memory of its own, a part left to the CPU, wrong numbers) is said where
it is needed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import onnxruntime
import openvino
import pytest


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Nothing of these tests is kept in the user's cache."""
    monkeypatch.setenv("RAP_EDGE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "devices"


@dataclass
class Provider:
    """How the fake onnxruntime's device behaves."""

    name: str
    starts: bool = True
    refuses: str = ""
    on_cpu: int = 0  # of four nodes
    wrong_by: float = 0.0  # what is added to every output
    tells: bool = True  # which nodes it takes


@dataclass
class FakeOrt:
    """onnxruntime with another provider; ``opened`` is what sessions were opened with."""

    provider: Provider
    opened: list[dict[str, Any]] = field(default_factory=list)

    def module(self) -> SimpleNamespace:
        outer = self

        class Options(onnxruntime.SessionOptions):  # type: ignore[misc]
            def __init__(self) -> None:
                super().__init__()
                self.entries: dict[str, str] = {}

            def add_session_config_entry(self, key: str, value: str) -> None:
                self.entries[key] = value
                super().add_session_config_entry(key, value)

        class Session(FakeSession):
            def __init__(
                self,
                path_or_bytes: bytes,
                sess_options: Options,
                providers: Sequence[str],
                provider_options: Sequence[dict[str, str]],
                enable_fallback: int,
            ) -> None:
                super().__init__(outer.provider, path_or_bytes, providers)
                outer.opened.append(
                    {
                        "chain": dict(zip(providers, provider_options, strict=True)),
                        "entries": sess_options.entries,
                    }
                )

        if not outer.provider.tells:
            del FakeSession.get_provider_graph_assignment_info
        return SimpleNamespace(
            __version__="9.9.9",
            InferenceSession=Session,
            SessionOptions=Options,
            ExecutionMode=onnxruntime.ExecutionMode,
            GraphOptimizationLevel=onnxruntime.GraphOptimizationLevel,
            get_available_providers=lambda: [
                outer.provider.name, "CUDAExecutionProvider", "CPUExecutionProvider"
            ],
        )  # fmt: skip


class FakeSession:
    """onnxruntime.InferenceSession on a device with memory of its own."""

    def __init__(self, provider: Provider, model: bytes, providers: Sequence[str]) -> None:
        self._provider, self._elsewhere = provider, provider.name in providers
        if provider.refuses and self._elsewhere:
            raise RuntimeError(provider.refuses)
        self._providers = [p for p in providers if provider.starts or p != provider.name]
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self._real = onnxruntime.InferenceSession(model, options, ["CPUExecutionProvider"])

    def get_inputs(self) -> Any:
        return self._real.get_inputs()

    def get_outputs(self) -> Any:
        return self._real.get_outputs()

    def get_providers(self) -> list[str]:
        return self._providers

    def get_provider_graph_assignment_info(self) -> list[Any]:
        def part(name: str, count: int) -> SimpleNamespace:
            return SimpleNamespace(ep_name=name, get_nodes=lambda: [object()] * count)

        there = part(self._provider.name, 4 - self._provider.on_cpu)
        rest = part("CPUExecutionProvider", self._provider.on_cpu)
        return [there, rest] if self._provider.on_cpu else [there]

    def run(self, names: Sequence[str], inputs: Mapping[str, Any]) -> list[Any]:
        by = self._provider.wrong_by if self._elsewhere else 0.0
        return [value + value.dtype.type(by) for value in self._real.run(list(names), inputs)]

    def io_binding(self) -> FakeBinding:
        return FakeBinding()

    def run_with_iobinding(self, binding: FakeBinding) -> None:
        values = self.run(list(binding.outputs), binding.inputs)
        for view, value in zip(binding.outputs.values(), values, strict=True):
            view[...] = value


class FakeBinding:
    """onnxruntime.IOBinding: an input is copied to the device when it is bound."""

    def __init__(self) -> None:
        self.inputs: dict[str, Any] = {}
        self.outputs: dict[str, Any] = {}

    def bind_input(
        self, name: str, device: str, index: int, dtype: Any, shape: Any, address: int
    ) -> None:
        assert (device, index) == ("cpu", 0)
        self.inputs[name] = _view(dtype, shape, address).copy()

    def bind_output(
        self, name: str, device: str, index: int, dtype: Any, shape: Any, address: int
    ) -> None:
        assert (device, index) == ("cpu", 0)
        self.outputs[name] = _view(dtype, shape, address)


def _view(dtype: Any, shape: Sequence[int], address: int) -> Any:
    interface = {
        "version": 3,
        "shape": tuple(shape),
        "typestr": np.dtype(dtype).str,
        "data": (address, False),
    }
    return np.asarray(SimpleNamespace(__array_interface__=interface))


@pytest.fixture
def with_provider(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Provider], FakeOrt]]:
    """Put an onnxruntime with a provider in the place of the real one."""
    tells = FakeSession.get_provider_graph_assignment_info

    def install(provider: Provider) -> FakeOrt:
        fake = FakeOrt(provider)
        module = fake.module()
        monkeypatch.setattr("rap_edge.runtime.backends.ort.ort", module)
        monkeypatch.setattr("onnxruntime.get_available_providers", module.get_available_providers)
        return fake

    yield install
    FakeSession.get_provider_graph_assignment_info = tells  # type: ignore[method-assign]


@dataclass
class FakeCore:
    """openvino.Core with a GPU and an NPU; ``compiled`` is what it was asked for."""

    devices: tuple[str, ...] = ("CPU", "GPU.0", "GPU.1", "NPU")
    runs_on: Callable[[str], list[str]] = lambda device: [device]
    compiled: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    @property
    def available_devices(self) -> list[str]:
        return list(self.devices)

    def read_model(self, *contents: bytes) -> Any:
        return openvino.Core().read_model(*contents)

    def get_property(self, device: str, name: str) -> str:
        if name != "FULL_DEVICE_NAME":
            raise RuntimeError(f"{name} is not supported")
        return f"Fake {device}"

    def compile_model(self, model: Any, device: str, settings: dict[str, Any]) -> Any:
        self.compiled.append((device, settings))
        return _Compiled(openvino.Core().compile_model(model, "CPU"), self.runs_on(device))


class _Compiled:
    def __init__(self, real: Any, devices: list[str]) -> None:
        self._real, self._devices = real, devices

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    def get_property(self, name: str) -> Any:
        return self._devices if name == "EXECUTION_DEVICES" else self._real.get_property(name)


@pytest.fixture
def core(monkeypatch: pytest.MonkeyPatch) -> FakeCore:
    """Put an OpenVINO with a GPU and an NPU in the place of the real one."""
    fake = FakeCore()
    monkeypatch.setattr("rap_edge.runtime.backends.openvino.core", lambda: fake)
    return fake


@pytest.fixture
def provider() -> type[Provider]:
    return Provider
