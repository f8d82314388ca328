"""Dense backward flow on the label grid, from the pixels where a triangle was seen."""

from __future__ import annotations

import cv2
import numpy as np

from rap_edge.training.rig.head import FloatArray

FRAME_SIZE = 256
LABEL_SIZE = 64
PIXELS_PER_CELL = FRAME_SIZE // LABEL_SIZE
SPREADS_PX = ((2.0, 1.0), (6.0, 0.1), (14.0, 0.01), (30.0, 0.001))
FADE_PX = 34.0


def cell_sums(samples: FloatArray, side: int) -> FloatArray:
    """Average blocks of side x side samples: (H, W, C) -> (H / side, W / side, C)."""
    height, width = samples.shape[0] // side, samples.shape[1] // side
    return cv2.resize(samples, (width, height), interpolation=cv2.INTER_AREA)


def fill(flow: FloatArray, coverage: FloatArray) -> FloatArray:
    """Extend a flow smoothly over what no triangle covers, fading with the distance.

    flow: (64, 64, 2) averages of `covered * flow`; coverage: (64, 64) in 0..1, averages of
    `covered`. Returns (64, 64, 2). Near gaps such as the open mouth continue their rims; the
    background comes to rest some 34 px away from the head.
    """
    both = np.dstack([flow, coverage])
    total = both.copy()
    for spread_px, weight in SPREADS_PX:
        total += weight * cv2.GaussianBlur(both, (0, 0), spread_px / PIXELS_PER_CELL)
    uncovered = (coverage < 0.5).astype(np.uint8)
    distance = cv2.distanceTransform(uncovered, cv2.DIST_L2, 5) * PIXELS_PER_CELL
    extended = total[..., :2] / (total[..., 2:] + 1e-6)
    extended *= np.exp(-((distance / FADE_PX) ** 2))[..., None]
    return np.asarray(flow + (1.0 - coverage[..., None]) * extended, dtype=np.float32)
