"""Real talking-head clips: the generated mouth against the one that was filmed.

For measuring only: their pictures go into no training and no repository.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from rap_edge.errors import MediaError
from rap_edge.evaluation.metrics import Agreement, Curve, Video, agreement
from rap_edge.evaluation.mouth import FaceMesh, opening
from rap_edge.evaluation.talker import FPS, SAMPLE_RATE, Samples
from rap_edge.media import read_audio
from rap_edge.portrait import Crop, cut

KINDS = {".avi", ".m4v", ".mkv", ".mov", ".mp4", ".mpg", ".webm"}
SIZE = 256


@dataclass(frozen=True)
class RealClip:
    """A filmed talker: samples (S,) at 16 kHz, frames (F, 256, 256, 3) at 25 fps, opening (F,).

    Every frame is cut with the crop of the first one, which is also the reference.
    """

    name: str
    samples: Samples
    frames: Video
    opening: Curve


@dataclass(frozen=True)
class RealResult:
    """One clip against the film; null_r: the generated mouth against the other films' mouths."""

    clip: str
    seconds: float
    model: Agreement
    null_r: list[float]


def real_clips(folder: Path, mesh: FaceMesh) -> Iterator[RealClip]:
    """Read every clip of a folder, in order of name; none if the folder is not there."""
    paths = sorted(p for p in folder.glob("*") if p.suffix.lower() in KINDS)
    for path in paths:
        film = read_film(path)
        height, width = film.shape[1:3]
        points = mesh.track(film[:1])[0]
        if not np.isfinite(points).all():
            raise MediaError(
                f"{path} shows no face in its first frame - expected a talking head - leave it out"
            )
        crop = Crop.of_landmarks(points, width, height)
        frames = np.stack([cut(frame, crop, SIZE) for frame in film])
        samples = np.concatenate(list(read_audio(path, SAMPLE_RATE)))
        yield RealClip(path.stem, samples, frames, opening(mesh.track(frames)))


def read_film(path: Path) -> Video:
    """Read the pictures of a film (F, H, W, 3) RGB, the nearest one for each 40 ms."""
    film = cv2.VideoCapture(str(path))
    rate = film.get(cv2.CAP_PROP_FPS)
    frames = []
    while (decoded := film.read())[0]:
        frames.append(cv2.cvtColor(decoded[1], cv2.COLOR_BGR2RGB))
    film.release()
    if not frames or not rate > 0:
        raise MediaError(f"{path} has no pictures that can be read - expected a film - convert it")
    n_frames = int(len(frames) * FPS / rate)
    wanted = np.floor((np.arange(n_frames) + 0.5) * rate / FPS).astype(int)
    return np.asarray(np.stack(frames)[np.clip(wanted, 0, len(frames) - 1)], dtype=np.uint8)


def real_results(clips: list[RealClip], generated: list[Curve]) -> list[RealResult]:
    """Compare the generated mouth of every clip with its film and with the others."""
    return [
        RealResult(
            clip=clip.name,
            seconds=len(clip.frames) / FPS,
            model=agreement(clip.opening, curve),
            null_r=[agreement(o.opening, curve).r for o in clips if o is not clip],
        )
        for clip, curve in zip(clips, generated, strict=True)
    ]
