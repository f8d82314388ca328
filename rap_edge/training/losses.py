"""Losses: RAP's three terms for the transformer, and pixels for the painter."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from rap_edge.models.guided import interior


def flow_matching_loss(
    predicted: Tensor, clean: Tensor, channel_weight: Tensor, region: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Return the whole, the region's and the temporal-difference error (RAP section 3.4).

    The network predicts x_1, so the error is that of the velocity times (1 - t). The full loss is
    the first plus half of the others.

    Args:
        predicted, clean: (N, T, C, H, W).
        channel_weight: (C, 1, 1), about 1 on average: keeps head translation, the largest
            components, from drowning the lips.
        region: (N, T, H, W), 0 or more: the face, with the mouth counted more.
    """
    error = (predicted - clean).square() * channel_weight
    inside = (error * region[:, :, None]).sum() / (region.sum() * clean.shape[2]).clamp(min=1)
    change = (predicted - clean).diff(dim=1).square() * channel_weight
    return error.mean(), inside, change.mean()


def pixel_loss(painted: Tensor, truth: Tensor, weight: Tensor) -> Tensor:
    """Return the weighted L1 error of pixels plus half of that of their differences.

    painted, truth: (N, 3, H, W) in [-1, 1]; weight: (N, 1, H, W).
    """
    error = painted - truth
    across = error.diff(dim=3).abs() * weight[..., 1:]
    down = error.diff(dim=2).abs() * weight[:, :, 1:]
    return (error.abs() * weight).mean() + 0.5 * (across.mean() + down.mean())


def mouth_weight(motion: Tensor, scale: int) -> Tensor:
    """Return weights (N, 1, H, W) for motion (N, 4, h, w): 10 in the mouth, 5 around it, else 1."""
    inside = interior(motion)[:, None]
    grown = F.max_pool2d((motion[:, 2:3] + 1).clamp(0, 1), 5, 1, 2)
    return 1 + F.interpolate(4 * grown + 5 * inside, scale_factor=float(scale), mode="nearest")


def psnr(squared_error: Tensor) -> float:
    """Return the peak signal-to-noise ratio in dB of a mean squared error in [-1, 1] units."""
    return float(10 * torch.log10(4 / squared_error.mean()))
