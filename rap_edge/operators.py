"""What graphs of a bundle may use, by format: few operators, without control flow, none of our own.

Converters keep to the lists, and readers refuse a graph that does not. The lists say what may be in
a file, not what is fast: onnxruntime's CPU provider and OpenVINO compute all of ``ALLOWED`` and
``QUANTIZED``; an accelerator may leave some to the CPU, as onnxruntime's Core ML provider does with
Expand, Gather, Neg and Where. ``WEIGHT_ONLY`` is of onnxruntime alone.
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

MAX_IR_OPSET = 14  # what OpenVINO 2024.0 reads

# Layers of OpenVINO's IR: what its converter and NNCF make of the operators above, and the nearest
# relatives, which other versions of them choose instead.
IR_ENDS = frozenset(("Parameter", "Const", "Result"))
IR_ARITHMETIC = frozenset(
    ("Add", "Subtract", "Multiply", "Divide", "Negative", "Exp", "Power", "Sqrt", "Round")
) | frozenset(("Minimum", "Maximum", "Clamp", "ReduceSum", "ReduceMean", "SquaredDifference"))
IR_ACTIVATIONS = frozenset(("ReLU", "Sigmoid", "Swish", "Gelu", "SoftMax"))
IR_LAYERS = frozenset(
    ("Convolution", "GroupConvolution", "MatMul", "MVN", "Interpolate", "GridSample")
)
IR_SHAPES = frozenset(
    ("Reshape", "Transpose", "Squeeze", "Unsqueeze", "Broadcast", "Tile", "DepthToSpace")
) | frozenset(("ShapeOf", "Range"))
IR_PARTS = frozenset(
    ("Concat", "Split", "VariadicSplit", "Slice", "StridedSlice", "Gather", "Select", "Convert")
)
IR_QUANTIZED = frozenset(("FakeQuantize",))
IR = (
    IR_ENDS | IR_ARITHMETIC | IR_ACTIVATIONS | IR_LAYERS | IR_SHAPES | IR_PARTS | IR_QUANTIZED
)  # fmt: skip

MAX_COREML = 8  # specification version: what macOS 14 reads
MIL_OPSETS = ("CoreML5", "CoreML6", "CoreML7")

# Operators of Core ML's programs: those that rap_edge.converters.mil has a rule for.
MIL_ARITHMETIC = frozenset(
    ("abs", "add", "clip", "exp", "maximum", "minimum", "mul", "pow", "real_div", "round", "rsqrt")
) | frozenset(("sqrt", "square", "sub", "reduce_max", "reduce_mean", "reduce_min", "reduce_sum"))
MIL_ACTIVATIONS = frozenset(("gelu", "relu", "sigmoid", "silu", "softmax", "tanh"))
MIL_LAYERS = frozenset(("conv", "layer_norm", "linear", "matmul"))
MIL_PICTURES = frozenset(("pad", "pixel_shuffle", "pixel_unshuffle", "resample")) | frozenset(
    ("upsample_bilinear", "upsample_nearest_neighbor")
)
MIL_SHAPES = frozenset(
    ("expand_dims", "fill_like", "identity", "reshape", "squeeze", "tile", "transpose")
)
MIL_PARTS = frozenset(
    ("cast", "concat", "gather", "select", "slice_by_index", "slice_by_size", "split", "stack")
)
MIL_QUANTIZED = frozenset(
    ("quantize", "dequantize", "constexpr_affine_dequantize", "constexpr_lut_to_dense")
)
MIL = (
    frozenset(("const",)) | MIL_ARITHMETIC | MIL_ACTIVATIONS | MIL_LAYERS | MIL_PICTURES
    | MIL_SHAPES | MIL_PARTS | MIL_QUANTIZED
)  # fmt: skip
