"""Arrays that a graph reads from and writes to in place, for one caller."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rap_edge.errors import ConcurrencyError, ConfigError
from rap_edge.manifest import GraphSpec, TensorSpec

Array = NDArray[Any]
Tensors = Mapping[str, Array]


class Buffers:
    """The arrays of one caller and a graph that runs in them (a `Binding` on any backend).

    A backend says how a tensor is pointed at an array, and how the graph runs; which array a tensor
    has for a run, and whether it fits, is decided here.
    """

    def __init__(
        self,
        graph: str,
        spec: GraphSpec,
        point: Callable[[str, Array], None],
        compute: Callable[[], object],
        shared: Tensors | None = None,
        copies: bool = False,
    ) -> None:
        """``copies``: the device reads an input when it is pointed at, not when it runs."""
        self.inputs: Tensors = _arrays(graph, spec.inputs, shared or {})
        self.outputs: Tensors = _arrays(graph, spec.outputs, {})
        self._graph, self._spec = graph, spec
        self._point, self._compute = point, compute
        self._each_run = tuple(self.inputs) if copies else ()
        self._used: dict[str, Array] = {}
        self._elsewhere = False  # the run before used arrays that were given for it
        self._lock = Lock()
        self._use({**self.inputs, **self.outputs})

    def run(self, outputs: Tensors | None = None, inputs: Tensors | None = None) -> None:
        """Compute every output in place; see `Binding.run`."""
        if not self._lock.acquire(blocking=False):
            raise ConcurrencyError(
                f"this binding of graph {self._graph} is running in another thread: bind the graph "
                "once for each thread"
            )
        try:
            if outputs or inputs or self._elsewhere:
                self._use(self._chosen(outputs or {}, inputs or {}))
                self._elsewhere = bool(outputs or inputs)
            for name in self._each_run:
                self._point(name, self._used[name])
            self._compute()
        finally:
            self._lock.release()

    def _chosen(self, outputs: Tensors, inputs: Tensors) -> dict[str, Array]:
        """Return the array of every tensor for a run, checked."""
        _check(self._graph, self._spec.outputs, outputs, written=True)
        _check(self._graph, self._spec.inputs, inputs)
        read, written = {**self.inputs, **inputs}, {**self.outputs, **outputs}
        _require_apart(self._graph, read, written)
        return {**read, **written}

    def _use(self, arrays: Tensors) -> None:
        for name, array in arrays.items():
            if array is not self._used.get(name):
                self._point(name, array)
                self._used[name] = array


def _arrays(graph: str, specs: Sequence[TensorSpec], shared: Tensors) -> dict[str, Array]:
    """Return the shared array of each tensor, or else a private one of zeros."""
    _check(graph, specs, shared)
    return {
        spec.name: shared[spec.name] if spec.name in shared else np.zeros(spec.shape, spec.dtype)
        for spec in specs
    }


def _check(graph: str, specs: Sequence[TensorSpec], given: Tensors, written: bool = False) -> None:
    """Raise ConfigError unless a graph can read ``given``, or write it, in place."""
    wanted = {spec.name: spec for spec in specs}
    for name, array in given.items():
        spec = wanted.get(name)
        if spec is None:
            raise ConfigError(f"graph {graph} has no {name!r} here: expected {', '.join(wanted)}")
        if array.shape != tuple(spec.shape) or array.dtype != spec.dtype:
            raise ConfigError(
                f"{name} of graph {graph} is {array.dtype} {array.shape}: expected {spec.dtype} "
                f"{spec.shape}"
            )
        if not array.flags.c_contiguous or (written and not array.flags.writeable):
            kind = "contiguous and writable" if written else "contiguous"
            raise ConfigError(
                f"{name} of graph {graph} cannot be used in place: expected an array that is {kind}"
            )


def _require_apart(graph: str, read: Tensors, written: Tensors) -> None:
    """Raise ConfigError if a run would write into memory that it reads, or twice into one."""
    others = list(read.items())
    for name, array in written.items():
        for other, value in others:
            if np.may_share_memory(array, value):
                raise ConfigError(
                    f"{name} and {other} of graph {graph} share memory: give each its own array"
                )
        others.append((name, array))
