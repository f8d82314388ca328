"""The causal video VAE: what both kinds share.

A VAE turns ``time_stride`` frames and the past into one latent, and back, one group at a time:
``step(x, state) -> (y, state)``. The first latent is one frame, repeated to fill its group. The
offline pass is the same steps from the initial state, so streaming equals offline by construction.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import NamedTuple

import torch
from torch import Tensor, nn

from rap_edge.config import VAEConfig

State = tuple[Tensor, ...]


class Portrait(NamedTuple):
    """What is computed once per avatar."""

    image: Tensor
    """(N, 3, H, W) in [-1, 1]."""
    features: Tensor
    """(N, C, H / 4, W / 4), appearance for the decoder; zero channels where it needs none."""
    map: Tensor
    """(N, C_ref, H / 32, W / 32), the reference as the DiT sees it."""
    placement: Tensor
    """(N, 2, 3), where the head lies (``rap_edge.models.placement``); empty where none is used."""


class VideoVAE(nn.Module, ABC):
    """Frames (N, F, 3, H, W) in [-1, 1] to latents (N, T, C, H / 32, W / 32), given a portrait.

    F = time_stride * (T - 1) + 1, as in the paper: 121 frames are 16 latents of stride 8.
    """

    config: VAEConfig

    @abstractmethod
    def portrait(self, reference: Tensor) -> Portrait:
        """Encode the reference (N, 3, H, W) in [-1, 1], once per avatar."""

    @abstractmethod
    def encoder_state(self, n: int) -> State:
        """Return the encoder's state before the first frame, for ``n`` streams."""

    @abstractmethod
    def decoder_state(self, n: int) -> State:
        """Return the decoder's state before the first latent, for ``n`` streams."""

    @abstractmethod
    def encode_step(self, frames: Tensor, portrait: Portrait, state: State) -> tuple[Tensor, State]:
        """Encode one group (N, time_stride, 3, H, W) into one latent (N, C, h, w)."""

    @abstractmethod
    def decode_step(self, latent: Tensor, portrait: Portrait, state: State) -> tuple[Tensor, State]:
        """Decode one latent (N, C, h, w) into its group (N, time_stride, 3, H, W)."""

    def encode(self, frames: Tensor, portrait: Portrait) -> Tensor:
        """Encode a clip whose length is ``time_stride * k + 1``."""
        stride = self.config.time_stride
        if frames.shape[1] % stride != 1:
            raise ValueError(
                f"{frames.shape[1]} frames: expected a multiple of {stride} plus one, because the "
                "first latent is one frame; cut the clip"
            )
        groups = torch.cat([frames[:, :1].repeat(1, stride - 1, 1, 1, 1), frames], 1)
        state, latents = self.encoder_state(len(frames)), []
        for group in groups.split(stride, 1):
            latent, state = self.encode_step(group, portrait, state)
            latents.append(latent)
        return torch.stack(latents, 1)

    def decode(self, latents: Tensor, portrait: Portrait) -> Tensor:
        """Decode a clip from its first latent on: the first gives one frame."""
        state, groups = self.decoder_state(len(latents)), []
        for latent in latents.unbind(1):
            group, state = self.decode_step(latent, portrait, state)
            groups.append(group)
        return torch.cat(groups, 1)[:, self.config.time_stride - 1 :]
