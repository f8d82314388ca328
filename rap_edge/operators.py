"""The operators that a graph of a bundle may use: few, old, without control flow, none of our own.

Every backend computes graphs that these make. Converters keep to the list, and readers refuse a
graph that does not.
"""

from __future__ import annotations

MAX_OPSET = 20
MAX_IR = 10  # what onnxruntime 1.18 reads

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

# Written by quantization, not by the exporter.
QUANTIZED = frozenset(("QuantizeLinear", "DequantizeLinear"))
WEIGHT_ONLY = frozenset(("MatMulNBits",))
DOMAINS = {"": ALLOWED | QUANTIZED, "com.microsoft": WEIGHT_ONLY}
