"""Compiled kernels: pose the vertices, find which triangle a pixel sees, read values off it.

Screen space is pixels of the 256 x 256 frame, x right, y down, z towards the camera. Samples are
taken at centres.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numba
import numpy as np

from rap_edge.training.rig.head import FloatArray, IntArray

NOTHING = -1
FAR = -1e30
SMALLEST_AREA = 1e-9
EDGE = 1e-6


@numba.njit(cache=True, error_model="numpy")
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


@numba.njit(cache=True, error_model="numpy")
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


@dataclass(frozen=True)
class Window:
    """A rectangle of the screen in whole pixels, with zoom x zoom samples in each."""

    left: int
    top: int
    width: int
    height: int
    zoom: float

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of samples."""
        return round(self.height * self.zoom), round(self.width * self.zoom)


class Raster:
    """A z-buffer that is used again for every frame; what it returns is overwritten by the next."""

    def __init__(self, capacity: int) -> None:
        self._depth = np.empty(capacity, dtype=np.float32)
        self._owner = np.empty(capacity, dtype=np.int32)
        self._corners = np.empty((capacity, 2), dtype=np.float32)
        self._flow = np.empty((capacity, 3), dtype=np.float32)

    def draw(self, screen: FloatArray, triangles: IntArray, window: Window) -> Samples:
        """Find the nearest triangle (T, 3) that faces the camera; screen: (V, 3) px."""
        rows, columns = window.shape
        count = rows * columns
        samples = Samples(
            self._depth[:count].reshape(rows, columns),
            self._owner[:count].reshape(rows, columns),
            self._corners[:count].reshape(rows, columns, 2),
        )
        _rasterize(screen, triangles, window.left, window.top, window.zoom, *samples)
        return samples

    def flow(
        self, samples: Samples, triangles: IntArray, source: FloatArray, window: Window
    ) -> FloatArray:
        """Return (H, W, 3): backward flow to `source` (V, 2) px and coverage, zeros where none."""
        rows, columns = window.shape
        flow = self._flow[: rows * columns].reshape(rows, columns, 3)
        _read_flow(
            samples.owner,
            samples.corners,
            triangles,
            source,
            window.left,
            window.top,
            window.zoom,
            flow,
        )
        return flow


class Samples(NamedTuple):
    """What a window sees: depth (H, W), triangle (H, W), weights (H, W, 2) of its corners 0, 1."""

    depth: FloatArray
    owner: IntArray
    corners: FloatArray


@numba.njit(cache=True, error_model="numpy")
def _rasterize(
    screen: FloatArray,
    triangles: IntArray,
    left: float,
    top: float,
    zoom: float,
    depth: FloatArray,
    owner: IntArray,
    corners: FloatArray,
) -> None:
    height, width = depth.shape
    depth[:] = FAR
    owner[:] = NOTHING
    for t in range(len(triangles)):
        i, j, k = triangles[t, 0], triangles[t, 1], triangles[t, 2]
        x0, y0 = (screen[i, 0] - left) * zoom - 0.5, (screen[i, 1] - top) * zoom - 0.5
        x1, y1 = (screen[j, 0] - left) * zoom - 0.5, (screen[j, 1] - top) * zoom - 0.5
        x2, y2 = (screen[k, 0] - left) * zoom - 0.5, (screen[k, 1] - top) * zoom - 0.5
        area = (y1 - y2) * (x0 - x2) + (x2 - x1) * (y0 - y2)
        if area >= -SMALLEST_AREA:
            continue
        first_x = max(0, int(np.ceil(min(x0, x1, x2))))
        last_x = min(width - 1, int(np.floor(max(x0, x1, x2))))
        first_y = max(0, int(np.ceil(min(y0, y1, y2))))
        last_y = min(height - 1, int(np.floor(max(y0, y1, y2))))
        if first_x > last_x or first_y > last_y:
            continue
        ax, ay = (y1 - y2) / area, (x2 - x1) / area
        bx, by = (y2 - y0) / area, (x0 - x2) / area
        az, bz = screen[i, 2] - screen[k, 2], screen[j, 2] - screen[k, 2]
        for y in range(first_y, last_y + 1):
            a = ax * (first_x - x2) + ay * (y - y2)
            b = bx * (first_x - x2) + by * (y - y2)
            for x in range(first_x, last_x + 1):
                if a >= -EDGE and b >= -EDGE and a + b <= 1 + EDGE:
                    z = a * az + b * bz + screen[k, 2]
                    if z > depth[y, x]:
                        depth[y, x] = z
                        owner[y, x] = t
                        corners[y, x, 0] = a
                        corners[y, x, 1] = b
                a += ax
                b += bx


@numba.njit(cache=True, error_model="numpy")
def _read_flow(
    owner: IntArray,
    corners: FloatArray,
    triangles: IntArray,
    source: FloatArray,
    left: float,
    top: float,
    zoom: float,
    out: FloatArray,
) -> None:
    for y in range(owner.shape[0]):
        for x in range(owner.shape[1]):
            t = owner[y, x]
            if t < 0:
                out[y, x] = 0
                continue
            i, j, k = triangles[t, 0], triangles[t, 1], triangles[t, 2]
            a, b = corners[y, x, 0], corners[y, x, 1]
            c = 1 - a - b
            from_x = a * source[i, 0] + b * source[j, 0] + c * source[k, 0]
            from_y = a * source[i, 1] + b * source[j, 1] + c * source[k, 1]
            out[y, x, 0] = from_x - (left + (x + 0.5) / zoom)
            out[y, x, 1] = from_y - (top + (y + 0.5) / zoom)
            out[y, x, 2] = 1


def read_values(samples: Samples, triangles: IntArray, values: FloatArray) -> FloatArray:
    """Interpolate vertex values (V, C) at every sample: (H, W, C), zeros where nothing is."""
    hit = samples.owner >= 0  # elsewhere the weights are whatever the buffer held
    a, b = samples.corners[hit, :1], samples.corners[hit, 1:]
    corner_values = values[triangles[samples.owner[hit]]]
    read = np.zeros((*hit.shape, values.shape[1]), np.float32)
    read[hit] = a * corner_values[:, 0] + b * corner_values[:, 1]
    read[hit] += (1 - a - b) * corner_values[:, 2]
    return read
