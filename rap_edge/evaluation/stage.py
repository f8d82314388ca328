"""Rigged people on a stage: a portrait of either split moves as a take of speech asks."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rap_edge.evaluation.metrics import Curve
from rap_edge.portrait import Crop
from rap_edge.training.generate import HIGHEST_WEIGHT, Portraits, fit_path
from rap_edge.training.rig import (
    HeadModel,
    PhotoRig,
    Pose,
    Rendered,
    cached_fit,
    opening_of,
    photo_rig,
)
from rap_edge.training.speech.motion import drive
from rap_edge.training.speech.takes import Take


@dataclass(frozen=True)
class Stage:
    """The rigged people of a data folder; what is slow to compute is kept in `cache`."""

    data: Path
    cache: Path
    portraits: Portraits
    head: HeadModel

    @classmethod
    def open(cls, data: Path, cache: Path) -> Stage:
        """Read the portraits' table and the head model."""
        cache.mkdir(parents=True, exist_ok=True)
        return cls(data, cache, Portraits.load(data), HeadModel.load(data / "heads" / "ict"))

    def rig(self, person: int) -> PhotoRig:
        """Rig a portrait in the crop that the runtime would take."""
        landmarks, photo = self.portraits.landmarks[person, :, :2], self.portraits.photo(person)
        crop = Crop.of_landmarks(landmarks, photo.shape[1], photo.shape[0])
        fit = cached_fit(self.head, landmarks, fit_path(self.cache, self.portraits.names[person]))
        return photo_rig(self.head, fit, photo, crop)

    def perform(self, rig: PhotoRig, spoken: Take, seed: int, n_frames: int) -> Performance:
        """Let a rig move as a take asks, from its first sample on."""
        motion = drive(spoken, seed, n_frames, self.head.names)
        expression = np.clip(rig.resting() + motion.expression_delta, 0.0, HIGHEST_WEIGHT)
        poses = [Pose(*(float(value) for value in pose)) for pose in motion.pose]
        return Performance(rig, expression.astype(np.float32), poses)


@dataclass(frozen=True)
class Performance:
    """A rig with an expression (F, 57) and a pose for every frame."""

    rig: PhotoRig
    expression: NDArray[np.float32]
    poses: list[Pose]

    def render(self) -> list[Rendered]:
        """Render every frame with its labels."""
        return [self.rig.render(*at) for at in zip(self.expression, self.poses, strict=True)]

    def opening(self) -> Curve:
        """Return the rig's own opening (F,) without rendering."""
        seen = zip(self.expression, self.poses, strict=True)
        return np.array([opening_of(self.rig.landmarks(*at)) for at in seen])
