"""Closing the eyes of a portrait: its lids, as the graph `eyes` finds them, are drawn shut.

The skin above an eye slides down over the eyeball, lashes first, as the eyelid does, and the lower
lid rises a little to meet it. Nothing is drawn that is not in the portrait.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from rap_edge.lids import Curve, Skin, closing, reach

Image = NDArray[np.uint8]

LUMA = np.array([0.299, 0.587, 0.114])
SIDE = 256
"""Side of the square in which eyes are found, px."""
POINTS = 11
"""Points of an eye: corner, 3 of the upper lid, corner, 3 of the lower lid, 3 of the brow."""
UPPER, LOWER, BROW = slice(0, 5), slice(5, 8), slice(8, 11)

SKIN = Skin(lashes=0.07, crease=0.05, skipped=0.3, meeting=0.88)
# Shares of the width of an eye.
LARGEST_LID, SMALLEST_LID = 0.45, 0.12
UPPER_MARGIN, LOWER_MARGIN = 0.01, 0.09
LID_BELOW_BROW = 0.62  # of what lies between them

# What eyes look like whose lids can be closed: shares of the side, of the width, of each other.
WIDTHS = (0.055, 0.24)
OPENINGS = (0.12, 0.65)
UNLIKE = 1.8
APART = (0.4, 3.0)
MOST_TILTED = 0.6
LEAST_CONTRAST = 30
"""Levels of grey between dark and bright parts of what lies between the lids: less is a lens."""

FINE = 4
"""The lids are moved at this multiple of the picture's size."""


@dataclass(frozen=True)
class Eye:
    """One eye, in px of the picture.

    corner, along, down: origin and unit axes of the eye, (2,) each. width: between the corners.
    upper, lower: (2,) coefficients of the heights of the lids between the corners.
    lid: how much skin there is to stretch above the upper lid.
    """

    corner: Curve
    along: Curve
    down: Curve
    width: float
    upper: Curve
    lower: Curve
    lid: float

    @classmethod
    def of_points(cls, points: NDArray[np.floating]) -> Eye:
        """Make an eye of its points (11, 2)."""
        if points[0, 0] > points[4, 0]:
            points = points[[4, 3, 2, 1, 0, 7, 6, 5, 10, 9, 8]]
        points = points.astype(np.float64)
        corner = points[0]
        width = max(float(np.linalg.norm(points[4] - corner)), 1e-3)
        along = (points[4] - corner) / width
        down = np.array([-along[1], along[0]])
        place, height = (points - corner) @ along, (points - corner) @ down
        margin = np.array([4.0 / width, 0.0])  # the coefficients of a parabola, 1 px high per px
        upper = _arc(place[1:4], height[1:4], width) + UPPER_MARGIN * margin
        lower = _arc(place[LOWER], height[LOWER], width) + LOWER_MARGIN * margin
        room = LID_BELOW_BROW * float(np.mean(height[1:4] - height[BROW]))
        lid = float(np.clip(room, SMALLEST_LID * width, LARGEST_LID * width))
        return cls(corner, along, down, width, upper, lower, lid)

    @property
    def opening(self) -> float:
        """How far the lids are apart where they are furthest, in widths of the eye."""
        _, opening = self._lids(np.linspace(0.0, self.width, 33))
        return float(opening.max() / self.width)

    def box(self) -> tuple[float, float, float, float]:
        """Return left, top, right, bottom of what closing can change, px."""
        return reach(self.corner, self.along, self.width)

    def contrast(self, image: Image) -> float:
        """Return how many levels of grey the eyeball spans, from its 5th to its 95th percentile."""
        row, column = np.indices(image.shape[:2]) + 0.5
        across, height = self._from_corner(column, row)
        upper, opening = self._lids(across)
        seen = image[(height > upper) & (height < upper + opening)]
        low, high = np.percentile(seen @ LUMA, (5, 95)) if len(seen) else (0.0, 0.0)
        return float(high - low)

    def shift(self, x: Curve, y: Curve, amount: float) -> Curve:
        """Return the way (H, W, 2) from where the closed eye shows a pixel to where it was, px."""
        across, height = self._from_corner(x, y)
        upper, opening = self._lids(across)
        widest, width = float(opening.max()), self.width
        moved = closing(SKIN, amount, height, upper, opening, widest, self.lid, width)
        return np.asarray(moved[..., None] * self.down)

    def _from_corner(self, x: Curve, y: Curve) -> tuple[Curve, Curve]:
        """Return how far along and below the line between the corners points lie, px."""
        x, y = x - self.corner[0], y - self.corner[1]
        return x * self.along[0] + y * self.along[1], x * self.down[0] + y * self.down[1]

    def _lids(self, across: Curve) -> tuple[Curve, Curve]:
        """Return where the upper lid is below that line, and how far the lower is below it."""
        inside = np.clip(across, 0.0, self.width)
        bell = inside * (self.width - inside)
        upper = bell * (self.upper[0] + self.upper[1] * inside)
        return upper, np.maximum(bell * (self.lower[0] + self.lower[1] * inside) - upper, 0.0)


