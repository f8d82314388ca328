"""A stream through converted graphs, against the same stream in torch.

One call of a graph may agree and a thousand may not: what one step gets wrong is fed to the next.
So either set of graphs speaks 200 solver steps, chunk after chunk, down to the frames.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import islice

import numpy as np

from rap_edge.config import ModelConfig
from rap_edge.converters.graphs import FLOAT, GraphSource, contract
from rap_edge.converters.parity import Bound, Difference, difference, in_torch
from rap_edge.converters.speaking import Array, Run, initial_state, speak

SOLVER_STEPS = 200


def compare_streams(
    config: ModelConfig, sources: Sequence[GraphSource], converted: Run, bound: Bound | None = None
) -> list[Difference]:
    """Let the same random portrait speak the same random sound with torch and converted graphs.

    Compares all latents and the last latent's frames. Without ``bound``, that of fp32 graphs holds.
    """
    (decoder,) = (source for source in sources if source.name == "decoder")
    state = initial_state(contract(decoder))
    expected, actual = (
        random_stream(config, run, state) for run in (torch_run(sources), converted)
    )
    bound = bound or FLOAT
    return [
        difference("stream", name, one, other, bound)
        for name, one, other in zip(("latents", "frames"), expected, actual, strict=True)
    ]


def torch_run(sources: Sequence[GraphSource]) -> Run:
    """Run graphs as they were before their conversion."""
    by_name = {source.name: source for source in sources}
    return lambda name, inputs: in_torch(by_name[name], inputs)


def random_stream(config: ModelConfig, run: Run, state: dict[str, Array]) -> tuple[Array, Array]:
    """Speak at least ``SOLVER_STEPS`` steps, with noise that is drawn anew for every latent.

    Returns the latents (T, C, h, w) and the frames of the last.
    """
    rng = np.random.default_rng(0)
    config = replace(config, sampler=replace(config.sampler, noise_span=1))
    sampler, timeline, side = config.sampler, config.timeline, config.vae.resolution
    latents = sampler.window + (-(-SOLVER_STEPS // sampler.steps) - 1) * sampler.advance
    picture = rng.integers(0, 256, (side, side, 3), dtype=np.uint8)
    shape = (timeline.first_hop(latents), config.audio.n_mels)
    hops = rng.normal(-6, 4, shape).astype(np.float32)
    spoken = list(islice(speak(config, run, picture, hops, latents, 0, state), latents))
    return np.stack([one.latent for one in spoken]), spoken[-1].frames
