"""A network of Wav2Lip's shape with random weights, as an ONNX graph.

Prajwal et al., "A Lip Sync Expert Is All You Need for Speech to Lip Generation In the Wild" (2020);
the channel plan is that of the published code: a face encoder of 7 blocks (96x96 to 1x1), an audio
encoder (mel 80x16 to 1x1), and a decoder whose every block is joined with what the face encoder had
at that size. Batch normalisation is folded into the convolutions, as converters do.

With the normalisation's own it has 36.3 M parameters, as Kim et al., "A Unified Compression
Framework for Efficient Speech-Driven Talking-Face Generation" (2023, arXiv 2304.00471) tell, and
their 6.2 G multiply-adds a frame if a transposed convolution counts a whole kernel at each of its
outputs. Three in four of those multiply by nothing; without them, as `flops` counts, it is 4.0 G
multiply-adds, 7.9 GFLOP.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from onnx import TensorProto, helper, numpy_helper

OPSET = 17
IR_VERSION = 8
Conv = tuple[int, int, int | tuple[int, int], int]  # channels out, kernel, stride, padding
Up = tuple[int, int, int, int]  # channels out, stride, padding, output padding

FACE: tuple[tuple[Conv, int], ...] = (  # a convolution, and how many residual ones follow
    ((16, 7, 1, 3), 0),
    ((32, 3, 2, 1), 2),
    ((64, 3, 2, 1), 3),
    ((128, 3, 2, 1), 2),
    ((256, 3, 2, 1), 2),
    ((512, 3, 2, 1), 1),
    ((512, 3, 1, 0), 0),
)
AUDIO: tuple[tuple[Conv, int], ...] = (
    ((32, 3, 1, 1), 2),
    ((64, 3, (3, 1), 1), 2),
    ((128, 3, 3, 1), 2),
    ((256, 3, (3, 2), 1), 1),
    ((512, 3, 1, 0), 0),
    ((512, 1, 1, 0), 0),
)
DECODER: tuple[tuple[Up, int], ...] = (
    ((512, 1, 0, 0), 1),
    ((512, 2, 1, 1), 2),
    ((384, 2, 1, 1), 2),
    ((256, 2, 1, 1), 2),
    ((128, 2, 1, 1), 2),
    ((64, 2, 1, 1), 2),
)


def build(seed: int = 0) -> bytes:
    """Return the graph: face (1, 6, 96, 96) and mel (1, 1, 80, 16) to frame (1, 3, 96, 96)."""
    net = _Net(np.random.default_rng(seed))
    faces = []
    at = ("face", 6)
    for conv, residuals in FACE:
        at = net.block(at, conv, residuals)
        faces.append(at)
    faces[-1] = net.conv(faces[-1], (512, 1, 1, 0))
    at = ("mel", 1)
    for conv, residuals in AUDIO:
        at = net.block(at, conv, residuals)
    at = net.joined(net.conv(at, (512, 1, 1, 0)), faces.pop())
    for up, residuals in DECODER:
        at = net.up(at, up)
        for _ in range(residuals):
            at = net.conv(at, (at[1], 3, 1, 1), residual=True)
        at = net.joined(at, faces.pop())
    at = net.conv(net.conv(at, (32, 3, 1, 1)), (3, 1, 1, 0), relu=False)
    net.node("Sigmoid", [at[0]], "frame")
    return net.model()


Tensor = tuple[str, int]  # name, channels


class _Net:
    """Nodes and weights of a graph in the making."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._rng = rng
        self._nodes: list[Any] = []
        self._weights: list[Any] = []

    def node(self, kind: str, inputs: list[str], output: str = "", **attributes: Any) -> str:
        name = output or f"t{len(self._nodes)}"
        self._nodes.append(helper.make_node(kind, inputs, [name], **attributes))
        return name

    def block(self, at: Tensor, conv: Conv, residuals: int) -> Tensor:
        at = self.conv(at, conv)
        for _ in range(residuals):
            at = self.conv(at, (at[1], 3, 1, 1), residual=True)
        return at

    def conv(self, at: Tensor, conv: Conv, residual: bool = False, relu: bool = True) -> Tensor:
        channels, kernel, stride, padding = conv
        strides = [stride, stride] if isinstance(stride, int) else [*stride]
        weights = self._random((channels, at[1], kernel, kernel), at[1] * kernel**2)
        bias = self._random((channels,), 100)
        name = self.node("Conv", [at[0], weights, bias], strides=strides, pads=[padding] * 4)
        if residual:
            name = self.node("Add", [name, at[0]])
        return (self.node("Relu", [name]) if relu else name), channels

    def up(self, at: Tensor, up: Up) -> Tensor:
        channels, stride, padding, beyond = up
        weights = self._random((at[1], channels, 3, 3), at[1] * 9)
        bias = self._random((channels,), 100)
        name = self.node(
            "ConvTranspose",
            [at[0], weights, bias],
            strides=[stride] * 2,
            pads=[padding] * 4,
            output_padding=[beyond] * 2,
        )
        return self.node("Relu", [name]), channels

    def joined(self, one: Tensor, other: Tensor) -> Tensor:
        return self.node("Concat", [one[0], other[0]], axis=1), one[1] + other[1]

    def model(self) -> bytes:
        graph = helper.make_graph(
            self._nodes,
            "wav2lip_shape",
            [_value("face", (1, 6, 96, 96)), _value("mel", (1, 1, 80, 16))],
            [_value("frame", (1, 3, 96, 96))],
            self._weights,
        )
        opsets = [helper.make_opsetid("", OPSET)]
        model = helper.make_model(graph, opset_imports=opsets, ir_version=IR_VERSION)
        content: bytes = model.SerializeToString()
        return content

    def _random(self, shape: tuple[int, ...], fan_in: int) -> str:
        """Add weights that keep the scale of what goes through them (He et al. 2015)."""
        values = self._rng.standard_normal(shape, np.float32) * np.float32((2 / fan_in) ** 0.5)
        name = f"w{len(self._weights)}"
        self._weights.append(numpy_helper.from_array(values, name))
        return name


def _value(name: str, shape: tuple[int, ...]) -> Any:
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
