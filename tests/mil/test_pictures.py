"""Rules that resample pictures or regroup their pixels, against torch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from rap_edge.converters.mil import open_program, pictures
from rap_edge.errors import NotSupported

X, GRID = (2, 4, 6, 8), (2, 3, 2, 2)


def enlarged(kind: str, height: float, width: float, **arguments: Any) -> Callable[[Any, Any], Any]:
    return lambda mb, x: getattr(mb, f"upsample_{kind}")(
        x=x, scale_factor_height=height, scale_factor_width=width, **arguments
    )


def bilinear(scale: tuple[float, float], aligned: bool) -> Callable[[Tensor], Tensor]:
    return lambda x: F.interpolate(x, scale_factor=scale, mode="bilinear", align_corners=aligned)


def from_the_first_centre(x: Tensor) -> Tensor:
    """Twice as wide: samples begin at the first pixel's centre and end on the last."""
    following = torch.cat([x[..., 1:], x[..., -1:]], -1)
    return torch.stack([x, (x + following) / 2], -1).flatten(-2)


def look_up(
    ends: str, padding: str, sampling: str = "bilinear", outside: float = 0.0, aligned: bool = False
) -> Callable[..., Any]:
    return lambda mb, x, y: mb.resample(
        x=x,
        coordinates=y,
        coordinates_mode=ends,
        padding_mode=padding,
        sampling_mode=sampling,
        padding_value=outside,
        align_corners=aligned,
    )


def in_pixels(x: Tensor, grid: Tensor) -> Tensor:
    size = torch.tensor([x.shape[3] - 1, x.shape[2] - 1])
    return F.grid_sample(x, grid / size * 2 - 1, align_corners=True)


CASES: tuple[tuple[str, Callable[..., Any], Callable[..., Tensor]], ...] = (
    (
        "pixel_shuffle",
        lambda mb, x: mb.pixel_shuffle(x=x, upscale_factor=2),
        lambda x: F.pixel_shuffle(x, 2),
    ),
    (
        "pixel_unshuffle",
        lambda mb, x: mb.pixel_unshuffle(x=x, downscale_factor=np.uint32(2)),
        lambda x: F.pixel_unshuffle(x, 2),
    ),
    ("upsample_bilinear", enlarged("bilinear", 2, 3, align_corners=False), bilinear((2, 3), False)),
    ("upsample_bilinear", enlarged("bilinear", 2.0, 2.0), bilinear((2, 2), True)),
    (
        "upsample_bilinear",
        enlarged("bilinear", 1, 2, align_corners=False, half_pixel_centers=False),
        from_the_first_centre,
    ),
    (
        "upsample_nearest_neighbor",
        enlarged("nearest_neighbor", 2, 3),
        lambda x: x.repeat_interleave(2, 2).repeat_interleave(3, 3),
    ),
)

LOOKED_UP: tuple[tuple[Callable[..., Any], Callable[..., Tensor]], ...] = (
    (
        look_up("normalized_minus_one_to_one", "constant"),
        lambda x, y: F.grid_sample(x, y, align_corners=False),
    ),
    (
        look_up("normalized_minus_one_to_one", "border", "nearest", aligned=True),
        lambda x, y: F.grid_sample(x, y, "nearest", "border", align_corners=True),
    ),
    (
        look_up("normalized_zero_to_one", "constant", outside=5.0),
        lambda x, y: F.grid_sample(x - 5, y * 2 - 1, align_corners=False) + 5,
    ),
    (look_up("unnormalized", "constant"), in_pixels),
)


@pytest.mark.parametrize(("operator", "build", "expected"), CASES)
def test_a_rule_computes_what_torch_computes(
    operator: str, build: Any, expected: Any, agree: Callable[..., None]
) -> None:
    agree(operator, build, expected, X)


@pytest.mark.parametrize(("build", "expected"), LOOKED_UP)
def test_a_picture_is_looked_up_as_in_torch(
    build: Any, expected: Any, agree: Callable[..., None]
) -> None:
    agree("resample", build, expected, X, GRID)


def test_every_rule_is_tested() -> None:
    assert {case[0] for case in CASES} | {"resample"} == set(pictures.RULES)


@pytest.mark.parametrize(
    ("build", "named"),
    [
        (look_up("unnormalized", "reflection"), "'reflection'"),
        (
            lambda mb, x, y: mb.upsample_bilinear(x=x, align_corners=True, half_pixel_centers=True),
            "aligns corners and centres",
        ),
    ],
)
def test_what_a_rule_does_not_know_is_refused(build: Any, named: str, save: Any) -> None:
    program = open_program(save(build, X, GRID))
    with pytest.raises(NotSupported, match=named):
        program.run({"x": torch.zeros(X).numpy(), "y": torch.zeros(GRID).numpy()})
