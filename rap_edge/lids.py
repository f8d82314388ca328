"""How skin moves when an eye closes: the same in what is trained on and in what is shown."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Curve = NDArray[np.float64]

REACH = 0.8  # of the width of the eye, to each side of its middle: what closing can change


@dataclass(frozen=True)
class Skin:
    """What moves how: shares of the width of the eye, and of other lengths."""

    lashes: float  # above the edge of the lid, that move as they are
    crease: float  # above the lashes, in which skin disappears
    skipped: float  # of the lid's skin, when the eye is shut
    meeting: float  # of the opening, from above, where the lids meet


def closing(
    skin: Skin,
    amount: float,
    height: Curve,
    upper: Curve,
    opening: Curve,
    widest: float,
    lid: Curve | float,
    width: float,
) -> Curve:
    """Return how far down (H, W) px from where the closed eye shows a pixel lies what it shows.

    amount: 0, as in the picture, to 1, closed. height: of each pixel below the line between the
    corners, px; upper: of the edge of the upper lid there; opening: from there to the lower lid;
    widest: the largest opening. lid: how much skin there is to stretch. width: of the eye.
    """
    falls = amount * skin.meeting * opening
    rises = amount * (1.0 - skin.meeting) * opening
    edge = upper + falls
    above = _above(skin, edge - height, falls, lid, falls / (widest + 1e-6), width)
    under = rises * np.clip(1.0 - (height - edge) / (3.0 * np.maximum(rises, 1e-3)), 0.0, 1.0)
    closed = height > np.maximum(upper + opening - rises, edge)
    return np.asarray(np.where(height <= edge, above, np.where(closed, under, 0.0)))


def reach(corner: Curve, along: Curve, width: float) -> tuple[float, float, float, float]:
    """Return left, top, right, bottom of what closing can change, px."""
    middle = corner + along * width / 2
    (left, top), (right, bottom) = middle - width * REACH, middle + width * REACH
    return float(left), float(top), float(right), float(bottom)


def _above(
    skin: Skin, distance: Curve, falls: Curve, lid: Curve | float, skipped: Curve, width: float
) -> Curve:
    """Return the shift at a distance above the edge of a lid that has fallen by ``falls``."""
    lashes, crease = skin.lashes * width, skin.crease * width
    skip = skipped * np.maximum(skin.skipped * (lid - lashes) - crease, 0.0)
    knee = lashes + crease
    rest = np.maximum(lid + falls - knee, 1e-3)
    stretched = knee + skip + (distance - knee) * (lid - knee - skip) / rest
    fetched = np.where(distance < lashes, distance, distance + skip * (distance - lashes) / crease)
    fetched = np.where(distance > knee, stretched, fetched)
    fetched = np.where(distance > lid + falls, distance - falls, fetched)
    return np.asarray(distance - fetched - falls)
