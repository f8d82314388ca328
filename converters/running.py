"""Converted graphs are run here as their runtimes would run them, on one thread."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from rap_edge.converters.speaking import Run, Tensors
from rap_edge.errors import NotSupported
from rap_edge.manifest import GraphSpec

Files = Mapping[str, bytes]
"""What one graph was converted to, by paths: one ONNX file, an IR's two, a package's three."""

Compute = Callable[[Tensors], Tensors]


def run_of(backend: str, specs: Mapping[str, GraphSpec], files: Mapping[str, Files]) -> Run:
    """Open graphs, by their names, on a backend: onnxruntime, openvino or coreml.

    Core ML is run by our interpreter of its programs. Raises NotSupported for a backend that is
    not installed.
    """
    open_graph = OPENERS[backend]
    graphs = {name: open_graph(specs[name], files[name]) for name in files}
    return lambda name, inputs: graphs[name](inputs)


def in_onnxruntime(spec: GraphSpec, files: Files) -> Compute:
    ort = installed("onnxruntime", "ort")
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    (model,) = files.values()
    session = ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    names = [output.name for output in spec.outputs]

    def compute(inputs: Tensors) -> Tensors:
        given = {tensor.name: inputs[tensor.name] for tensor in spec.inputs}
        return dict(zip(names, session.run(names, given), strict=True))

    return compute


def in_openvino(spec: GraphSpec, files: Files) -> Compute:
    """Read ONNX or IR; the arithmetic is that of the file, never less."""
    ov = installed("openvino", "openvino")
    model, weights = (content_of(files, suffixes) for suffixes in ((".onnx", ".xml"), (".bin",)))
    core = ov.Core()
    settings = {
        "INFERENCE_PRECISION_HINT": "f32",
        "INFERENCE_NUM_THREADS": 1,
        "PERFORMANCE_HINT": "LATENCY",
    }
    request = core.compile_model(
        core.read_model(model, weights), "CPU", settings
    ).create_infer_request()

    def compute(inputs: Tensors) -> Tensors:
        given = {tensor.name: np.ascontiguousarray(inputs[tensor.name]) for tensor in spec.inputs}
        request.infer(given)
        return {t.name: request.get_tensor(t.name).data.copy() for t in spec.outputs}

    return compute


def in_coreml(spec: GraphSpec, files: Files) -> Compute:
    """Interpret a package; its inputs and outputs are float32 under names without dots."""
    from rap_edge.converters.mil.package import feature
    from rap_edge.converters.mil.program import open_program

    program = open_program(files)

    def compute(inputs: Tensors) -> Tensors:
        outputs = program.run({feature(t.name): inputs[t.name] for t in spec.inputs})
        return {t.name: outputs[feature(t.name)].astype(t.dtype) for t in spec.outputs}

    return compute


OPENERS: Mapping[str, Callable[[GraphSpec, Files], Compute]] = {
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
            f"{module} is not installed: pip install rap-edge[{extra}], or leave its graphs out"
        ) from error
