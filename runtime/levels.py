"""The ladder: what a chunk costs and gives at each level of quality, best first."""

from __future__ import annotations

from dataclasses import dataclass, replace

from rap_edge.config import SamplerConfig


@dataclass(frozen=True)
class Level:
    """How one chunk is made."""

    steps: int  # of the solver
    latents: int  # new ones a chunk, of 160 ms each: more is cheaper and hears further ahead
    rate_divisor: int = 1  # of the frames that are shown: 2 is every other one
    holds: bool = False  # nothing is made: the last frame stays
    spare_hops: int = (
        0  # of the look-ahead, that a chunk does not wait for: the one before stands in
    )

    def sampler(self, config: SamplerConfig) -> SamplerConfig:
        """Return the sampler of this level's chunks."""
        return replace(config, steps=self.steps, overlap=config.window - self.latents)


def low_latency(sampler: SamplerConfig, spare_hops: int = 0) -> Level:
    """Return the level of a live stream: one new latent a chunk (overlap = window - 1)."""
    return Level(sampler.steps, 1, spare_hops=spare_hops)


def throughput(sampler: SamplerConfig) -> Level:
    """Return the level of the bundle: as many new latents a chunk as its overlap leaves."""
    return Level(sampler.steps, sampler.advance)


def ladder(sampler: SamplerConfig, spare_hops: int = 0) -> tuple[Level, ...]:
    """Return the levels of a live stream: fewer steps, longer chunks, half the rate, hold."""
    best = low_latency(sampler, spare_hops)
    quick = replace(best, steps=1)
    long = replace(quick, latents=min(2, sampler.window - 1))
    half = replace(long, rate_divisor=2)
    return (best, *([quick] if best.steps > 1 else []), long, half, replace(best, holds=True))
