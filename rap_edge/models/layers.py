"""Layers shared by the networks: attention with 3-D rotary positions, modulation, convolutions."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def conv3x3(inputs: int, outputs: int, stride: int = 1) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, 3, stride, 1)


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions around a skip; starts as the identity."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = conv3x3(channels, channels)
        self.second = conv3x3(channels, channels)
        nn.init.zeros_(self.second.weight)
        assert self.second.bias is not None
        nn.init.zeros_(self.second.bias)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.second(F.silu(self.first(F.silu(x))))


def rotary_angles(window: int, rows: int, columns: int, width: int) -> Tensor:
    """Return the angles of 3-D rotary positions: (window * rows * columns, width / 2).

    A quarter of the pairs turns with time, the rest is shared by row and column; the origin is the
    first latent of the window, whatever its place in the stream.
    """
    pairs = width // 2
    share = (pairs - 2 * (3 * pairs // 8), 3 * pairs // 8, 3 * pairs // 8)
    position = torch.meshgrid(
        torch.arange(window), torch.arange(rows), torch.arange(columns), indexing="ij"
    )
    angles = [
        axis.reshape(-1, 1) * 100.0 ** (-torch.arange(n) / max(n, 1))
        for axis, n in zip(position, share, strict=True)
    ]
    return torch.cat(angles, 1)


def rotate(x: Tensor, cosine: Tensor, sine: Tensor) -> Tensor:
    """Turn the pairs (i, i + D/2) of (N, heads, L, D) by their angles."""
    a, b = x.chunk(2, -1)
    return torch.cat([a * cosine - b * sine, a * sine + b * cosine], -1)


def split_heads(x: Tensor, heads: int) -> Tensor:
    """(N, L, heads * D) -> (N, heads, L, D)."""
    return x.unflatten(-1, (heads, -1)).transpose(1, 2)


def attend(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """Attend over heads of (N, heads, L, D) and join them: (N, L, heads * D).

    Written out, because torch's fused attention is slow on a CPU for so few tokens: a training step
    of the transformer takes 1.6 times as long with it.
    """
    weights = torch.softmax(q @ k.transpose(-1, -2) * q.shape[-1] ** -0.5, -1)
    return (weights.to(v.dtype) @ v).transpose(1, 2).flatten(2)


class SelfAttention(nn.Module):
    """Full space-time attention over the tokens of one window."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)

    def forward(self, x: Tensor, cosine: Tensor, sine: Tensor) -> Tensor:
        q, k, v = (split_heads(part, self.heads) for part in self.qkv(x).chunk(3, -1))
        mixed = attend(rotate(q, cosine, sine), rotate(k, cosine, sine), v)
        out: Tensor = self.out(mixed)
        return out


class HybridAttention(nn.Module):
    """Audio cross-attention, windowed and full in parallel (RAP section 3.2).

    ``alpha`` weighs the window branch, where the tokens of a latent see only that latent's audio,
    against the full branch, where every token sees the audio of the whole window. Both share their
    weights, so the second branch costs one more attention and no projection.
    """

    def __init__(self, width: int, heads: int, alpha: float) -> None:
        super().__init__()
        self.heads, self.alpha = heads, alpha
        self.q = nn.Linear(width, width)
        self.kv = nn.Linear(width, 2 * width)
        self.out = nn.Linear(width, width)
        nn.init.normal_(self.out.weight, std=0.02)
        nn.init.zeros_(self.out.bias)

    def forward(self, x: Tensor, audio: Tensor, window: int) -> Tensor:
        """x: (N, window * P, D), audio: (N, window * L, D) -> (N, window * P, D)."""
        q, (k, v) = self.q(x), self.kv(audio).chunk(2, -1)
        branches = []
        if self.alpha < 1:
            full = attend(*(split_heads(part, self.heads) for part in (q, k, v)))
            branches.append((1 - self.alpha) * full)
        if self.alpha > 0:
            latents = (part.unflatten(1, (window, -1)).flatten(0, 1) for part in (q, k, v))
            local = attend(*(split_heads(part, self.heads) for part in latents))
            branches.append(self.alpha * local.reshape_as(q))
        out: Tensor = self.out(branches[0] if len(branches) == 1 else branches[0] + branches[1])
        return out
