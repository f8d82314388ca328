"""A truth clip, and how it is kept in a file: what a generated video is compared with."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from rap_edge.evaluation.metrics import Curve, Video
from rap_edge.evaluation.talker import Picture, Samples


@dataclass(frozen=True)
class TruthClip:
    """A person of the photo rig says something.

    samples: (S,) float32 at 16 kHz, the clean voice. reference: (256, 256, 3), the portrait.
    frames: (F, 256, 256, 3). landmarks: (F, 68, 2) px. rig_opening: (F,) by the rig. opening: (F,)
    by FaceMesh on the frames. rest: the resting mouth's opening by FaceMesh. flow, lips, teeth:
    (F, 64, 64, ...) the labels.
    """

    name: str
    person: str
    voice: str
    text: str
    samples: Samples
    reference: Picture
    reference_landmarks: NDArray[np.float32]
    frames: Video
    landmarks: NDArray[np.float32]
    rig_opening: Curve
    opening: Curve
    rest: float
    flow: NDArray[np.float16]
    lips: NDArray[np.float16]
    teeth: NDArray[np.float16]

    def save(self, path: Path) -> None:
        """Write the clip to an .npz file, its pictures as PNG; whole or not at all."""
        fields = dict(vars(self))
        packed = [cv2.imencode(".png", frame)[1] for frame in self.frames]
        fields["frames"] = np.concatenate(packed)
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(f"{path.stem}.partial.npz")
        np.savez(partial, **fields, picture_bytes=np.array([len(p) for p in packed]))
        partial.replace(path)

    @classmethod
    def load(cls, path: Path) -> TruthClip:
        """Read a clip from an .npz file."""
        with np.load(path) as stored:
            fields: dict[str, Any] = dict(stored)
        ends = np.cumsum(fields.pop("picture_bytes"))
        pictures = np.split(fields.pop("frames"), ends[:-1])
        decoded = [np.asarray(cv2.imdecode(p, cv2.IMREAD_COLOR)) for p in pictures]
        plain = {key: fields.pop(key).item() for key in ("name", "person", "voice", "text", "rest")}
        return cls(**plain, **fields, frames=np.stack(decoded).astype(np.uint8))
