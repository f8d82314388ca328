"""A head of a few hundred vertices in the files of the real one, and a rig made of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from rap_edge.training.rig import HeadModel, PhotoRig, fit
from rap_edge.training.rig.correspondence import IBUG_TO_MESH
from rap_edge.training.rig.eyes import BROW_POINTS, LID_POINTS

NAMES = ("eyeBlink_L", "eyeBlink_R", "jawOpen", "mouthClose")
JAW_OPEN, CLOSE = NAMES.index("jawOpen"), NAMES.index("mouthClose")
STEP_CM, LIPS_Y, MOUTH_HALF_CM = 0.5, -4.0, 2.5
PX_PER_CM, CENTRE_PX = 8.0, (128.0, 120.0)


class Sketch:
    """Vertices, triangles and materials of a head while it is being made."""

    def __init__(self) -> None:
        self.vertices: list[tuple[float, float, float]] = []
        self.triangles: list[tuple[int, int, int]] = []
        self.materials: list[int] = []
        self.polygons: list[int] = []

    def sheet(
        self, x: NDArray[np.float64], y: NDArray[np.float64], depth: float, material: int, tag: int
    ) -> None:
        """Add a grid that faces the camera; depth: how far it lies behind the dome of the face."""
        first, columns = len(self.vertices), len(x)
        for b in y:
            self.vertices += [(a, b, 11.0 - a * a / 12 - b * b / 40 - depth) for a in x]
        for row in range(len(y) - 1):
            for column in range(columns - 1):
                i = first + row * columns + column
                self.triangles += [(i, i + 1, i + columns), (i + 1, i + columns + 1, i + columns)]
                self.materials += [material] * 2
                self.polygons += [tag] * 2


def nearest(vertices: NDArray[np.float32], x: float, y: float, below: bool | None = None) -> int:
    """Return the skin vertex nearest to a point; below picks a side of the lips."""
    distance = np.hypot(vertices[:, 0] - x, vertices[:, 1] - y)
    if below is not None:
        on_side = np.arange(len(vertices)) < UPPER_VERTICES
        distance[on_side if below else ~on_side] = np.inf
    return int(np.argmin(distance))


ACROSS = np.arange(-8.0, 8.01, STEP_CM)
UPPER_VERTICES = len(ACROSS) * len(np.arange(LIPS_Y, 10.01, STEP_CM))


def feature_positions() -> dict[int, tuple[float, float, bool | None]]:
    """Place the iBUG landmarks: x, y, and for the lips whether on the lower one."""
    places: dict[int, tuple[float, float, bool | None]] = {}
    for k in range(17):
        angle = np.pi * (1 + k / 16)
        places[k] = (7.0 * np.cos(angle), 1.0 + 8.0 * np.sin(angle), None)
    for k in range(5):
        places[17 + k], places[22 + k] = (-5.0 + k, 5.0, None), (1.0 + k, 5.0, None)
    for k in range(4):
        places[27 + k] = (0.0, 3.0 - k, None)
    for k in range(5):
        places[31 + k] = (-1.0 + 0.5 * k, -1.0, None)
    eye = ((-1.5, 0.0), (-0.5, 0.5), (0.5, 0.5), (1.5, 0.0), (0.5, -0.5), (-0.5, -0.5))
    for k, (x, y) in enumerate(eye):
        places[36 + k], places[42 + k] = (x - 3.0, y + 3.0, None), (x + 3.0, y + 3.0, None)
    for k in range(7):
        places[48 + k] = (-3.0 + k, LIPS_Y + (0.0 if k in (0, 6) else 1.0), False)
    for k in range(5):
        places[55 + k] = (2.0 - k, LIPS_Y - 1.0, True)
    for k in range(5):
        places[60 + k] = (-2.0 + k, LIPS_Y, False)
    for k in range(3):
        places[65 + k] = (1.0 - k, LIPS_Y, True)
    return places


def mesh_positions() -> dict[int, tuple[float, float]]:
    """Place the FaceMesh points around the eyes and at the cheeks."""
    places = {234: (-7.0, 1.0), 454: (7.0, 1.0)}
    bow = 4 * np.linspace(0, 1, 9) * (1 - np.linspace(0, 1, 9))
    for side, sign in enumerate((-1.0, 1.0)):
        for lid, height in enumerate((0.6, -0.5)):
            for k, point in enumerate(LID_POINTS[side, lid]):
                places[int(point)] = (sign * (4.5 - 3.0 * k / 8), 3.0 + height * bow[k])
        for k, point in enumerate(BROW_POINTS[side]):
            places[int(point)] = (sign * (5.0 - k), 4.8)
    return places


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a small head in the files of the real one."""
    sketch = Sketch()
    sketch.sheet(ACROSS, np.arange(LIPS_Y, 10.01, STEP_CM), 0.0, 0, 0)
    sketch.sheet(ACROSS, np.arange(-12.0, LIPS_Y + 0.01, STEP_CM), 0.0, 0, 0)
    skin = len(sketch.vertices)
    within = np.arange(-2.5, 2.51, STEP_CM)
    sketch.sheet(within, np.arange(-4.9, -3.4, STEP_CM), 0.8, 1, 0)
    upper_teeth = len(sketch.vertices)
    sketch.sheet(within, np.arange(-6.4, -4.9, STEP_CM), 0.8, 1, 0)
    lower_teeth = np.arange(upper_teeth, len(sketch.vertices))
    sketch.sheet(within, np.arange(-7.0, -2.9, STEP_CM), 4.0, 0, 12000)
    sketch.sheet(ACROSS, np.arange(-12.0, 10.01, 2.0), 20.0, 0, 0)
    vertices = np.array(sketch.vertices, dtype=np.float32)
    triangles = np.array(sketch.triangles, dtype=np.int32)
    # The lips are one seam beside the mouth: the lower sheet takes the upper sheet's vertices.
    row = np.arange(len(ACROSS))
    lower_row = UPPER_VERTICES + len(ACROSS) * (len(np.arange(-12.0, LIPS_Y + 0.01, STEP_CM)) - 1)
    for column in row[np.abs(ACROSS) > MOUTH_HALF_CM]:
        triangles[triangles == lower_row + column] = column
    expression = np.zeros((len(NAMES), len(vertices), 3), dtype=np.float16)
    jaw = np.clip(1 - np.abs(vertices[:, 0]) / 5, 0, 1) * np.clip((vertices[:, 1] + 11) / 5, 0, 1)
    lower = np.arange(UPPER_VERTICES, skin)
    expression[JAW_OPEN, lower, 1] = -3.0 * jaw[lower]
    expression[JAW_OPEN, lower_teeth, 1] = -3.0
    expression[CLOSE, lower, 1] = 2.0 * jaw[lower]
    identity = np.zeros((2, len(vertices), 3), dtype=np.float16)
    identity[0, :, 0], identity[1, :, 1] = 0.05 * vertices[:, 0], 0.05 * vertices[:, 1]
    landmarks = np.array([nearest(vertices[:skin], *feature_positions()[k]) for k in range(68)])
    found = np.array([nearest(vertices[:UPPER_VERTICES], 0, 5 + k % 4) for k in range(478)])
    good = np.zeros(478, dtype=bool)
    for point, (x, y) in mesh_positions().items():
        found[point], good[point] = nearest(vertices[:skin], x, y), True
    for landmark, point in IBUG_TO_MESH.items():
        found[point], good[point] = landmarks[landmark], True
    path = tmp_path_factory.mktemp("head")
    np.savez(
        path / "ict.npz",
        neutral=vertices,
        expr=expression,
        ident=identity,
        fv=triangles,
        fm=np.array(sketch.materials),
        mats=np.array(["M_Face", "M_Teeth"]),
        names=np.array(NAMES),
    )
    np.savez(path / "corr.npz", vi=found.astype(np.int32), good=good, lm=landmarks)
    np.save(path / "ict_pid.npy", np.array(sketch.polygons))
    np.save(path / "found.npy", vertices[found])
    return path


