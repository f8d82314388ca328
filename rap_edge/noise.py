"""Counter-based Gaussian noise: a latent's noise depends on the seed and its index, nothing else.

So any chunking of a stream, and any thread, gives the same frames. The generator is Philox4x64-10
(Salmon et al., SC 2011) in numpy's raw form, whose output numpy promises not to change, followed by
the Box-Muller transform; numpy's own ``standard_normal`` may change between versions.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

SEEDS = 2**64


def latent_noise(seed: int, index: int, shape: tuple[int, ...]) -> NDArray[np.float32]:
    """Return standard normal noise of ``shape`` for latent ``index`` of stream ``seed``."""
    if not 0 <= seed < SEEDS or index < 0:
        raise ValueError(f"seed {seed}, latent {index}: expected 0 to 2**64 - 1, and 0 or more")
    size = int(np.prod(shape))
    pairs = -(-size // 2)
    raw = np.random.Philox(key=np.array([seed, index], np.uint64)).random_raw(2 * pairs)
    uniform = ((raw >> np.uint64(11)).astype(np.float64) + 0.5) * 2.0**-53
    radius = np.sqrt(-2.0 * np.log(uniform[:pairs]))
    angle = 2.0 * np.pi * uniform[pairs:]
    values = np.concatenate([radius * np.cos(angle), radius * np.sin(angle)])[:size]
    return values.astype(np.float32).reshape(shape)


def window_noise(
    seed: int, first: int, n: int, shape: tuple[int, ...], span: int = 1
) -> NDArray[np.float32]:
    """Stack the noise of latents ``first`` to ``first + n - 1``: (n, *shape).

    With ``span`` > 1 each is a weighted mean of so many draws, normal again: what the noise decides
    then changes slowly, over ``span`` latents.
    """
    if span == 1:
        return np.stack([_draw(seed, first + i, shape) for i in range(n)])
    weights = np.sin(np.pi * (np.arange(span) + 1) / (span + 1)) ** 2
    weights = (weights / np.sqrt(np.sum(weights**2))).astype(np.float32)
    draws = np.stack([_draw(seed, first + i, shape) for i in range(n + span - 1)])
    return np.stack([np.tensordot(weights, draws[i : i + span], 1) for i in range(n)])


@lru_cache(maxsize=256)
def _draw(seed: int, index: int, shape: tuple[int, ...]) -> NDArray[np.float32]:
    """Return what `latent_noise` does, read-only: chunks that follow each other share draws."""
    noise = latent_noise(seed, index, shape)
    noise.setflags(write=False)
    return noise
