"""How far renders on emulated CPUs are from those of the host."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aarch64.rendering import HOST, Render
from rap_edge._core import FeatureSpec, Resampler, offline_features
from rap_edge.media import AUDIO_RATE

COLUMNS = (
    "CPU",
    "precision",
    "golden check",
    "decoded speech",
    "resampler",
    "features",
    "portrait",
    "PSNR to the host",
    "largest difference",
    "equal pixels",
)
LEAST_PSNR_DB = 40.0  # a broken kernel is far below, another order of sums far above


def table(renders: Sequence[Render]) -> str:
    """Write a Markdown table of renders against the host's of the same precision.

    Raises SystemExit if one was not verified or is below `LEAST_PSNR_DB`.
    """
    loaded = {(r.cpu, r.precision): dict(np.load(r.file)) for r in renders}
    rows, faults = [], []
    for (cpu, precision), ours in loaded.items():
        if cpu == HOST:
            continue
        hosts = loaded[HOST, precision]
        decibels = psnr(ours["frames"], hosts["frames"])
        if decibels < LEAST_PSNR_DB or not ours["verified"]:
            faults.append(f"{cpu} {precision}: PSNR {decibels:.1f} dB")
        rows.append(
            (cpu, precision, "passed" if ours["verified"] else "FAILED", *_row(ours, hosts))
        )
    lines = [COLUMNS, ["---"] * len(COLUMNS), *rows]
    text = "".join(f"| {' | '.join(line)} |\n" for line in lines)
    if faults:
        raise SystemExit(f"{text}expected {LEAST_PSNR_DB} dB at least: {'; '.join(faults)}")
    return text


def psnr(ours: NDArray[np.uint8], theirs: NDArray[np.uint8]) -> float:
    """Return the PSNR in dB over all frames (F, H, W, 3); infinity if they are equal."""
    error = np.mean((ours.astype(np.float64) - theirs) ** 2)
    return math.inf if error == 0 else 10 * math.log10(255**2 / error)


def _row(ours: Mapping[str, Any], hosts: Mapping[str, Any]) -> tuple[str, ...]:
    levels = np.abs(ours["frames"].astype(np.int16) - hosts["frames"])
    return (
        apart(ours["pcm"], hosts["pcm"]),
        apart(ours["resampled"], _resampled(ours["pcm"])),
        apart(ours["features"], offline_features(FeatureSpec.rap(), ours["resampled"])),
        apart(ours["portrait"], hosts["portrait"]),
        f"{psnr(ours['frames'], hosts['frames']):.1f} dB",
        f"{levels.max()} levels",
        f"{(levels == 0).mean():.2%}",
    )


def _resampled(pcm: NDArray[np.float32]) -> NDArray[np.float32]:
    """Resample at the host what was decoded in the emulation, so that only the core may differ."""
    resampler = Resampler(AUDIO_RATE)
    return np.concatenate([resampler.push(pcm), resampler.finish()])


def apart(ours: NDArray[Any], theirs: NDArray[Any]) -> str:
    """Say how far values are apart at most."""
    if np.array_equal(ours, theirs):
        return "bit-exact"
    return f"{np.abs(ours.astype(np.float64) - theirs).max():.1g}"
