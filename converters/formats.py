"""The formats that graphs are converted to, and how near to torch each has to stay."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from rap_edge.converters.graphs import GraphSource
from rap_edge.converters.parity import Bound
from rap_edge.converters.running import Files
from rap_edge.converters.to_onnx import to_onnx
from rap_edge.errors import ConfigError
from rap_edge.manifest import Requires

BOUNDS: Mapping[str, Bound | None] = {
    "onnxruntime": None,  # what each graph asks for
    "openvino": Bound(1e-3),
    "coreml": Bound(50.0, "decibels"),
}
"""How near to torch the graphs of a backend have to stay before anything is quantized."""

REQUIRES: Mapping[str, Requires] = {
    "onnxruntime": Requires(packages={"onnxruntime": "1.18"}, memory_mb=300),
    "openvino": Requires(packages={"openvino": "2024.4"}, memory_mb=400),
    "coreml": Requires(os=("macos",)),
}
"""What a backend's variants ask of a machine; memory is the peak of a process that renders."""


@dataclass(frozen=True)
class Format:
    """A format of files: which backends run it, in which precision, and how a graph gets there."""

    backends: tuple[str, ...]
    precision: str
    main: str  # ending of the main file or folder of a graph
    convert: Callable[[GraphSource, bool], Files]

    def path(self, graph: str) -> str:
        """Return the path of a graph's main file or folder in a bundle."""
        return f"{graph}{self.main}"

    def placed(self, graph: str, files: Files) -> Files:
        """Return a graph's files by their paths in a bundle."""
        folder = f"{self.path(graph)}/" if self.main == ".mlpackage" else ""
        return {f"{folder}{path}": content for path, content in files.items()}


def backends_of(asked: Sequence[str], offered: Sequence[str]) -> Sequence[str]:
    """Return the backends to make variants for: those asked for, or all.

    Raises ConfigError for one that does not run the format.
    """
    unknown = [backend for backend in asked if backend not in offered]
    if unknown:
        raise ConfigError(
            f"backend {', '.join(unknown)} does not run this format: expected any of "
            f"{', '.join(offered)}; choose one of them, or none for all"
        )
    return asked or offered


def onnx_files(source: GraphSource, half: bool) -> Files:
    model = to_onnx(source, half)
    return {f"{source.name}.onnx": model.SerializeToString(deterministic=True)}


def openvino_files(source: GraphSource, half: bool) -> Files:
    from rap_edge.converters.to_openvino import to_openvino

    return to_openvino(to_onnx(source, half))


def coreml_files(source: GraphSource, half: bool) -> Files:
    from rap_edge.converters.to_coreml import to_coreml

    return to_coreml(source)


FORMATS: Mapping[str, Format] = {
    "onnx": Format(("onnxruntime", "openvino"), "fp32", ".onnx", onnx_files),
    "openvino": Format(("openvino",), "fp32", ".xml", openvino_files),
    "coreml": Format(("coreml",), "fp16", ".mlpackage", coreml_files),
}
