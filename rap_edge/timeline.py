"""Exact arithmetic between samples, feature hops, video frames and latents: integers only.

One latent ``j >= 1`` covers ``r`` video frames and latent 0 covers one (the causal VAE repeats
frame 0 to fill its group), so every latent is ``r`` slots and slot ``i`` is frame ``i - r + 1``::

    latent      0            1                2
    frames   (0 0 0) 0    1 2 3 4          5 6 7 8          r = 4
    hops     -12 .. 3     4 .. 19          20 .. 35         4 hops a frame

With 16 kHz audio, a hop of 160 samples and 25 frames a second, a frame is exactly 640 samples.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Timeline:
    """The rates of one model and the conversions between them."""

    sample_rate: int = 16000
    hop_samples: int = 160
    fps: int = 25
    frames_per_latent: int = 4

    def __post_init__(self) -> None:
        if self.sample_rate % self.fps or self.frame_samples % self.hop_samples:
            raise ValueError(
                f"{self.sample_rate} Hz, hop {self.hop_samples} and {self.fps} fps do not divide: "
                "a frame must be a whole number of hops"
            )

    @property
    def frame_samples(self) -> int:
        return self.sample_rate // self.fps

    @property
    def hops_per_frame(self) -> int:
        return self.frame_samples // self.hop_samples

    def frames(self, samples: int) -> int:
        """Frames needed to cover ``samples``: the last one may be partly silence."""
        return -(-samples // self.frame_samples)

    def latents(self, frames: int) -> int:
        """Latents that ``frames`` frames from the start of a stream need."""
        return 0 if frames <= 0 else 1 + -(-(frames - 1) // self.frames_per_latent)

    def frames_of(self, first_latent: int, n_latents: int) -> range:
        """Frames covered by ``n_latents`` latents from ``first_latent`` on; latent 0 has one."""
        r = self.frames_per_latent
        start = max(0, r * first_latent - r + 1)
        return range(start, max(start, r * (first_latent + n_latents) - r + 1))

    def first_hop(self, latent: int) -> int:
        """First feature hop of a latent; negative (before the stream, silence) for latent 0."""
        return self.hops_per_frame * (self.frames_per_latent * (latent - 1) + 1)
