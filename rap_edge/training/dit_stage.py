"""The transformer learns to generate motion latents from noise, audio and a reference."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from rap_edge.config import ModelConfig
from rap_edge.models.guided import interior
from rap_edge.models.model import RapModel
from rap_edge.sampling import timestep_embedding
from rap_edge.training.latents import LatentSource, LatentWindow
from rap_edge.training.loop import Metrics, Stage
from rap_edge.training.losses import flow_matching_loss


def draw_times(rng: np.random.Generator, n: int) -> np.ndarray:
    """Draw solver times: a quarter at pure noise, the rest logit-normal, shifted to high noise.

    At low noise the mouth can be read from the noisy latent and the audio is ignored
    (EditYourself, arXiv 2601.22127), so most of training happens where it cannot.
    """
    times = 1 / (1 + np.exp(-(rng.standard_normal(n) - 0.8)))
    return np.where(rng.random(n) < 0.25, 0.0, times)


class Denoising(Stage):
    """Flow matching with RAP's three-term loss, static-dynamic windows and audio dropout.

    The audio encoder and the shapes that are heard are trained along, or left as the hours of their
    own stage made them: with few clips they would learn these by heart.
    """

    name = "denoising"

    def __init__(
        self, model: RapModel, train: LatentSource, heldout: LatentSource, train_audio: bool
    ) -> None:
        self.config: ModelConfig = model.config
        self.train, self.heldout = train, heldout
        self.audio = model.audio.requires_grad_(train_audio)
        model.dit.hearing.shapes.requires_grad_(train_audio)
        self.modules = nn.ModuleDict({"dit": model.dit})
        if train_audio:
            self.modules["audio"] = model.audio
        deviation = train.deviation.clamp(max=float(train.deviation[2]))
        self.channel_weight = (deviation / deviation.mean())[:, None, None]

    @property
    def device(self) -> torch.device:
        return next(self.modules.parameters()).device

    def predict(
        self, window: LatentWindow, times: np.ndarray, noise: Tensor, dropped: Tensor | None = None
    ) -> Tensor:
        width = self.config.dit.width
        embedded = np.stack([timestep_embedding(float(t), width) for t in times])
        time = torch.from_numpy(times).float().to(self.device)[:, None, None, None, None]
        noisy = time * window.latents + (1 - time) * noise
        tokens = self.audio.to(self.device)(window.hops)
        timestep = torch.from_numpy(embedded).to(self.device)
        clean: Tensor = self.modules["dit"](noisy, timestep, tokens, window.reference_map, dropped)
        return clean.float()

    def loss(self, rng: np.random.Generator, batch: int) -> tuple[Tensor, Metrics]:
        window = self.train.draw(rng, batch).augment(rng).to(self.device)
        dropped = torch.from_numpy(rng.random(batch) < 0.1).to(self.device)
        noise = torch.randn_like(window.latents)
        predicted = self.predict(window, draw_times(rng, batch), noise, dropped)
        terms = self.terms(predicted, window)
        return terms[0] + 0.5 * terms[1] + 0.5 * terms[2], {
            name: float(term.detach())
            for name, term in zip(("all", "region", "change"), terms, strict=True)
        }

    def terms(self, predicted: Tensor, window: LatentWindow) -> tuple[Tensor, Tensor, Tensor]:
        weight = self.channel_weight.to(self.device)
        return flow_matching_loss(predicted, window.latents, weight, window.region)

    def validate(self) -> Metrics:
        """The region's error at three times, with the right audio and with another clip's."""
        rng = np.random.default_rng(0)
        window = self.heldout.draw(rng, 64).to(self.device)
        generator = torch.Generator().manual_seed(0)
        noise = torch.randn(window.latents.shape, generator=generator).to(self.device)
        other = window._replace(hops=window.hops.roll(7, 0))
        metrics = {}
        for time in (0.0, 0.5):
            times = np.full(len(noise), time)
            for name, audio in (("own", window), ("other", other)):
                error = self.terms(self.predict(audio, times, noise), window)[1]
                metrics[f"{name}@{time}"] = float(error)
        opening = self.opening(self.predict(window, np.zeros(len(noise)), noise))
        metrics["opening_r"] = correlation(opening, self.opening(window.latents))
        return metrics

    def opening(self, latents: Tensor) -> Tensor:
        """Return the area of the mouth's interior in every frame: (N, T * stride)."""
        maps = self.train.decode(latents.flatten(0, 1))
        area = interior(maps.unflatten(1, (self.config.vae.time_stride, -1))).sum((2, 3))
        return area.reshape(len(latents), -1)


def correlation(a: Tensor, b: Tensor) -> float:
    """Return the median over clips of Pearson's r along time, still clips left out."""
    moving = b.std(1) > 0.05 * b.std()
    a, b = a[moving] - a[moving].mean(1, True), b[moving] - b[moving].mean(1, True)
    return float(F.cosine_similarity(a, b, 1).median())
