"""Rules of layers with weights; arguments are named as in MIL."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from rap_edge.converters.mil.rule import Rule

CONVOLUTIONS = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}


def linear(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    return F.linear(x, weight, bias)


def matmul(
    x: Tensor,
    y: Tensor,
    transpose_x: Tensor | bool = False,
    transpose_y: Tensor | bool = False,
) -> Tensor:
    left = x.transpose(-1, -2) if transpose_x else x
    right = y.transpose(-1, -2) if transpose_y else y
    return left @ right


def conv(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    strides: Tensor | None = None,
    pad_type: str = "valid",
    pad: Tensor | None = None,
    dilations: Tensor | None = None,
    groups: Tensor | int = 1,
) -> Tensor:
    """Convolve over one to three axes, (N, C, ...); ``pad`` holds (before, after) for each."""
    axes = x.dim() - 2
    steps = [1] * axes if strides is None else strides.tolist()
    spread = [1] * axes if dilations is None else dilations.tolist()
    if pad_type == "custom":
        pairs = [[0, 0]] * axes if pad is None else pad.reshape(-1, 2).tolist()
    else:
        sizes = zip(x.shape[2:], weight.shape[2:], steps, spread, strict=True)
        pairs = [padding(pad_type, *size) for size in sizes]
    padded = F.pad(x, [length for pair in reversed(pairs) for length in pair])
    result: Tensor = CONVOLUTIONS[axes](padded, weight, bias, steps, 0, spread, int(groups))
    return result


def padding(kind: str, length: int, kernel: int, stride: int, dilation: int) -> list[int]:
    """Return what is put before and after an axis, so that "same" gives ceil(length / stride).

    The odd element comes last, with "same_lower" first.
    """
    if kind == "valid":
        return [0, 0]
    covered = (-(-length // stride) - 1) * stride + (kernel - 1) * dilation + 1
    total = max(covered - length, 0)
    less, more = total // 2, total - total // 2
    return [more, less] if kind == "same_lower" else [less, more]


def layer_norm(
    x: Tensor,
    axes: Tensor | None = None,
    gamma: Tensor | None = None,
    beta: Tensor | None = None,
    epsilon: Tensor | float = 1e-5,
) -> Tensor:
    over = list(range(x.dim())) if axes is None else axes.tolist()
    centred = x - x.mean(over, keepdim=True)
    normal = centred * torch.rsqrt(centred.square().mean(over, keepdim=True) + epsilon)
    normal = normal if gamma is None else normal * gamma
    return normal if beta is None else normal + beta


RULES: dict[str, Rule] = {
    "conv": conv,
    "layer_norm": layer_norm,
    "linear": linear,
    "matmul": matmul,
}
