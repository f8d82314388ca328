"""What a graph of a bundle may be, whatever its format; checked before a runtime sees its bytes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rap_edge.coreml_policy import check_specification
from rap_edge.errors import InvalidBundle
from rap_edge.onnx_policy import check_onnx
from rap_edge.openvino_policy import check_ir
from rap_edge.strict_json import Mismatch, parse

MAX_COREML_SPEC_BYTES = 64 << 20
MAX_COREML_MANIFEST_BYTES = 1 << 16
COREML_MANIFEST = "Manifest.json"
COREML_SPEC = "Data/com.apple.CoreML/model.mlmodel"
COREML_WEIGHTS = "Data/com.apple.CoreML/weights/weight.bin"


def check_graph(path: str, files: Mapping[str, bytes]) -> None:
    """Raise InvalidBundle unless the graph at ``path`` is of a known format and holds no more.

    ``files`` are those of the graph, by path: an ``.onnx`` alone, an OpenVINO ``.xml`` with its
    ``.bin``, or what is in a Core ML ``.mlpackage``.
    """
    kind = path.rpartition(".")[2]
    if kind == "onnx" and set(files) == {path}:
        check_onnx(path, files[path])
    elif kind == "xml" and path in files:
        weights = files.get(f"{path.removesuffix('.xml')}.bin", b"")
        check_ir(path, files[path], len(weights))
    elif kind == "mlpackage" and files and path not in files:
        _check_package(path, {name.removeprefix(f"{path}/"): c for name, c in files.items()})
    else:
        raise InvalidBundle(
            f"{path} is no graph that can be read: expected .onnx, .xml or .mlpackage"
        )


def _check_package(path: str, files: Mapping[str, bytes]) -> None:
    names = {COREML_MANIFEST, COREML_SPEC}
    if set(files) - {COREML_WEIGHTS} != names:
        raise InvalidBundle(f"{path} has the files {sorted(files)}: expected {sorted(names)}")
    if len(files[COREML_SPEC]) > MAX_COREML_SPEC_BYTES:
        raise InvalidBundle(f"{path} has a specification of {len(files[COREML_SPEC])} bytes")
    check_specification(path, files[COREML_SPEC], files.get(COREML_WEIGHTS, b""))
    places = {COREML_SPEC.partition("/")[2], COREML_WEIGHTS.partition("/")[2].rpartition("/")[0]}
    try:
        listed = _listed_places(files[COREML_MANIFEST])
    except (Mismatch, ValueError, TypeError, LookupError, AttributeError) as error:
        raise InvalidBundle(f"{path} has a {COREML_MANIFEST} that is not one: {error}") from error
    if not listed <= places:
        raise InvalidBundle(f"{path} lists {sorted(listed - places)}: expected {sorted(places)}")


def _listed_places(content: bytes) -> set[str]:
    if len(content) > MAX_COREML_MANIFEST_BYTES:
        raise Mismatch(f"it has {len(content)} bytes")
    values: Any = parse(content.decode("utf-8"))
    return {str(item["path"]) for item in values["itemInfoEntries"].values()}
