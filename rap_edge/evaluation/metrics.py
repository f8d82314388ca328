"""Numbers that say how close one video, or one curve, is to another.

Curves are (F,) float, one value a video frame, NaN where a frame could not be measured. Videos are
(F, H, W, 3) uint8. Weight-free on purpose: nothing here was trained, and nothing needs torch.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Curve = NDArray[np.floating]
Video = NDArray[np.uint8]
Mask = NDArray[np.bool_]

HIGHEST_PSNR_DB = 100.0
FEWEST_PAIRS = 10
SMALLEST_SD = 1e-6
LAG_REACH_FRAMES = 15


def mean_squared_error(first: Video, second: Video, mask: Mask | None = None) -> float:
    """Return the mean squared difference in levels squared; mask: (H, W) or (F, H, W)."""
    if first.shape[-3:] != second.shape[-3:]:
        raise ValueError(
            f"videos have shapes {first.shape} and {second.shape} - expected pictures of one size "
            "- cut both with the same crop"
        )
    difference = first.astype(np.float32) - second.astype(np.float32)
    if mask is not None:
        difference = difference[np.broadcast_to(mask, difference.shape[:-1])]
    return float(np.mean(np.square(difference), dtype=np.float64))


def decibels(squared_error: float) -> float:
    """Turn a mean squared error in levels squared into PSNR, at most `HIGHEST_PSNR_DB`."""
    floor = 255.0**2 / 10 ** (HIGHEST_PSNR_DB / 10)
    return float(10 * np.log10(255.0**2 / max(squared_error, floor)))


def psnr(first: Video, second: Video, mask: Mask | None = None) -> float:
    """Return PSNR in dB of the error pooled over all frames (and the mask's pixels)."""
    return decibels(mean_squared_error(first, second, mask))


def pearson(first: Curve, second: Curve) -> float:
    """Return Pearson's r over the frames that both curves have.

    0.0 where it is undefined (fewer than `FEWEST_PAIRS` frames, or a curve that does not move): a
    mouth that stays shut follows nothing.
    """
    n = min(len(first), len(second))
    x, y = (np.asarray(curve[:n], dtype=np.float64) for curve in (first, second))
    both = np.isfinite(x) & np.isfinite(y)
    x, y = x[both], y[both]
    if len(x) < FEWEST_PAIRS or min(x.std(), y.std()) < SMALLEST_SD:
        return 0.0
    return float(np.corrcoef(x, y)[0, 1])


def mean(curve: Curve) -> float:
    """Return the mean of the measured frames, NaN without any."""
    finite = curve[np.isfinite(curve)]
    return float(finite.mean()) if len(finite) else float("nan")


def spread(curve: Curve) -> float:
    """Return the standard deviation over the measured frames, 0.0 without any."""
    finite = curve[np.isfinite(curve)]
    return float(finite.std()) if len(finite) else 0.0


@dataclass(frozen=True)
class Agreement:
    """How well a curve follows another: r without shifting, the best r, and the shift it needs."""

    r: float
    peak_r: float
    lag_ms: float


def shifted(curve: Curve, lag_frames: int) -> Curve:
    """Return the curve `lag_frames` earlier, NaN where nothing was measured."""
    out = np.full(len(curve), np.nan)
    if lag_frames >= 0:
        out[: len(curve) - lag_frames] = curve[lag_frames:]
    else:
        out[-lag_frames:] = curve[:lag_frames]
    return out


def agreement(
    truth: Curve, generated: Curve, fps: float = 25.0, reach_frames: int = LAG_REACH_FRAMES
) -> Agreement:
    """Compare two curves at every shift of at most `reach_frames`.

    The lag is positive where `generated` is late, NaN where one of the curves does not move; a
    parabola through the three highest values of r gives the fraction of a frame.
    """
    n = min(len(truth), len(generated))
    reach = min(reach_frames, max(0, n - FEWEST_PAIRS))
    lags = np.arange(-reach, reach + 1)
    r = np.array([pearson(truth[:n], shifted(generated[:n], int(lag))) for lag in lags])
    best = int(np.argmax(r))
    if not r.any():
        return Agreement(r=0.0, peak_r=0.0, lag_ms=float("nan"))
    lag_frames = lags[best] + parabola_vertex(r[max(0, best - 1) : best + 2])
    return Agreement(
        r=float(r[reach]), peak_r=float(r[best]), lag_ms=float(1000 * lag_frames / fps)
    )


def parabola_vertex(values: Curve) -> float:
    """Return where the parabola through three values at -1, 0, 1 is highest; 0 at an edge."""
    if len(values) < 3:
        return 0.0
    bend = values[0] - 2 * values[1] + values[2]
    return 0.0 if bend >= 0 else float(0.5 * (values[0] - values[2]) / bend)


def flicker(frames: Video, still: Mask) -> float:
    """Return the mean change from frame to frame in levels, where nothing should move.

    still: (H, W), the pixels to look at. VBench's temporal flickering is 1 minus this over 255.
    """
    pixels = frames[:, still].astype(np.int16)
    return float(np.abs(np.diff(pixels, axis=0)).mean()) if len(pixels) > 1 else 0.0


@dataclass(frozen=True)
class Drift:
    """What stays of a still region, in the first and in the last window of a long video."""

    first_psnr_db: float
    last_psnr_db: float
    colour_shift: float

    @property
    def loss_db(self) -> float:
        """Return how much worse the last window is than the first."""
        return self.first_psnr_db - self.last_psnr_db


def drift(frames: Video, reference: Video, still: Mask, window_frames: int) -> Drift:
    """Compare the first and last windows of a video with its reference.

    reference: (H, W, 3), or one for each frame (F, H, W, 3); still: (H, W). The colour shift is the
    largest change of a channel's mean between the two windows, in levels.
    """
    references = np.broadcast_to(reference, frames.shape)
    first, last = frames[:window_frames], frames[-window_frames:]
    colours = [window[:, still].mean(axis=(0, 1)) for window in (first, last)]
    return Drift(
        first_psnr_db=psnr(first, references[:window_frames], still),
        last_psnr_db=psnr(last, references[-window_frames:], still),
        colour_shift=float(np.abs(colours[1] - colours[0]).max()),
    )


@dataclass(frozen=True)
class Stillness:
    """How shut and how still the mouth is in silence, beside the same mouth in speech."""

    speech_mean: float
    speech_sd: float
    silence_mean: float
    silence_sd: float

    @property
    def sd_ratio(self) -> float:
        """Return the spread in silence over that in speech; NaN if speech does not move it."""
        return self.silence_sd / self.speech_sd if self.speech_sd > SMALLEST_SD else float("nan")


def stillness(speech: Curve, silence: Curve) -> Stillness:
    """Compare the openings measured in speech and in silence."""
    return Stillness(mean(speech), spread(speech), mean(silence), spread(silence))
