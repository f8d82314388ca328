"""Which FaceMesh points lie on which vertices of the head model."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

MOUTH_WEIGHT = 3.0

# iBUG landmark -> FaceMesh point, for the landmarks that both define sharply.
BROWS = dict(zip(range(17, 27), (70, 63, 105, 66, 107, 336, 296, 334, 293, 300), strict=True))
NOSE = dict(zip(range(27, 36), (168, 197, 5, 4, 75, 97, 2, 326, 305), strict=True))
EYES = dict(
    zip(range(36, 48), (33, 160, 158, 133, 153, 144, 362, 385, 387, 263, 373, 380), strict=True)
)
OUTER_LIP = dict(
    zip(range(48, 60), (61, 39, 37, 0, 267, 269, 291, 405, 314, 17, 84, 181), strict=True)
)
INNER_LIP = dict(zip(range(60, 68), (78, 81, 13, 311, 308, 402, 14, 178), strict=True))
IBUG_TO_MESH = {**BROWS, **NOSE, **EYES, **OUTER_LIP, **INNER_LIP}
FIRST_EYE_LANDMARK = 36

# Every FaceMesh point on the lips: their dense correspondence slides, the landmarks' does not.
LIP_POINTS = (
    *(61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291, 185, 40, 39, 37, 0, 267, 269, 270, 409),
    *(78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308, 191, 80, 81, 82, 13, 312, 311, 310, 415),
)


def mesh_correspondence(
    vertices: NDArray[np.int32], good: NDArray[np.bool_], landmarks: NDArray[np.int64]
) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.float32]]:
    """Combine the dense correspondence with the 68 landmarks.

    vertices: (478,) nearest vertex of each FaceMesh point; good: (478,) whether to believe it;
    landmarks: (68,) vertices. Returns FaceMesh points, vertices and weights, (M,) each.
    """
    dense = np.setdiff1d(np.nonzero(good)[0], LIP_POINTS)
    sharp = np.array(sorted(IBUG_TO_MESH))
    sharp_points = np.array([IBUG_TO_MESH[int(landmark)] for landmark in sharp])
    sharp_weights = np.where(sharp >= FIRST_EYE_LANDMARK, MOUTH_WEIGHT, 1.0)
    return (
        np.concatenate([dense, sharp_points]).astype(np.int32),
        np.concatenate([vertices[dense], landmarks[sharp]]).astype(np.int32),
        np.concatenate([np.ones(len(dense)), sharp_weights]).astype(np.float32),
    )
