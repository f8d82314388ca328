"""Train the ridge baseline on the training split: its people, its sentences, its voices."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from rap_edge.evaluation.heldout import spread_evenly
from rap_edge.evaluation.ridge import HeardMouth, MelRidge, fit_ridge
from rap_edge.evaluation.stage import Stage
from rap_edge.evaluation.talker import FPS
from rap_edge.training.speech.takes import take

TAKES = 96
TAKE_S = 20.0
PEOPLE = 4


def trained_ridge(stage: Stage, on_progress: Callable[[str, int, int], None]) -> MelRidge:
    """Fit the baseline on half an hour of clean speech, or read it from the stage's cache."""
    path = stage.cache / "ridge.npz"
    if not path.exists():
        save(fit_ridge(training_clips(stage, on_progress)), path)
    with np.load(path) as stored:
        return MelRidge(stored["weights"], float(stored["bias"]), float(stored["penalty"]))


def training_clips(stage: Stage, on_progress: Callable[[str, int, int], None]) -> list[HeardMouth]:
    """Let training people speak."""
    rigs = [stage.rig(p) for p in spread_evenly(stage.portraits.people("train"), PEOPLE)]
    clips = []
    for seed in range(TAKES):
        spoken = take(seed, "train", TAKE_S, stage.data / "speech", "speech")
        performed = stage.perform(rigs[seed % PEOPLE], spoken, seed, round(TAKE_S * FPS))
        clips.append(HeardMouth(spoken.clean, performed.opening()))
        on_progress("ridge baseline", seed + 1, TAKES)
    return clips


def save(ridge: MelRidge, path: Path) -> None:
    """Write a fitted regression to an .npz file, whole or not at all."""
    partial = path.with_name(f"{path.stem}.partial.npz")
    np.savez(partial, weights=ridge.weights, bias=ridge.bias, penalty=ridge.penalty)
    partial.replace(path)
