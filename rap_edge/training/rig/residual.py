"""The smooth image displacement that closes the gap between the fitted head and the landmarks."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import RBFInterpolator

from rap_edge.training.rig.head import FloatArray, HeadModel, Part

SMOOTHING_PX2 = 30.0
LARGEST_IN_FACES = 0.06
FACE_RADIUS_IN_HEIGHTS = 0.62
FADE_RADII = 0.4
MOUTH_LANDMARKS = slice(48, 68)


def image_residual(
    head: HeadModel, seen: NDArray[np.float64], missing: NDArray[np.float64]
) -> FloatArray:
    """Spread the landmarks' errors over all vertices.

    seen: (V, 2) px where the model puts the vertices; missing: (M, 2) px from there to the
    landmarks. A thin plate within the face that fades out around it; the interior of the mouth
    moves as one piece. Returns (V, 2) px.
    """
    points = seen[head.mesh_vertices]
    height = float(np.ptp(points[:, 1]))
    _, unique = np.unique(np.round(points / height, 3), axis=0, return_index=True)
    plate = RBFInterpolator(
        points[unique] / height,
        missing[unique],
        kernel="thin_plate_spline",
        smoothing=SMOOTHING_PX2 / 200.0**2,
    )
    limit = LARGEST_IN_FACES * height
    radius = FACE_RADIUS_IN_HEIGHTS * height
    distance = np.linalg.norm(seen - points.mean(axis=0), axis=1) / radius
    nearness = 1.0 - np.clip((distance - 1.0) / FADE_RADII, 0.0, 1.0)
    residual = np.zeros_like(seen)
    near = nearness > 0
    residual[near] = np.clip(plate(seen[near] / height), -limit, limit) * nearness[near, None]
    interior = np.unique(head.triangles[head.parts == Part.TEETH])
    interior = np.union1d(
        interior, np.unique(head.triangles[np.isin(head.parts, (Part.GUMS, Part.TONGUE))])
    )
    residual[interior] = residual[head.landmarks[MOUTH_LANDMARKS]].mean(axis=0)
    return residual.astype(np.float32)
