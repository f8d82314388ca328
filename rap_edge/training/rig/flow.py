"""Dense backward flow on the label grid, from the pixels where a triangle was seen."""

from __future__ import annotations

import cv2
import numpy as np

from rap_edge.training.rig.head import FloatArray
from rap_edge.training.rig.raster import Window

FRAME_SIZE = 256
LABEL_SIZE = 64
PIXELS_PER_CELL = FRAME_SIZE // LABEL_SIZE
SPREADS_PX = ((2.0, 1.0), (6.0, 0.1), (14.0, 0.01), (30.0, 0.001))
FADE_PX = 34.0
SOFTNESS_CELLS = 0.7


def block_means(samples: FloatArray, side: int) -> FloatArray:
    """Average blocks of side x side samples: (H, W, C) -> (H / side, W / side, C)."""
    rows, columns = samples.shape[0] // side, samples.shape[1] // side
    means = cv2.resize(samples, (columns, rows), interpolation=cv2.INTER_AREA)
    return np.asarray(means, dtype=np.float32)


def fill(cells: FloatArray) -> FloatArray:
    """Extend a flow smoothly over what no triangle covers, fading with the distance.

    cells: (64, 64, 3), averages of `coverage * flow` and of `coverage`, 0..1. Returns the flow
    (64, 64, 2). Gaps such as the open mouth continue their rims; the background comes to rest some
    34 px away from the head, and nothing is fetched from outside the frame.
    """
    total = cells.copy()
    for spread_px, weight in SPREADS_PX:
        total += weight * cv2.GaussianBlur(cells, (0, 0), spread_px / PIXELS_PER_CELL)
    uncovered = (cells[..., 2] < 0.5).astype(np.uint8)
    distance = cv2.distanceTransform(uncovered, cv2.DIST_L2, 5) * PIXELS_PER_CELL
    extended = total[..., :2] / (total[..., 2:] + 1e-6)
    extended *= np.exp(-((distance / FADE_PX) ** 2))[..., None]
    return within_frame(cells[..., :2] + (1.0 - cells[..., 2:]) * extended)


def soften(cells: FloatArray) -> FloatArray:
    """Round off the steps that (64, 64, 3) cells of `fill` make where one surface hides another."""
    return np.asarray(cv2.GaussianBlur(cells, (0, 0), SOFTNESS_CELLS), dtype=np.float32)


def within_frame(flow: FloatArray) -> FloatArray:
    """Shorten a flow (64, 64, 2) near the border it points out of, so that it ends inside."""
    centres = (np.arange(LABEL_SIZE, dtype=np.float32) + 0.5) * PIXELS_PER_CELL
    room = np.where(flow > 0, FRAME_SIZE - _grid(centres), _grid(centres))
    return np.asarray(flow * (1.0 - np.exp(-room / (2.0 * np.abs(flow) + 1e-3))), dtype=np.float32)


def _grid(centres: FloatArray) -> FloatArray:
    return np.stack(np.meshgrid(centres, centres), axis=-1)


def upsample(flow: FloatArray, window: Window) -> FloatArray:
    """Interpolate a label flow (64, 64, 2) at the samples of a window, (H, W, 2)."""
    rows, columns = window.shape
    step = 1.0 / (window.zoom * PIXELS_PER_CELL)
    left = (window.left + 0.5 / window.zoom) / PIXELS_PER_CELL - 0.5
    top = (window.top + 0.5 / window.zoom) / PIXELS_PER_CELL - 0.5
    onto = np.array([[step, 0.0, left], [0.0, step, top]])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    fine = cv2.warpAffine(flow, onto, (columns, rows), flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(fine, dtype=np.float32)
