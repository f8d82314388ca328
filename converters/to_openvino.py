"""ONNX to OpenVINO's own format, where one is wanted: OpenVINO reads the ONNX files as well."""

from __future__ import annotations

import re
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from onnx import ModelProto

from rap_edge.converters.running import installed


def to_openvino(model: ModelProto) -> dict[str, bytes]:
    """Convert a graph to ``<graph>.xml`` and ``<graph>.bin``; the same graph gives the same bytes.

    Weights that the graph stores in fp16 stay so; all are computed with in fp32. Raises
    NotSupported if openvino is not installed.
    """
    ov = installed("openvino", "openvino")
    return save(ov.Core().read_model(model.SerializeToString(), b""), model.graph.name)


def save(model: Any, name: str) -> dict[str, bytes]:
    """Serialize a model of OpenVINO to the bytes of its two files.

    Names that OpenVINO made up hold a number that counts through the process: they are counted
    anew.
    """
    ov = installed("openvino", "openvino")
    for index, operation in enumerate(model.get_ordered_ops()):
        kind = operation.get_type_name()
        if re.fullmatch(rf"{kind}_\d+", operation.get_friendly_name()):
            operation.set_friendly_name(f"{kind}_{index}")
    with TemporaryDirectory() as folder:
        path = Path(folder, f"{name}.xml")
        ov.save_model(model, path, compress_to_fp16=False)
        return {f"{name}{part}": path.with_suffix(part).read_bytes() for part in (".xml", ".bin")}
