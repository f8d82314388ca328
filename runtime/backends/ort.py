"""Graphs on onnxruntime: its CPU provider, or a device's with the CPU for the rest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import onnxruntime as ort

from rap_edge.errors import BackendUnavailable, InvalidBundle
from rap_edge.manifest import GraphSpec
from rap_edge.runtime.backends import Array, Placement, Tensors
from rap_edge.runtime.backends.buffers import Buffers
from rap_edge.runtime.backends.contract import Found, check_tensors, short
from rap_edge.runtime.backends.providers import INSTALL, Session

_DTYPES = {
    "tensor(float)": "float32",
    "tensor(float16)": "float16",
    "tensor(uint8)": "uint8",
    "tensor(int32)": "int32",
    "tensor(int64)": "int64",
}
_ERRORS_ONLY = 3
_RECORD = "session.record_ep_graph_assignment_info"  # since onnxruntime 1.24
_NO_FALLBACK = "session.disable_cpu_ep_fallback"


class OrtGraph:
    """One onnxruntime session; ``run`` may be called from several threads at once."""

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
        """``strict``: raise BackendUnavailable if nodes stay on the CPU that were asked off it."""
        self.name = name
        self.spec = spec
        wanted = Session(device, precision, threads, cache)
        options = session_options(threads)
        if wanted.family != "cpu":
            _watch(options, strict)
        self._session = open_session(name, _single(name, files), options, wanted)
        check_tensors(name, "input", _found(self._session.get_inputs()), spec.inputs)
        check_tensors(name, "output", _found(self._session.get_outputs()), spec.outputs)
        share, rest = _assigned(self._session, wanted)
        if strict and rest:
            raise BackendUnavailable(
                f"graph {name} runs on {device} in part only: {rest}; take another variant or "
                "device, or strict=False"
            )
        self.placement = Placement(
            "onnxruntime", ort.__version__, device, precision, threads, share, rest
        )
        self._outputs = [tensor.name for tensor in spec.outputs]

    def run(self, inputs: Tensors) -> dict[str, Array]:
        """Compute every output; the arrays are new and belong to the caller."""
        values = self._session.run(self._outputs, dict(inputs))
        return dict(zip(self._outputs, values, strict=True))

    def bind(self, shared: Tensors | None = None) -> Buffers:
        """Return buffers of one caller; see `Graph.bind`.

        A device with memory of its own takes a copy of an input when it is bound.
        """
        io = self._session.io_binding()
        read = {tensor.name for tensor in self.spec.inputs}

        def point(name: str, array: Array) -> None:
            bind = io.bind_input if name in read else io.bind_output
            bind(name, "cpu", 0, array.dtype, array.shape, array.__array_interface__["data"][0])

        compute = partial(self._session.run_with_iobinding, io)
        copies = self.placement.device != "cpu"
        return Buffers(self.name, self.spec, point, compute, shared, copies)


def session_options(threads: int) -> ort.SessionOptions:
    """Return options for steady latency beside other work: no spinning, a pool of the session's.

    onnxruntime's global pool spins, whatever a session says, and forbids every session of the
    process, also those of others, to have its own (docs/backends.md has the numbers). Denormals
    stay: flushing them to zero would change the arithmetic of the caller's own thread. Without a
    memory pattern a run takes up what others left: 30 MB less, and 1 % slower.
    """
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_ALL
    options.enable_mem_pattern = False
    options.log_severity_level = _ERRORS_ONLY
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.add_session_config_entry("session.inter_op.allow_spinning", "0")
    return options


def open_session(
    name: str,
    model: bytes,
    options: ort.SessionOptions,
    wanted: Session | None = None,
) -> ort.InferenceSession:
    """Start a session on the CPU, or where it is wanted.

    Raises BackendUnavailable if the provider is not there, does not start or, other than the CPU's,
    refuses the graph; InvalidBundle if onnxruntime refuses it on the CPU.
    """
    wanted = wanted or Session("cpu", "", 1)
    available = ort.get_available_providers()
    if wanted.provider not in available:
        raise BackendUnavailable(
            f"this onnxruntime {ort.__version__} has no {wanted.provider}: {INSTALL[wanted.family]}"
        )
    chain = wanted.chain(available)
    try:
        session = ort.InferenceSession(
            model,
            options,
            providers=[provider for provider, _ in chain],
            provider_options=[given for _, given in chain],
            enable_fallback=0,  # which would print
        )
    except Exception as error:  # onnxruntime has no common base for its errors
        raise _refused(name, wanted, error) from error
    if wanted.provider not in session.get_providers():  # onnxruntime only logs that
        raise BackendUnavailable(
            f"{wanted.provider} of onnxruntime {ort.__version__} does not start here: its driver "
            f"or libraries are missing or of another version; {INSTALL[wanted.family]}"
        )
    return session


def _refused(name: str, wanted: Session, error: Exception) -> Exception:
    text = f"is refused by onnxruntime {ort.__version__}"
    if wanted.family == "cpu":
        return InvalidBundle(f"graph {name} {text}: {short(error)}")
    return BackendUnavailable(f"graph {name} {text} on {wanted.device}: {short(error)}")


def _watch(options: ort.SessionOptions, strict: bool) -> None:
    """Ask which provider takes each node, or, where that cannot be asked, for no fallback."""
    if hasattr(ort.InferenceSession, "get_provider_graph_assignment_info"):
        options.add_session_config_entry(_RECORD, "1")
    elif strict:
        options.add_session_config_entry(_NO_FALLBACK, "1")


def _assigned(session: ort.InferenceSession, wanted: Session) -> tuple[float | None, str]:
    """Return the share of nodes on the device, None if unknown, and what is elsewhere."""
    if wanted.family == "cpu":
        return 1.0, ""
    try:
        parts = session.get_provider_graph_assignment_info()
    except Exception:  # before onnxruntime 1.24, or not recorded
        return None, ""
    counts: dict[str, int] = {}
    for part in parts:
        counts[part.ep_name] = counts.get(part.ep_name, 0) + len(part.get_nodes())
    total = sum(counts.values())
    if not total:
        return None, ""
    here = counts.pop(wanted.provider, 0)
    rest = ", ".join(f"{count} of {total} nodes on {name}" for name, count in counts.items())
    return here / total, rest


def _single(name: str, files: Mapping[str, bytes]) -> bytes:
    if len(files) != 1:
        raise InvalidBundle(
            f"graph {name} has the files {sorted(files)}: expected one .onnx for onnxruntime"
        )
    return next(iter(files.values()))


def _found(nodes: Sequence[Any]) -> Found:
    return {node.name: (tuple(node.shape), _DTYPES.get(node.type, node.type)) for node in nodes}
