"""A linear code of square cells: principal components of what a 8x8 cell of a map holds."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

CELL = 8


class CellCodec(nn.Module):
    """Code a map (N, K, 8 h, 8 w) as (N, C, h, w) of unit variance, and back.

    Starts from the principal components of ``fit`` and is trained further like any layer.
    """

    deviation: Tensor

    def __init__(self, planes: int, channels: int) -> None:
        super().__init__()
        self.analysis = nn.Conv2d(planes * CELL**2, channels, 1)
        self.synthesis = nn.Conv2d(channels, planes * CELL**2, 1)
        self.register_buffer("deviation", torch.ones(channels))

    def encode(self, maps: Tensor) -> Tensor:
        code: Tensor = self.analysis(F.pixel_unshuffle(maps, CELL))
        return code

    def decode(self, code: Tensor) -> Tensor:
        return F.pixel_shuffle(self.synthesis(code), CELL)

    @torch.no_grad()
    def fit(self, moments: CellMoments, weights: Tensor | None = None) -> Tensor:
        """Take the leading components of ``moments``; return each one's share of the energy.

        ``weights`` (K,) are what the planes were multiplied by before they were added.
        """
        mean, values, vectors = moments.components()
        channels = self.analysis.out_channels
        basis = vectors[:, :channels]
        deviation = values[:channels].clamp(min=1e-8).sqrt()
        self.deviation.copy_(deviation)
        self.analysis.weight.copy_((basis / deviation).T[..., None, None])
        bias = self.analysis.bias
        assert bias is not None
        assert self.synthesis.bias is not None
        bias.copy_(-(mean @ basis) / deviation)
        self.synthesis.weight.copy_((basis * deviation)[..., None, None])
        self.synthesis.bias.copy_(mean)
        if weights is not None:
            each = weights.repeat_interleave(CELL**2)
            self.analysis.weight.mul_(each[:, None, None])
            self.synthesis.weight.div_(each[:, None, None, None])
            self.synthesis.bias.div_(each)
        return values[:channels] / values.sum()


class CellMoments:
    """Running mean and covariance of the cells of many maps, in float64."""

    def __init__(self, planes: int) -> None:
        size = planes * CELL**2
        self.count = 0.0
        self.sum = torch.zeros(size, dtype=torch.float64)
        self.product = torch.zeros(size, size, dtype=torch.float64)

    def add(self, maps: Tensor, weight: Tensor | None = None) -> None:
        """Add maps (N, K, 8 h, 8 w); ``weight`` (N, h, w) counts a cell more or less often."""
        cells = F.pixel_unshuffle(maps, CELL).permute(0, 2, 3, 1).flatten(0, 2)
        each = torch.ones(len(cells)) if weight is None else weight.flatten()
        weighted = cells * each[:, None]
        self.count += float(each.sum())
        self.sum += weighted.sum(0).double()
        self.product += (weighted.T @ cells).double()

    def components(self) -> tuple[Tensor, Tensor, Tensor]:
        """Return mean (K * 64,), variances in falling order, and components as columns."""
        mean = self.sum / self.count
        covariance = self.product / self.count - torch.outer(mean, mean)
        values, vectors = torch.linalg.eigh(covariance)
        return mean.float(), values.flip(0).float(), vectors.flip(1).float()
