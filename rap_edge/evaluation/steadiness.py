"""Does it stay right when nothing is said, and when much is said: silence, noise, and a minute.

The audio is made of the truth clips: a clip and then silence; or clip after clip for a minute with
the first one again at the end, so that the first and the last window say the same words and may be
compared with the same truth.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from rap_edge.evaluation.metrics import (
    Curve,
    Drift,
    Mask,
    Stillness,
    Video,
    drift,
    flicker,
    pearson,
    stillness,
)
from rap_edge.evaluation.regions import followed
from rap_edge.evaluation.talker import FPS, SAMPLE_RATE, Picture, Samples

QUIET_S = 10.0
RELEASE_S = 0.6
NOISE_LEVEL = 0.02
LONG_S = 60.0
WINDOW_FRAMES = 10 * FPS
FOLLOW_EVERY = 5

Quiet = Literal["silence", "noise"]


@dataclass(frozen=True)
class QuietResult:
    """One clip followed by something without a voice.

    rest: the opening of the truth's mouth while it rests. flicker: levels, in the background.
    """

    clip: str
    kind: Quiet
    mouth: Stillness
    rest: float
    flicker: float


@dataclass(frozen=True)
class LongResult:
    """A minute of speech: the background, and how well the lips follow, first and last.

    background compares with the reference as it is, followed with the reference moved to where each
    frame shows it: a head that moves takes its surroundings along. repeat_r compares the generated
    mouths of the first and the last window, which say the same.
    """

    clip: str
    seconds: float
    background: Drift
    followed: Drift
    first_r: float
    last_r: float
    repeat_r: float


def quiet_samples(speech: Samples, kind: Quiet, seed: int = 0) -> Samples:
    """Return the speech and then ten seconds of digital silence, or of noise at -34 dBFS."""
    n = int(QUIET_S * SAMPLE_RATE)
    quiet = np.zeros(n, dtype=np.float32)
    if kind == "noise":
        quiet = np.random.default_rng(seed).normal(0, NOISE_LEVEL, n).astype(np.float32)
    return np.concatenate([speech, quiet])


def quiet_result(
    clip: str, kind: Quiet, frames: Video, opening: Curve, still: Mask, n_speech: int, rest: float
) -> QuietResult:
    """Judge the video of `quiet_samples`, whose first `n_speech` frames are speech.

    frames (F, H, W, 3), opening (F,) by FaceMesh, still (H, W): the background. The mouth has 0.6 s
    to close before it counts.
    """
    quiet = n_speech + round(RELEASE_S * FPS)
    return QuietResult(
        clip=clip,
        kind=kind,
        mouth=stillness(opening[:n_speech], opening[quiet:]),
        rest=rest,
        flicker=flicker(frames[quiet:], still),
    )


def long_samples(clips: Sequence[Samples], first: int, seconds: float = LONG_S) -> Samples:
    """Say clip `first`, then the others in turn, and `first` again at the end."""
    total = round(seconds * SAMPLE_RATE)
    own = clips[first]
    between = [clips[(first + 1 + i) % len(clips)] for i in range(len(clips))]
    length = total - 2 * len(own)
    repeats = -(-length // max(1, sum(map(len, between))))
    middle = np.concatenate(between * repeats)[: frame_floor(length)]
    return np.concatenate([own, middle, own])


def frame_floor(samples: int) -> int:
    """Round down to whole video frames, so that the last window starts on a frame."""
    return max(0, samples) // (SAMPLE_RATE // FPS) * (SAMPLE_RATE // FPS)


def long_result(
    clip: str, frames: Video, opening: Curve, reference: Picture, still: Mask, truth: Curve
) -> LongResult:
    """Judge the video of `long_samples`; truth: (F,) of the clip that it begins and ends with."""
    window = len(truth)
    first, last = opening[:window], opening[-window:]
    ends = min(WINDOW_FRAMES, len(frames))
    looked_at = np.concatenate([frames[:ends:FOLLOW_EVERY], frames[-ends::FOLLOW_EVERY]])
    moved = followed(reference, looked_at)
    return LongResult(
        clip=clip,
        seconds=len(frames) / FPS,
        background=drift(frames, reference, still, ends),
        followed=drift(looked_at, moved, still, len(looked_at) // 2),
        first_r=pearson(truth, first),
        last_r=pearson(truth, last),
        repeat_r=pearson(first, last),
    )
