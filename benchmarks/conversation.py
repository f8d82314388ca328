"""Speech for clocks that are not real: noise with the rhythm of syllables, in pushes of 20 ms."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

RATE = 16_000
BLOCK = 320  # samples a push: 20 ms, as from a network


def blocks(pcm: NDArray[np.float32]) -> Iterator[NDArray[np.float32]]:
    for start in range(0, len(pcm), BLOCK):
        yield pcm[start : start + BLOCK]


def babble(seconds: float, seed: int) -> NDArray[np.float32]:
    """Return noise with the rhythm of syllables (S,) float32, never exactly zero."""
    rng = np.random.default_rng(seed)
    n = int(seconds * RATE)
    syllables = np.repeat(10 ** rng.uniform(-2.5, -0.7, n // 2400 + 1), 2400)[:n]
    samples = rng.standard_normal(n) * syllables
    return np.where(samples == 0, 1e-6, samples).clip(-1, 1).astype(np.float32)
