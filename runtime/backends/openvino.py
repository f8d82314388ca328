"""Graphs on OpenVINO: CPU, GPU or NPU, from ONNX or IR."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from contextlib import suppress
from functools import cache as once
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
import openvino as ov

from rap_edge.errors import BackendUnavailable, InvalidBundle
from rap_edge.manifest import GraphSpec, TensorSpec
from rap_edge.runtime.backends import Array, Placement, Tensors
from rap_edge.runtime.backends.buffers import Buffers
from rap_edge.runtime.backends.contract import Found, check_tensors, short

CPU = "CPU"
INSTALL = {
    CPU: "install openvino anew",
    "GPU": "apt install intel-opencl-icd, and add yourself to the group render",
    "NPU": "install the release of https://github.com/intel/linux-npu-driver for your system",
}
"""How to get a device that OpenVINO does not see."""

VERSION = ov.__version__.split("-")[0]


class OpenVinoGraph:
    """One compiled model; ``run`` may be called from several threads, which take turns.

    The device has one stream: a second request would only wait inside of OpenVINO. Reading a graph
    drops the inputs that it does not use.
    """

    def __init__(
        self,
        name: str,
        files: Mapping[str, bytes],
        spec: GraphSpec,
        precision: str,
        threads: int,
        device: str = "cpu",
        cache: Path | None = None,
        strict: bool = False,
    ) -> None:
        """``strict``: raise BackendUnavailable if another device than the one asked for runs it."""
        self.name = name
        self.spec = spec
        compiled = compile_graph(name, files, threads, device, precision, cache)
        used = [str(one) for one in compiled.get_property("EXECUTION_DEVICES")]
        others = [one for one in used if one.split(".")[0] != device.upper().split(".")[0]]
        if strict and others:
            raise BackendUnavailable(
                f"graph {name} was asked for on {device} and runs on {', '.join(used)}: take "
                "another variant or device, or strict=False"
            )
        self.placement = Placement(
            "openvino", VERSION, ",".join(used).lower(), precision, threads,
            None if others else 1.0, f"{', '.join(others)} runs a part" if others else "",
        )  # fmt: skip
        inputs = _found(compiled.inputs, spec.inputs)
        self._inputs = [tensor for tensor in spec.inputs if tensor.name in inputs]
        check_tensors(name, "input", inputs, self._inputs)
        check_tensors(name, "output", _found(compiled.outputs, spec.outputs), spec.outputs)
        self._compiled = compiled
        self._request = compiled.create_infer_request()
        self._lock = Lock()

    def run(self, inputs: Tensors) -> dict[str, Array]:
        """Compute every output; the arrays are new and belong to the caller."""
        given = {t.name: np.ascontiguousarray(inputs[t.name]) for t in self._inputs}
        with self._lock:
            self._request.infer(given, share_inputs=True)
            return {t.name: self._request.get_tensor(t.name).data.copy() for t in self.spec.outputs}

    def bind(self, shared: Tensors | None = None) -> Buffers:
        """Return buffers of one caller, with an infer request of its own; see `Graph.bind`."""
        request = self._compiled.create_infer_request()
        dropped = {t.name for t in self.spec.inputs} - {t.name for t in self._inputs}

        def point(name: str, array: Array) -> None:
            if name not in dropped:
                request.set_tensor(name, ov.Tensor(_writable(array), shared_memory=True))

        def compute() -> None:
            request.start_async()
            request.wait()

        return Buffers(self.name, self.spec, point, compute, shared)


class _Writable:
    """The memory of a read-only array, as numpy's interface describes it."""

    def __init__(self, array: Array) -> None:
        address, _ = array.__array_interface__["data"]
        self.__array_interface__ = {**array.__array_interface__, "data": (address, False)}
        self._owner = array  # keeps the memory


