"""The inside of the mouth: a finely sampled window on the lips, and its shading.

Everything seen between the lips is rendered from the head model's teeth, gums, tongue and socket;
the portrait cannot show it. Light falls from the camera and fades towards the throat.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numba
import numpy as np

from rap_edge.training.rig.flow import FRAME_SIZE, PIXELS_PER_CELL
from rap_edge.training.rig.head import FloatArray, HeadModel, IntArray, Part
from rap_edge.training.rig.raster import empty_raster, rasterize, read_values

SAMPLES_PER_PIXEL = 3
MARGIN_PX = 4.0
MOUTH_LANDMARKS = slice(48, 68)
LIP_LANDMARKS = (51, 57)
REGION_CM = ((-6.0, -9.5), (6.0, 1.0))
INTERIOR_SINK_CM = 1.0


@dataclass(frozen=True)
class MouthView:
    """What one frame shows in the window, in samples of a third of a pixel.

    left, top, width, height: px, whole label cells. flow: (H, W, 2), zero where no skin is; skin,
    interior: (H, W) 0 or 1; part: (H, W) uint8; brightness: (H, W) 0..1, zero outside the interior.
    """

    left: int
    top: int
    width: int
    height: int
    flow: FloatArray
    skin: FloatArray
    interior: FloatArray
    part: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]
    brightness: FloatArray

    @property
    def teeth(self) -> FloatArray:
        """Brightness where teeth are, (H, W)."""
        return np.where(self.part == Part.TEETH, self.brightness, np.float32(0))


class MouthWindow:
    """Looks at the mouth of one head with three by three samples a pixel."""

    def __init__(self, head: HeadModel) -> None:
        centre = head.neutral[head.triangles].mean(axis=1)[:, :2]
        (left, bottom), (right, top) = REGION_CM
        near = (centre > [left, bottom]).all(axis=1) & (centre < [right, top]).all(axis=1)
        self.triangles = np.ascontiguousarray(head.triangles[near])
        self.parts = head.parts[near]
        self.landmarks = head.landmarks[MOUTH_LANDMARKS]
        self.lips = head.landmarks[list(LIP_LANDMARKS)]
        self.sink = np.where(self.parts >= Part.TEETH, -INTERIOR_SINK_CM, 0).astype(np.float32)
        self.normals = _vertex_normals(head.neutral, self.triangles)

    def look(
        self, screen: FloatArray, source: FloatArray, scale: float, rotation: FloatArray
    ) -> MouthView:
        """Render the window.

        screen: (V, 3) px; source: (V, 2) px where the portrait shows each vertex; scale: px per cm;
        rotation: (3, 3) of the head towards the camera.
        """
        left, top, width, height = self._box(screen)
        shape = (height * SAMPLES_PER_PIXEL, width * SAMPLES_PER_PIXEL)
        depth, owner, corners = empty_raster(*shape)
        origin = (float(left), float(top))
        rasterize(
            screen,
            self.triangles,
            self.sink * np.float32(scale),
            origin,
            float(SAMPLES_PER_PIXEL),
            depth,
            owner,
            corners,
        )
        flow = np.empty((*shape, 2), dtype=np.float32)
        read_values(owner, corners, self.triangles, source, flow)
        part = np.where(owner >= 0, self.parts[owner], 0).astype(np.uint8)
        skin = (part == Part.SKIN).astype(np.float32)
        interior = (part >= Part.TEETH).astype(np.float32)
        grid = np.arange(max(shape), dtype=np.float32)
        grid = (grid + 0.5) / SAMPLES_PER_PIXEL
        flow[..., 0] -= left + grid[None, : shape[1]]
        flow[..., 1] -= top + grid[: shape[0], None]
        flow *= skin[..., None]
        facing = np.asarray(self.normals @ rotation[2], dtype=np.float32)
        lip_depth = float(screen[self.lips, 2].mean())
        brightness = np.zeros(shape, dtype=np.float32)
        _light(owner, corners, self.triangles, part, facing, depth, lip_depth, scale, brightness)
        brightness *= _openness(interior, scale * SAMPLES_PER_PIXEL)
        return MouthView(left, top, width, height, flow, skin, interior, part, brightness)

    def _box(self, screen: FloatArray) -> tuple[int, int, int, int]:
        """Frame the mouth in whole label cells: left, top, width, height in px."""
        low = screen[self.landmarks, :2].min(axis=0) - MARGIN_PX
        high = screen[self.landmarks, :2].max(axis=0) + MARGIN_PX
        cells = FRAME_SIZE // PIXELS_PER_CELL
        first = np.clip(np.floor(low / PIXELS_PER_CELL), 0, cells - 1).astype(int)
        last = np.clip(np.ceil(high / PIXELS_PER_CELL), first + 1, cells).astype(int)
        left, top = (int(v) * PIXELS_PER_CELL for v in first)
        right, bottom = (int(v) * PIXELS_PER_CELL for v in last)
        return left, top, right - left, bottom - top


def _vertex_normals(vertices: FloatArray, triangles: IntArray) -> FloatArray:
    corners = vertices[triangles]
    flat = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    normals = np.zeros_like(vertices)
    for corner in range(3):
        np.add.at(normals, triangles[:, corner], flat)
    length = np.linalg.norm(normals, axis=1, keepdims=True)
    return np.asarray(normals / (length + 1e-12), dtype=np.float32)


def _openness(interior: FloatArray, samples_per_cm: float) -> FloatArray:
    """Return how much of its surroundings a sample of the interior sees uncovered, 0..1.

    Lips shade what lies just behind them, the upper lip a little more than the lower.
    """
    spread = 0.28 * samples_per_cm
    lowered = np.float32([[1, 0, 0], [0, 1, 0.12 * samples_per_cm]])
    height, width = interior.shape
    shifted = cv2.warpAffine(interior, lowered, (width, height))
    return np.clip(0.1 + 1.0 * cv2.GaussianBlur(shifted, (0, 0), spread), 0, 1)


@numba.njit(cache=True)
def _light(
    owner: IntArray,
    corners: FloatArray,
    triangles: IntArray,
    part: IntArray,
    facing: FloatArray,
    depth: FloatArray,
    lip_depth: float,
    scale: float,
    out: FloatArray,
) -> None:
    for y in range(owner.shape[0]):
        for x in range(owner.shape[1]):
            if part[y, x] < 3:
                continue
            t = owner[y, x]
            a, b = corners[y, x, 0], corners[y, x, 1]
            towards = a * facing[triangles[t, 0]] + b * facing[triangles[t, 1]]
            towards += (1 - a - b) * facing[triangles[t, 2]]
            behind_cm = (lip_depth - depth[y, x]) / scale - INTERIOR_SINK_CM
            reach = min(1.0, max(0.0, 1.0 - (behind_cm - 0.5) / 8.0))
            out[y, x] = (0.3 + 0.7 * abs(towards)) * reach**1.6
