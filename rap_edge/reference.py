"""The offline pipeline in torch: the ground truth for every other path."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from rap_edge.config import ModelConfig
from rap_edge.models.dit import denoiser
from rap_edge.models.model import RapModel
from rap_edge.sampling import (
    Chunk,
    Tails,
    chunk_at,
    chunk_noise,
    chunks_for,
    denoise_chunk,
    timestep_embedding,
)

SILENCE = float(np.log(1e-10))
"""Log-mel of digital silence: what stands before the first and after the last hop."""


def window_of_hops(config: ModelConfig, hops: Tensor, chunk: Chunk) -> Tensor:
    """Cut the hops (F, M) that the audio encoder reads for ``chunk``: (1, H, M)."""
    audio, timeline = config.audio, config.timeline
    first = timeline.first_hop(chunk.first) - audio.left_hops(timeline.hops_per_frame)
    length = audio.window_hops(chunk.n * config.tokens_per_latent, timeline.hops_per_frame)
    window = torch.full((length, audio.n_mels), SILENCE)
    start, stop = max(0, first), max(0, min(len(hops), first + length))
    window[start - first : max(start, stop) - first] = hops[start:stop]
    return window[None]


@torch.no_grad()
def generate_latents(
    model: RapModel, hops: Tensor, reference_map: Tensor, latents: int, seed: int = 0
) -> Tensor:
    """Generate ``latents`` latents (1, T, C, h, w) from log-mel hops (F, M)."""
    config = model.config
    network = denoiser(model.dit, config.sampler.guidance)
    shape = (config.vae.channels, config.vae.grid, config.vae.grid)
    out: list[Tensor] = []
    tails: Tails[Tensor] | None = None
    for index in range(chunks_for(latents, config.sampler)):
        chunk = chunk_at(index, config.sampler)
        tokens = model.audio(window_of_hops(config, hops, chunk))
        noise = torch.from_numpy(chunk_noise(seed, chunk, shape, config.sampler))[None]

        def predict(x: Tensor, time: float, tokens: Tensor = tokens) -> Tensor:
            step = torch.from_numpy(timestep_embedding(time, config.dit.width))[None]
            clean: Tensor = network(x, step, tokens, reference_map)
            return clean

        window, tails = denoise_chunk(predict, noise, tails, config.sampler)
        out.append(window[:, chunk.inherited :])
    return torch.cat(out, 1)[:, :latents]


@torch.no_grad()
def render(
    model: RapModel,
    reference: NDArray[np.uint8],
    hops: NDArray[np.float32],
    frames: int,
    seed: int = 0,
) -> NDArray[np.uint8]:
    """Render ``frames`` frames (F, H, W, 3) of a cropped portrait (H, W, 3) from log-mel hops."""
    image = torch.from_numpy(reference).permute(2, 0, 1)[None].float() / 127.5 - 1
    portrait = model.vae.portrait(image)
    count = model.config.timeline.latents(frames)
    latents = generate_latents(model, torch.from_numpy(hops), portrait.map, count, seed)
    video = model.vae.decode(latents, portrait)[0, :frames]
    return to_uint8(video)


def to_uint8(video: Tensor) -> NDArray[np.uint8]:
    """(F, 3, H, W) in [-1, 1] -> (F, H, W, 3) uint8."""
    pixels = ((video + 1) * 127.5).round().clamp(0, 255).to(torch.uint8)
    return pixels.permute(0, 2, 3, 1).numpy()
