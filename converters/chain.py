"""A stream through converted graphs, against the same stream in torch.

One call of a graph may agree and a thousand may not: what one step gets wrong is fed to the next.
So either set of graphs speaks 200 solver steps, chunk after chunk, down to the frames.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from onnx import ModelProto

from rap_edge.config import ModelConfig
from rap_edge.converters.graphs import GraphSource
from rap_edge.converters.parity import Difference, difference, open_session
from rap_edge.sampling import Tails, chunk_at, chunk_noise, denoise_chunk, timestep_embedding

SOLVER_STEPS = 200

Array = NDArray[Any]
Tensors = Mapping[str, Array]
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
    expected, actual = (speak(config, run, state) for run in (in_torch(sources), converted))
    allowed = by_name["denoiser"].tolerance
    return [
        difference("stream", name, getattr(expected, name), getattr(actual, name), allowed)
        for name in ("latents", "frames")
    ]


def in_torch(sources: Sequence[GraphSource]) -> Run:
    """Run graphs as they were before their conversion."""
    by_name = {source.name: source for source in sources}

    @torch.no_grad()
    def run(name: str, inputs: Tensors) -> Tensors:
        source = by_name[name]
        given = [torch.from_numpy(np.ascontiguousarray(inputs[key])) for key in source.inputs]
        outputs = source.module(*given)
        values = outputs if isinstance(outputs, tuple) else (outputs,)
        return {key: value.numpy() for key, value in zip(source.outputs, values, strict=True)}

    return run


def in_onnxruntime(graphs: Mapping[str, ModelProto]) -> Run:
    """Run converted graphs, each in one session."""
    sessions = {name: open_session(graph) for name, graph in graphs.items()}

    def run(name: str, inputs: Tensors) -> Tensors:
        session = sessions[name]
        names = [output.name for output in session.get_outputs()]
        given = {value.name: inputs[value.name] for value in session.get_inputs()}
        return dict(zip(names, session.run(names, given), strict=True))

    return run


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
