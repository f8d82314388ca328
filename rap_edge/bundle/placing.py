"""Where the graphs of several variants go in one bundle: named by format, each content once."""

from __future__ import annotations

from collections.abc import Sequence

from rap_edge.bundle.opened import Bundle
from rap_edge.bundle.written import Part
from rap_edge.errors import InvalidBundle
from rap_edge.manifest import Variant

FOLDERS = {"onnx": "onnx", "xml": "openvino", "mlpackage": "coreml"}

Placed = tuple[dict[str, dict[str, str]], dict[str, Part]]
Content = tuple[tuple[str, bytes], ...]  # endings of the paths of a graph's files, and contents


def place_graphs(sources: Sequence[tuple[Bundle, Variant]]) -> Placed:
    """Give every graph of every variant a path, and collect the files.

    fp32 is placed first, as ``onnx/decoder.onnx``; a graph of another variant that is identical
    shares that file, one that differs goes into ``onnx-int8/``. Returns the paths by variant and
    graph, and the parts.
    """
    files: dict[str, dict[str, str]] = {variant.label: {} for _, variant in sources}
    parts: dict[str, Part] = {}
    placed: dict[tuple[str, Content], str] = {}
    for bundle, variant in sorted(sources, key=lambda source: source[1].precision != "fp32"):
        for graph, path in variant.files.items():
            listed = bundle.read_graph(variant, graph)
            stem, _, kind = path.rpartition(".")
            content = tuple((name.removeprefix(stem), listed[name]) for name in listed)
            if (graph, content) not in placed:
                new = _free_stem(variant, graph, kind, {ending for ending, _ in content}, parts)
                placed[graph, content] = f"{new}.{kind}"
                parts.update(_parts(bundle, stem, new, listed))
            files[variant.label][graph] = placed[graph, content]
    return files, parts


def _parts(bundle: Bundle, stem: str, new: str, listed: dict[str, bytes]) -> dict[str, Part]:
    found = {}
    for name, content in listed.items():
        entry = bundle.manifest.entry(name)
        assert entry is not None  # it was read
        found[new + name.removeprefix(stem)] = Part(content, entry.role, entry.licence)
    return found


def _free_stem(
    variant: Variant, graph: str, kind: str, endings: set[str], taken: dict[str, Part]
) -> str:
    """Name a graph by format, precision unless it is fp32, and backend where that is not enough."""
    folder = FOLDERS.get(kind, kind)
    if variant.precision != "fp32":
        folder = f"{folder}-{variant.precision}"
    for stem in (f"{folder}/{graph}", f"{folder}-{variant.backend}/{graph}"):
        if not any(stem + ending in taken for ending in endings):
            return stem
    raise InvalidBundle(
        f"variant {variant.label} has no free name for its graph {graph!r}: {stem} is taken by "
        "another variant; pack without one of them"
    )
