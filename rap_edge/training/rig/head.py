"""The head model: ICT-FaceKit Light, reduced to what a camera in front of the face can see.

Model space is right-handed in centimetres: x to the right of the image, y up, z to the camera.
Source: Li et al., "Learning Formation of Physically-Based Face Attributes", CVPR 2020.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rap_edge.training.rig.correspondence import mesh_correspondence

FloatArray = NDArray[np.float32]
IntArray = NDArray[np.int32]

SOCKET_POLYGONS = (11144, 13225)
EYE_MATERIALS = ("M_ScleraLeft", "M_IrisLeft", "M_ScleraRight", "M_IrisRight")
DROPPED_MATERIALS = ("M_LacrimalFluid", "M_EyeBlend", "M_EyeOcclusion", "M_EyeLashes")
FARTHEST_TURN_RAD = 0.5
SKULL_BACK = -2.0
SMALLEST_SHIFT = 1e-3


class Part(IntEnum):
    """What a triangle belongs to; everything from TEETH on is the interior of the mouth."""

    SKIN = 1
    EYE = 2
    TEETH = 3
    GUMS = 4
    TONGUE = 5
    SOCKET = 6


@dataclass(frozen=True)
class SparseShapes:
    """Expression shapes by moved vertex; shape k owns the entries starts[k]:starts[k + 1]."""

    starts: IntArray
    vertices: IntArray
    shifts: FloatArray

    @classmethod
    def of(cls, shapes: FloatArray) -> SparseShapes:
        """Keep the vertices that each of the shapes (K, V, 3) moves by more than 10 micrometres."""
        moved = np.abs(shapes).max(axis=2) > SMALLEST_SHIFT
        starts = np.concatenate([[0], np.cumsum(moved.sum(axis=1))]).astype(np.int32)
        return cls(starts, np.nonzero(moved)[1].astype(np.int32), shapes[moved].astype(np.float32))


@dataclass(frozen=True)
class HeadModel:
    """A morphable head.

    names: K expression names. neutral: (V, 3). identity: (I, V, 3) shifts of one standard deviation
    each. expression: K sparse shapes. triangles: (T, 3) with outward winding, and their part (T,).
    landmarks: (68,) vertices of the iBUG landmarks. mesh_points and mesh_vertices: (M,) FaceMesh
    indices and the vertices they lie on; mesh_weights: (M,) how far to trust them in a fit.
    """

    names: tuple[str, ...]
    neutral: FloatArray
    identity: FloatArray
    expression: SparseShapes
    triangles: IntArray
    parts: NDArray[np.uint8]
    landmarks: IntArray
    mesh_points: IntArray
    mesh_vertices: IntArray
    mesh_weights: FloatArray

    @classmethod
    def load(cls, folder: Path) -> HeadModel:
        """Read `ict.npz`, `corr.npz` and `ict_pid.npy` and drop what never faces the camera."""
        with np.load(folder / "ict.npz") as model:
            neutral, expression = model["neutral"], model["expr"].astype(np.float32)
            triangles, identity = model["fv"], model["ident"]
            materials = model["mats"][model["fm"]]
            names = tuple(str(name) for name in model["names"])
        polygons = np.load(folder / "ict_pid.npy")
        with np.load(folder / "corr.npz") as found:
            landmarks = found["lm"]
            points, vertices, weights = mesh_correspondence(found["vi"], found["good"], landmarks)
        parts = _parts(neutral, triangles, materials, polygons, expression[names.index("jawOpen")])
        kept = ~np.isin(materials, DROPPED_MATERIALS)
        kept &= _ever_visible(neutral, expression, triangles, parts)
        used = np.unique(np.concatenate([triangles[kept].ravel(), vertices, landmarks]))
        compact = np.full(len(neutral), -1, dtype=np.int32)
        compact[used] = np.arange(len(used))
        return cls(
            names=names,
            neutral=neutral[used],
            identity=identity[:, used].astype(np.float32),
            expression=SparseShapes.of(expression[:, used]),
            triangles=np.ascontiguousarray(compact[triangles[kept]]),
            parts=parts[kept],
            landmarks=compact[landmarks],
            mesh_points=points,
            mesh_vertices=compact[vertices],
            mesh_weights=weights,
        )


def dense_shapes(shapes: SparseShapes, vertices: IntArray, vertex_count: int) -> FloatArray:
    """Return the shapes (K, len(vertices), 3) at some vertices only."""
    count = len(shapes.starts) - 1
    dense = np.zeros((count, vertex_count, 3), dtype=np.float32)
    owner = np.repeat(np.arange(count), np.diff(shapes.starts))
    dense[owner, shapes.vertices] = shapes.shifts
    return dense[:, vertices]


def _parts(
    neutral: FloatArray,
    triangles: IntArray,
    materials: NDArray[np.str_],
    polygons: NDArray[np.int64],
    jaw: FloatArray,
) -> NDArray[np.uint8]:
    parts = np.full(len(triangles), Part.SKIN, dtype=np.uint8)
    parts[np.isin(materials, EYE_MATERIALS)] = Part.EYE
    parts[materials == "M_Teeth"] = Part.TEETH
    parts[(polygons >= SOCKET_POLYGONS[0]) & (polygons <= SOCKET_POLYGONS[1])] = Part.SOCKET
    gums = materials == "M_GumsTongue"
    parts[gums] = Part.GUMS
    lower_teeth = np.unique(triangles[materials == "M_Teeth"])
    lower_teeth = lower_teeth[np.abs(jaw[lower_teeth]).max(axis=1) > 0.1]
    parts[gums & _inside_arch(neutral, triangles, neutral[lower_teeth], jaw)] = Part.TONGUE
    return parts


def _inside_arch(
    neutral: FloatArray, triangles: IntArray, teeth: FloatArray, jaw: FloatArray
) -> NDArray[np.bool_]:
    """Tell the tongue from the gums: it moves with the jaw and lies behind the lower teeth."""
    centre = neutral[triangles].mean(axis=1)
    with_jaw = np.abs(jaw[triangles]).max(axis=(1, 2)) > 0.1
    front = teeth[:, 2].max()
    half_width = np.abs(teeth[:, 0]).max()
    behind = front - 1.0 - 1.1 * (centre[:, 0] / half_width) ** 2 * (front - teeth[:, 2].min())
    return np.asarray(with_jaw & (centre[:, 2] < behind))


def _ever_visible(
    neutral: FloatArray, expression: FloatArray, triangles: IntArray, parts: NDArray[np.uint8]
) -> NDArray[np.bool_]:
    """Find the triangles that face the camera for some expression and a turn of up to 0.5 rad."""
    facing = np.full(len(triangles), -1.0, dtype=np.float32)
    for shape in (np.zeros_like(neutral), *expression):
        corners = (neutral + shape)[triangles]
        normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
        length = np.linalg.norm(normal, axis=1) + 1e-12
        facing = np.maximum(facing, normal[:, 2] / length)
    skull_back = (neutral[triangles][:, :, 2].mean(axis=1) < SKULL_BACK) & (parts == Part.SKIN)
    return np.asarray((facing > -np.sin(FARTHEST_TURN_RAD)) & ~skull_back)
