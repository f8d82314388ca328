"""The inside of the mouth: a finely sampled window on the lips, and its shading.

Everything seen between the lips is rendered from the head model's teeth, gums, tongue and socket;
the portrait cannot show it. Light falls from the camera and fades towards the throat.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numba
import numpy as np
from numpy.typing import NDArray

from rap_edge.training.rig.flow import FRAME_SIZE, PIXELS_PER_CELL
from rap_edge.training.rig.head import FloatArray, HeadModel, IntArray, Part
from rap_edge.training.rig.raster import Raster, Samples, Window

SAMPLES_PER_PIXEL = 3
MARGIN_PX = 4.0
MOUTH_LANDMARKS = slice(48, 68)
LIP_LANDMARKS = (51, 57)
REGION_CM = ((-6.0, -9.5), (6.0, 1.0))
# By `Part`: depth behind the lips up to which it is fully lit, and over which light falls to 1 / e.
LIT_CM = np.array([0, 0, 0, 0.7, 0.7, 2.0, 1.0])
DARKENING_CM = np.array([1, 1, 1, 2.4, 2.0, 3.5, 2.5])
LIP_SHADOW_CM, LIP_SHADOW_DROP_CM = 0.28, 0.12


@dataclass(frozen=True)
class MouthView:
    """What one frame shows in the window.

    flow: (H, W, 3) backward flow times coverage, and coverage by skin. part: (H, W) uint8, the
    interior's `Part` or 0. brightness: (H, W) 0..1, zero outside the interior.
    """

    window: Window
    flow: FloatArray
    part: NDArray[np.uint8]
    brightness: FloatArray

    def label_samples(self) -> FloatArray:
        """Return (H, W, 2): the interior, and the brightness of its teeth."""
        samples = np.empty((*self.part.shape, 2), dtype=np.float32)
        samples[..., 0] = self.part > 0
        samples[..., 1] = self.brightness * (self.part == Part.TEETH)
        return samples


class MouthWindow:
    """Looks at the mouth of one head with three by three samples a pixel."""

    def __init__(self, head: HeadModel) -> None:
        centre = head.neutral[head.triangles].mean(axis=1)[:, :2]
        (left, bottom), (right, top) = REGION_CM
        near = (centre > [left, bottom]).all(axis=1) & (centre < [right, top]).all(axis=1)
        inside = head.parts >= Part.TEETH
        self._skin = np.ascontiguousarray(head.triangles[near & (head.parts == Part.SKIN)])
        self._interior = np.ascontiguousarray(head.triangles[inside])
        self._parts = head.parts[inside]
        self._normals = _vertex_normals(head.neutral, self._interior)
        self._landmarks = head.landmarks[MOUTH_LANDMARKS]
        self._lips = head.landmarks[list(LIP_LANDMARKS)]
        samples = (FRAME_SIZE * SAMPLES_PER_PIXEL) ** 2
        self._skin_raster, self._interior_raster = Raster(samples), Raster(samples)

    def look(
        self, screen: FloatArray, source: FloatArray, scale: float, rotation: NDArray[np.float64]
    ) -> MouthView:
        """Render the window.

        screen: (V, 3) px; source: (V, 2) px where the portrait shows each vertex; scale: px per cm;
        rotation: (3, 3) of the head towards the camera.
        """
        window = self._frame(screen)
        lips = self._skin_raster.draw(screen, self._skin, window)
        flow = self._skin_raster.flow(lips, self._skin, source, window)
        part = np.zeros(window.shape, dtype=np.uint8)
        brightness = np.zeros(window.shape, dtype=np.float32)
        gap = _gap(lips.owner, window)
        if gap is not None:
            inside = self._interior_raster.draw(screen, self._interior, gap)
            rows, columns = _samples_of(gap, window)
            part[rows, columns] = self._seen_parts(inside, lips.owner[rows, columns])
            facing = (self._normals @ rotation[2]).astype(np.float32)
            lip_depth = float(screen[self._lips, 2].mean())
            _light(
                *inside,
                self._interior,
                part[rows, columns],
                facing,
                lip_depth,
                scale,
                brightness[rows, columns],
            )
            brightness *= _openness(part > 0, scale)
        return MouthView(window, flow, part, brightness)

    def _seen_parts(self, inside: Samples, lips: IntArray) -> NDArray[np.uint8]:
        seen = (inside.owner >= 0) & (lips < 0)
        return np.where(seen, self._parts[inside.owner], 0).astype(np.uint8)

    def _frame(self, screen: FloatArray) -> Window:
        """Frame the mouth in whole label cells."""
        low = screen[self._landmarks, :2].min(axis=0) - MARGIN_PX
        high = screen[self._landmarks, :2].max(axis=0) + MARGIN_PX
        cells = FRAME_SIZE // PIXELS_PER_CELL
        first = np.clip(np.floor(low / PIXELS_PER_CELL), 0, cells - 1).astype(int)
        last = np.clip(np.ceil(high / PIXELS_PER_CELL), first + 1, cells).astype(int)
        left, top = (int(v) * PIXELS_PER_CELL for v in first)
        right, bottom = (int(v) * PIXELS_PER_CELL for v in last)
        return Window(left, top, right - left, bottom - top, float(SAMPLES_PER_PIXEL))


def _gap(lips: IntArray, window: Window) -> Window | None:
    """Return the part of the window that the skin leaves open, in whole pixels."""
    x, y, width, height = cv2.boundingRect((lips < 0).astype(np.uint8))
    if width == 0:
        return None
    left, top = x // SAMPLES_PER_PIXEL, y // SAMPLES_PER_PIXEL
    right, bottom = -(-(x + width) // SAMPLES_PER_PIXEL), -(-(y + height) // SAMPLES_PER_PIXEL)
    return Window(window.left + left, window.top + top, right - left, bottom - top, window.zoom)


def _samples_of(part: Window, whole: Window) -> tuple[slice, slice]:
    top = (part.top - whole.top) * SAMPLES_PER_PIXEL
    left = (part.left - whole.left) * SAMPLES_PER_PIXEL
    rows, columns = part.shape
    return slice(top, top + rows), slice(left, left + columns)


def _vertex_normals(vertices: FloatArray, triangles: IntArray) -> FloatArray:
    corners = vertices[triangles]
    flat = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    normals = np.zeros_like(vertices)
    for corner in range(3):
        np.add.at(normals, triangles[:, corner], flat)
    length = np.linalg.norm(normals, axis=1, keepdims=True)
    return np.asarray(normals / (length + 1e-12), dtype=np.float32)


def _openness(interior: NDArray[np.bool_], scale: float) -> FloatArray:
    """Return how much of its surroundings a sample of the interior sees uncovered, 0..1.

    Lips shade what lies just behind them, the upper lip a little more than the lower.
    """
    height, width = interior.shape
    small = (width // SAMPLES_PER_PIXEL, height // SAMPLES_PER_PIXEL)
    coverage = cv2.resize(interior.astype(np.float32), small, interpolation=cv2.INTER_AREA)
    drop = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, LIP_SHADOW_DROP_CM * scale]])
    lowered = cv2.warpAffine(coverage, drop, small)
    blurred = 0.1 + cv2.GaussianBlur(lowered, (0, 0), LIP_SHADOW_CM * scale)
    smooth = cv2.resize(blurred, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(np.minimum(smooth, 1.0), dtype=np.float32)


@numba.njit(cache=True, error_model="numpy")
def _light(
    depth: FloatArray,
    owner: IntArray,
    corners: FloatArray,
    triangles: IntArray,
    part: NDArray[np.uint8],
    facing: FloatArray,
    lip_depth: float,
    scale: float,
    out: FloatArray,
) -> None:
    for y in range(owner.shape[0]):
        for x in range(owner.shape[1]):
            if part[y, x] == 0:
                continue
            t = owner[y, x]
            a, b = corners[y, x, 0], corners[y, x, 1]
            towards = a * facing[triangles[t, 0]] + b * facing[triangles[t, 1]]
            towards += (1 - a - b) * facing[triangles[t, 2]]
            behind_cm = (lip_depth - depth[y, x]) / scale
            seen = part[y, x]
            reach = np.exp(-max(0.0, behind_cm - LIT_CM[seen]) / DARKENING_CM[seen])
            out[y, x] = (0.3 + 0.7 * abs(towards)) * reach
