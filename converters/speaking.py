"""A portrait speaks through the graphs of a model, whatever computes them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from rap_edge._core import FeatureSpec, offline_features
from rap_edge.config import ModelConfig
from rap_edge.evaluation.talker import Picture, Samples, Talker
from rap_edge.manifest import GraphSpec
from rap_edge.reference import window_of_hops
from rap_edge.sampling import (
    Tails,
    chunk_at,
    chunk_noise,
    chunks_for,
    denoise_chunk,
    timestep_embedding,
)

Array = NDArray[Any]
Tensors = Mapping[str, Array]

Run = Callable[[str, Tensors], Tensors]
"""Runs the graph of that name, on those of the tensors that it takes."""


@dataclass(frozen=True)
class Spoken:
    """A latent (C, h, w) and the frames (F, H, W, 3) that it covers."""

    latent: Array
    frames: Array


def speak(
    config: ModelConfig,
    run: Run,
    picture: Picture,
    hops: NDArray[np.float32],
    latents: int,
    seed: int = 0,
    state: Tensors | None = None,
) -> Iterator[Spoken]:
    """Let a portrait (H, W, 3) speak log-mel hops (F, M), one latent after the other.

    ``state`` is what the decoder is fed at first, for decoders that have one.
    """
    vae, sampler = config.vae, config.sampler
    shape = (vae.channels, vae.grid, vae.grid)
    reference = run("portrait", {"reference": picture[None]})
    tails: Tails[Array] | None = None
    past: Tensors = state or {}
    for index in range(chunks_for(latents, sampler)):
        chunk = chunk_at(index, sampler)
        window = window_of_hops(config, torch.from_numpy(hops), chunk)
        tokens = run("audio", {"hops": window.numpy()})
        spoken = {**reference, **tokens}

        def predict(x: Array, time: float, spoken: Tensors = spoken) -> Array:
            step = timestep_embedding(time, config.dit.width)[None]
            return run("denoiser", {**spoken, "latent": x, "timestep": step})["clean"]

        noise = chunk_noise(seed, chunk, shape, sampler)[None]
        clean, tails = denoise_chunk(predict, noise, tails, sampler)
        for latent in clean[0, chunk.inherited :][: latents - chunk.new.start]:
            outputs = run("decoder", {**reference, **past, "latent": latent[None, None]})
            past = {name.removeprefix("next_"): value for name, value in outputs.items()}
            yield Spoken(latent, outputs["frames"])


def initial_state(decoder: GraphSpec) -> dict[str, Array]:
    """Return what a decoder is fed at first: zeros, for what it feeds back to itself."""
    fed_back = (tensor for tensor in decoder.inputs if tensor.name.startswith("state."))
    return {tensor.name: np.zeros(tensor.shape, tensor.dtype) for tensor in fed_back}


def talker_of(config: ModelConfig, run: Run, decoder: GraphSpec) -> Talker:
    """Return what evaluation lets talk: these graphs."""

    state, timeline = initial_state(decoder), config.timeline
    hidden = timeline.frames_per_latent - 1  # of latent 0, which is one frame

    def talk(reference: Picture, samples: Samples, seed: int) -> Iterator[Picture]:
        hops = offline_features(FeatureSpec.rap(), samples)
        frames = timeline.frames(len(samples))
        stream = speak(config, run, reference, hops, timeline.latents(frames), seed, state)
        shown = (frame for spoken in stream for frame in spoken.frames)
        yield from islice(shown, hidden, hidden + frames)

    return talk
