"""Where a head lies: found from its coordinates, and motion taken into its frame and back."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from rap_edge.models.placement import (
    HEAD_SCALE,
    LIPS_HEAD_Y,
    LIPS_Y,
    Placed,
    inverse,
    inverse3,
    place,
)
from rap_edge.models.warp import base_grid

SIDE = 64


def turned(angle: float, scale: float, x: float, y: float) -> Tensor:
    c, s = scale * math.cos(angle), scale * math.sin(angle)
    return torch.tensor([[[c, -s, x], [s, c, y]]])


def coordinates_at(placement: Tensor) -> Tensor:
    """Return the coordinate map of a head that lies where ``placement`` says."""
    back = inverse(placement)
    framed = (back[:, None, None, :, :2] * base_grid(SIDE)[:, :, None]).sum(-1)
    framed = framed + back[:, None, None, :, 2]
    x = framed[..., 0] / HEAD_SCALE[0]
    y = (framed[..., 1] - LIPS_Y) / HEAD_SCALE[1] + LIPS_HEAD_Y
    return torch.stack([x, y, torch.zeros_like(x), torch.ones_like(x)], 1)


PLACEMENTS = [
    pytest.param(turned(0.0, 1.0, 0.0, 0.0), id="the plain crop"),
    pytest.param(turned(0.3, 0.8, 0.1, -0.12), id="tilted and small"),
    pytest.param(turned(-0.2, 1.2, -0.05, 0.1), id="tilted and large"),
]


@pytest.mark.parametrize("placement", PLACEMENTS)
def test_a_head_is_found_where_it_lies(placement: Tensor) -> None:
    torch.testing.assert_close(place(coordinates_at(placement)), placement, atol=0.02, rtol=0)


def test_a_portrait_without_a_head_keeps_its_crop() -> None:
    nothing = torch.zeros(1, 4, SIDE, SIDE)
    torch.testing.assert_close(place(nothing), turned(0.0, 1.0, 0.0, 0.0))


def test_the_lips_come_to_the_same_place() -> None:
    placement = PLACEMENTS[1].values[0]
    coordinates = coordinates_at(placement)
    framed = Placed(SIDE).moved(coordinates, place(coordinates))
    y, x = divmod(int((framed[0, 0] ** 2 + (framed[0, 1] - LIPS_HEAD_Y) ** 2).argmin()), SIDE)
    assert abs((y + 0.5) * 2 / SIDE - 1 - LIPS_Y) < 2 / SIDE
    assert abs((x + 0.5) * 2 / SIDE - 1) < 2 / SIDE


@pytest.mark.parametrize("placement", PLACEMENTS)
def test_motion_comes_back_as_it_was(placement: Tensor) -> None:
    torch.manual_seed(0)
    coarse = torch.randn(1, 8, 8, 8)
    motion = torch.nn.functional.interpolate(coarse, size=(SIDE, SIDE), mode="bicubic")
    placed = Placed(SIDE)
    back = placed.motion_into_portrait(placed.motion_into_head(motion, placement), placement)
    inner = slice(20, 44)
    torch.testing.assert_close(back[..., inner, inner], motion[..., inner, inner], atol=0.1, rtol=0)


def test_displacements_turn_and_scale_with_the_head() -> None:
    motion = torch.zeros(1, 4, SIDE, SIDE)
    motion[:, 1], motion[:, 2], motion[:, 3] = 2.0, -2.0, 0.5
    framed = Placed(SIDE).motion_into_head(motion, turned(math.pi / 2, 2.0, 0.0, 0.0))
    middle = framed[0, :, 32, 32]
    torch.testing.assert_close(middle, torch.tensor([1.0, 0.0, -2.0, 0.5]), atol=1e-5, rtol=0)


def test_inverses() -> None:
    torch.manual_seed(0)
    matrix = torch.randn(5, 3, 3) + 3 * torch.eye(3)
    torch.testing.assert_close(inverse3(matrix) @ matrix, torch.eye(3).expand(5, -1, -1))
    for case in PLACEMENTS:
        placement = case.values[0]
        torch.testing.assert_close(inverse(inverse(placement)), placement)
