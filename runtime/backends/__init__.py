"""Backends that compute a graph: one protocol, one file each."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from rap_edge.errors import BackendUnavailable
from rap_edge.manifest import GraphSpec
from rap_edge.runtime.backends.buffers import Array, Tensors
from rap_edge.runtime.backends.target import first_device

__all__ = [
    "BACKENDS",
    "COREML",
    "COREML_INSTALL",
    "Array",
    "Binding",
    "Graph",
    "Placement",
    "Tensors",
    "is_installed",
    "is_usable",
    "open_graph",
    "require_backend",
    "zeros",
]

BACKENDS = {
    "onnxruntime": "pip install 'rap-edge[ort]'",
    "openvino": "pip install 'rap-edge[openvino]'",
}
"""Backends that read ONNX and run on any system, best first, and how to get each."""

COREML = "coreml"
COREML_INSTALL = "pip install 'rap-edge[coreml]'"
PACKAGES = {COREML: "coremltools"}
"""Python packages of backends that are not called as their package is."""


@dataclass(frozen=True)
class Placement:
    """Where a graph really runs."""

    backend: str
    version: str
    device: str
    precision: str
    threads: int
    share: float | None = 1.0  # of the nodes that are on the device; None if it does not tell
    rest: str = ""  # what is elsewhere, in words; empty if nothing is known to be
    verified: bool = False  # it answered the bundle's golden vectors as it should
    note: str = ""  # why it is not verified


class Binding(Protocol):
    """Inputs and outputs of one caller: nothing is copied or allocated from run to run.

    Write into ``inputs``, run, read ``outputs``; the arrays stay where they are for good. A binding
    belongs to one thread at a time; bindings of one graph run beside each other.
    """

    @property
    def inputs(self) -> Tensors: ...

    @property
    def outputs(self) -> Tensors: ...

    def run(self, outputs: Tensors | None = None, inputs: Tensors | None = None) -> None:
        """Compute every output.

        ``outputs`` and ``inputs`` are arrays to use for this run in place of the binding's own, by
        name: a frame of the caller's ring, or the state, which two arrays take turns to hold.

        Raises ConfigError for an array that does not fit its tensor, is not contiguous, or shares
        memory with another one that is written; ConcurrencyError if another thread is inside.
        """


class Graph(Protocol):
    """A graph that is ready to run, safe to share between threads."""

    @property
    def name(self) -> str: ...

    @property
    def spec(self) -> GraphSpec: ...

    @property
    def placement(self) -> Placement: ...

    def run(self, inputs: Tensors) -> dict[str, Array]:
        """Compute every output; names, shapes and dtypes are those of ``spec``."""

    def bind(self, shared: Tensors | None = None) -> Binding:
        """Return buffers of one caller, to run the graph in place again and again.

        ``shared`` are arrays to read from where they lie, for instance the output of another
        binding or what many streams have in common: they may be read-only, and have to be
        contiguous. Every other input gets a private array of zeros.
        """


def is_installed(backend: str) -> bool:
    """Say whether the Python package of a backend is there, without importing it."""
    return importlib.util.find_spec(PACKAGES.get(backend, backend)) is not None


def is_usable(backend: str) -> bool:
    """Say whether this version has the backend, and this machine its package and system."""
    known = backend in BACKENDS or (backend == COREML and sys.platform == "darwin")
    return known and is_installed(backend)


def open_graph(
    backend: str,
    name: str,
    files: Mapping[str, bytes],
    spec: GraphSpec,
    precision: str,
    threads: int,
    device: str | None = None,
    cache: Path | None = None,
    strict: bool = False,
) -> Graph:
    """Prepare a graph on one backend.

    Args:
        backend: a name of `target.DEVICES`.
        name: of the graph, for messages.
        files: the verified contents by path, the main file first (Bundle.read_graph).
        spec: the contract, which the graph is compared with.
        precision: of the variant.
        threads: of the CPU, for one run.
        device: one of `target.DEVICES`; None is the backend's first.
        cache: folder in which a device keeps what it compiled, from one start to the next.
        strict: refuse a device that leaves a part of the graph to another one.

    Raises BackendUnavailable if the backend is not installed or its device does not start,
    InvalidBundle if the graph is damaged or its tensors are not those of ``spec``.
    """
    require_backend(backend)
    where = device or first_device(backend)
    if backend == "openvino":
        from rap_edge.runtime.backends.openvino import OpenVinoGraph

        return OpenVinoGraph(name, files, spec, precision, threads, where, cache, strict)
    if backend == COREML:
        from rap_edge.runtime.backends.coreml import CoreMlGraph

        return CoreMlGraph(name, files, spec, precision, threads, where, strict)
    from rap_edge.runtime.backends.ort import OrtGraph

    return OrtGraph(name, files, spec, precision, threads, where, cache, strict)


def require_backend(backend: str) -> None:
    """Raise BackendUnavailable unless this version has the backend and its package is there."""
    if backend == COREML and sys.platform != "darwin":
        raise BackendUnavailable(
            f"backend 'coreml' runs on macOS only: choose another, {', '.join(BACKENDS)}"
        )
    if not is_usable(backend):
        remedy = {**BACKENDS, COREML: COREML_INSTALL}.get(backend, "update rap-edge")
        raise BackendUnavailable(f"backend {backend!r} is not installed: {remedy}")


def zeros(spec: GraphSpec) -> dict[str, Array]:
    """Return inputs of zeros that fit a graph."""
    return {tensor.name: np.zeros(tensor.shape, tensor.dtype) for tensor in spec.inputs}
