"""Fit the head model to the landmarks of one portrait.

Scaled orthography and a bounded ridge regression, alternating; what the model cannot express is
left to a smooth displacement in the image, so that every landmark lies on its vertex exactly.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import lsq_linear

from rap_edge.portrait import LANDMARK_COUNT, Crop
from rap_edge.training.rig.eyes import BROW_POINTS, LID_POINTS
from rap_edge.training.rig.head import FloatArray, HeadModel, dense_shapes
from rap_edge.training.rig.residual import image_residual

ROUNDS = 5
LANDMARK_NOISE_CM = 0.25
EXPRESSION_STIFFNESS = 2.5
LARGEST_IDENTITY = 3.0
FITTED_EXPRESSIONS = (
    *("jawOpen", "mouthSmile", "mouthUpperUp", "mouthLowerDown", "mouthPucker", "mouthStretch"),
    *("mouthPress", "mouthFrown", "mouthRollLower", "mouthRollUpper", "mouthShrugUpper"),
    *("mouthShrugLower", "mouthFunnel", "mouthClose", "eyeBlink", "eyeWide", "eyeSquint"),
    *("browDown", "browInnerUp", "browOuterUp"),
)


@dataclass(frozen=True)
class HeadFit:
    """A head model fitted to a portrait, in pixels of that portrait.

    identity: (I,) in standard deviations. expression: (K,) in 0..1. A vertex v is seen at
    `scale * (rotation @ v)[:2] + translation`, y then turned downwards, plus its `residual` (V, 2).
    lids: (2, 2, 9, 2) and brows: (2, 5, 2) landmarks around the eyes, see `eyes.LID_POINTS`.
    error_px: root mean square of what the model alone leaves of the landmarks.
    """

    identity: FloatArray
    expression: FloatArray
    scale: float
    rotation: NDArray[np.float64]
    translation: NDArray[np.float64]
    residual: FloatArray
    lids: FloatArray
    brows: FloatArray
    error_px: float

    def in_crop(self, crop: Crop, size: int) -> HeadFit:
        """Move the fit into a crop of its portrait that is `size` pixels wide."""
        zoom = size / crop.side
        corner = np.array([crop.x, crop.y])
        return replace(
            self,
            scale=self.scale * zoom,
            translation=(self.translation - np.array([crop.x, -crop.y])) * zoom,
            residual=self.residual * np.float32(zoom),
            lids=((self.lids - corner) * zoom).astype(np.float32),
            brows=((self.brows - corner) * zoom).astype(np.float32),
            error_px=self.error_px * zoom,
        )

    def save(self, path: Path) -> None:
        """Write the fit to an .npz file; another process never sees half of it."""
        partial = path.with_name(f"{path.stem}.{os.getpid()}.partial.npz")
        np.savez(partial, **vars(self))
        partial.replace(path)

    @classmethod
    def load(cls, path: Path) -> HeadFit:
        """Read a fit from an .npz file."""
        with np.load(path) as stored:
            arrays = dict(stored)
        scale, error_px = float(arrays.pop("scale")), float(arrays.pop("error_px"))
        return cls(scale=scale, error_px=error_px, **arrays)


def cached_fit(head: HeadModel, landmarks: NDArray[np.floating], path: Path) -> HeadFit:
    """Read the fit at `path`, or make it from landmarks (478, 2) and store it there."""
    if path.exists():
        return HeadFit.load(path)
    fitted = fit(head, landmarks)
    fitted.save(path)
    return fitted


def fit(head: HeadModel, landmarks: NDArray[np.floating]) -> HeadFit:
    """Fit pose, identity and expression to FaceMesh landmarks (478, 2), px of the portrait."""
    if landmarks.shape != (LANDMARK_COUNT, 2):
        raise ValueError(
            f"landmarks have shape {landmarks.shape} - expected ({LANDMARK_COUNT}, 2) - "
            "pass the x and y of every FaceMesh point, in pixels"
        )
    target = landmarks[head.mesh_points] * np.array([1.0, -1.0])
    problem = _Shapes.at_landmarks(head)
    weights = np.zeros(len(problem.lower))
    for _ in range(ROUNDS):
        scale, rotation, translation = _pose(problem.points(weights), target, head.mesh_weights)
        weights = problem.solve(target, scale * rotation[:2], translation, head.mesh_weights)
    scale, rotation, translation = _pose(problem.points(weights), target, head.mesh_weights)

    identity, expression = problem.split(weights, len(head.names))
    vertices = person(head, identity) + expressed(head, expression)
    seen = scale * vertices @ rotation[:2].T + translation
    missing = target - seen[head.mesh_vertices]
    down = np.array([1.0, -1.0])
    return HeadFit(
        identity=identity,
        expression=expression,
        scale=scale,
        rotation=rotation,
        translation=translation,
        residual=image_residual(head, seen * down, missing * down),
        lids=landmarks[LID_POINTS].astype(np.float32),
        brows=landmarks[BROW_POINTS].astype(np.float32),
        error_px=float(np.sqrt(np.mean(missing**2))),
    )


def person(head: HeadModel, identity: FloatArray) -> FloatArray:
    """Return the vertices (V, 3) of a person without expression."""
    return np.asarray(head.neutral + np.tensordot(identity, head.identity, 1), dtype=np.float32)


def expressed(head: HeadModel, expression: FloatArray) -> FloatArray:
    """Return the shift (V, 3) that expression weights (K,) cause."""
    owner = np.repeat(np.arange(len(head.names)), np.diff(head.expression.starts))
    shift = np.zeros_like(head.neutral)
    np.add.at(shift, head.expression.vertices, expression[owner, None] * head.expression.shifts)
    return shift


@dataclass(frozen=True)
class _Shapes:
    """The linear part of the fit: base (M, 3) and shapes (K, M, 3) at the landmarks' vertices."""

    base: NDArray[np.float64]
    shapes: NDArray[np.float64]
    stiffness: NDArray[np.float64]
    lower: NDArray[np.float64]
    upper: NDArray[np.float64]
    fitted: list[int]

    @classmethod
    def at_landmarks(cls, head: HeadModel) -> _Shapes:
        fitted = [k for k, name in enumerate(head.names) if name[:-2] in FITTED_EXPRESSIONS]
        fitted += [k for k, name in enumerate(head.names) if name in FITTED_EXPRESSIONS]
        fitted.sort()
        expression = dense_shapes(head.expression, head.mesh_vertices, len(head.neutral))[fitted]
        identity = head.identity[:, head.mesh_vertices]
        ones, zeros = np.ones(len(identity)), np.zeros(len(fitted))
        return cls(
            base=head.neutral[head.mesh_vertices].astype(np.float64),
            shapes=np.concatenate([identity, expression]).astype(np.float64),
            stiffness=np.concatenate([ones, zeros + EXPRESSION_STIFFNESS]),
            lower=np.concatenate([-LARGEST_IDENTITY * ones, zeros]),
            upper=np.concatenate([LARGEST_IDENTITY * ones, zeros + 1.0]),
            fitted=fitted,
        )

    def points(self, weights: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(self.base + np.tensordot(weights, self.shapes, 1))

    def solve(
        self,
        target: NDArray[np.float64],
        projection: NDArray[np.float64],
        translation: NDArray[np.float64],
        trust: FloatArray,
    ) -> NDArray[np.float64]:
        """Find the weights for a known pose; a landmark is trusted to a quarter of a cm."""
        rows = np.sqrt(np.repeat(trust, 2).astype(np.float64))
        design = (self.shapes @ projection.T).reshape(len(self.shapes), -1).T * rows[:, None]
        error = (target - self.base @ projection.T - translation).ravel() * rows
        scale = np.linalg.norm(projection[0])
        ridge = np.diag(self.stiffness * scale * LANDMARK_NOISE_CM)
        # The normal equations have 140 unknowns where the design has 1100 rows.
        normal = design.T @ design + ridge @ ridge
        factor = np.linalg.cholesky(normal).T
        right = np.linalg.solve(factor.T, design.T @ error)
        return np.asarray(lsq_linear(factor, right, (self.lower, self.upper)).x)

    def split(
        self, weights: NDArray[np.float64], expressions: int
    ) -> tuple[FloatArray, FloatArray]:
        """Return identity (I,) and expression (K,) with zeros where nothing was fitted."""
        identities = len(weights) - len(self.fitted)
        expression = np.zeros(expressions, dtype=np.float32)
        expression[self.fitted] = weights[identities:]
        return weights[:identities].astype(np.float32), expression


def _pose(
    points: NDArray[np.float64], target: NDArray[np.float64], trust: FloatArray
) -> tuple[float, NDArray[np.float64], NDArray[np.float64]]:
    """Fit a scaled orthographic camera: scale, rotation (3, 3) and translation (2,)."""
    share = (trust / trust.sum())[:, None]
    centre, middle = (share * points).sum(axis=0), (share * target).sum(axis=0)
    rows = np.sqrt(share)
    affine = np.linalg.lstsq((points - centre) * rows, (target - middle) * rows, rcond=None)[0].T
    left, sizes, right = np.linalg.svd(affine, full_matrices=False)
    axes = left @ right
    rotation = np.vstack([axes, np.cross(axes[0], axes[1])])
    scale = float(sizes.mean())
    return scale, rotation, middle - scale * rotation[:2] @ centre
