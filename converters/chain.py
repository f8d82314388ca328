"""A stream through converted graphs, against the same stream in torch.

One call of a graph may agree and a thousand may not: what one step gets wrong is fed to the next.
So either set of graphs speaks 200 solver steps, chunk after chunk, down to the frames.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from onnx import ModelProto

from rap_edge.config import ModelConfig
from rap_edge.converters.graphs import GraphSource
from rap_edge.converters.parity import (
    Array,
    Difference,
    Tensors,
    difference,
    in_session,
    in_torch,
    open_session,
)
from rap_edge.sampling import Tails, chunk_at, chunk_noise, denoise_chunk, timestep_embedding

SOLVER_STEPS = 200

Run = Callable[[str, Tensors], Tensors]
"""Runs the graph of that name."""


@dataclass(frozen=True)
class Spoken:
    """What a stream gave: its latents (T, C, h, w), and the frames (F, H, W, 3) of its last."""

    latents: Array
    frames: Array


def compare_streams(
    config: ModelConfig, sources: Sequence[GraphSource], converted: Run
) -> list[Difference]:
    """Speak the same stream with torch and with converted graphs."""
    by_name = {source.name: source for source in sources}
    inputs = by_name["decoder"].inputs.items()
    state = {name: value.numpy() for name, value in inputs if name.startswith("state.")}
    expected, actual = (speak(config, run, state) for run in (torch_stream(sources), converted))
    allowed = by_name["denoiser"].tolerance
    return [
        difference("stream", name, getattr(expected, name), getattr(actual, name), allowed)
        for name in ("latents", "frames")
    ]


def torch_stream(sources: Sequence[GraphSource]) -> Run:
    """Run graphs as they were before their conversion."""
    by_name = {source.name: source for source in sources}
    return lambda name, inputs: in_torch(by_name[name], inputs)


def onnxruntime_stream(graphs: Mapping[str, ModelProto]) -> Run:
    """Run converted graphs, each in one session."""
    sessions = {name: open_session(graph) for name, graph in graphs.items()}
    return lambda name, inputs: in_session(sessions[name], inputs)


def speak(config: ModelConfig, run: Run, state: Tensors) -> Spoken:
    """Let a random portrait speak random sound for ``SOLVER_STEPS`` steps of the solver.

    ``state`` is what the decoder is fed at first.
    """
    rng = np.random.default_rng(0)
    vae, sampler, timeline = config.vae, config.sampler, config.timeline
    picture = rng.integers(0, 256, (1, vae.resolution, vae.resolution, 3), dtype=np.uint8)
    reference = run("portrait", {"reference": picture})
    shape = (vae.channels, vae.grid, vae.grid)
    length = config.audio.window_hops(
        sampler.window * config.tokens_per_latent, timeline.hops_per_frame
    )
    tails: Tails[Array] | None = None
    latents: list[Array] = []
    for index in range(SOLVER_STEPS // sampler.steps):
        hops = rng.normal(-6, 4, (1, length, config.audio.n_mels)).astype(np.float32)
        spoken = {**reference, **run("audio", {"hops": hops})}

        def predict(x: Array, time: float, spoken: Tensors = spoken) -> Array:
            step = timestep_embedding(time, config.dit.width)[None]
            return run("denoiser", {**spoken, "latent": x, "timestep": step})["clean"]

        chunk = chunk_at(index, sampler)
        noise = chunk_noise(0, chunk, shape, sampler)[None]
        window, tails = denoise_chunk(predict, noise, tails, sampler)
        latents += list(window[0, chunk.inherited :])
    return Spoken(np.stack(latents), decode(run, latents, reference, state))


def decode(run: Run, latents: Sequence[Array], reference: Tensors, state: Tensors) -> Array:
    """Decode latents (C, h, w) one after the other; return the frames of the last."""
    for latent in latents:
        outputs = run("decoder", {**reference, **state, "latent": latent[None, None]})
        state = {name.removeprefix("next_"): value for name, value in outputs.items()}
    return state["frames"]
