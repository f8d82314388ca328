"""The motion of a face: a mouth that follows the phones, and the rest that is alive.

Blinks, brows and the head are slow stationary random processes, a little tied to the voice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter1d

from rap_edge.training.speech import coarticulation, visemes
from rap_edge.training.speech.coarticulation import FPS, Style
from rap_edge.training.speech.phones import SAMPLE_RATE, Samples
from rap_edge.training.speech.takes import Take

Array = npt.NDArray[np.float32]

_FRAME_SAMPLES = SAMPLE_RATE // FPS
_HEAD_SD = (0.045, 0.030, 0.024, 1.3, 0.9)  # yaw, pitch, roll (rad), dx, dy (px of 256)
_HEAD_LIMIT = (0.13, 0.10, 0.08, 4.0, 3.0)


@dataclass(frozen=True)
class Motion:
    """What to add to a resting face, (F, 57), and its pose, (F, 5).

    The pose is yaw, pitch, roll in radians and dx, dy in pixels of a frame 256 wide.
    """

    expression_delta: Array
    pose: Array


def drive(take: Take, seed: int, n_frames: int, names: Sequence[str]) -> Motion:
    """Return the motion of ``n_frames`` frames from the start of the take, fixed by the seed.

    ``names`` are the expression names of the head, in its order.
    """
    rng = np.random.default_rng((seed, 0x6D6F74))
    style = Style.draw(rng)
    voiced = loudness(take.clean, n_frames) if take.phones else np.zeros(n_frames, np.float32)
    mouth = coarticulation.channels(take.phones, take.clean, n_frames, style)
    delta = mouth @ _lopsided(visemes.expansion(names), rng)
    for name, curve in _alive(rng, n_frames, voiced).items():
        for side in ("_L", "_R") if f"{name}_L" in names else ("",):
            delta[:, list(names).index(name + side)] += curve
    return Motion(delta, _head(rng, n_frames, voiced, nodding=take.condition == "listening"))


def loudness(samples: Samples, n_frames: int) -> Array:
    """Return how loud each frame is, 0 (pause) to about 1, smoothed over 80 ms."""
    padded = np.zeros(n_frames * _FRAME_SAMPLES, np.float32)
    padded[: len(samples)] = samples[: len(padded)]
    rms = np.sqrt(np.square(padded.reshape(n_frames, -1)).mean(1))
    usual = np.percentile(rms, 80) + 1e-4
    return np.asarray(gaussian_filter1d(np.minimum(rms / usual, 1.5), 2.0), np.float32)


def band_limited(rng: np.random.Generator, n_frames: int, cutoff_hz: float) -> Array:
    """Return a stationary random curve of unit variance with little above ``cutoff_hz``."""
    sigma = FPS / (2 * np.pi * cutoff_hz)
    margin = int(4 * sigma) + 1
    noise = gaussian_filter1d(rng.standard_normal(n_frames + 2 * margin), sigma)
    unit = float(np.sqrt(2 * np.sqrt(np.pi) * sigma))
    return np.asarray(noise[margin : margin + n_frames] * unit, np.float32)


def blinks(rng: np.random.Generator, n_frames: int) -> Array:
    """Return lid closing 0..1: a blink about every 3.5 s, 80 ms down and 160 ms up."""
    times = (np.arange(n_frames) + 0.5) / FPS
    lids = np.zeros(n_frames, np.float32)
    at = float(rng.uniform(-1.0, 3.0))
    while at < times[-1] + 0.2 if n_frames else False:
        depth, tempo = rng.uniform(0.8, 1.0), rng.uniform(0.85, 1.25)
        phase = (times - at) / tempo
        shape = np.where(phase < 0, 1 + phase / 0.08, 1 - (phase - 0.03) / 0.16)
        lids = np.maximum(lids, depth * np.clip(shape, 0, 1)).astype(np.float32)
        at += 0.35 if rng.random() < 0.08 else float(rng.gamma(4.0, 0.85)) + 0.4
    return lids


def _alive(rng: np.random.Generator, n_frames: int, voiced: Array) -> dict[str, Array]:
    """Return the curves beside the mouth: lids, brows, and a mood that hardly changes."""
    accent = gaussian_filter1d(voiced, 6.0) * float(rng.uniform(0.0, 0.14))
    raised = np.maximum(0.07 * band_limited(rng, n_frames, 0.35) + accent, 0).astype(np.float32)
    frown = np.maximum(0.06 * band_limited(rng, n_frames, 0.25), 0).astype(np.float32)
    mood = np.maximum(0.04 + 0.03 * band_limited(rng, n_frames, 0.1), 0).astype(np.float32)
    lids = blinks(rng, n_frames)
    return {
        "eyeBlink": lids,
        "eyeSquint": 0.12 * lids,
        "browInnerUp": raised,
        "browOuterUp": 0.8 * raised,
        "browDown": frown,
        "mouthSmile": mood,
    }


def _head(rng: np.random.Generator, n_frames: int, voiced: Array, nodding: bool) -> Array:
    cutoff_hz = float(rng.uniform(0.2, 0.5))
    gain = float(rng.uniform(0.6, 1.2))
    slow = np.stack([band_limited(rng, n_frames, cutoff_hz) for _ in _HEAD_SD], 1)
    slow[:, 3] = 0.6 * slow[:, 0] + 0.8 * slow[:, 3]
    curves = slow * np.array(_HEAD_SD, np.float32) * gain
    beat = gaussian_filter1d(voiced, 3.0) - gaussian_filter1d(voiced, 14.0)
    curves[:, 1] += float(rng.uniform(0.0, 0.03)) * beat
    if nodding:
        nod = np.maximum(band_limited(rng, n_frames, 0.15) - 1.0, 0)
        curves[:, 1] += 0.03 * nod * np.sin(np.arange(n_frames) * 2 * np.pi * 1.6 / FPS)
    limit = np.array(_HEAD_LIMIT, np.float32)
    return np.asarray(limit * np.tanh(curves / limit), np.float32)


def _lopsided(matrix: Array, rng: np.random.Generator) -> Array:
    """Let left and right differ by a few per cent, as in any face."""
    gains = rng.uniform(0.94, 1.06, matrix.shape[1])
    return np.asarray(matrix * gains, np.float32)