@pytest.fixture(scope="session")
def head(folder: Path) -> HeadModel:
    return HeadModel.load(folder)


@pytest.fixture(scope="session")
def landmarks(folder: Path) -> NDArray[np.float64]:
    """FaceMesh landmarks of the neutral head in a frame of 256 pixels."""
    seen = np.load(folder / "found.npy")[:, :2] * [1.0, -1.0] * PX_PER_CM + CENTRE_PX
    for point, (x, y) in mesh_positions().items():
        seen[point] = (x * PX_PER_CM + CENTRE_PX[0], CENTRE_PX[1] - y * PX_PER_CM)
    return np.asarray(seen, dtype=np.float64)


@pytest.fixture(scope="session")
def portrait() -> NDArray[np.uint8]:
    """A smooth random picture, 256 x 256."""
    coarse = np.random.default_rng(3).integers(0, 256, (16, 16, 3), dtype=np.uint8)
    return np.asarray(cv2.resize(coarse, (256, 256), interpolation=cv2.INTER_CUBIC), dtype=np.uint8)


@pytest.fixture(scope="session")
def rig(head: HeadModel, landmarks: NDArray[np.float64], portrait: NDArray[np.uint8]) -> PhotoRig:
    return PhotoRig(head, fit(head, landmarks), portrait)


@pytest.fixture(scope="session")
def expressing(rig: PhotoRig) -> Callable[..., NDArray[np.float32]]:
    """Return a function: weights by name -> the resting expression with these weights."""

    def express(**weights: float) -> NDArray[np.float32]:
        expression = rig.resting()
        for name, weight in weights.items():
            expression[rig.head.names.index(name)] = weight
        return expression

    return express