def eyes_of(image: Image, points: NDArray[np.floating]) -> tuple[Eye, Eye] | None:
    """Make both eyes of a square picture (H, H, 3) of what the graph `eyes` found in it.

    points: (2, 11, 2) from the middle, in sides. None if they are no two open eyes, alike and side
    by side, with all that closing them changes inside of the picture; or if dark lenses hide them.
    """
    side = image.shape[0]
    left, right = (Eye.of_points(side * (eye + 0.5)) for eye in points)
    if not _plausible(left, right, side):
        return None
    seen = max(left.contrast(image), right.contrast(image)) >= LEAST_CONTRAST
    return (left, right) if seen else None


def _plausible(left: Eye, right: Eye, side: int) -> bool:
    between = float(right.corner[0] - left.corner[0] - left.along[0] * left.width)
    mean = (left.width + right.width) / 2
    tilted = [abs(np.arctan2(eye.along[1], eye.along[0])) for eye in (left, right)]
    boxes = [eye.box() for eye in (left, right)]
    return (
        all(WIDTHS[0] * side <= eye.width <= WIDTHS[1] * side for eye in (left, right))
        and all(OPENINGS[0] <= eye.opening <= OPENINGS[1] for eye in (left, right))
        and _alike(left.width, right.width)
        and _alike(left.opening, right.opening)
        and APART[0] * mean <= between <= APART[1] * mean
        and max(tilted) <= MOST_TILTED
        and all(min(box) >= 0 and max(box) <= side for box in boxes)
    )


def _alike(one: float, other: float) -> bool:
    return max(one, other) <= UNLIKE * min(one, other)


def shut(image: Image, eyes: tuple[Eye, Eye], amount: float) -> Image:
    """Close both eyes of a picture (H, W, 3): 0 leaves it as it is, 1 shuts them."""
    closed: Image = image.copy()
    for eye in eyes:
        height, width = image.shape[:2]
        left, top, right, bottom = (int(np.floor(v)) for v in eye.box())
        left, top = max(left, 0), max(top, 0)
        part = image[top : min(bottom + 1, height), left : min(right + 1, width)]
        closed[top : top + len(part), left : left + part.shape[1]] = _moved(
            part, eye, (left, top), amount
        )
    return closed


def _moved(part: Image, eye: Eye, origin: tuple[int, int], amount: float) -> Image:
    size = (FINE * part.shape[1], FINE * part.shape[0])
    column, row = np.meshgrid(*((np.arange(n) + 0.5) / FINE for n in size))
    shift = eye.shift(column + origin[0], row + origin[1], amount)
    moved = np.any(np.abs(shift) > 1e-3, -1)
    from_x, from_y = (
        (at + d - 0.5).astype(np.float32)
        for at, d in zip((column, row), np.moveaxis(shift, -1, 0), strict=True)
    )
    fetched = cv2.remap(part, from_x, from_y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    fine = cv2.resize(fetched, part.shape[1::-1], interpolation=cv2.INTER_AREA)
    touched = cv2.resize(
        moved.astype(np.uint8) * 255, part.shape[1::-1], interpolation=cv2.INTER_AREA
    )
    return np.asarray(np.where(touched[..., None] > 0, fine, part), np.uint8)


def _arc(place: Curve, height: Curve, width: float) -> Curve:
    """Return a and b of the curve u (width - u) (a + b u) through points between the corners."""
    bell = place * (width - place)
    return np.asarray(np.linalg.lstsq(np.stack([bell, bell * place], 1), height, rcond=None)[0])
