"""Backends that compute a graph: one protocol, one file each."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from rap_edge.errors import BackendUnavailable
from rap_edge.manifest import GraphSpec

Array = NDArray[Any]
Tensors = Mapping[str, Array]

BACKENDS = {"onnxruntime": "pip install rap-edge[ort]"}
"""Backends of this version, best first, and how to get each."""


@dataclass(frozen=True)
class Placement:
    """Where a graph really runs."""

    backend: str
    version: str
    device: str
    precision: str
    threads: int


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


def is_installed(backend: str) -> bool:
    """Say whether the Python package of a backend is there, without importing it."""
    return importlib.util.find_spec(backend) is not None


def open_graph(
    backend: str, name: str, model: bytes, spec: GraphSpec, precision: str, threads: int
) -> Graph:
    """Prepare a graph on one backend.

    Raises BackendUnavailable if the backend is not installed or does not start, InvalidBundle if
    the graph is damaged or its tensors are not those of ``spec``.
    """
    if backend not in BACKENDS or not is_installed(backend):
        raise BackendUnavailable(
            f"backend {backend!r} is not installed: {BACKENDS.get(backend, 'update rap-edge')}"
        )
    from rap_edge.runtime.backends.ort import OrtGraph

    return OrtGraph(name, model, spec, precision, threads)


def zeros(spec: GraphSpec) -> dict[str, Array]:
    """Return inputs of zeros that fit a graph."""
    return {tensor.name: np.zeros(tensor.shape, tensor.dtype) for tensor in spec.inputs}
