"""The baseline without generation: ridge regression from log-mel to the mouth's opening.

What a linear map of 17 frames of sound already says about the lips; a model should say more.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rap_edge._core import FeatureSpec, offline_features
from rap_edge.evaluation.metrics import Curve, pearson
from rap_edge.timeline import Timeline

REACH_FRAMES = 8
PENALTIES = (1e-3, 1e-2, 1e-1, 1.0, 10.0)
VALIDATION_EVERY = 8

Rows = NDArray[np.float64]


@dataclass(frozen=True)
class HeardMouth:
    """A training clip: what was heard, and how far the mouth was open.

    samples: (S,) float32 at 16 kHz, the first video frame at `first_hop` * 160; opening: (F,).
    """

    samples: NDArray[np.float32]
    opening: Curve
    first_hop: int = 0


def rows(samples: NDArray[np.float32], n_frames: int, first_hop: int = 0) -> Rows:
    """Return what the regression reads, (F, 17 * 80): each frame's mean log-mel and 8 either side.

    Before the first and after the last hop the nearest one is repeated.
    """
    hops = offline_features(FeatureSpec.rap(), np.ascontiguousarray(samples, dtype=np.float32))
    per_frame = Timeline().hops_per_frame
    wanted = first_hop + np.arange(-REACH_FRAMES * per_frame, (n_frames + REACH_FRAMES) * per_frame)
    heard = hops[np.clip(wanted, 0, len(hops) - 1)]
    frames = heard.reshape(n_frames + 2 * REACH_FRAMES, per_frame, -1).mean(axis=1)
    windows = np.lib.stride_tricks.sliding_window_view(frames, 2 * REACH_FRAMES + 1, axis=0)
    return windows.reshape(n_frames, -1).astype(np.float64)


@dataclass(frozen=True)
class Moments:
    """Sums over training frames from which the regression for any penalty follows."""

    n_frames: int
    inputs: Rows
    target: float
    squares: Rows
    products: Rows

    @classmethod
    def of(cls, clips: Iterable[HeardMouth]) -> Moments:
        """Add up the frames of the clips; at least one clip."""
        n_frames, target = 0, 0.0
        inputs = squares = products = np.zeros(1)
        for clip in clips:
            x = rows(clip.samples, len(clip.opening), clip.first_hop)
            y = np.asarray(clip.opening, dtype=np.float64)
            n_frames, target = n_frames + len(y), target + float(y.sum())
            inputs, squares, products = inputs + x.sum(axis=0), squares + x.T @ x, products + y @ x
        return cls(n_frames, inputs, target, squares, products)

    def solve(self, penalty: float) -> MelRidge:
        """Return the regression whose penalty is a share of the inputs' mean variance."""
        mean, offset = self.inputs / self.n_frames, self.target / self.n_frames
        covariance = self.squares / self.n_frames - np.outer(mean, mean)
        cross = self.products / self.n_frames - offset * mean
        ridge = penalty * np.trace(covariance) / len(mean) * np.eye(len(mean))
        weights = np.linalg.solve(covariance + ridge, cross)
        return MelRidge(weights, float(offset - mean @ weights), penalty)


@dataclass(frozen=True)
class MelRidge:
    """A fitted regression."""

    weights: Rows
    bias: float
    penalty: float

    def opening(self, samples: NDArray[np.float32], n_frames: int, first_hop: int = 0) -> Curve:
        """Predict the opening (F,) while `samples` (S,) at 16 kHz are heard."""
        return np.asarray(rows(samples, n_frames, first_hop) @ self.weights + self.bias)


def fit_ridge(clips: list[HeardMouth]) -> MelRidge:
    """Fit on seven clips of eight, with the penalty that predicts the eighth best."""
    held_out = clips[::VALIDATION_EVERY]
    moments = Moments.of(c for i, c in enumerate(clips) if i % VALIDATION_EVERY)

    def score(candidate: MelRidge) -> float:
        predicted = [candidate.opening(c.samples, len(c.opening), c.first_hop) for c in held_out]
        return pearson(np.concatenate(predicted), np.concatenate([c.opening for c in held_out]))

    return max((moments.solve(penalty) for penalty in PENALTIES), key=score)
