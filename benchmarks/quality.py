"""How close a variant's pictures are to fp32's, on the device: same photo, speech and noise.

Nothing here was trained and nothing needs landmarks: the mouth lies where the avatar says, and it
is open as far as what is below has moved from what is above.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from rap_edge.benchmarks.pinned import Pinned
from rap_edge.benchmarks.report.record import Value
from rap_edge.benchmarks.report.statistics import interval_of
from rap_edge.errors import ConfigError
from rap_edge.evaluation.metrics import Curve, Video, decibels, mean_squared_error, pearson
from rap_edge.evaluation.regions import Box
from rap_edge.runtime import Avatar

MOUTH_WIDTH, MOUTH_HEIGHT = 0.5, 0.45
"""Of the mouth's box in the head's frame, which is 2 wide and high: an open mouth and some skin."""
MOUTH_Y = 0.28
"""How far down that frame the box's middle is; resting lips are at 0.25, and mouths open down."""
EDGE = 0.25
"""Share of the box's width, on either side, that is no lip."""


def reference_frames(avatar: Avatar, pinned: Pinned, seconds: float, seed: int = 0) -> Video:
    """Render ``seconds`` of the pinned speech, said again and again: (F, H, W, 3) uint8.

    196 kB a frame of 256x256: 10 s are 49 MB.
    """
    speech = pinned.lasting(seconds)
    n_frames = -(-len(speech) * avatar.model.config.fps // pinned.sample_rate)
    frames = np.empty((n_frames, *avatar.image.shape), dtype=np.uint8)
    for frame in avatar.render(speech, sample_rate=pinned.sample_rate, seed=seed):
        frames[frame.index] = frame.image
    return frames


def mouth_box(avatar: Avatar) -> Box:
    """Place the mouth in an avatar's frames: the upright rectangle around it in the head's frame.

    A bundle that places no heads gets the rectangle of an upright head in its crop.
    """
    placement = avatar.reference.get("reference_placement", np.eye(2, 3, dtype=np.float32)[None])
    size = np.array([avatar.image.shape[1], avatar.image.shape[0]])  # width, height
    half = np.array([MOUTH_WIDTH, MOUTH_HEIGHT]) / 2
    corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * half + [0, MOUTH_Y]
    placed = corners @ placement[0, :, :2].T + placement[0, :, 2]
    pixels = (placed + 1) / 2 * size
    low = np.clip(np.floor(pixels.min(axis=0)), 0, size - 2).astype(int)
    high = np.clip(np.ceil(pixels.max(axis=0)), low + 2, size).astype(int)
    return Box(int(low[1]), int(high[1]), int(low[0]), int(high[0]))


def mouth_curve(frames: Video, mouth: Box) -> Curve:
    """Measure how far the mouth is open: (F, H, W, 3) -> (F,) in pixels, 0 for the median picture.

    The mean motion down of the lower half of the box less that of the upper half, by dense flow
    (DIS, Kroeger et al. 2016): a turn of the head moves both, a jaw one. With FaceMesh's opening
    its median r is 0.89, on the 8 portraits on which it was chosen and on 6 others alike, saying
    the pinned speech; forms of darkness had at most 0.85 on the 8, principal components 0.77.
    FaceMesh calls small openings shut, and measures two of the 14 badly: there this has r -0.05 and
    0.25 with it, and FaceMesh itself 0.76 and 0.83 between fp32 and int8.
    """
    grey = np.stack([cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY) for crop in mouth.of_all(frames)])
    still = np.median(grey, axis=0).astype(np.uint8)
    finder = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
    nowhere = np.zeros((*still.shape, 2), dtype=np.float32)
    height, width = still.shape
    edge = round(EDGE * width)
    down = np.stack(
        [finder.calc(still, one, nowhere.copy())[:, edge : width - edge, 1] for one in grey]
    )  # (F, H, W)
    lower, upper = down[:, height // 2 :], down[:, : height // 2]
    return np.asarray(lower.mean(axis=(1, 2)) - upper.mean(axis=(1, 2)), dtype=np.float64)


def compare_with_exact(frames: Video, exact: Video, mouth: Box) -> dict[str, Value]:
    """Compare a variant's frames (F, H, W, 3) with fp32's: the three quantities, with intervals.

    PSNR is that of the error pooled over all frames, at most 100 dB. A curve that does not move has
    r 0. Raises ConfigError for videos of two shapes.
    """
    if frames.shape != exact.shape:
        raise ConfigError(
            f"videos have shapes {frames.shape} and {exact.shape}: expected frames of one speech "
            "and one size; render both from the same inputs"
        )
    curves = mouth_curve(frames, mouth), mouth_curve(exact, mouth)
    return {
        "frame_psnr_db": pooled_psnr(frames, exact),
        "mouth_psnr_db": pooled_psnr(mouth.of_all(frames), mouth.of_all(exact)),
        "mouth_curve_r": correlation(*curves),
    }


def pooled_psnr(frames: Video, exact: Video) -> Value:
    """Return PSNR in dB of the error pooled over all frames, with its interval."""
    errors = [mean_squared_error(one, other) for one, other in zip(frames, exact, strict=True)]
    return interval_of(errors, lambda drawn: np.array([decibels(e) for e in drawn.mean(axis=-1)]))


def correlation(curve: Curve, exact: Curve) -> Value:
    """Return Pearson's r of two curves (F,), with its interval: frames are drawn in pairs."""
    frames = np.arange(len(exact), dtype=np.float64)

    def r(drawn: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.array([pearson(curve[row], exact[row]) for row in drawn.astype(int)])

    return interval_of(frames, r)
