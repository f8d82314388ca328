"""What golden vectors show: one chunk of a portrait that speaks, through every graph in torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from rap_edge._core import FeatureSpec, offline_features
from rap_edge.converters.chain import torch_run
from rap_edge.converters.parity import in_torch
from rap_edge.converters.sources import Sources
from rap_edge.converters.speaking import Array, Run, Tensors, initial_state, speak
from rap_edge.errors import ParityError
from rap_edge.evaluation.talker import SAMPLE_RATE, Picture, Samples
from rap_edge.media.recording import read_audio
from rap_edge.photo import read_photo

SPOKEN_S = 1.6
HEADROOM = 2.0
"""A machine may be off by this much more than the one that made a bundle."""
LEAST_RELATIVE, MOST_RELATIVE = 1e-3, 0.3
LEAST_LEVELS, MOST_LEVELS = 2.0, 96.0
"""Bounds of tolerances: relative to an output's largest value, and in levels of pictures."""


@dataclass(frozen=True)
class Example:
    """A square portrait (H, H, 3) of any size and speech (S,) at 16 kHz, to make vectors with."""

    picture: Picture
    samples: Samples

    @classmethod
    def read(cls, portrait: Path, speech: Path) -> Example:
        """Read a picture, of which the middle square is taken, and a recording.

        Raises PortraitError or MediaError for a file that cannot be read.
        """
        photo = read_photo(portrait)
        side = min(photo.shape[:2])
        top, left = ((length - side) // 2 for length in photo.shape[:2])
        square = photo[top : top + side, left : left + side]
        return cls(square, np.concatenate(list(read_audio(speech, SAMPLE_RATE))))

    @classmethod
    def noise(cls) -> Example:
        """Return what there is without any data."""
        rng = np.random.default_rng(0)
        picture = cv2.resize(rng.integers(0, 256, (8, 8, 3), dtype=np.uint8), (256, 256))
        speech = rng.standard_normal(int(SAMPLE_RATE * SPOKEN_S)) * 0.1
        return cls(np.asarray(picture, np.uint8), speech.astype(np.float32))


def vectors_of(sources: Sources, example: Example) -> dict[str, dict[str, Array]]:
    """Return inputs and outputs of every graph, by graph and tensor: what the last call saw."""
    run, config = torch_run(sources.graphs), sources.config
    vectors: dict[str, dict[str, Array]] = {}

    def watched(name: str, inputs: Tensors) -> Tensors:
        given = {
            tensor.name: np.asarray(inputs[tensor.name]) for tensor in sources.specs[name].inputs
        }
        outputs = run(name, given)
        vectors[name] = {**given, **outputs}
        return outputs

    hops = offline_features(FeatureSpec.rap(), example.samples[: int(SAMPLE_RATE * SPOKEN_S)])
    latents = config.sampler.window + config.sampler.advance
    state = initial_state(sources.specs["decoder"])
    picture = fitted(example.picture, config.vae.resolution)
    for _ in speak(config, watched, picture, hops, latents, 0, state):
        pass
    for graph in sources.graphs:
        if graph.name not in vectors:  # those that find faces and eyes
            image = {"image": fitted(example.picture, graph.inputs["image"].shape[1])[None]}
            vectors[graph.name] = {**image, **in_torch(graph, image)}
    return vectors


def fitted(picture: Picture, side: int) -> Picture:
    resized = cv2.resize(picture, (side, side), interpolation=cv2.INTER_AREA)
    return np.asarray(resized, np.uint8)


def tolerances(
    sources: Sources, vectors: Mapping[str, Mapping[str, Array]], run: Run
) -> dict[str, Any]:
    """Return a variant's ``tolerances`` and ``tolerances_levels``: what it is off by, and more.

    Raises ParityError for a graph that is off by more than any quantization should be.
    """
    relative: dict[str, float] = {}
    levels: dict[str, float] = {}
    for graph in sources.graphs:
        values = vectors[graph.name]
        outputs = run(graph.name, values)
        for name in graph.outputs:
            off = distance(outputs[name], values[name])
            kept, least, most = (
                (levels, LEAST_LEVELS, MOST_LEVELS)
                if values[name].dtype == np.uint8
                else (relative, LEAST_RELATIVE, MOST_RELATIVE)
            )
            if not off <= most:
                raise ParityError(
                    f"{graph.name}.{name} is off by {off:.3g} (<= {most:g}) on the golden vectors "
                    "- expected a graph that computes about the same - quantize less of it"
                )
            allowed = max(least, float(f"{HEADROOM * off:.2g}"))
            kept[graph.name] = max(allowed, kept.get(graph.name, 0.0))
    return {"tolerances": relative, "tolerances_levels": levels}


def distance(actual: Array, expected: Array) -> float:
    """Return the largest difference as ``golden.compare`` counts it: levels, or of the largest."""
    if actual.shape != expected.shape or actual.dtype != expected.dtype:
        return float("inf")
    off = np.abs(actual.astype(np.float64) - expected.astype(np.float64)).max(initial=0.0)
    largest = np.abs(expected.astype(np.float64)).max(initial=0.0)
    return float(off if expected.dtype == np.uint8 else off / largest)