def _writable(array: Array) -> Array:
    """Return the same memory as OpenVINO takes it: it shares only what is writable.

    It never writes into an input.
    """
    return array if array.flags.writeable else np.asarray(_Writable(array))


def compile_graph(
    name: str,
    files: Mapping[str, bytes],
    threads: int,
    device: str = "cpu",
    precision: str = "fp32",
    cache: Path | None = None,
) -> ov.CompiledModel:
    """Read a graph, an ``.onnx`` or an ``.xml`` with its ``.bin``, and prepare it for the device.

    Raises BackendUnavailable without the device, or if one other than the CPU refuses the graph;
    InvalidBundle if OpenVINO cannot read it, or refuses it on the CPU.
    """
    wanted = device.upper()
    here = core().available_devices
    if wanted not in here and not any(one.startswith(f"{wanted}.") for one in here):
        raise BackendUnavailable(
            f"openvino {VERSION} has no {wanted} here, but {', '.join(here) or 'nothing'}: "
            f"{INSTALL.get(wanted.split('.')[0], INSTALL[CPU])}"
        )
    try:
        model = read_graph(files)
        if wanted == CPU:
            return core().compile_model(model, CPU, settings(threads) | _kept_in(cache))
    except Exception as error:  # openvino raises RuntimeError and its subclasses
        raise InvalidBundle(
            f"graph {name} is refused by openvino {VERSION}: {short(error)}"
        ) from error
    try:
        return core().compile_model(model, wanted, device_settings(wanted, precision, cache))
    except Exception as error:
        raise BackendUnavailable(
            f"graph {name} is refused by openvino {VERSION} on {wanted}: {short(error)}"
        ) from error


def read_graph(files: Mapping[str, bytes]) -> ov.Model:
    """Read the first file, with the weights of the second if there is one."""
    model, *weights = files.values()
    return core().read_model(model, *weights) if weights else core().read_model(model, b"")


def settings(threads: int) -> dict[str, Any]:
    """Return settings for steady latency, in the arithmetic of the file.

    Without the precision, OpenVINO computes fp32 graphs in bf16 or fp16 where the CPU has them.
    """
    return {
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_PRECISION_HINT": "f32",
        "INFERENCE_NUM_THREADS": threads,
        "NUM_STREAMS": "1",
    }


def device_settings(device: str, precision: str, cache: Path | None) -> dict[str, Any]:
    """Return settings for a GPU or NPU: fp32 where the file is, if the device has it."""
    chosen: dict[str, Any] = {"PERFORMANCE_HINT": "LATENCY"}
    if device.startswith("GPU"):
        chosen["INFERENCE_PRECISION_HINT"] = "f32" if precision == "fp32" else "f16"
    return chosen | _kept_in(cache)


def _kept_in(cache: Path | None) -> dict[str, str]:
    return {} if cache is None else {"CACHE_DIR": str(cache)}


@once
def core() -> ov.Core:
    return ov.Core()


def described(device: str) -> str:
    """Return name and driver of a device, empty where OpenVINO does not tell."""
    name = device.upper()
    facts = ["FULL_DEVICE_NAME", "DEVICE_ARCHITECTURE", f"{name.split('.')[0]}_DRIVER_VERSION"]
    told = []
    for fact in facts:
        with suppress(Exception):  # a device does not know every property
            told.append(str(core().get_property(name, fact)))
    return ", ".join(told)


def _found(ports: Sequence[Any], expected: Sequence[TensorSpec]) -> Found:
    names = {tensor.name for tensor in expected}
    return {_name(port, names): (_shape(port), port.element_type.to_dtype().name) for port in ports}


def _name(port: Any, expected: Set[str]) -> str:
    """Return the expected one of a tensor's names: merging nodes leaves it with several."""
    return min(port.names & expected or port.names, default="")


def _shape(port: Any) -> tuple[int, ...] | str:
    shape = port.partial_shape
    return tuple(shape.to_shape()) if shape.is_static else str(shape)
