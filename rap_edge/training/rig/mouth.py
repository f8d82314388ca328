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
from rap_edge.training.rig.raster import Raster, Window

SAMPLES_PER_PIXEL = 3
MARGIN_PX = 4.0
LIPS_REACH_PX = 8.0
MOUTH_LANDMARKS = slice(48, 68)
INNER_LIPS = slice(60, 68)
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
    interior's `Part` or 0. light: (H, W) 0..1, what falls on the interior as if the lips were
    clear. lips: (H, W) px, how far inside the mouth a sample lies, negative on the skin, -8..8.
    teeth: (H, W) 0..1, the light on the teeth alone, fading away from the mouth. scale: px per cm.
    """

    window: Window
    flow: FloatArray
    part: NDArray[np.uint8]
    light: FloatArray
    lips: FloatArray
    teeth: FloatArray
    scale: float

    def brightness(self) -> FloatArray:
        """Return how bright the interior is under the shadow of the lips, (H, W) 0..1."""
        return self.light * _openness(self.part > 0, self.scale)


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
        self._inner_lips = head.landmarks[INNER_LIPS]
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
        skin = self._skin_raster.draw(screen, self._skin, window)
        flow = self._skin_raster.flow(skin, self._skin, source, window)
        inside = self._interior_raster.draw(screen, self._interior, window)
        behind = np.where(inside.owner >= 0, self._parts[inside.owner], 0).astype(np.uint8)
        facing = (self._normals @ rotation[2]).astype(np.float32)
        lip_depth = float(screen[self._lips, 2].mean())
        light = np.zeros(window.shape, dtype=np.float32)
        _light(*inside, self._interior, behind, facing, lip_depth, scale, light)
        part = np.where(skin.owner < 0, behind, 0).astype(np.uint8)
        lips = _lip_distance(part > 0, screen[self._inner_lips, :2], window)
        near = np.clip(1.0 + lips / LIPS_REACH_PX, 0.0, 1.0)
        teeth = near * light * (behind == Part.TEETH)
        return MouthView(window, flow, part, light, lips, teeth, scale)

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


def _lip_distance(
    interior: NDArray[np.bool_], inner_lips: FloatArray, window: Window
) -> FloatArray:
    """Return how far inside the mouth every sample lies, px; outside negative, -8..8.

    Closed lips have their seam, so that an average of such maps is a mouth opened on average, where
    an average of masks is a blur.
    """
    seam = (inner_lips - [window.left, window.top]) * SAMPLES_PER_PIXEL - 0.5
    mouth = interior.astype(np.uint8)
    within = cv2.distanceTransform(mouth, cv2.DIST_L2, 5)
    cv2.polylines(mouth, [np.round(seam).astype(np.int32)], isClosed=True, color=1)
    beyond = cv2.distanceTransform(1 - mouth, cv2.DIST_L2, 5)
    distance = (within - beyond) / SAMPLES_PER_PIXEL
    return np.asarray(np.clip(distance, -LIPS_REACH_PX, LIPS_REACH_PX), dtype=np.float32)


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
