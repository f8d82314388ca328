"""Looking a picture up elsewhere: positions are in [-1, 1], x right and y down."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

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


def interpolation(side: int, scale: int) -> Tensor:
    """Return the matrices (scale, side, side) that interpolate between samples, edges held.

    Matrix p gives the pixel p of every sample.
    """
    samples = torch.eye(side)[None]
    pixels = F.interpolate(samples, scale_factor=float(scale), mode="linear")[0]
    return pixels.unflatten(1, (side, scale)).permute(2, 1, 0).contiguous()


class FineWarp(nn.Module):
    """Sample a square picture at ``place + flow``, a flow ``scale`` times coarser than the picture.

    Looks the pixels up in the order of their samples, so that nothing has to be moved about later.
    """

    across: Tensor
    down: Tensor
    rows: Tensor
    columns: Tensor

    def __init__(self, side: int, scale: int) -> None:
        super().__init__()
        fine = interpolation(side // scale, scale)
        columns = torch.stack([torch.kron(one.T.contiguous(), torch.eye(2)) for one in fine])
        places = centres(side).unflatten(0, (-1, scale)).T
        none = torch.zeros_like(places)
        across = torch.stack([places, none], -1).flatten(1)[:, None]
        down = torch.stack([none, places], -1)[:, :, None].expand(-1, -1, side // scale, -1)
        self.register_buffer("across", across, persistent=False)
        self.register_buffer("down", down.flatten(2), persistent=False)
        self.register_buffer("rows", fine * (2 * scale / side), persistent=False)
        self.register_buffer("columns", columns, persistent=False)

    def forward(self, picture: Tensor, flow: Tensor) -> Tensor:
        """picture: (N, C, S, S), flow: (N, 2, s, s) in its own samples -> (N, C * scale^2, s, s).

        The pixels of a sample are its channels, as ``pixel_unshuffle`` orders them.
        """
        side = flow.shape[2]
        with exactly(flow.device.type):
            coarse = flow.to(self.rows.dtype).permute(0, 2, 3, 1).flatten(2)[:, None]
            rows = (self.rows @ coarse + self.down)[:, :, None]
            grid = (rows @ self.columns + self.across).reshape(len(flow), -1, side, 2)
            return sample(picture, grid).reshape(len(flow), -1, side, side)


def exactly(device: str) -> AbstractContextManager[object]:
    """Keep autocast from rounding products of positions."""
    on = torch.is_autocast_enabled(device)
    return torch.autocast(device, enabled=False) if on else nullcontext()
