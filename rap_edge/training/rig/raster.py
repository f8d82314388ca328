"""Compiled kernels: pose the vertices, find which triangle a pixel sees, read values off it.

Screen space is pixels of the 256 x 256 frame, x right, y down, z towards the camera; a raster has
its own origin and `zoom` samples per pixel. Samples are taken at centres.
"""

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray

from rap_edge.training.rig.head import FloatArray, IntArray

NOTHING = -1
FAR = -1e30
SMALLEST_AREA = 1e-9


@numba.njit(cache=True)
def express(
    person: FloatArray,
    weights: FloatArray,
    starts: IntArray,
    vertices: IntArray,
    shifts: FloatArray,
    out: FloatArray,
) -> None:
    """Write person (V, 3) moved by weighted sparse shapes into `out` (V, 3)."""
    out[:] = person
    for k in range(len(weights)):
        weight = weights[k]
        if weight == 0:
            continue
        for entry in range(starts[k], starts[k + 1]):
            v = vertices[entry]
            out[v, 0] += weight * shifts[entry, 0]
            out[v, 1] += weight * shifts[entry, 1]
            out[v, 2] += weight * shifts[entry, 2]


@numba.njit(cache=True)
def project(
    vertices: FloatArray,
    matrix: FloatArray,
    offset: FloatArray,
    resting_matrix: FloatArray,
    resting_offset: FloatArray,
    follow: FloatArray,
    residual: FloatArray,
    out: FloatArray,
) -> None:
    """Put vertices (V, 3) on the screen: out (V, 3).

    A vertex with `follow` (V,) of 1 takes the pose `matrix` (3, 3), `offset` (3,); with 0 it stays
    in the resting pose, as shoulders do.
    """
    for v in range(len(vertices)):
        x, y, z = vertices[v, 0], vertices[v, 1], vertices[v, 2]
        share = follow[v]
        for axis in range(3):
            value = matrix[axis, 0] * x + matrix[axis, 1] * y + matrix[axis, 2] * z + offset[axis]
            if share < 1:
                resting = resting_offset[axis] + resting_matrix[axis, 0] * x
                resting += resting_matrix[axis, 1] * y + resting_matrix[axis, 2] * z
                value = share * value + (1 - share) * resting
            out[v, axis] = value
        out[v, 0] += residual[v, 0]
        out[v, 1] += residual[v, 1]


@numba.njit(cache=True)
def rasterize(
    screen: FloatArray,
    triangles: IntArray,
    lift: FloatArray,
    origin: tuple[float, float],
    zoom: float,
    depth: FloatArray,
    owner: IntArray,
    corners: FloatArray,
) -> None:
    """Fill a z-buffer with triangles that face the camera.

    screen: (V, 3); triangles: (T, 3); lift: (T,) added to the depth of a triangle. Results, (H, W):
    depth; owner, a triangle or NOTHING; corners (H, W, 2), weights of its first two vertices.
    """
    height, width = depth.shape
    depth[:] = FAR
    owner[:] = NOTHING
    for t in range(len(triangles)):
        i, j, k = triangles[t, 0], triangles[t, 1], triangles[t, 2]
        x0 = (screen[i, 0] - origin[0]) * zoom - 0.5
        y0 = (screen[i, 1] - origin[1]) * zoom - 0.5
        x1 = (screen[j, 0] - origin[0]) * zoom - 0.5
        y1 = (screen[j, 1] - origin[1]) * zoom - 0.5
        x2 = (screen[k, 0] - origin[0]) * zoom - 0.5
        y2 = (screen[k, 1] - origin[1]) * zoom - 0.5
        area = (y1 - y2) * (x0 - x2) + (x2 - x1) * (y0 - y2)
        if area >= -SMALLEST_AREA:
            continue
        left = max(0, int(np.ceil(min(x0, x1, x2))))
        right = min(width - 1, int(np.floor(max(x0, x1, x2))))
        top = max(0, int(np.ceil(min(y0, y1, y2))))
        bottom = min(height - 1, int(np.floor(max(y0, y1, y2))))
        if left > right or top > bottom:
            continue
        ax, ay = (y1 - y2) / area, (x2 - x1) / area
        bx, by = (y2 - y0) / area, (x0 - x2) / area
        z2 = screen[k, 2] + lift[t]
        dz0, dz1 = screen[i, 2] - screen[k, 2], screen[j, 2] - screen[k, 2]
        for y in range(top, bottom + 1):
            for x in range(left, right + 1):
                a = ax * (x - x2) + ay * (y - y2)
                b = bx * (x - x2) + by * (y - y2)
                if a < -1e-6 or b < -1e-6 or a + b > 1 + 1e-6:
                    continue
                z = a * dz0 + b * dz1 + z2
                if z > depth[y, x]:
                    depth[y, x] = z
                    owner[y, x] = t
                    corners[y, x, 0] = a
                    corners[y, x, 1] = b


@numba.njit(cache=True)
def read_values(
    owner: IntArray,
    corners: FloatArray,
    triangles: IntArray,
    values: FloatArray,
    out: FloatArray,
) -> None:
    """Interpolate vertex values (V, C) at every sample: out (H, W, C), zeros where nothing is."""
    for y in range(owner.shape[0]):
        for x in range(owner.shape[1]):
            t = owner[y, x]
            if t < 0:
                out[y, x] = 0
                continue
            a, b = corners[y, x, 0], corners[y, x, 1]
            c = 1 - a - b
            for channel in range(values.shape[1]):
                out[y, x, channel] = (
                    a * values[triangles[t, 0], channel]
                    + b * values[triangles[t, 1], channel]
                    + c * values[triangles[t, 2], channel]
                )


def empty_raster(height: int, width: int) -> tuple[FloatArray, IntArray, FloatArray]:
    """Return depth, owner and corners for `rasterize`."""
    depth = np.empty((height, width), dtype=np.float32)
    owner = np.empty((height, width), dtype=np.int32)
    corners: NDArray[np.float32] = np.empty((height, width, 2), dtype=np.float32)
    return depth, owner, corners
