"""The posed head: vertices on the screen, and which of its surface the portrait really shows."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rap_edge.training.rig.fit import HeadFit, person
from rap_edge.training.rig.flow import FRAME_SIZE
from rap_edge.training.rig.head import FloatArray, HeadModel, IntArray, Part
from rap_edge.training.rig.pose import Pose, rotation_of
from rap_edge.training.rig.raster import Raster, Window, express, project

NECK_PIVOT_CM = np.array([0.0, -12.0, -4.0])
STILL_BELOW_CM, MOVING_ABOVE_CM = -17.0, -9.5
HIDDEN_BEHIND_CM = 0.4
WHOLE_FRAME = Window(0, 0, FRAME_SIZE, FRAME_SIZE, 1.0)


class PosedHead:
    """A fitted head that takes expressions and poses. Shoulders stay where they are."""

    def __init__(self, head: HeadModel, fit: HeadFit) -> None:
        self._head, self._fit = head, fit
        self._person = person(head, fit.identity)
        rise = (head.neutral[:, 1] - STILL_BELOW_CM) / (MOVING_ABOVE_CM - STILL_BELOW_CM)
        rise = np.clip(rise, 0.0, 1.0)
        self._follow = (rise * rise * (3.0 - 2.0 * rise)).astype(np.float32)
        self._rest_matrix, self._rest_offset = self._camera(Pose())
        self._vertices = np.empty_like(self._person)

    def screen(self, expression: FloatArray, pose: Pose) -> FloatArray:
        """Return the vertices (V, 3) on the screen for expression weights (K,) and a pose."""
        shapes = self._head.expression
        weights = np.asarray(expression, dtype=np.float32)
        express(
            self._person, weights, shapes.starts, shapes.vertices, shapes.shifts, self._vertices
        )
        screen = np.empty_like(self._vertices)
        project(
            self._vertices,
            *self._camera(pose),
            self._rest_matrix,
            self._rest_offset,
            self._follow,
            self._fit.residual,
            screen,
        )
        return screen

    def rotation(self, pose: Pose) -> NDArray[np.float64]:
        """Return the rotation (3, 3) from the model to the camera."""
        return rotation_of(pose) @ self._fit.rotation

    def shown_skin(self) -> IntArray:
        """Return the skin triangles (T, 3) that the portrait shows; the rest has no texture."""
        screen = self.screen(self._fit.expression, Pose())
        skin = self._head.triangles[self._head.parts == Part.SKIN]
        depth = Raster(FRAME_SIZE * FRAME_SIZE).draw(screen, skin, WHOLE_FRAME).depth
        centre = screen[skin].mean(axis=1)
        x, y = np.clip(centre[:, :2].astype(int), 0, FRAME_SIZE - 1).T
        shown = centre[:, 2] > depth[y, x] - HIDDEN_BEHIND_CM * self._fit.scale
        corners = screen[skin]
        first, second = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
        shown &= first[:, 0] * second[:, 1] < first[:, 1] * second[:, 0]
        return np.ascontiguousarray(skin[shown])

    def _camera(self, pose: Pose) -> tuple[FloatArray, FloatArray]:
        """Return the matrix (3, 3) and offset (3,) from model space to the screen."""
        rotation = self.rotation(pose)
        swing = (self._fit.rotation - rotation) @ NECK_PIVOT_CM
        offset = np.array([*self._fit.translation, 0.0]) + self._fit.scale * swing
        flip = np.array([1.0, -1.0, 1.0])
        matrix = self._fit.scale * flip[:, None] * rotation
        moved = flip * offset + np.array([pose.dx, pose.dy, 0.0])
        return matrix.astype(np.float32), moved.astype(np.float32)
