"""Torch modules to ONNX: dynamo exporter, opset 20, static shapes, no trace of this machine."""

from __future__ import annotations

import contextlib
import io
import logging
import warnings
from collections.abc import Iterator

import numpy as np
import onnx
import torch
from onnx import ModelProto, TensorProto, helper, numpy_helper

import rap_edge
from rap_edge.converters.graphs import GraphSource
from rap_edge.converters.operators import require_allowed
from rap_edge.manifest import GraphSpec, TensorSpec

OPSET = 20
MAX_IR = 10  # what onnxruntime 1.18 reads
LEAST_HALVED = 1024  # elements: smaller weights are not worth a node

_DTYPES: dict[int, str] = {
    TensorProto.FLOAT: "float32",
    TensorProto.FLOAT16: "float16",
    TensorProto.UINT8: "uint8",
    TensorProto.INT32: "int32",
    TensorProto.INT64: "int64",
}


def to_onnx(source: GraphSource, half: bool = False) -> ModelProto:
    """Convert one graph.

    With ``half``, weights that fp16 holds exactly are stored as fp16 behind a Cast, which every
    runtime folds when it loads the graph: half the size, the same arithmetic. Raises NotSupported
    for an operator that not every backend runs.
    """
    module = source.module.eval().requires_grad_(False)
    with _quiet():
        program = torch.onnx.export(
            module,
            tuple(source.inputs.values()),
            dynamo=True,
            opset_version=OPSET,
            input_names=list(source.inputs),
            output_names=list(source.outputs),
            external_data=False,
            verbose=False,
        )
    assert program is not None
    model: ModelProto = program.model_proto
    clean(model, source.name)
    if half:
        store_half(model)
    onnx.checker.check_model(model, full_check=True)
    require_allowed(model)
    return model


def graph_spec(model: ModelProto) -> GraphSpec:
    """Read the contract of a converted graph from the graph itself."""
    weights = {tensor.name for tensor in model.graph.initializer}
    inputs = [value for value in model.graph.input if value.name not in weights]
    return GraphSpec(
        tuple(_tensor_spec(value) for value in inputs),
        tuple(_tensor_spec(value) for value in model.graph.output),
    )


def store_half(model: ModelProto, within: float = 0.0) -> None:
    """Store every large float weight that fp16 holds as fp16, with a Cast after it.

    ``within`` is how far a weight may be off, relative to the largest of its tensor.
    """
    casts = []
    for tensor in model.graph.initializer:
        if tensor.data_type != TensorProto.FLOAT:
            continue
        value = numpy_helper.to_array(tensor)
        with np.errstate(over="ignore"):
            halved = value.astype(np.float16)
        off = np.abs(halved.astype(np.float32) - value).max(initial=0.0)
        if value.size < LEAST_HALVED or not off <= within * np.abs(value).max(initial=0.0):
            continue
        name = tensor.name
        tensor.CopyFrom(numpy_helper.from_array(halved, f"{name}.half"))
        casts.append(helper.make_node("Cast", [tensor.name], [name], to=TensorProto.FLOAT))
    nodes = [*casts, *model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)


def clean(model: ModelProto, name: str) -> None:
    """Strip stack traces, scopes, doc strings and unused domains; say what the file is."""
    model.ir_version = min(model.ir_version, MAX_IR)
    del model.graph.value_info[:]
    for part in (model.graph, *model.graph.node, *model.graph.initializer):
        del part.metadata_props[:]
        part.doc_string = ""
    for value in (*model.graph.input, *model.graph.output):
        del value.metadata_props[:]
        value.doc_string = ""
    del model.metadata_props[:]
    del model.functions[:]
    used = {node.domain for node in model.graph.node}
    imports = [entry for entry in model.opset_import if entry.domain in used]
    del model.opset_import[:]
    model.opset_import.extend(imports)
    model.graph.name = name
    model.doc_string = ""
    model.producer_name, model.producer_version = "rap-edge", rap_edge.__version__
    helper.set_model_props(model, {"rap_edge.graph": name})


def _tensor_spec(value: onnx.ValueInfoProto) -> TensorSpec:
    tensor = value.type.tensor_type
    shape = tuple(dimension.dim_value for dimension in tensor.shape.dim)
    return TensorSpec(value.name, shape, _DTYPES[tensor.elem_type])


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep the exporter's progress, its deprecations and its missing optional packages quiet."""
    level = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(level)
