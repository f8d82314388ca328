"""The plain causal video VAE: pixels to latents and back, as RAP has it; the paper's baseline.

Two-dimensional convolutions with an explicit past stand in for three-dimensional ones (after
TAEHV's memory block): a block sees its input and the one a frame earlier, which is its state.
"""

from __future__ import annotations

from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from rap_edge.config import VAEConfig
from rap_edge.models.layers import conv3x3
from rap_edge.models.vae import Portrait, State, VideoVAE


class PastBlock(nn.Module):
    """A residual block over a frame and the one before it."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = conv3x3(2 * channels, channels)
        self.second = conv3x3(channels, channels)
        nn.init.zeros_(self.second.weight)

    def forward(self, x: Tensor, past: Tensor) -> tuple[Tensor, Tensor]:
        """x: (N, F, C, H, W), past: (N, C, H, W) -> the same shape, and the new past."""
        earlier = torch.cat([past[:, None], x[:, :-1]], 1)
        h = self.first(F.silu(torch.cat([x, earlier], 2).flatten(0, 1)))
        out = x + self.second(F.silu(h)).unflatten(0, x.shape[:2])
        return out, x[:, -1]


def each_frame(layer: nn.Module, x: Tensor) -> Tensor:
    """Apply an image layer to every frame of (N, F, C, H, W)."""
    out: Tensor = layer(x.flatten(0, 1))
    return out.unflatten(0, x.shape[:2])


class PlainEncoder(nn.Module):
    """Halve the picture until a latent's grid is reached, then join the frames of a group."""

    def __init__(self, config: VAEConfig, widths: tuple[int, ...]) -> None:
        super().__init__()
        self.stem = conv3x3(3 * 16, widths[0])
        self.past = nn.ModuleList(PastBlock(width) for width in widths)
        self.down = nn.ModuleList(conv3x3(a, b, 2) for a, b in pairwise(widths))
        self.join = nn.Conv2d(widths[-1] * config.time_stride, config.channels, 1)

    def forward(self, frames: Tensor, state: State) -> tuple[Tensor, State]:
        x = each_frame(self.stem, F.pixel_unshuffle(frames, 4))
        following = []
        for level, block in enumerate(self.past):
            x, last = block(x, state[level])
            following.append(last)
            if level < len(self.down):
                x = each_frame(self.down[level], x)
        latent: Tensor = self.join(x.flatten(1, 2))
        return latent, tuple(following)


class PlainDecoder(nn.Module):
    """The encoder's mirror: part a latent into the frames of its group, then double the picture."""

    def __init__(self, config: VAEConfig, widths: tuple[int, ...]) -> None:
        super().__init__()
        rising = widths[::-1]
        self.part = nn.Conv2d(config.channels, rising[0] * config.time_stride, 1)
        self.past = nn.ModuleList(PastBlock(width) for width in rising)
        self.up = nn.ModuleList(conv3x3(a, b) for a, b in pairwise(rising))
        self.paint = conv3x3(rising[-1], 3 * 16)
        self.stride = config.time_stride

    def forward(self, latent: Tensor, state: State) -> tuple[Tensor, State]:
        x = self.part(latent).unflatten(1, (self.stride, -1))
        following = []
        for level, block in enumerate(self.past):
            x, last = block(x, state[level])
            following.append(last)
            if level < len(self.up):
                larger = F.interpolate(x.flatten(0, 1), scale_factor=2.0, mode="nearest")
                x = self.up[level](larger).unflatten(0, x.shape[:2])
        return F.pixel_shuffle(each_frame(self.paint, F.silu(x)), 4), tuple(following)


class PlainVAE(VideoVAE):
    """A causal VAE of pixels; the reference's map is the latent of the reference itself."""

    def __init__(self, config: VAEConfig) -> None:
        super().__init__()
        self.config = config
        width = config.width
        self.widths = (width, 2 * width, 4 * width, 4 * width)
        self.sides = tuple(config.resolution // (4 << level) for level in range(4))
        self.encoder = PlainEncoder(config, self.widths)
        self.decoder = PlainDecoder(config, self.widths)

    def portrait(self, reference: Tensor) -> Portrait:
        group = reference[:, None].repeat(1, self.config.time_stride, 1, 1, 1)
        empty = reference.new_zeros(len(reference), 0, *(n // 4 for n in reference.shape[2:]))
        latent, _ = self.encoder(group, self.encoder_state(len(reference)))
        return Portrait(reference, empty, latent, empty)

    def encoder_state(self, n: int) -> State:
        pairs = zip(self.widths, self.sides, strict=True)
        device = self.encoder.stem.weight.device
        return tuple(torch.zeros(n, width, side, side, device=device) for width, side in pairs)

    def decoder_state(self, n: int) -> State:
        return self.encoder_state(n)[::-1]

    def encode_step(self, frames: Tensor, portrait: Portrait, state: State) -> tuple[Tensor, State]:
        latent, following = self.encoder(frames, state)
        return latent, following

    def decode_step(self, latent: Tensor, portrait: Portrait, state: State) -> tuple[Tensor, State]:
        frames, following = self.decoder(latent, state)
        return frames, following
