"""Looking a picture up elsewhere: positions are in [-1, 1], x right and y down."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def base_grid(side: int) -> Tensor:
    """Return the positions of the samples of a square picture, (side, side, 2)."""
    centre = (torch.arange(side) + 0.5) * (2 / side) - 1
    return torch.stack(torch.meshgrid(centre, centre, indexing="xy"), -1)


def sample(picture: Tensor, grid: Tensor) -> Tensor:
    """Look a square picture (N, C, S, S) up at ``grid`` (N, S, S, 2); outside it, its border."""
    edge = 1 - 1 / picture.shape[-1]  # clamped here: onnxruntime's "border" is three times slower
    exact = picture.to(grid.dtype)  # positions in bfloat16 would be half a pixel apart
    return F.grid_sample(exact, grid.clamp(-edge, edge), "bilinear", "zeros", align_corners=False)


class Warp(nn.Module):
    """Sample a square picture at ``place + flow``."""

    base: Tensor

    def __init__(self, side: int) -> None:
        super().__init__()
        self.side = side
        self.register_buffer("base", base_grid(side), persistent=False)

    def forward(self, picture: Tensor, flow: Tensor) -> Tensor:
        """picture: (N, C, S, S), flow: (N, 2, S, S) in its pixels -> (N, C, S, S)."""
        return sample(picture, self.base + flow.permute(0, 2, 3, 1) * (2 / self.side))
