"""Blinks: eyelids that slide over the eyeballs of the portrait.

A blink is a backward warp in the portrait's own pixels. Below the new edge of the upper lid the
eyeball shows unmoved; above it the lid is stretched, while a narrow rim with the lashes moves as it
is. The lower lid rises a little to meet it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rap_edge.training.rig.head import FloatArray

# FaceMesh points from the outer to the inner corner: upper and lower lid of the right, left eye.
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
BLINK_NAMES = ("eyeBlink_R", "eyeBlink_L")
MEETING_SHARE = 0.88
LASH_RIM = 0.07
MARGIN_BELOW = 0.035
STRETCHED_TRAVELS = 1.7
REACH = 0.75


@dataclass(frozen=True)
class Eye:
    """One eye of a portrait, in px of the portrait.

    corner, along, down: origin and unit axes of the eye, (2,) each. width: between the corners.
    stations, upper, lower: (9,) positions along the eye and heights of both lids there.
    """

    corner: NDArray[np.float64]
    along: NDArray[np.float64]
    down: NDArray[np.float64]
    width: float
    stations: NDArray[np.float64]
    upper: NDArray[np.float64]
    lower: NDArray[np.float64]

    @classmethod
    def of_lids(cls, lids: NDArray[np.floating]) -> Eye:
        """Make an eye from its lids (2, 9, 2): upper and lower, corner to corner, px."""
        upper, lower = lids if lids[0, 0, 0] < lids[0, -1, 0] else lids[:, ::-1]
        corner = upper[0].astype(np.float64)
        width = float(np.linalg.norm(upper[-1] - corner))
        along = (upper[-1] - corner) / width
        down = np.array([-along[1], along[0]])
        stations = np.linspace(0.0, width, len(upper))

        def height(lid: NDArray[np.floating]) -> NDArray[np.float64]:
            local = lid - corner
            return np.interp(stations, local @ along, local @ down)

        above, below = height(upper), height(lower)
        return cls(corner, along, down, width, stations, above, np.maximum(above, below))

    def box(self) -> tuple[float, float, float, float]:
        """Return left, top, right, bottom of what a blink can change, px."""
        middle = self.corner + self.along * self.width / 2
        reach = self.width * REACH
        left, top = middle - reach
        right, bottom = middle + reach
        return float(left), float(top), float(right), float(bottom)

    def warp(self, x: FloatArray, y: FloatArray, blink: float) -> tuple[FloatArray, FloatArray]:
        """Return the shift (x, y) in px from where a blink shows a pixel to where it was.

        x, y: (H, W) px of the portrait. blink: 0, as in the portrait, to 1, closed.
        """
        across = (x - self.corner[0]) * self.along[0] + (y - self.corner[1]) * self.along[1]
        height = (x - self.corner[0]) * self.down[0] + (y - self.corner[1]) * self.down[1]
        rim = LASH_RIM * self.width
        bell = np.clip(4.0 * self.stations * (self.width - self.stations) / self.width**2, 0, 1)
        upper_edge = self.upper + MARGIN_BELOW * self.width * bell
        meeting = upper_edge + MEETING_SHARE * np.maximum(self.lower - upper_edge, 0.0)
        falls = np.interp(across, self.stations, blink * (meeting - upper_edge))
        rises = np.interp(across, self.stations, blink * np.maximum(self.lower - meeting, 0.0))
        upper = np.interp(across, self.stations, upper_edge) + falls
        lower = np.interp(across, self.stations, self.lower) - rises
        shift = np.where(height <= upper, -falls * _ramp(upper - height, falls, rim), 0.0)
        shift += np.where(height > np.maximum(lower, upper), rises, 0.0) * _ramp(
            height - lower, rises, rim
        )
        return (
            (shift * self.down[0]).astype(np.float32),
            (shift * self.down[1]).astype(np.float32),
        )


def _ramp(
    distance: NDArray[np.floating], travel: NDArray[np.floating], rim: float
) -> NDArray[np.floating]:
    """Fall from 1 at the rim of a lid to 0 where the lid stops moving."""
    stretched = STRETCHED_TRAVELS * np.maximum(travel, 1e-3)
    return np.clip(1.0 - (distance - rim) / stretched, 0.0, 1.0)
