"""Looking a picture up elsewhere: positions are in [-1, 1], x right and y down."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def base_grid(side: int) -> Tensor:
    """Return the positions of the samples of a square picture, (side, side, 2)."""
    return torch.stack(torch.meshgrid(centres(side), centres(side), indexing="xy"), -1)


def centres(side: int) -> Tensor:
    """Return where the samples of one axis lie, (side,)."""
    return (torch.arange(side) + 0.5) * (2 / side) - 1


def sample(picture: Tensor, grid: Tensor) -> Tensor:
    """Look a square picture (N, C, S, S) up at ``grid`` (N, ..., 2); outside it, its border."""
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


def between(x: Tensor, scale: int, axis: int, step: int = 1) -> list[Tensor]:
    """Interpolate along an axis, edges held: pixel 0, 1, ... of every sample, each shaped like x.

    Neighbours on the axis are ``step`` apart. As ``F.interpolate`` has it, bilinear.
    """
    length = x.shape[axis]
    before = torch.cat([x.narrow(axis, 0, step), x.narrow(axis, 0, length - step)], axis) - x
    after = torch.cat([x.narrow(axis, step, length - step), x.narrow(axis, -step, step)], axis) - x
    offsets = [(pixel + 0.5) / scale - 0.5 for pixel in range(scale)]
    return [x + (before * -at if at < 0 else after * at) for at in offsets]


class FineWarp(nn.Module):
    """Sample a square picture at ``place + flow``, a flow ``scale`` times coarser than the picture.

    Looks the pixels up in the order of their samples, so that nothing has to be moved about later.
    """

    across: Tensor
    down: Tensor

    def __init__(self, side: int, scale: int) -> None:
        super().__init__()
        self.scale, self.unit = scale, 2 * scale / side
        places = centres(side).unflatten(0, (-1, scale)).T
        none = torch.zeros_like(places)
        across = torch.stack([places, none], -1).flatten(1)[:, None]
        down = torch.stack([none, places], -1)[:, :, None].expand(-1, -1, side // scale, -1)
        self.register_buffer("across", across, persistent=False)
        self.register_buffer("down", down.flatten(2), persistent=False)

    def forward(self, picture: Tensor, flow: Tensor) -> Tensor:
        """picture: (N, C, S, S), flow: (N, 2, s, s) in its own samples -> (N, C * scale^2, s, s).

        The pixels of a sample are its channels, as ``pixel_unshuffle`` orders them.
        """
        n, side = len(flow), flow.shape[2]
        coarse = flow.to(self.down.dtype).permute(0, 2, 3, 1).flatten(2) * self.unit
        rows = torch.stack(between(coarse, self.scale, 1), 1) + self.down
        columns = torch.stack(between(rows, self.scale, 3, step=2), 2) + self.across
        return sample(picture, columns.reshape(n, -1, side, 2)).reshape(n, -1, side, side)
