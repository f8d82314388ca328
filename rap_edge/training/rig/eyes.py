"""Blinks: eyelids that slide over the eyeballs of the portrait.

A blink is a backward warp in the portrait's own pixels. Below the new edge of the upper lid the
eyeball shows unmoved. Above it come the lashes as they are and then skin from below the brow,
stretched, since the lid itself is folded away in an open eye. The lower lid rises to meet it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rap_edge.lids import Curve, Skin, closing, reach
from rap_edge.training.rig.head import FloatArray

BLINK_NAMES = ("eyeBlink_R", "eyeBlink_L")
# FaceMesh points from the outer to the inner corner, right eye first.
LID_POINTS = np.array(
    [
        [
            [33, 246, 161, 160, 159, 158, 157, 173, 133],
            [33, 7, 163, 144, 145, 153, 154, 155, 133],
        ],
        [
            [263, 466, 388, 387, 386, 385, 384, 398, 362],
            [263, 249, 390, 373, 374, 380, 381, 382, 362],
        ],
    ]
)
BROW_POINTS = np.array([[46, 53, 52, 65, 55], [276, 283, 282, 295, 285]])

SKIN = Skin(lashes=0.06, crease=0.05, skipped=0.25, meeting=0.9)
# Shares of the width of the eye.
LARGEST_LID, SMALLEST_LID = 0.45, 0.08
UPPER_MARGIN, LOWER_MARGIN = 0.015, 0.06
LID_BELOW_BROW = 0.85  # of what lies between them


@dataclass(frozen=True)
class Eye:
    """One eye of a portrait, in px of the portrait.

    corner, along, down: origin and unit axes of the eye, (2,) each. width: between the corners.
    stations, upper, lower, lid: (9,) positions along the eye, heights of both lids there, and how
    far above the upper lid there is skin to stretch.
    """

    corner: Curve
    along: Curve
    down: Curve
    width: float
    stations: Curve
    upper: Curve
    lower: Curve
    lid: Curve

    @classmethod
    def of_landmarks(cls, lids: FloatArray, brow: FloatArray) -> Eye:
        """Make an eye from its lids (2, 9, 2), upper and lower, and its brow (5, 2), px."""
        if lids[0, 0, 0] > lids[0, -1, 0]:
            lids, brow = lids[:, ::-1], brow[::-1]
        corner = lids[0, 0].astype(np.float64)
        width = float(np.linalg.norm(lids[0, -1] - corner))
        along = (lids[0, -1] - corner) / width
        down = np.array([-along[1], along[0]])
        stations = np.linspace(0.0, width, lids.shape[1])

        def height(curve: FloatArray) -> Curve:
            local = curve - corner
            return np.asarray(np.interp(stations, local @ along, local @ down))

        bell = 4.0 * stations * (width - stations) / width
        upper = height(lids[0]) + UPPER_MARGIN * bell
        lower = np.maximum(height(lids[1]) + LOWER_MARGIN * bell, upper)
        lid = LID_BELOW_BROW * (upper - height(brow))
        lid = np.clip(lid, SMALLEST_LID * width, LARGEST_LID * width)
        return cls(corner, along, down, width, stations, upper, lower, lid)

    def box(self) -> tuple[float, float, float, float]:
        """Return left, top, right, bottom of what a blink can change, px."""
        return reach(self.corner, self.along, self.width)

    def warp(self, x: FloatArray, y: FloatArray, blink: float) -> FloatArray:
        """Return the shift (H, W, 2) in px from where a blink shows a pixel to where it was.

        x, y: (H, W) px of the portrait. blink: 0, as in the portrait, to 1, closed.
        """
        across = (x - self.corner[0]) * self.along[0] + (y - self.corner[1]) * self.along[1]
        height = (x - self.corner[0]) * self.down[0] + (y - self.corner[1]) * self.down[1]
        opening = self.lower - self.upper

        def here(curve: Curve) -> Curve:
            return np.asarray(np.interp(across, self.stations, curve))

        shift = closing(
            SKIN,
            blink,
            height,
            here(self.upper),
            here(opening),
            float(opening.max()),
            here(self.lid),
            self.width,
        )
        return np.asarray(shift[..., None] * self.down, dtype=np.float32)
