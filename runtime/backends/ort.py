"""Graphs on onnxruntime's CPU provider."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import onnxruntime as ort

from rap_edge.errors import BackendUnavailable, InvalidBundle
from rap_edge.manifest import GraphSpec
from rap_edge.runtime.backends import Array, Placement, Tensors
from rap_edge.runtime.backends.buffers import Buffers
from rap_edge.runtime.backends.contract import Found, check_tensors

_DTYPES = {
    "tensor(float)": "float32",
    "tensor(float16)": "float16",
    "tensor(uint8)": "uint8",
    "tensor(int32)": "int32",
    "tensor(int64)": "int64",
}
_ERRORS_ONLY = 3


class OrtGraph:
    """One onnxruntime session; ``run`` may be called from several threads at once."""

    def __init__(
        self,
        name: str,
        files: Mapping[str, bytes],
        spec: GraphSpec,
        precision: str,
        threads: int,
    ) -> None:
        self.name = name
        self.spec = spec
        self.placement = Placement("onnxruntime", ort.__version__, "cpu", precision, threads)
        self._session = open_session(name, _single(name, files), session_options(threads))
        check_tensors(name, "input", _found(self._session.get_inputs()), spec.inputs)
        check_tensors(name, "output", _found(self._session.get_outputs()), spec.outputs)
        self._outputs = [tensor.name for tensor in spec.outputs]

    def run(self, inputs: Tensors) -> dict[str, Array]:
        """Compute every output; the arrays are new and belong to the caller."""
        values = self._session.run(self._outputs, dict(inputs))
        return dict(zip(self._outputs, values, strict=True))

    def bind(self, shared: Tensors | None = None) -> Buffers:
        """Return buffers of one caller; see `Graph.bind`."""
        io = self._session.io_binding()
        read = {tensor.name for tensor in self.spec.inputs}

        def point(name: str, array: Array) -> None:
            bind = io.bind_input if name in read else io.bind_output
            bind(name, "cpu", 0, array.dtype, array.shape, array.__array_interface__["data"][0])

        compute = partial(self._session.run_with_iobinding, io)
        return Buffers(self.name, self.spec, point, compute, shared)


def session_options(threads: int) -> ort.SessionOptions:
    """Return options for steady latency beside other work: no spinning.

    Denormals stay: flushing them to zero would change the arithmetic of the caller's own thread.
    """
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_ALL
    options.log_severity_level = _ERRORS_ONLY
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.add_session_config_entry("session.inter_op.allow_spinning", "0")
    return options


def open_session(name: str, model: bytes, options: ort.SessionOptions) -> ort.InferenceSession:
    """Start a session on the CPU.

    Raises BackendUnavailable without a CPU provider, InvalidBundle if onnxruntime refuses the
    graph.
    """
    if "CPUExecutionProvider" not in ort.get_available_providers():
        raise BackendUnavailable("onnxruntime has no CPU provider here: install onnxruntime anew")
    try:
        return ort.InferenceSession(
            model,
            options,
            providers=["CPUExecutionProvider"],
            enable_fallback=0,  # which would print
        )
    except Exception as error:  # onnxruntime has no common base for its errors
        raise InvalidBundle(
            f"graph {name} is refused by onnxruntime {ort.__version__}: {error}"
        ) from error


def _single(name: str, files: Mapping[str, bytes]) -> bytes:
    if len(files) != 1:
        raise InvalidBundle(
            f"graph {name} has the files {sorted(files)}: expected one .onnx for onnxruntime"
        )
    return next(iter(files.values()))


def _found(nodes: Sequence[Any]) -> Found:
    return {node.name: (tuple(node.shape), _DTYPES.get(node.type, node.type)) for node in nodes}
