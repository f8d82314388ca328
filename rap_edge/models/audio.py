"""The audio encoder: log-mel hops to conditioning tokens, causal but for a fixed look-ahead."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from rap_edge.config import AudioConfig


class DilatedBlock(nn.Module):
    """A dilated convolution without padding around a skip: ``2 * dilation`` shorter."""

    def __init__(self, width: int, dilation: int, right: int) -> None:
        super().__init__()
        self.left, self.right = 2 * dilation - right, right
        self.dilated = nn.Conv1d(width, width, 3, dilation=dilation)
        self.mix = nn.Conv1d(width, width, 1)

    def forward(self, x: Tensor) -> Tensor:
        kept = x[:, :, self.left : x.shape[2] - self.right]
        return kept + self.mix(F.gelu(self.dilated(F.gelu(x))))


class AudioEncoder(nn.Module):
    """Turn log-mel hops into tokens.

    Nothing is padded: a token depends on exactly ``left_hops`` hops before it and
    ``lookahead_hops`` after it, so any window that holds them gives the same token. The look-ahead
    is a delayed output: the first blocks keep their centre tap until it is spent, the others their
    newest.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, config: AudioConfig, hops_per_frame: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.full((config.n_mels, 1), -6.0))
        self.register_buffer("deviation", torch.full((config.n_mels, 1), 4.0))
        self.smooth = nn.Conv1d(config.n_mels, config.width, 5)
        self.pair = nn.Conv1d(
            config.width, config.width, 4, stride=config.token_hops(hops_per_frame)
        )
        spare = max(0, (config.lookahead_hops - 4) // config.token_hops(hops_per_frame))
        blocks = []
        for dilation in config.dilations:
            right = min(dilation, spare)
            spare -= right
            blocks.append(DilatedBlock(config.width, dilation, right))
        self.blocks = nn.Sequential(*blocks)
        self.norm = nn.LayerNorm(config.width)

    def forward(self, hops: Tensor) -> Tensor:
        """hops: (N, ``config.window_hops(L)``, M) natural-log mel -> tokens (N, L, D)."""
        x = (hops.transpose(1, 2) - self.mean) / self.deviation
        x = self.blocks(self.pair(F.gelu(self.smooth(x))))
        tokens: Tensor = self.norm(x.transpose(1, 2))
        return tokens
