"""The stream that shows a quantizer which values occur: people, voices, silence, every step."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rap_edge._core import FeatureSpec, offline_features
from rap_edge.converters.sources import Sources
from rap_edge.converters.speaking import Array, Run, Tensors, initial_state, speak
from rap_edge.evaluation.regions import Box, box_around
from rap_edge.evaluation.talker import Picture, Samples
from rap_edge.portrait import Crop, cut
from rap_edge.quantization import Calibration, CalibrationPlan
from rap_edge.training.generate import Portraits
from rap_edge.training.speech.takes import Condition, take

LIPS = (61, 291, 0, 17)
"""FaceMesh's corners of the mouth, and the middle of the upper and lower lip's outline."""
CALLED = ("audio", "denoiser", "decoder")
"""Graphs that run for every chunk: what the portrait needs is computed once, in fp32."""
UNSPOKEN: tuple[Condition, ...] = ("silence", "noise", "music")


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


def cast(portraits: Portraits, plan: CalibrationPlan, without: Collection[int] = ()) -> list[int]:
    """Choose people of the training split, evenly spread; held-out ones are never shown."""
    people = [person for person in portraits.people("train") if person not in without]
    return [people[(index * len(people)) // plan.people] for index in range(plan.people)]


def scenes(
    data: Path, plan: CalibrationPlan, resolution: int, without: CalibrationPlan | None = None
) -> Iterator[Scene]:
    """Let people of the training split say sentences of its voices; none whom ``without`` shows."""
    portraits = Portraits.load(data)
    others = () if without is None else cast(portraits, without)
    for index, person in enumerate(cast(portraits, plan, others)):
        photo, landmarks = portraits.photo(person), portraits.landmarks[person, :, :2]
        crop = Crop.of_landmarks(landmarks, photo.shape[1], photo.shape[0])
        condition = condition_of(index, plan)
        said = take(1000 * plan.seed + index, "train", plan.seconds, data / "speech", condition)
        picture = cut(photo, crop, resolution)
        mouth = mouth_of(landmarks, crop, resolution)
        yield Scene(picture, said.samples, mouth, said.voice, condition)


def condition_of(index: int, plan: CalibrationPlan) -> Condition:
    """Return what is heard of the person at ``index`` of a plan: every so often, nobody's voice."""
    turn, last = divmod(index, plan.quiet_every)
    return UNSPOKEN[turn % len(UNSPOKEN)] if last == plan.quiet_every - 1 else "speech"


def mouth_of(landmarks: NDArray[np.float32], crop: Crop, resolution: int) -> Box:
    """Return the crop around a mouth, from FaceMesh's points (478, 2) of the photo."""
    lips = (landmarks[list(LIPS)] - [crop.x, crop.y]) * (resolution / crop.side)
    return box_around(lips, float(np.hypot(*(lips[1] - lips[0]))), resolution)


def observe(sources: Sources, run: Run, shown: Sequence[Scene], plan: CalibrationPlan) -> Observed:
    """Let the scenes of a plan be spoken through ``run`` and keep what the graphs are given."""
    calls: dict[str, list[Tensors]] = {name: [] for name in CALLED}
    digest = hashlib.sha256()

    def watched(name: str, inputs: Tensors) -> Tensors:
        if name in calls:
            given = {t.name: np.asarray(inputs[t.name]) for t in sources.specs[name].inputs}
            calls[name].append(given)
            for value in given.values():
                digest.update(value.tobytes())
        return run(name, inputs)

    for index, scene in enumerate(shown):
        for _ in spoken(sources, watched, scene, plan.seed + index):
            pass
    quiet = sum(scene.condition != "speech" for scene in shown)
    record = Calibration(
        plan=plan,
        voices=len({scene.voice for scene in shown if scene.voice}),
        chunks=len(calls["audio"]),
        silent_share=round(quiet / len(shown), 3),
        sha256=digest.hexdigest(),
    )
    return Observed(calls, record)


def spoken(sources: Sources, run: Run, scene: Scene, seed: int) -> Iterator[Array]:
    """Yield the frames (F, H, W, 3) of every latent of a scene."""
    config = sources.config
    hops = offline_features(FeatureSpec.rap(), scene.samples)
    latents = config.timeline.latents(config.timeline.frames(len(scene.samples)))
    state = initial_state(sources.specs["decoder"])
    for one in speak(config, run, scene.picture, hops, latents, seed, state):
        yield one.frames
