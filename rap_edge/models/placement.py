"""Where a head lies in a portrait: the affine frame in which every mouth is in the same place.

Motion maps are coded in this frame, whatever the crop, the size and the tilt of the head, so that
the transformer has one mouth to learn and not one for each place in a picture. Positions are in
[-1, 1] across a map, x right and y down.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from rap_edge.models.warp import base_grid, sample

HEAD_SCALE, LIPS_Y = (0.95, -1.25), 0.25
"""Frame positions per unit of the coordinate map, x and y, and how far down the frame the lips are.

About what an upright head has in its crop, but for the lips, which lie between two cells.
"""
LIPS_HEAD_Y = -0.085
"""The lips' y in a coordinate map, between closed and open (the rig's head model)."""
REACH = 0.35
"""Standard deviation of the weight around the lips with which a head is placed."""
PRIOR = 1.0
"""Weight of the plain crop, in samples of the map: what a portrait without a head gets."""


def place(coordinates: Tensor) -> Tensor:
    """Place the head of a coordinate map (N, 4, S, S): frame position to portrait, (N, 2, 3).

    The least-squares affine map around the lips.
    """
    x, y, covered = coordinates[:, 0], coordinates[:, 1], coordinates[:, 3].clamp(0, 1)
    framed = [HEAD_SCALE[0] * x, HEAD_SCALE[1] * (y - LIPS_HEAD_Y)]
    away = framed[0].square() + framed[1].square()
    weight = (covered * torch.exp(-away / (2 * REACH**2))).flatten(1)[:, :, None]
    known = torch.stack([framed[0], framed[1] + LIPS_Y, torch.ones_like(x)], -1).flatten(1, 2)
    seen = base_grid(coordinates.shape[-1]).flatten(0, 1).to(coordinates)
    prior = PRIOR * torch.eye(3, device=x.device, dtype=x.dtype)
    normal = product(known, weight * known) + prior
    right = product(known, weight * seen) + prior[:, :2]
    return product(right, inverse3(normal))


def product(a: Tensor, b: Tensor) -> Tensor:
    """Return a^T b of (N, L, I) and (N, L, J), never in less than the tensors' own precision."""
    return (a[:, :, :, None] * b[:, :, None, :]).sum(1)


def inverse3(matrix: Tensor) -> Tensor:
    """Invert (N, 3, 3) by cofactors, which every runtime can."""
    a, b, c = matrix.unbind(1)
    columns = torch.stack([cross(b, c), cross(c, a), cross(a, b)], -1)
    return columns / (a * cross(b, c)).sum(-1)[:, None, None]


def cross(a: Tensor, b: Tensor) -> Tensor:
    """Return the cross product of (N, 3) and (N, 3)."""
    (a0, a1, a2), (b0, b1, b2) = a.unbind(1), b.unbind(1)
    return torch.stack([a1 * b2 - a2 * b1, a2 * b0 - a0 * b2, a0 * b1 - a1 * b0], 1)


def inverse(placement: Tensor) -> Tensor:
    """Invert affine maps (N, 2, 3): portrait position to frame."""
    (a, b, x), (c, d, y) = (row.unbind(1) for row in placement.unbind(1))
    rows = [torch.stack([d, -b, b * y - d * x], 1), torch.stack([-c, a, c * x - a * y], 1)]
    return torch.stack(rows, 1) / (a * d - b * c)[:, None, None]


class Placed(nn.Module):
    """Take maps (N, K, S, S) from the portrait into the head's frame, and back."""

    base: Tensor

    def __init__(self, side: int) -> None:
        super().__init__()
        self.register_buffer("base", base_grid(side), persistent=False)

    def motion_into_head(self, motion: Tensor, placement: Tensor) -> Tensor:
        """Take motion maps (N, F * 4, S, S) along: displacements turn and scale with the frame.

        Distances from the lips stay in samples of the portrait.
        """
        return self.turned(self.moved(motion, placement), inverse(placement))

    def motion_into_portrait(self, motion: Tensor, placement: Tensor) -> Tensor:
        """Undo ``motion_into_head``."""
        return self.turned(self.moved(motion, inverse(placement)), placement)

    def moved(self, maps: Tensor, to: Tensor) -> Tensor:
        """Look maps up where the affine maps ``to`` (N, 2, 3) take each of their places."""
        positions = (self.base[..., None, :] * to[:, None, None, :, :2]).sum(-1)
        return sample(maps, positions + to[:, None, None, :, 2])

    def turned(self, motion: Tensor, by: Tensor) -> Tensor:
        """Multiply the displacements of motion maps by the linear part of ``by``."""
        frames = motion.unflatten(1, (-1, 4))
        x, y = frames[:, :, 0], frames[:, :, 1]
        a, b, c, d = (by[:, i, j, None, None, None] for i in (0, 1) for j in (0, 1))
        u, v = a * x + b * y, c * x + d * y
        return torch.cat([u[:, :, None], v[:, :, None], frames[:, :, 2:]], 2).flatten(1, 2)
