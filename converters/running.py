"""Converted graphs are run here as their runtimes would run them, on one thread."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from rap_edge.converters.speaking import Run, Tensors
from rap_edge.errors import NotSupported, ParityError
from rap_edge.manifest import GraphSpec

Files = Mapping[str, bytes]
"""What one graph was converted to, by paths: one ONNX file, an IR's two, a package's three."""

Compute = Callable[[Tensors], Tensors]
Shapes = Mapping[str, tuple[int, ...]]


@dataclass(frozen=True)
class Opened:
    """A converted graph that is ready to run, and its tensors: name -> shape."""

    compute: Compute
    inputs: Shapes
    outputs: Shapes


def run_of(backend: str, specs: Mapping[str, GraphSpec], files: Mapping[str, Files]) -> Run:
    """Open graphs, by their names, on a backend: onnxruntime, openvino or coreml.

    Core ML is run by our interpreter of its programs. Raises NotSupported for a backend that is
    not installed, ParityError that lists every graph whose tensors are not those of its contract.
    """
    graphs = {name: OPENERS[backend](specs[name], files[name]) for name in files}
    wrong = [text for name in files for text in unlike(name, graphs[name], specs[name], backend)]
    if wrong:
        raise ParityError(f"{'; '.join(wrong)} - the conversion is wrong, nothing was written")
    return lambda name, inputs: graphs[name].compute(inputs)


def unlike(graph: str, opened: Opened, spec: GraphSpec, backend: str) -> list[str]:
    """Say which tensors of a graph are not those of its contract.

    An input that a graph does not use may be missing: OpenVINO drops it.
    """
    found = []
    sides = (("input", opened.inputs, spec.inputs), ("output", opened.outputs, spec.outputs))
    for side, actual, tensors in sides:
        wanted = {tensor.name: tensor.shape for tensor in tensors}
        if side == "input" and backend == "openvino":
            wanted = {name: shape for name, shape in wanted.items() if name in actual}
        if actual != wanted:
            found.append(f"{graph} has the {side}s {actual}: expected {wanted}")
    return found


def in_onnxruntime(_: GraphSpec, files: Files) -> Opened:
    ort = installed("onnxruntime", "ort")
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    (model,) = files.values()
    session = ort.InferenceSession(bytes(model), options, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    taken = [value.name for value in session.get_inputs()]

    def compute(inputs: Tensors) -> Tensors:
        given = {name: inputs[name] for name in taken}
        return dict(zip(names, session.run(names, given), strict=True))

    sides = (session.get_inputs(), session.get_outputs())
    return Opened(compute, *({value.name: tuple(value.shape) for value in side} for side in sides))


def in_openvino(_: GraphSpec, files: Files) -> Opened:
    """Read ONNX or IR; the arithmetic is that of the file, never less."""
    ov = installed("openvino", "openvino")
    model, weights = (content_of(files, suffixes) for suffixes in ((".onnx", ".xml"), (".bin",)))
    core = ov.Core()
    settings = {
        "INFERENCE_PRECISION_HINT": "f32",
        "INFERENCE_NUM_THREADS": 1,
        "PERFORMANCE_HINT": "LATENCY",
    }
    compiled = core.compile_model(core.read_model(model, weights), "CPU", settings)
    request = compiled.create_infer_request()
    inputs, outputs = (
        {port.get_any_name(): tuple(port.shape) for port in side}
        for side in (compiled.inputs, compiled.outputs)
    )

    def compute(tensors: Tensors) -> Tensors:
        request.infer({name: np.ascontiguousarray(tensors[name]) for name in inputs})
        return {name: request.get_tensor(name).data.copy() for name in outputs}

    return Opened(compute, inputs, outputs)


def in_coreml(spec: GraphSpec, files: Files) -> Opened:
    """Interpret a package; its inputs and outputs are float32 under names without dots."""
    from rap_edge.converters.mil.package import feature
    from rap_edge.converters.mil.program import open_program

    program = open_program(files)
    named = {feature(tensor.name): tensor for tensor in (*spec.inputs, *spec.outputs)}
    inputs, outputs = (
        {named[slot.name].name if slot.name in named else slot.name: slot.shape for slot in side}
        for side in (program.inputs, program.outputs)
    )

    def compute(tensors: Tensors) -> Tensors:
        computed = program.run({feature(name): tensors[name] for name in inputs})
        return {named[key].name: computed[key].astype(named[key].dtype) for key in computed}

    return Opened(compute, inputs, outputs)


OPENERS: Mapping[str, Callable[[GraphSpec, Files], Opened]] = {
    "onnxruntime": in_onnxruntime,
    "openvino": in_openvino,
    "coreml": in_coreml,
}


def content_of(files: Files, suffixes: tuple[str, ...]) -> bytes:
    """Return the file with one of the suffixes, nothing if there is none."""
    return next((content for path, content in files.items() if path.endswith(suffixes)), b"")


def installed(module: str, extra: str) -> Any:
    """Import a library, or raise NotSupported that says how to get it."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise NotSupported(
            f"{module} is not installed: pip install 'rap-edge[{extra}]', or leave its graphs out"
        ) from error
