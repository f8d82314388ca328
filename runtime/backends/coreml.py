"""Graphs on Core ML, through coremltools' MLModel; macOS only.

A package of a bundle takes and gives float32 alone: bytes are levels 0 to 255. coremltools has no
way to name the memory of an output, so that each run copies its outputs once.
"""

from __future__ import annotations

import shutil
import weakref
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path, PurePosixPath
from tempfile import mkdtemp
from threading import Lock
from typing import Any

import coremltools as ct  # type: ignore[import-untyped]
import numpy as np

from rap_edge.errors import BackendUnavailable, InvalidBundle
from rap_edge.manifest import GraphSpec
from rap_edge.runtime.backends import Array, Placement, Tensors
from rap_edge.runtime.backends.buffers import Buffers
from rap_edge.runtime.backends.contract import short

UNITS = {"all": "ALL", "cpu": "CPU_ONLY", "gpu": "CPU_AND_GPU", "ane": "CPU_AND_NE"}
"""Compute units by device; Core ML may always leave a part to the CPU."""

KINDS = {
    "MLCPUComputeDevice": "cpu",
    "MLGPUComputeDevice": "gpu",
    "MLNeuralEngineComputeDevice": "ane",
}
PACKAGE = ".mlpackage"


class CoreMlGraph:
    """One loaded package; ``run`` may be called from several threads, which take turns."""

    def __init__(
        self,
        name: str,
        files: Mapping[str, bytes],
        spec: GraphSpec,
        precision: str,
        threads: int,
        device: str = "all",
        strict: bool = False,
    ) -> None:
        """``strict``: raise BackendUnavailable if a part stays on the CPU that was asked off it."""
        self.name = name
        self.spec = spec
        folder = mkdtemp(prefix="rap-edge-coreml-")  # lives as long as the graph
        weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
        package = _written(name, files, Path(folder))
        units = ct.ComputeUnit[UNITS[device]]
        try:
            self._model = ct.models.MLModel(str(package), compute_units=units)
        except Exception as error:  # coremltools raises RuntimeError, and what it imports raises
            raise BackendUnavailable(
                f"graph {name} is refused by Core ML (coremltools {ct.__version__}): {short(error)}"
            ) from error
        where, share, rest = _assigned(self._model, units, device)
        if strict and rest:
            raise BackendUnavailable(
                f"graph {name} runs on {device} in part only: {rest}; take another device, or "
                "strict=False"
            )
        self.placement = Placement("coreml", ct.__version__, where, precision, threads, share, rest)
        self._lock = Lock()

    def run(self, inputs: Tensors) -> dict[str, Array]:
        """Compute every output; the arrays are new and belong to the caller."""
        outputs = {t.name: np.empty(t.shape, t.dtype) for t in self.spec.outputs}
        self._compute(inputs, outputs)
        return outputs

    def bind(self, shared: Tensors | None = None) -> Buffers:
        """Return buffers of one caller; see `Graph.bind`."""
        used: dict[str, Array] = {}
        read = [tensor.name for tensor in self.spec.inputs]
        written = [tensor.name for tensor in self.spec.outputs]

        def compute() -> None:
            self._compute({n: used[n] for n in read}, {n: used[n] for n in written})

        return Buffers(self.name, self.spec, used.__setitem__, compute, shared)

    def _compute(self, inputs: Tensors, outputs: Tensors) -> None:
        given = {t.name: inputs[t.name].astype(np.float32, copy=False) for t in self.spec.inputs}
        with self._lock:
            found = self._model.predict(given)
        for name, array in outputs.items():
            value = np.asarray(found[name]).reshape(array.shape)
            if array.dtype == np.uint8:
                value = np.rint(value).clip(0, 255)
            np.copyto(array, value, casting="unsafe")


def _written(graph: str, files: Mapping[str, bytes], folder: Path) -> Path:
    """Write the package into an empty folder: Core ML reads paths only."""
    names = {part for path in files for part in PurePosixPath(path).parts if part.endswith(PACKAGE)}
    if len(names) != 1:
        raise InvalidBundle(
            f"graph {graph} has the files {sorted(files)}: expected one {PACKAGE} for coreml"
        )
    (package,) = names
    for path, content in files.items():
        parts = PurePosixPath(path).parts
        place = folder.joinpath(*parts[parts.index(package) :])
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
    return folder / package


def _assigned(model: Any, units: Any, device: str) -> tuple[str, float | None, str]:
    """Return devices, the share of operations that prefer the one asked for, and the rest.

    The share is None where Core ML does not tell; with "all", every device is the right one.
    """
    counts: Counter[str] = Counter()
    with suppress(Exception):  # the compute plan needs macOS 14.4, and what it tells varies
        plan = ct.models.compute_plan.MLComputePlan.load_from_path(
            path=model.get_compiled_model_path(), compute_units=units
        )
        counts.update(_preferred(plan))
    total = counts.total()
    if not total:
        return device, None, ""
    if device == "all":
        return ",".join(name for name, _ in counts.most_common()), 1.0, ""
    here = counts.pop(device, 0)
    rest = (f"{count} of {total} operations on {name}" for name, count in counts.items())
    return device, here / total, ", ".join(rest)


def _preferred(plan: Any) -> Iterator[str]:
    for function in plan.model_structure.program.functions.values():
        for operation in function.block.operations:
            usage = plan.get_compute_device_usage_for_mlprogram_operation(operation)
            if usage is not None:  # constants run nowhere
                kind = type(usage.preferred_compute_device).__name__
                yield KINDS.get(kind, kind)
