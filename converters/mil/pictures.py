"""Rules that resample pictures or regroup their pixels; arguments are named as in MIL."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from rap_edge.converters.mil.rule import Rule
from rap_edge.errors import NotSupported

Scale = Tensor | float


def resample(
    x: Tensor,
    coordinates: Tensor,
    sampling_mode: str,
    padding_mode: str,
    padding_value: Tensor,
    coordinates_mode: str,
    align_corners: Tensor,
) -> Tensor:
    """Look (N, C, H, W) up at (N, H', W', 2), x first; outside is ``padding_value`` or the border.

    ``align_corners`` puts the ends of normalized coordinates on the centres of the outermost
    pixels, else on their outer edges.
    """
    if padding_mode not in ("constant", "border"):
        raise NotSupported(f"resample pads by {padding_mode!r} - expected 'constant' or 'border'")
    aligned = bool(align_corners)
    if coordinates_mode == "normalized_zero_to_one":
        coordinates = coordinates * 2 - 1
    elif coordinates_mode == "unnormalized":
        size = torch.tensor([x.shape[3], x.shape[2]], dtype=coordinates.dtype)
        aligned, coordinates = False, (2 * coordinates + 1) / size - 1
    outside = float(padding_value) if padding_mode == "constant" else 0.0
    padding = "zeros" if padding_mode == "constant" else "border"
    return F.grid_sample(x - outside, coordinates, sampling_mode, padding, aligned) + outside


def upsample_nearest_neighbor(
    x: Tensor, scale_factor_height: Scale = 1, scale_factor_width: Scale = 1
) -> Tensor:
    for axis, scale in ((-2, scale_factor_height), (-1, scale_factor_width)):
        length = int(x.shape[axis] * float(scale))
        source = torch.arange(length) * x.shape[axis] // length
        x = x.index_select(axis, source)
    return x


def upsample_bilinear(
    x: Tensor,
    scale_factor_height: Scale = 1,
    scale_factor_width: Scale = 1,
    align_corners: Tensor | bool = True,
    half_pixel_centers: Tensor | bool | None = None,
) -> Tensor:
    """Interpolate the last two axes; pixels are centred unless their corners are aligned."""
    centred = not align_corners if half_pixel_centers is None else bool(half_pixel_centers)
    if centred and align_corners:
        raise NotSupported("upsample_bilinear aligns corners and centres - expected one of them")
    for axis, scale in ((-2, scale_factor_height), (-1, scale_factor_width)):
        length = int(x.shape[axis] * float(scale))
        x = interpolate(x, axis, positions(x.shape[axis], length, bool(align_corners), centred))
    return x


def positions(length: int, longer: int, aligned: bool, centred: bool) -> Tensor:
    """Return where each of ``longer`` samples lies among ``length``."""
    places = torch.arange(longer, dtype=torch.float64)
    if aligned:
        return places * ((length - 1) / max(longer - 1, 1))
    shift = 0.5 if centred else 0.0
    return ((places + shift) * (length / longer) - shift).clamp(0, length - 1)


def interpolate(x: Tensor, axis: int, places: Tensor) -> Tensor:
    before = places.floor().clamp(max=x.shape[axis] - 1)
    share = (places - before).to(x.dtype)
    share = share[:, None] if axis == -2 else share
    first = before.to(torch.int64)
    second = (first + 1).clamp(max=x.shape[axis] - 1)
    return x.index_select(axis, first) * (1 - share) + x.index_select(axis, second) * share


def pixel_shuffle(x: Tensor, upscale_factor: Tensor) -> Tensor:
    return F.pixel_shuffle(x, int(upscale_factor))


def pixel_unshuffle(x: Tensor, downscale_factor: Tensor) -> Tensor:
    return F.pixel_unshuffle(x, int(downscale_factor))


RULES: dict[str, Rule] = {
    "pixel_shuffle": pixel_shuffle,
    "pixel_unshuffle": pixel_unshuffle,
    "resample": resample,
    "upsample_bilinear": upsample_bilinear,
    "upsample_nearest_neighbor": upsample_nearest_neighbor,
}
