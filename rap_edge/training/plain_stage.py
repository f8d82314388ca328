"""The plain pixel VAE, trained on the same clips: the paper's baseline beside the guided one."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from rap_edge.models.plain import PlainVAE
from rap_edge.training.loop import Metrics, Stage
from rap_edge.training.losses import pixel_loss, psnr
from rap_edge.training.pictures import ClipSource


class PlainPixels(Stage):
    """Encode and decode whole clips on pixels alone."""

    name = "plain"

    def __init__(self, vae: PlainVAE, train: ClipSource, heldout: ClipSource) -> None:
        self.vae, self.train, self.heldout = vae, train, heldout
        self.frames = 2 * vae.config.time_stride + 1
        self.modules = nn.ModuleDict({"vae": vae})

    def reconstruct(self, frames: Tensor) -> Tensor:
        portrait = self.vae.portrait(frames[:, 0])
        return self.vae.decode(self.vae.encode(frames, portrait), portrait).float()

    def loss(self, rng: np.random.Generator, batch: int) -> tuple[Tensor, Metrics]:
        device = next(self.modules.parameters()).device
        frames = self.train.run(rng, batch, self.frames).to(device)
        painted = self.reconstruct(frames).flatten(0, 1)
        truth = frames.flatten(0, 1)
        return pixel_loss(painted, truth, torch.ones_like(truth[:, :1])), {}

    def validate(self) -> Metrics:
        device = next(self.modules.parameters()).device
        frames = self.heldout.run(np.random.default_rng(0), 8, self.frames).to(device)
        error = (self.reconstruct(frames).clamp(-1, 1) - frames).square()
        return {"psnr": psnr(error)}
