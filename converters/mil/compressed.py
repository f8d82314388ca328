"""Rules of compressed weights and of activations in 8 bits; arguments are named as in MIL."""

from __future__ import annotations

import torch
from torch import Tensor

from rap_edge.converters.mil.rule import HELD, Rule

LEVELS = {"int8": (-128, 127), "uint8": (0, 255)}


def quantize(
    input: Tensor,
    scale: Tensor,
    output_dtype: str,
    zero_point: Tensor | None = None,
    axis: Tensor | None = None,
) -> Tensor:
    """clip(round(input / scale) + zero_point), half to even."""
    least, most = LEVELS[output_dtype]
    levels = torch.round(input / along(scale, input, axis))
    shift = torch.tensor(0.0) if zero_point is None else along(zero_point.float(), input, axis)
    return (levels + shift).clamp(least, most).to(HELD[output_dtype])


def dequantize(
    input: Tensor,
    scale: Tensor,
    zero_point: Tensor | None = None,
    axis: Tensor | None = None,
) -> Tensor:
    """scale * (input - zero_point)."""
    shift = torch.tensor(0.0) if zero_point is None else along(zero_point.float(), input, axis)
    return (input.float() - shift) * along(scale, input, axis)


def constexpr_affine_dequantize(
    quantized_data: Tensor, zero_point: Tensor, scale: Tensor, axis: Tensor
) -> Tensor:
    return dequantize(quantized_data, scale, zero_point, axis)


def constexpr_lut_to_dense(indices: Tensor, lut: Tensor, shape: Tensor) -> Tensor:
    """Look indices up that are packed into bytes, lowest bits first."""
    lengths = shape.tolist()
    bits = (lut.numel() - 1).bit_length()
    flags = indices[:, None].to(torch.int64) >> torch.arange(8) & 1
    count = int(shape.prod())
    places = flags.flatten()[: count * bits].reshape(count, bits) << torch.arange(bits)
    return lut[places.sum(1)].reshape(lengths)


def along(parameter: Tensor, data: Tensor, axis: Tensor | None) -> Tensor:
    """Shape one number per element of an axis so that it spreads over the others."""
    if parameter.dim() == 0 or axis is None:
        return parameter
    shape = [1] * data.dim()
    shape[int(axis)] = -1
    return parameter.reshape(shape)


RULES: dict[str, Rule] = {
    "constexpr_affine_dequantize": constexpr_affine_dequantize,
    "constexpr_lut_to_dense": constexpr_lut_to_dense,
    "dequantize": dequantize,
    "quantize": quantize,
}
