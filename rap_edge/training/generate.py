"""Talking-head clips with labels: a person, a crop, a take of sound and the photo rig.

Everything about a clip follows from its seed, so a folder can be made again or continued.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import cv2
import numpy as np
import numpy.typing as npt

from rap_edge.errors import ConfigError, MediaError
from rap_edge.portrait import Crop
from rap_edge.training import shards
from rap_edge.training.rig import HeadModel, PhotoRig, Pose, cached_fit, opening_of, photo_rig
from rap_edge.training.speech import motion, takes
from rap_edge.training.speech.coarticulation import FPS
from rap_edge.training.speech.corpus import to_int16
from rap_edge.training.speech.phones import SAMPLE_RATE
from rap_edge.training.speech.texts import Split

HELD_OUT_EVERY = 8
HIGHEST_WEIGHT = 1.2
JPEG = (cv2.IMWRITE_JPEG_QUALITY, 95, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, 0x111111)

_TAKE_S = 8.0
_STREAM_START_SHARE = 0.12
_FRAME_SAMPLES = SAMPLE_RATE // FPS

Arrays = dict[str, npt.NDArray[Any]]


@dataclass(frozen=True)
class Portraits:
    """The portraits of a data folder: file names, and FaceMesh landmarks (N, 478, 3) px."""

    folder: Path
    names: tuple[str, ...]
    landmarks: npt.NDArray[np.float32]

    @staticmethod
    def load(data: Path) -> Portraits:
        """Read ``portraits_landmarks.npz``; raises ConfigError if ``data`` is no data folder."""
        file = data / "portraits_landmarks.npz"
        if not file.exists():
            raise ConfigError(
                f"{data} has no {file.name} - expected the data folder - docs/data.md"
            )
        with np.load(file) as table:
            names = [str(name) for name in table["names"]]
            order = np.argsort(names)
            landmarks = table["landmarks"][order].astype(np.float32)
        return Portraits(data / "portraits", tuple(names[i] for i in order), landmarks)

    def people(self, split: Split) -> list[int]:
        """Return the indices of a split: every eighth name is held out."""
        held = split == "heldout"
        return [i for i in range(len(self.names)) if (i % HELD_OUT_EVERY == 0) == held]

    def photo(self, index: int) -> npt.NDArray[np.uint8]:
        """Read a portrait as (H, W, 3) RGB."""
        path = self.folder / self.names[index]
        image = cv2.imread(str(path), cv2.IMREAD_COLOR)
        if image is None:
            raise MediaError(f"{path} cannot be read - expected a picture - fetch the data again")
        return np.asarray(image[..., ::-1], np.uint8)


@dataclass(frozen=True)
class Maker:
    """Writes a shard of clips of 61 frames: with pictures (video) or with labels only (motion)."""

    kind: Literal["video", "motion"]
    split: Split
    data: Path
    fits: Path

    def __call__(self, path: Path, seeds: Sequence[int]) -> None:
        cv2.setNumThreads(1)
        self.fits.mkdir(parents=True, exist_ok=True)
        made = [self.clip(seed) for seed in seeds]
        columns = {name: np.stack([arrays[name] for arrays, _, _ in made]) for name in made[0][0]}
        if self.kind == "video":
            columns["jpeg"], columns["jpeg_ends"] = shards.pack([frames for _, frames, _ in made])
        shards.write(path, columns, [about for _, _, about in made])

    def clip(self, seed: int) -> tuple[Arrays, list[bytes], shards.About]:
        """Make one clip: its arrays, its frames as JPEG (video only) and what it is."""
        rng = np.random.default_rng((seed, 0x636C6970))
        portraits, head = _portraits(self.data), _head(self.data)
        people = portraits.people(self.split)
        person = people[int(rng.integers(len(people)))]
        rig, crop = self._rig(head, portraits, person, rng)
        sound = takes.take(seed, self.split, _TAKE_S, self.data / "speech")
        start = _start_frame(rng)
        moved = motion.drive(sound, seed, start + shards.CLIP_FRAMES, head.names)
        expression = np.clip(rig.resting() + moved.expression_delta[start:], 0.0, HIGHEST_WEIGHT)
        arrays, frames = _show(rig, expression, moved.pose[start:], self.kind == "video")
        arrays["audio"] = _around(sound.samples, start)
        about = {
            "seed": seed,
            "person": portraits.names[person],
            "crop": [round(value, 3) for value in (crop.x, crop.y, crop.side)],
            "voice": sound.voice,
            "text": sound.text,
            "condition": sound.condition,
            "start_s": start / FPS,
        }
        return arrays, frames, about

    def _rig(
        self, head: HeadModel, portraits: Portraits, person: int, rng: np.random.Generator
    ) -> tuple[PhotoRig, Crop]:
        photo, landmarks = portraits.photo(person), portraits.landmarks[person, :, :2]
        fit = cached_fit(head, landmarks, fit_path(self.fits, portraits.names[person]))
        crop = jittered(Crop.of_landmarks(landmarks, photo.shape[1], photo.shape[0]), photo, rng)
        return photo_rig(head, fit, photo, crop), crop


def fit_path(fits: Path, name: str) -> Path:
    return fits / f"{Path(name).stem}.npz"


def fit_person(data: Path, fits: Path, person: int) -> None:
    """Fit the head to one portrait, if that was not done before."""
    portraits = _portraits(data)
    fits.mkdir(parents=True, exist_ok=True)
    path = fit_path(fits, portraits.names[person])
    cached_fit(_head(data), portraits.landmarks[person, :, :2], path)


def jittered(crop: Crop, photo: npt.NDArray[np.uint8], rng: np.random.Generator) -> Crop:
    """Move a crop by up to 6 % of its side and scale it by 0.87-1.15, inside the photo."""
    height, width = photo.shape[:2]
    side = min(crop.side * float(rng.uniform(0.87, 1.15)), width, height)
    shift = rng.uniform(-0.06, 0.06, 2) * crop.side
    x = crop.x + (crop.side - side) / 2 + shift[0]
    y = crop.y + (crop.side - side) / 2 + shift[1]
    x, y = float(np.clip(x, 0, width - side)), float(np.clip(y, 0, height - side))
    return replace(crop, x=x, y=y, side=side)


def _start_frame(rng: np.random.Generator) -> int:
    """Start anywhere in the take; now and then at its first sample, as a stream does."""
    last = round(_TAKE_S * FPS) - shards.CLIP_FRAMES - shards.RIGHT_SAMPLES // _FRAME_SAMPLES - 1
    return 0 if rng.random() < _STREAM_START_SHARE else int(rng.integers(1, last + 1))


def _around(samples: npt.NDArray[np.float32], start: int) -> npt.NDArray[np.int16]:
    """Cut the sound of a clip with its context, silence where the take has none."""
    padded = np.pad(samples, (shards.LEFT_SAMPLES, shards.RIGHT_SAMPLES))
    begin = start * _FRAME_SAMPLES
    length = shards.LEFT_SAMPLES + shards.CLIP_FRAMES * _FRAME_SAMPLES + shards.RIGHT_SAMPLES
    return to_int16(padded[begin : begin + length])


def _show(
    rig: PhotoRig,
    expression: npt.NDArray[np.float32],
    pose: npt.NDArray[np.float32],
    pictures: bool,
) -> tuple[Arrays, list[bytes]]:
    flow, lips, teeth, opening, frames = [], [], [], [], []
    for weights, place in zip(expression, pose, strict=True):
        at = Pose(*(float(value) for value in place))
        if pictures:
            shown = rig.render(weights, at)
            labels = shown.labels
            frames.append(encode(shown.image))
        else:
            labels = rig.label(weights, at)
        flow.append(labels.flow.astype(np.float16))
        lips.append(np.round(labels.lips * shards.LIPS_PER_PX).astype(np.int8))
        teeth.append(np.round(np.clip(labels.teeth, 0, 1) * 255).astype(np.uint8))
        opening.append(opening_of(rig.landmarks(weights, at)))
    arrays: Arrays = {
        "reference": rig.image,
        "coordinates": rig.coordinates().astype(np.float16),
        "flow": np.stack(flow),
        "lips": np.stack(lips),
        "teeth": np.stack(teeth),
        "opening": np.array(opening, np.float16),
        "expression": expression.astype(np.float16),
        "pose": pose.astype(np.float16),
    }
    return arrays, frames


def encode(image: npt.NDArray[np.uint8]) -> bytes:
    """Return a frame (H, W, 3) RGB as JPEG of quality 95 with full colour resolution."""
    done, data = cv2.imencode(".jpg", np.ascontiguousarray(image[..., ::-1]), JPEG)
    if not done:
        raise MediaError(f"a frame of shape {image.shape} cannot be encoded as JPEG")
    return data.tobytes()


@functools.cache
def _portraits(data: Path) -> Portraits:
    return Portraits.load(data)


@functools.cache
def _head(data: Path) -> HeadModel:
    return HeadModel.load(data / "heads" / "ict")
