"""The held-out test: people that training never saw say sentences it never heard, in other voices.

Clips are rendered once by the photo rig and kept in a folder, their mouths as FaceMesh sees them.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rap_edge.errors import ConfigError
from rap_edge.evaluation.mouth import FaceMesh, opening
from rap_edge.evaluation.talker import SAMPLE_RATE
from rap_edge.evaluation.truth import TruthClip
from rap_edge.photo import read_photo
from rap_edge.portrait import Crop
from rap_edge.training.rig import HeadModel, PhotoRig, Pose, Rendered, cached_fit, photo_rig
from rap_edge.training.speech.motion import drive
from rap_edge.training.speech.takes import take

FPS = 25
HELD_OUT_EVERY = 8
FIRST_SEED = 90_000


def held_out_people(data: Path) -> list[str]:
    """Return the names of the portraits that training never sees: every eighth in their order."""
    with np.load(data / "portraits_landmarks.npz") as stored:
        return sorted(str(name) for name in stored["names"])[::HELD_OUT_EVERY]


def chosen_people(data: Path, count: int) -> list[str]:
    """Return `count` held-out people, spread evenly over their list."""
    people = held_out_people(data)
    if not 1 <= count <= len(people):
        raise ConfigError(
            f"people is {count} - expected 1 to {len(people)}, the held-out portraits in {data} - "
            "ask for fewer"
        )
    return [people[i * len(people) // count] for i in range(count)]


def truth_clips(
    data: Path, cache: Path, people: int, seconds: float, mesh: FaceMesh
) -> Iterator[TruthClip]:
    """Yield a clip for each person, from `cache` where it is there already."""
    head: HeadModel | None = None
    for index, person in enumerate(chosen_people(data, people)):
        name = f"{Path(person).stem}-{index}"
        path = cache / f"{name}-{seconds:g}s.npz"
        if not path.exists():
            head = head or HeadModel.load(data / "heads" / "ict")
            rig = rig_of(data, cache, head, person)
            make_clip(name, person, rig, data, FIRST_SEED + index, seconds, mesh).save(path)
        yield TruthClip.load(path)


def rig_of(data: Path, cache: Path, head: HeadModel, person: str) -> PhotoRig:
    """Fit a portrait, or take its fit from the cache, and rig it."""
    with np.load(data / "portraits_landmarks.npz") as stored:
        index = [str(name) for name in stored["names"]].index(person)
        landmarks = stored["landmarks"][index, :, :2].astype(np.float64)
    photo = read_photo(data / "portraits" / person)
    height, width = photo.shape[:2]
    cache.mkdir(parents=True, exist_ok=True)
    fit = cached_fit(head, landmarks, cache / f"{Path(person).stem}-fit.npz")
    return photo_rig(head, fit, photo, Crop.of_landmarks(landmarks, width, height))


def make_clip(
    name: str, person: str, rig: PhotoRig, data: Path, seed: int, seconds: float, mesh: FaceMesh
) -> TruthClip:
    """Let a rigged portrait speak; the seed fixes voice, sentences and motion."""
    n_frames = round(seconds * FPS)
    spoken = take(seed, "heldout", n_frames / FPS, data / "speech", "speech")
    motion = drive(spoken, seed, n_frames, rig.head.names)
    resting = rig.resting()
    expressions = np.clip(resting + motion.expression_delta, 0.0, 1.0)
    shown = [
        rig.render(expression, Pose(*map(float, pose)))
        for expression, pose in zip(expressions, motion.pose, strict=True)
    ]
    frames = np.stack([frame.image for frame in shown])
    return TruthClip(
        name=name,
        person=person,
        voice=spoken.voice,
        text=spoken.text,
        samples=spoken.clean[: n_frames * SAMPLE_RATE // FPS],
        reference=rig.image,
        reference_landmarks=rig.landmarks(rig.fit.expression, Pose()),
        frames=frames,
        landmarks=np.stack([frame.landmarks for frame in shown]),
        rig_opening=np.array([frame.opening for frame in shown]),
        opening=opening(mesh.track(frames)),
        rest=float(opening(mesh.track([rig.render(resting, Pose()).image]))[0]),
        **labels_of(shown),
    )


def labels_of(shown: list[Rendered]) -> dict[str, NDArray[np.float16]]:
    """Stack the labels of rendered frames as float16."""
    return {
        key: np.stack([getattr(frame.labels, key) for frame in shown]).astype(np.float16)
        for key in ("flow", "interior", "teeth")
    }
