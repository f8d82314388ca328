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
from rap_edge.evaluation.stage import Stage
from rap_edge.evaluation.talker import FPS
from rap_edge.evaluation.truth import TruthClip
from rap_edge.training.rig import Labels, Pose, Rendered
from rap_edge.training.speech.takes import take

FIRST_SEED = 90_000


def spread_evenly(people: list[int], count: int) -> list[int]:
    """Return `count` of the people, spread evenly over their list."""
    if not 1 <= count <= len(people):
        raise ConfigError(
            f"people is {count} - expected 1 to {len(people)}, as many as there are portraits of "
            "this split - ask for another number"
        )
    return [people[i * len(people) // count] for i in range(count)]


def truth_clips(stage: Stage, people: int, seconds: float, mesh: FaceMesh) -> Iterator[TruthClip]:
    """Yield a clip for each of `people` held-out people, from the cache where it is there."""
    chosen = spread_evenly(stage.portraits.people("heldout"), people)
    for index, person in enumerate(chosen):
        name = Path(stage.portraits.names[person]).stem
        path = stage.cache / f"{name}-{index}-{seconds:g}s.npz"
        if not path.exists():
            make_clip(stage, person, FIRST_SEED + index, round(seconds * FPS), mesh).save(path)
        yield TruthClip.load(path)


def make_clip(stage: Stage, person: int, seed: int, n_frames: int, mesh: FaceMesh) -> TruthClip:
    """Let a person speak for `n_frames`; the seed fixes voice, sentences and motion."""
    rig = stage.rig(person)
    spoken = take(seed, "heldout", n_frames / FPS, stage.data / "speech", "speech")
    shown = stage.perform(rig, spoken, seed, n_frames).render()
    frames = np.stack([frame.image for frame in shown])
    resting = rig.render(rig.resting(), Pose()).image
    return TruthClip(
        name=f"{Path(stage.portraits.names[person]).stem}/{spoken.voice}",
        person=stage.portraits.names[person],
        voice=spoken.voice,
        text=spoken.text,
        samples=spoken.clean,
        reference=rig.image,
        reference_landmarks=rig.landmarks(rig.fit.expression, Pose()),
        frames=frames,
        landmarks=np.stack([frame.landmarks for frame in shown]),
        rig_opening=np.array([frame.opening for frame in shown]),
        opening=opening(mesh.track(frames)),
        rest=float(opening(mesh.track([resting]))[0]),
        **labels_of(shown),
    )


def labels_of(shown: list[Rendered]) -> dict[str, NDArray[np.float16]]:
    """Stack the labels of rendered frames as float16."""
    columns = zip(*(frame.labels for frame in shown), strict=True)
    return {
        name: np.stack(column).astype(np.float16)
        for name, column in zip(Labels._fields, columns, strict=True)
    }
