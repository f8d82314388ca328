"""Where a head is: a rigid motion relative to the portrait's own pose."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Pose(NamedTuple):
    """A head pose relative to the one in the portrait.

    yaw: radians, positive turns the nose to the right of the image. pitch: radians, positive lowers
    the nose. roll: radians, positive tilts counter-clockwise in the image. dx, dy: pixels of the
    256 x 256 frame, to the right and downwards.
    """

    yaw: float = 0.0
    pitch: float = 0.0
    roll: float = 0.0
    dx: float = 0.0
    dy: float = 0.0


def rotation_of(pose: Pose) -> NDArray[np.float64]:
    """Return the rotation (3, 3) of a pose: x right, y up, z towards the camera."""
    cy, sy = np.cos(pose.yaw), np.sin(pose.yaw)
    cp, sp = np.cos(pose.pitch), np.sin(pose.pitch)
    cr, sr = np.cos(pose.roll), np.sin(pose.roll)
    yaw = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    pitch = np.array([[1, 0, 0], [0, cp, -sp], [0, sp, cp]])
    roll = np.array([[cr, -sr, 0], [sr, cr, 0], [0, 0, 1]])
    return np.asarray(roll @ yaw @ pitch, dtype=np.float64)
