"""The stream that shows a quantizer which values occur: people, voices, silence, every step."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rap_edge._core import FeatureSpec, offline_features
from rap_edge.converters.sources import Sources
from rap_edge.converters.speaking import Array, Run, Tensors, speak
from rap_edge.evaluation.regions import Box, box_around
from rap_edge.evaluation.talker import Picture, Samples
from rap_edge.portrait import Crop, cut
from rap_edge.quantization import Calibration
from rap_edge.training.generate import Portraits
from rap_edge.training.speech.takes import Condition, take

LIPS = (61, 291, 0, 17)
"""FaceMesh's corners of the mouth, and the middle of the upper and lower lip's outline."""
CALLED = ("audio", "denoiser", "decoder")
"""Graphs that run for every chunk: what the portrait needs is computed once, in fp32."""


@dataclass(frozen=True)
class CalibrationPlan:
    """Who speaks, and how long: one in ``quiet_every`` says nothing, or is drowned in noise."""

    people: int = 12
    seconds: float = 3.0
    quiet_every: int = 4
    seed: int = 1


@dataclass(frozen=True)
class Scene:
    """A square portrait (H, H, 3) and what is heard of it, (S,) at 16 kHz."""

    picture: Picture
    samples: Samples
    mouth: Box
    voice: str
    condition: Condition


@dataclass(frozen=True)
class Observed:
    """The inputs of every call of every graph that is quantized, and what they were."""

    calls: Mapping[str, Sequence[Tensors]]
    record: Calibration


def scenes(data: Path, plan: CalibrationPlan, resolution: int) -> Iterator[Scene]:
    """Draw people, voices and sentences of the training split; held-out ones are never shown."""
    portraits = Portraits.load(data)
    people = portraits.people("train")
    for index in range(plan.people):
        person = people[(index * len(people)) // plan.people]
        photo, landmarks = portraits.photo(person), portraits.landmarks[person, :, :2]
        crop = Crop.of_landmarks(landmarks, photo.shape[1], photo.shape[0])
        quiet: Condition = "silence" if index % (2 * plan.quiet_every) else "noise"
        condition = quiet if index % plan.quiet_every == plan.quiet_every - 1 else "speech"
        seed = 1000 * plan.seed + index
        said = take(seed, "train", plan.seconds, data / "speech", condition)
        picture = cut(photo, crop, resolution)
        mouth = mouth_of(landmarks, crop, resolution)
        yield Scene(picture, said.samples, mouth, said.voice, condition)


def mouth_of(landmarks: NDArray[np.float32], crop: Crop, resolution: int) -> Box:
    """Return the crop around a mouth, from FaceMesh's points (478, 2) of the photo."""
    lips = (landmarks[list(LIPS)] - [crop.x, crop.y]) * (resolution / crop.side)
    return box_around(lips, float(np.hypot(*(lips[1] - lips[0]))), resolution)


def observe(sources: Sources, run: Run, shown: Sequence[Scene], seed: int) -> Observed:
    """Let the scenes be spoken through ``run`` and keep what the graphs are given."""
    calls: dict[str, list[Tensors]] = {name: [] for name in CALLED}
    digest = hashlib.sha256()

    def watched(name: str, inputs: Tensors) -> Tensors:
        if name in calls:
            given = {t.name: np.asarray(inputs[t.name]) for t in sources.specs[name].inputs}
            calls[name].append(given)
            for value in given.values():
                digest.update(value.tobytes())
        return run(name, inputs)

    state = initial_state(sources)
    for index, scene in enumerate(shown):
        for _ in spoken(sources, watched, scene, seed + index, state):
            pass
    quiet = sum(scene.condition != "speech" for scene in shown)
    record = Calibration(
        people=len(shown),
        voices=len({scene.voice for scene in shown if scene.voice}),
        chunks=len(calls["audio"]),
        silent_share=round(quiet / len(shown), 3),
        seed=seed,
        sha256=digest.hexdigest(),
    )
    return Observed(calls, record)


def spoken(sources: Sources, run: Run, scene: Scene, seed: int, state: Tensors) -> Iterator[Array]:
    """Yield the frames (F, H, W, 3) of every latent of a scene."""
    config = sources.config
    hops = offline_features(FeatureSpec.rap(), scene.samples)
    latents = config.timeline.latents(config.timeline.frames(len(scene.samples)))
    for one in speak(config, run, scene.picture, hops, latents, seed, state):
        yield one.frames


def initial_state(sources: Sources) -> dict[str, Array]:
    """Return what the decoder is fed at first: zeros."""
    tensors = sources.specs["decoder"].inputs
    return {t.name: np.zeros(t.shape, t.dtype) for t in tensors if t.name.startswith("state.")}
