"""The operators that a graph of a bundle may use: few, old, without control flow, none of our own.

onnxruntime and OpenVINO compute every graph that these make; Core ML has not been tried yet.
"""

from __future__ import annotations

from onnx import ModelProto

from rap_edge.errors import NotSupported

ARITHMETIC = frozenset(
    ("Add", "Sub", "Mul", "Div", "Neg", "Exp", "Pow", "Round", "Clip", "ReduceSum")
)
ACTIVATIONS = frozenset(("Relu", "Sigmoid", "Gelu", "Softmax"))
LAYERS = frozenset(("Conv", "MatMul", "Gemm", "LayerNormalization", "Resize", "GridSample"))
SHAPES = frozenset(
    ("Reshape", "Transpose", "Squeeze", "Unsqueeze", "Expand", "Tile", "DepthToSpace")
)
PARTS = frozenset(("Concat", "Split", "Slice", "Gather", "Where", "Cast"))

ALLOWED = ARITHMETIC | ACTIVATIONS | LAYERS | SHAPES | PARTS


def require_allowed(model: ModelProto) -> None:
    """Raise NotSupported that names every operator of a graph which is not on the list."""
    used = {(node.domain, node.op_type) for node in model.graph.node}
    foreign = sorted(
        f"{domain}.{op}".lstrip(".") for domain, op in used if domain or op not in ALLOWED
    )
    if foreign:
        raise NotSupported(
            f"graph {model.graph.name!r} uses {', '.join(foreign)} - expected operators that every "
            "backend runs (rap_edge.converters.operators) - write the module with those"
        )
