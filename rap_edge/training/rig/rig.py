"""The photo rig: one portrait becomes talking-head frames with exact labels."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from rap_edge.portrait import Crop, cut
from rap_edge.training.rig.fit import HeadFit, person
from rap_edge.training.rig.flow import (
    FRAME_SIZE,
    LABEL_SIZE,
    PIXELS_PER_CELL,
    cell_sums,
    fill,
)
from rap_edge.training.rig.head import FloatArray, HeadModel, Part
from rap_edge.training.rig.mouth import SAMPLES_PER_PIXEL, MouthView, MouthWindow
from rap_edge.training.rig.palette import interior_palette
from rap_edge.training.rig.pose import Pose, rotation_of
from rap_edge.training.rig.raster import empty_raster, express, project, rasterize, read_values
from rap_edge.training.rig.resting import calmed

NECK_PIVOT_CM = np.array([0.0, -12.0, -4.0])
STILL_BELOW_CM, MOVING_ABOVE_CM = -17.0, -9.5
MODEL_CENTRE_CM, MODEL_REACH_CM = np.array([0.0, -2.5, 3.0]), np.array([12.5, 17.0, 11.0])
LABEL_ZOOM = 0.5
PAIRS_ACROSS_THE_LIPS = ((61, 67), (62, 66), (63, 65))


class Labels(NamedTuple):
    """What the latent of a frame carries.

    flow: (64, 64, 2) float32, frame pixel p shows portrait pixel p + flow, x then y, px of the 256
    frame. interior: (64, 64) float32, share of the mouth's interior in a cell. teeth: (64, 64)
    float32, share of teeth times their brightness.
    """

    flow: FloatArray
    interior: FloatArray
    teeth: FloatArray


class Rendered(NamedTuple):
    """A frame: image (256, 256, 3) uint8 RGB, its labels, iBUG landmarks (68, 2) px, opening."""

    image: NDArray[np.uint8]
    labels: Labels
    landmarks: FloatArray
    opening: float


class PhotoRig:
    """Animates one portrait. Not for two threads at once."""

    def __init__(self, head: HeadModel, fit: HeadFit, image: NDArray[np.uint8]) -> None:
        """Take a portrait (256, 256, 3) RGB and the head fitted to it in the same pixels."""
        if image.shape != (FRAME_SIZE, FRAME_SIZE, 3) or image.dtype != np.uint8:
            raise ValueError(
                f"portrait is {image.dtype} {image.shape} - expected uint8 (256, 256, 3) RGB - "
                "cut the face out of the photo with photo_rig"
            )
        self.head, self.fit, self.image = head, fit, image
        self._person = person(head, fit.identity)
        rise = (head.neutral[:, 1] - STILL_BELOW_CM) / (MOVING_ABOVE_CM - STILL_BELOW_CM)
        rise = np.clip(rise, 0.0, 1.0)
        self._follow = (rise * rise * (3.0 - 2.0 * rise)).astype(np.float32)
        outside = head.parts < Part.TEETH
        self._surface = np.ascontiguousarray(head.triangles[outside])
        self._no_lift = np.zeros(len(self._surface), dtype=np.float32)
        self._mouth = MouthWindow(head)
        self._rest_matrix, self._rest_offset = self._camera(Pose())
        self._source = np.ascontiguousarray(self._screen(fit.expression, Pose())[:, :2])
        self._palette = interior_palette(self._face_pixels())

    def resting(self) -> FloatArray:
        """Return the portrait's own expression (57,) with the mouth closed."""
        return calmed(self.fit.expression, self.head.names)

    def render(self, expression: FloatArray, pose: Pose) -> Rendered:
        """Render a frame with its labels; expression: (57,) weights, mostly in 0..1."""
        screen = self._screen(expression, pose)
        flow, covered = self._surface_flow(screen, 1.0)
        mouth = self._look_at_mouth(screen, pose)
        labels = self._labels(flow, covered, mouth)
        smooth = cv2.resize(labels.flow, (FRAME_SIZE, FRAME_SIZE), interpolation=cv2.INTER_LINEAR)
        flow += (1.0 - covered[..., None]) * smooth
        image = _warp(self.image, flow, 0, 0, 1)
        self._paint_mouth(image, mouth, smooth)
        landmarks = screen[self.head.landmarks, :2]
        return Rendered(image, labels, landmarks, opening_of(landmarks))

    def label(self, expression: FloatArray, pose: Pose) -> Labels:
        """Return the labels of `render` without the picture, several times faster."""
        screen = self._screen(expression, pose)
        flow, covered = self._surface_flow(screen, LABEL_ZOOM)
        return self._labels(flow, covered, self._look_at_mouth(screen, pose))

    def landmarks(self, expression: FloatArray, pose: Pose) -> FloatArray:
        """Return the iBUG landmarks (68, 2) of a frame, px."""
        return self._screen(expression, pose)[self.head.landmarks, :2]

    def coordinates(self) -> FloatArray:
        """Return where on the neutral head each cell of the portrait lies, (64, 64, 4).

        x, y, z of the model scaled to about -1..1, averaged over the covered part of the cell, and
        the coverage 0..1; zeros where no head is.
        """
        screen = self._screen(self.fit.expression, Pose())
        scaled = ((self.head.neutral - MODEL_CENTRE_CM) / MODEL_REACH_CM).astype(np.float32)
        values, covered = self._surface_values(screen, scaled, 1.0)
        cells = cell_sums(np.dstack([values, covered]), PIXELS_PER_CELL)
        cells[..., :3] /= np.maximum(cells[..., 3:], 1e-6)
        return cells

    def _camera(self, pose: Pose) -> tuple[FloatArray, FloatArray]:
        """Return the matrix (3, 3) and offset (3,) from model space to the screen."""
        rotation = rotation_of(pose) @ self.fit.rotation
        swing = (self.fit.rotation - rotation) @ NECK_PIVOT_CM
        offset = np.array([*self.fit.translation, 0.0]) + self.fit.scale * swing
        flip = np.array([1.0, -1.0, 1.0])
        matrix = self.fit.scale * flip[:, None] * rotation
        moved = flip * offset + np.array([pose.dx, pose.dy, 0.0])
        return matrix.astype(np.float32), moved.astype(np.float32)

    def _screen(self, expression: FloatArray, pose: Pose) -> FloatArray:
        """Return all vertices on the screen, (V, 3)."""
        shapes = self.head.expression
        vertices, screen = np.empty_like(self._person), np.empty_like(self._person)
        weights = np.asarray(expression, dtype=np.float32)
        express(self._person, weights, shapes.starts, shapes.vertices, shapes.shifts, vertices)
        matrix, offset = self._camera(pose)
        project(
            vertices,
            matrix,
            offset,
            self._rest_matrix,
            self._rest_offset,
            self._follow,
            self.fit.residual,
            screen,
        )
        return screen

    def _surface_values(
        self, screen: FloatArray, values: FloatArray, zoom: float
    ) -> tuple[FloatArray, FloatArray]:
        """Rasterize skin and eyes; return values (S, S, C) there and coverage (S, S) of 0 or 1."""
        size = round(FRAME_SIZE * zoom)
        depth, owner, corners = empty_raster(size, size)
        rasterize(screen, self._surface, self._no_lift, (0.0, 0.0), zoom, depth, owner, corners)
        seen = np.empty((size, size, values.shape[1]), dtype=np.float32)
        read_values(owner, corners, self._surface, values, seen)
        return seen, (owner >= 0).astype(np.float32)

    def _surface_flow(self, screen: FloatArray, zoom: float) -> tuple[FloatArray, FloatArray]:
        flow, covered = self._surface_values(screen, self._source, zoom)
        centres = (np.arange(len(flow), dtype=np.float32) + 0.5) / np.float32(zoom)
        flow[..., 0] -= centres
        flow[..., 1] -= centres[:, None]
        flow *= covered[..., None]
        return flow, covered

    def _look_at_mouth(self, screen: FloatArray, pose: Pose) -> MouthView:
        rotation = (rotation_of(pose) @ self.fit.rotation).astype(np.float32)
        return self._mouth.look(screen, self._source, self.fit.scale, rotation)

    def _labels(self, flow: FloatArray, covered: FloatArray, mouth: MouthView) -> Labels:
        """Average samples into cells; those of the mouth come from its own window."""
        cells = cell_sums(np.dstack([flow, covered]), len(flow) // LABEL_SIZE)
        window = _window(mouth, PIXELS_PER_CELL)
        samples = np.dstack([mouth.flow, mouth.skin, mouth.interior, mouth.teeth])
        fine = cell_sums(samples, PIXELS_PER_CELL * SAMPLES_PER_PIXEL)
        cells[window] = fine[..., :3]
        interior, teeth = np.zeros((2, LABEL_SIZE, LABEL_SIZE), dtype=np.float32)
        interior[window], teeth[window] = fine[..., 3], fine[..., 4]
        return Labels(fill(cells[..., :2], cells[..., 2]), interior, teeth)

    def _paint_mouth(self, image: NDArray[np.uint8], mouth: MouthView, smooth: FloatArray) -> None:
        """Replace the mouth in `image` by its finely sampled view, averaged to pixels."""
        window = _window(mouth, 1)
        size = mouth.skin.shape[::-1]
        around = cv2.resize(smooth[window], size, interpolation=cv2.INTER_LINEAR)
        flow = mouth.flow + (1.0 - mouth.skin[..., None]) * around
        skin = _warp(self.image, flow, mouth.left, mouth.top, SAMPLES_PER_PIXEL)
        inside = self._palette[mouth.part] * mouth.brightness[..., None]
        painted = np.where(mouth.interior[..., None] > 0, inside, skin).astype(np.float32)
        averaged = cell_sums(painted, SAMPLES_PER_PIXEL)
        image[window] = np.clip(averaged + 0.5, 0, 255).astype(np.uint8)

    def _face_pixels(self) -> NDArray[np.uint8]:
        points = self._source[self.head.mesh_vertices].round().astype(int)
        points = np.clip(points, 0, FRAME_SIZE - 1)
        return self.image[points[:, 1], points[:, 0]]


def photo_rig(head: HeadModel, fit: HeadFit, photo: NDArray[np.uint8], crop: Crop) -> PhotoRig:
    """Cut a portrait out of a photo (H, W, 3) RGB and rig it; `fit` is in pixels of the photo."""
    return PhotoRig(head, fit.in_crop(crop, FRAME_SIZE), cut(photo, crop, FRAME_SIZE))


def opening_of(landmarks: FloatArray) -> float:
    """Return the gap between the inner lips over the distance of the eyes; landmarks: (68, 2)."""
    across = landmarks[42:48].mean(axis=0) - landmarks[36:42].mean(axis=0)
    distance = float(np.hypot(across[0], across[1]))
    down = np.array([-across[1], across[0]]) / distance
    gaps = [float((landmarks[low] - landmarks[up]) @ down) for up, low in PAIRS_ACROSS_THE_LIPS]
    return max(0.0, float(np.mean(gaps))) / distance


def _window(mouth: MouthView, unit: int) -> tuple[slice, slice]:
    rows = slice(mouth.top // unit, (mouth.top + mouth.height) // unit)
    return rows, slice(mouth.left // unit, (mouth.left + mouth.width) // unit)


def _warp(
    image: NDArray[np.uint8], flow: FloatArray, left: int, top: int, zoom: int
) -> NDArray[np.uint8]:
    """Look `image` up at every sample plus its flow (H, W, 2)."""
    height, width = flow.shape[:2]
    x = left + (np.arange(width, dtype=np.float32) + 0.5) / zoom - 0.5
    y = top + (np.arange(height, dtype=np.float32) + 0.5) / zoom - 0.5
    map_x, map_y = flow[..., 0] + x, flow[..., 1] + y[:, None]
    mapped = cv2.remap(image, map_x, map_y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(mapped, dtype=np.uint8)
