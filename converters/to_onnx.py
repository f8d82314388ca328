"""Torch modules to ONNX: dynamo exporter, opset 20, static shapes, no trace of this machine."""

from __future__ import annotations

import numpy as np
import onnx
import torch
from onnx import ModelProto, TensorProto, helper, numpy_helper

import rap_edge
from rap_edge.converters.graphs import GraphSource
from rap_edge.converters.operators import require_allowed
from rap_edge.converters.quiet import quiet
from rap_edge.operators import MAX_IR, MAX_OPSET

LEAST_HALVED = 1024  # elements: smaller weights are not worth a node


def to_onnx(source: GraphSource, half: bool = False) -> ModelProto:
    """Convert one graph.

    With ``half``, weights that fp16 holds exactly are stored as fp16 behind a Cast, which every
    runtime folds when it loads the graph: half the size, the same arithmetic. Raises NotSupported
    for an operator that not every backend runs.
    """
    module = source.module.eval().requires_grad_(False)
    with quiet():
        program = torch.onnx.export(
            module,
            tuple(source.inputs.values()),
            dynamo=True,
            opset_version=MAX_OPSET,
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


def serialized(model: ModelProto) -> dict[str, bytes]:
    """Return a graph as the file ``<graph>.onnx``."""
    return {f"{model.graph.name}.onnx": model.SerializeToString(deterministic=True)}


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
