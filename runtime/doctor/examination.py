"""A file or a bundle is opened on every backend that is here, and what happens is written down."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from rap_edge.bundle import Bundle
from rap_edge.errors import BackendUnavailable, InvalidBundle, NotSupported
from rap_edge.manifest import Variant
from rap_edge.requirements import unmet
from rap_edge.runtime.backends import BACKENDS, require_backend
from rap_edge.runtime.choice import choose_variants
from rap_edge.runtime.cpu import cpu_name
from rap_edge.runtime.doctor.devices import (
    Demands,
    coreml_devices,
    onnxruntime_devices,
    openvino_devices,
)
from rap_edge.runtime.doctor.diagnosis import Device, Diagnosis, VariantDiagnosis, Work
from rap_edge.runtime.doctor.machine import Machine
from rap_edge.runtime.doctor.missing import available, missing
from rap_edge.runtime.doctor.onnx_graph import OnnxGraph, read_onnx
from rap_edge.runtime.placement.inventory import foresee

Files = Mapping[str, bytes]
AS_IT_IS = "as it is"


@dataclass(frozen=True)
class Loaded:
    """One variant with the verified files of its graphs; those in ONNX were read."""

    variant: Variant
    files: Mapping[str, Files]
    sources: Mapping[str, OnnxGraph]

    @classmethod
    def of(cls, variant: Variant, files: Mapping[str, Files]) -> Loaded:
        sources = {
            name: read_onnx(path, content)
            for name, group in files.items()
            for path, content in group.items()
            if path.endswith(".onnx")
        }
        return cls(variant, files, sources)


def examine_bundle(bundle: Bundle, backend: str | None = None) -> Diagnosis:
    """Explain every variant of a bundle, or those of one backend.

    Raises InvalidBundle if a file is damaged, NotSupported if no variant is for the backend.
    """
    variants = [v for v in bundle.variants if backend in (None, v.backend)]
    if not variants:
        offered = ", ".join(variant.label for variant in bundle.variants)
        raise NotSupported(
            f"bundle {bundle.name!r} has no variant for backend {backend!r}: it offers {offered}"
        )
    loaded = [
        Loaded.of(v, {graph: bundle.read_graph(v, graph) for graph in v.files}) for v in variants
    ]
    diagnosis = _examine(f"bundle {bundle.name}", loaded)
    running = {variant.label for variant in diagnosis.variants if variant.problem is None}
    order = [variant.label for variant in choose_variants(tuple(variants), "auto", None, True)]
    if backend is None:
        order.insert(0, foresee(bundle).takes or "")
    return replace(diagnosis, chosen=next((label for label in order if label in running), None))


def examine_file(path: Path, backend: str | None = None) -> Diagnosis:
    """Explain one ONNX file on every backend that reads it, or on one.

    Raises InvalidBundle if the file is damaged or its weights lie elsewhere, NotSupported for
    another backend.
    """
    if backend is not None and backend not in BACKENDS:
        raise NotSupported(f"backend is {backend!r}: expected one of {', '.join(BACKENDS)}")
    files = {path.stem: {path.name: path.read_bytes()}}
    variants = [
        Variant(name, AS_IT_IS, {path.stem: path.name})
        for name in BACKENDS
        if backend in (None, name)
    ]
    return _examine(path.name, [Loaded.of(variant, files) for variant in variants])


def _examine(subject: str, loaded: list[Loaded]) -> Diagnosis:
    machine = Machine.here()
    return Diagnosis(
        subject,
        cpu_name(),
        machine.int8_isa,
        tuple(_variant(one, machine) for one in loaded),
        missing([one.variant for one in loaded]),
    )


def _variant(loaded: Loaded, machine: Machine) -> VariantDiagnosis:
    variant = loaded.variant
    graphs: dict[str, Work] = {}
    lacking = problem = _lacking(variant)
    if lacking is None:
        try:
            for name in loaded.files:
                graphs[name] = _work(loaded, name, machine)
        except (BackendUnavailable, InvalidBundle) as error:
            problem = str(error)
    devices = _devices(loaded, problem is None if lacking is None else None)
    return VariantDiagnosis(variant.backend, variant.precision, problem, graphs, devices)


def _lacking(variant: Variant) -> str | None:
    """Say what the variant lacks here before anything of it is opened."""
    lacking = unmet(variant.requires)
    if lacking:
        return f"it needs {'; '.join(lacking)}"
    try:
        require_backend(variant.backend)
    except BackendUnavailable as error:
        return str(error)
    return None


def _work(loaded: Loaded, name: str, machine: Machine) -> Work:
    source, files = loaded.sources.get(name), loaded.files[name]
    if loaded.variant.backend == "openvino":
        from rap_edge.runtime.doctor.in_openvino import compile_kernels
        from rap_edge.runtime.doctor.openvino_work import openvino_work

        return openvino_work(source, compile_kernels(name, files), machine)
    if source is None:
        raise InvalidBundle(f"graph {name} has the files {sorted(files)}: expected one .onnx")
    from rap_edge.runtime.doctor.in_onnxruntime import optimize
    from rap_edge.runtime.doctor.onnxruntime_work import onnxruntime_work

    return onnxruntime_work(source, optimize(name, next(iter(files.values()))), machine)


def _devices(loaded: Loaded, opened: bool | None) -> tuple[Device, ...]:
    """Judge devices; this machine's CPU has ``opened`` the graphs, refused, or was not asked."""
    backend = loaded.variant.backend
    if backend == "coreml":
        return coreml_devices(sys.platform == "darwin")
    judge = openvino_devices if backend == "openvino" else onnxruntime_devices
    demands = Demands.of(
        list(loaded.sources.values()), loaded.sources.keys() == loaded.files.keys()
    )
    judged = judge(demands, available(backend) or ())
    if opened is None:
        return judged
    asked: dict[str, Any] = (
        {"can": "yes", "why": ()}
        if opened
        else {"can": "no", "why": ("it was asked, and refused",)}
    )
    return tuple(replace(d, **asked) if d.name == "CPU" else d for d in judged)
