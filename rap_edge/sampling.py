"""The flow-matching sampler and its chunks, for numpy and torch alike.

``x_t = t * x_1 + (1 - t) * x_0`` with noise at t = 0 and data at t = 1. The network predicts the
data ``x_1``; the velocity is ``(x_1 - x_t) / (1 - t)``. A long stream is a row of chunks of
``window`` latents. Each chunk inherits the noisy tail of the one before at every solver time
("soft guidance", RAP section 3.3): the same noise level, no decoded frames, no re-encoding::

    chunk 0   0 1 2 3 4
    chunk 1       2 3 4 5 6         window 5, overlap 3: two new latents a chunk
    chunk 2           4 5 6 7 8
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from rap_edge.config import SamplerConfig
from rap_edge.noise import window_noise

Array = TypeVar("Array")
Tails = tuple[Array, ...]
"""The last ``window - 1`` latents of a chunk at every solver time: (..., window - 1, C, H, W)."""


@dataclass(frozen=True)
class Chunk:
    """One window of a stream: ``n`` latents from ``first`` on, of which ``inherited`` are old."""

    first: int
    n: int
    inherited: int

    @property
    def new(self) -> range:
        return range(self.first + self.inherited, self.first + self.n)


def chunk_at(index: int, sampler: SamplerConfig) -> Chunk:
    """Return chunk ``index`` of a stream; the first inherits nothing."""
    return Chunk(index * sampler.advance, sampler.window, sampler.overlap if index else 0)


def chunks_for(latents: int, sampler: SamplerConfig) -> int:
    """Return how many chunks a stream of ``latents`` latents needs."""
    return 0 if latents <= 0 else 1 + max(0, -(-(latents - sampler.window) // sampler.advance))


def solver_times(sampler: SamplerConfig) -> list[float]:
    """Return ``steps + 1`` times from 0 (noise) to 1 (data); ``shift`` > 1 favours high noise."""
    noise = [1 - i / sampler.steps for i in range(sampler.steps + 1)]
    return [1 - sampler.shift * s / (1 + (sampler.shift - 1) * s) for s in noise]


def timestep_embedding(time: float, width: int) -> NDArray[np.float32]:
    """Return the sinusoidal embedding of a solver time in [0, 1]: (width,), cosines first."""
    frequencies = 1000.0 * np.exp(-np.log(1e4) * np.arange(width // 2) / (width // 2))
    angles = time * frequencies
    return np.concatenate([np.cos(angles), np.sin(angles)]).astype(np.float32)


def chunk_noise(
    seed: int, chunk: Chunk, shape: tuple[int, ...], sampler: SamplerConfig
) -> NDArray[np.float32]:
    """Return the noise (n, C, H, W) that a chunk starts from, at the sampler's temperature.

    Motion that audio decides is better guessed than drawn, and what it leaves open better drawn.
    """
    noise = window_noise(seed, chunk.first, chunk.n, shape, sampler.noise_span)
    noise[:, sampler.free_channels :] *= np.float32(sampler.temperature)
    return noise


def euler_step(x: Any, clean: Any, time: float, following: float) -> Any:
    """Move ``x`` from ``time`` to ``following`` along the velocity towards ``clean``."""
    return x + (clean - x) * ((following - time) / (1 - time))


def denoise_chunk(
    predict: Callable[[Array, float], Array],
    noise: Array,
    tails: Tails[Array] | None,
    sampler: SamplerConfig,
) -> tuple[Array, Tails[Array]]:
    """Denoise one window and return its latents and the noisy tails for the next chunk.

    Args:
        predict: (x_t, t) -> x_1, both (..., window, C, H, W).
        noise: (..., window, C, H, W), x at t = 0; latent-indexed, see ``rap_edge.noise``.
        tails: what the chunk before returned, None for the first chunk.
    """
    n = sampler.overlap
    x: Any = noise
    saved = []
    for step, (time, following) in enumerate(pairwise(solver_times(sampler))):
        if tails is not None and n:
            x = x * 1
            tail: Any = tails[step]
            x[..., :n, :, :, :] = tail[..., -n:, :, :, :]
        saved.append(x[..., 1:, :, :, :])
        x = euler_step(x, predict(x, time), time, following)
    return x, (*saved, x[..., 1:, :, :, :])


def retime(tails: Tails[Any], old: SamplerConfig, new: SamplerConfig) -> Tails[Any]:
    """Return the tails at the times of another number of steps.

    A latent moves in straight lines between the times of its solver, so this is exact.
    """
    known = solver_times(old)
    return tuple(_at(time, known, tails) for time in solver_times(new))


def _at(time: float, known: list[float], tails: Tails[Any]) -> Any:
    after = next(i for i, other in enumerate(known) if other >= time)
    if known[after] == time:
        return tails[after]
    start = known[after - 1]
    share = (time - start) / (known[after] - start)
    return tails[after - 1] + (tails[after] - tails[after - 1]) * share
