"""A small U-Net over maps at a quarter of the picture's resolution."""

from __future__ import annotations

from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from rap_edge.models.layers import ResidualBlock, conv3x3


class UNet(nn.Module):
    """(N, C_in, H, W) -> (N, C_out, H, W) with four resolutions; H and W are multiples of 8."""

    def __init__(self, inputs: int, outputs: int, width: int) -> None:
        super().__init__()
        widths = [width, 2 * width, 3 * width, 4 * width]
        self.stem = conv3x3(inputs, width)
        self.levels = nn.ModuleList(ResidualBlock(w) for w in widths)
        self.down = nn.ModuleList(conv3x3(a, b, 2) for a, b in pairwise(widths))
        self.bottom = ResidualBlock(widths[-1])
        self.up = nn.ModuleList(nn.Conv2d(b, a, 1) for a, b in pairwise(widths))
        self.merge = nn.ModuleList(ResidualBlock(w) for w in widths[:-1])
        self.out = conv3x3(width, outputs)
        nn.init.zeros_(self.out.weight)
        assert self.out.bias is not None
        nn.init.zeros_(self.out.bias)

    def forward(self, x: Tensor) -> Tensor:
        x, skips = self.stem(x), []
        for level, block in enumerate(self.levels):
            x = block(x)
            skips.append(x)
            if level < len(self.down):
                x = self.down[level](x)
        x = self.bottom(x)
        for level in reversed(range(len(self.up))):
            x = F.interpolate(self.up[level](x), scale_factor=2.0, mode="nearest")
            x = self.merge[level](x + skips[level])
        return torch.as_tensor(self.out(F.silu(x)))
