"""Looking pictures up elsewhere."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from rap_edge.models.warp import FineWarp, Warp


def test_a_fine_warp_is_sampling_along_the_enlarged_flow() -> None:
    picture, flow = torch.rand(2, 3, 32, 32), torch.randn(2, 2, 8, 8)
    grown = F.interpolate(flow, scale_factor=4.0, mode="bilinear") * 4
    expected = F.pixel_unshuffle(Warp(32)(picture, grown), 4)
    torch.testing.assert_close(FineWarp(32, 4)(picture, flow), expected, atol=1e-5, rtol=0)


def test_positions_are_not_rounded_by_autocast() -> None:
    picture, flow = torch.rand(1, 3, 32, 32), torch.randn(1, 2, 8, 8)
    warp = FineWarp(32, 4)
    expected = warp(picture, flow)
    with torch.autocast("cpu", torch.bfloat16):
        torch.testing.assert_close(warp(picture, flow), expected)


@pytest.mark.parametrize("scale", [2, 4])
def test_no_flow_shows_the_picture_itself(scale: int) -> None:
    picture = torch.rand(1, 3, 16, 16)
    shown = FineWarp(16, scale)(picture, torch.zeros(1, 2, 16 // scale, 16 // scale))
    torch.testing.assert_close(shown, F.pixel_unshuffle(picture, scale))
