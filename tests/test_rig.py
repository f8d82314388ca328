"""The photo rig on a head of a few hundred vertices, and on real portraits where there are some.

Set RAP_EDGE_DATA to the data folder of docs/data.md to run the last tests too.
"""

from __future__ import annotations

import os
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from rap_edge.portrait import Crop
from rap_edge.training.rig import (
    HeadFit,
    HeadModel,
    PhotoRig,
    Pose,
    cached_fit,
    fit,
    opening_of,
    photo_rig,
)
from rap_edge.training.rig.correspondence import IBUG_TO_MESH
from rap_edge.training.rig.eyes import BROW_POINTS, LID_POINTS
from rap_edge.training.rig.flow import within_frame
from rap_edge.training.rig.head import Part

NAMES = ("eyeBlink_L", "eyeBlink_R", "jawOpen", "mouthClose")
JAW_OPEN, CLOSE = NAMES.index("jawOpen"), NAMES.index("mouthClose")
STEP_CM, LIPS_Y, MOUTH_HALF_CM = 0.5, -4.0, 2.5
PX_PER_CM, CENTRE_PX = 8.0, (128.0, 120.0)
STILL = Pose()
DATA = os.environ.get("RAP_EDGE_DATA")


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


@pytest.fixture(scope="module")
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


@pytest.fixture(scope="module")
def head(folder: Path) -> HeadModel:
    return HeadModel.load(folder)


@pytest.fixture(scope="module")
def landmarks(folder: Path) -> NDArray[np.float64]:
    """FaceMesh landmarks of the neutral head in a frame of 256 pixels."""
    seen = np.load(folder / "found.npy")[:, :2] * [1.0, -1.0] * PX_PER_CM + CENTRE_PX
    for point, (x, y) in mesh_positions().items():
        seen[point] = (x * PX_PER_CM + CENTRE_PX[0], CENTRE_PX[1] - y * PX_PER_CM)
    return np.asarray(seen, dtype=np.float64)


@pytest.fixture(scope="module")
def portrait() -> NDArray[np.uint8]:
    """A smooth random picture, 256 x 256."""
    coarse = np.random.default_rng(3).integers(0, 256, (16, 16, 3), dtype=np.uint8)
    return np.asarray(cv2.resize(coarse, (256, 256), interpolation=cv2.INTER_CUBIC), dtype=np.uint8)


@pytest.fixture(scope="module")
def rig(head: HeadModel, landmarks: NDArray[np.float64], portrait: NDArray[np.uint8]) -> PhotoRig:
    return PhotoRig(head, fit(head, landmarks), portrait)


def expressing(rig: PhotoRig, **weights: float) -> NDArray[np.float32]:
    """Return the resting expression with some weights set."""
    expression = rig.resting()
    for name, weight in weights.items():
        expression[rig.head.names.index(name)] = weight
    return expression


def test_loading_drops_what_never_faces_the_camera(head: HeadModel) -> None:
    kept = head.neutral[head.triangles[head.parts == Part.SKIN]]
    assert kept[..., 2].min() > -8
    assert {Part.SKIN, Part.TEETH, Part.SOCKET} == set(np.unique(head.parts))


def test_fit_recovers_a_known_camera(head: HeadModel, landmarks: NDArray[np.float64]) -> None:
    found = fit(head, landmarks)
    assert found.scale == pytest.approx(PX_PER_CM, rel=0.02)
    assert np.allclose(found.rotation, np.eye(3), atol=0.03)
    assert found.error_px < 1.0


def test_fit_recovers_an_open_jaw(
    rig: PhotoRig, landmarks: NDArray[np.float64], folder: Path
) -> None:
    opened = landmarks.copy()
    shift = np.load(folder / "ict.npz")["expr"][JAW_OPEN]
    found = np.load(folder / "corr.npz")["vi"]
    opened[:, 1] -= 0.5 * shift[found, 1].astype(np.float64) * PX_PER_CM
    assert fit(rig.head, opened).expression[JAW_OPEN] == pytest.approx(0.5, abs=0.1)


def test_a_fit_is_stored_and_read_back(
    head: HeadModel, landmarks: NDArray[np.float64], tmp_path: Path
) -> None:
    made = cached_fit(head, landmarks, tmp_path / "fit.npz")
    read = cached_fit(head, np.zeros((478, 2)), tmp_path / "fit.npz")
    for name, value in vars(made).items():
        np.testing.assert_array_equal(getattr(read, name), value)
    assert isinstance(read, HeadFit)
    assert [path.name for path in tmp_path.iterdir()] == ["fit.npz"]


def test_the_portraits_own_expression_is_the_portrait(
    rig: PhotoRig, portrait: NDArray[np.uint8]
) -> None:
    frame = rig.render(rig.fit.expression, STILL)
    assert np.abs(frame.labels.flow).max() < 0.05
    assert np.abs(frame.image.astype(int) - portrait).max() <= 4


def test_label_equals_render(rig: PhotoRig) -> None:
    expression, pose = expressing(rig, jawOpen=0.7, eyeBlink_L=0.8), Pose(0.1, 0.05, 0.02, 3, -2)
    for drawn, alone in zip(
        rig.render(expression, pose).labels, rig.label(expression, pose), strict=True
    ):
        np.testing.assert_array_equal(drawn, alone)


def test_frames_do_not_depend_on_earlier_frames(rig: PhotoRig) -> None:
    speaking, resting = expressing(rig, jawOpen=0.8, eyeBlink_R=1.0), rig.resting()
    first = rig.render(speaking, Pose(yaw=0.1))
    rig.render(resting, STILL)
    again = rig.render(speaking, Pose(yaw=0.1))
    np.testing.assert_array_equal(first.image, again.image)
    for before, after in zip(first.labels, again.labels, strict=True):
        np.testing.assert_array_equal(before, after)


def test_flow_points_back_to_the_portrait(rig: PhotoRig) -> None:
    flow = rig.label(rig.resting(), Pose(dx=5.0, dy=-3.0)).flow
    np.testing.assert_allclose(flow[20:28, 26:38].mean(axis=(0, 1)), [-5.0, 3.0], atol=0.1)


def test_shoulders_and_background_stay(rig: PhotoRig) -> None:
    flow = rig.label(rig.resting(), Pose(dx=5.0, dy=-3.0)).flow
    assert np.abs(flow[:, [0, -1]]).max() < 1.0


def test_the_signs_of_a_turn(rig: PhotoRig) -> None:
    nose = [rig.landmarks(rig.resting(), pose)[30] for pose in (STILL, Pose(yaw=0.2))]
    lowered = rig.landmarks(rig.resting(), Pose(pitch=0.1))[30]
    rolled = rig.landmarks(rig.resting(), Pose(roll=0.1))
    assert nose[1][0] > nose[0][0] + 5
    assert lowered[1] > nose[0][1] + 3
    assert rolled[45, 1] < rolled[36, 1]


def test_an_open_jaw_shows_the_interior_between_the_lips(rig: PhotoRig) -> None:
    frame = rig.render(expressing(rig, jawOpen=0.8), STILL)
    rows, columns = np.nonzero(frame.labels.interior > 0)
    lips = frame.landmarks[48:68] / 4
    assert frame.opening > 0.1
    assert frame.labels.interior.max() == pytest.approx(1.0, abs=1e-5)
    assert columns.min() > lips[:, 0].min() - 1.5
    assert columns.max() < lips[:, 0].max() + 1.5
    assert rows.min() > lips[:, 1].min() - 1.5
    assert rows.max() < lips[:, 1].max() + 1.5
    assert 0 < frame.labels.teeth.sum() < frame.labels.interior.sum()


def test_the_opening_grows_with_the_jaw(rig: PhotoRig) -> None:
    openings = [
        opening_of(rig.landmarks(expressing(rig, jawOpen=jaw), STILL)) for jaw in (0, 0.3, 0.6, 1)
    ]
    assert openings == sorted(openings)
    assert openings[0] < 0.02 < openings[1]


def test_rest_closes_an_open_mouth(
    head: HeadModel,
    landmarks: NDArray[np.float64],
    portrait: NDArray[np.uint8],
    rig: PhotoRig,
) -> None:
    expression = rig.fit.expression.copy()
    expression[JAW_OPEN] = 0.6
    smiling = PhotoRig(head, HeadFit(**{**vars(rig.fit), "expression": expression}), portrait)
    frame = smiling.render(smiling.resting(), STILL)
    assert smiling.label(expression, STILL).interior.sum() > 1
    assert frame.opening == 0
    assert frame.labels.interior.sum() == 0


def test_a_blink_changes_one_eye_only(rig: PhotoRig) -> None:
    resting = rig.label(rig.resting(), STILL)
    blinking = rig.label(expressing(rig, eyeBlink_L=1.0), STILL)
    rows, columns = np.nonzero(np.abs(blinking.flow - resting.flow).max(axis=-1) > 0.2)
    eye = rig.landmarks(rig.resting(), STILL)[42:48] / 4
    assert len(rows) > 4
    assert columns.min() > eye[:, 0].min() - 4
    assert columns.max() < eye[:, 0].max() + 4
    assert blinking.flow[..., 1].min() < -1.0
    np.testing.assert_array_equal(blinking.interior, resting.interior)


def test_half_a_blink_moves_the_lid_less_far(rig: PhotoRig) -> None:
    lowest = [
        rig.label(expressing(rig, eyeBlink_R=blink), STILL).flow[..., 1].min()
        for blink in (0.0, 0.5, 1.0)
    ]
    assert lowest[0] > lowest[1] > lowest[2]


def test_nothing_is_fetched_from_outside_the_frame() -> None:
    centres = np.arange(64) * 4 + 2.0
    for push in (-40.0, 40.0):
        flow = within_frame(np.full((64, 64, 2), push, dtype=np.float32))
        assert ((flow[..., 0] + centres >= 0) & (flow[..., 0] + centres <= 256)).all()
        assert np.all(np.diff(flow[:, 0, 1] + centres) > 0)


def test_coordinates_name_places_on_the_face(rig: PhotoRig) -> None:
    coordinates = rig.coordinates()
    covered = coordinates[..., 3] == 1
    assert coordinates.shape == (64, 64, 4)
    assert np.abs(coordinates[..., :3]).max() < 1.2
    assert not coordinates[coordinates[..., 3] == 0].any()
    assert covered.sum() > 800
    nose = (rig.landmarks(rig.fit.expression, STILL)[30] / 4).astype(int)
    row = coordinates[nose[1], :, 0][covered[nose[1]]]
    assert (np.diff(row) > 0).all()
    assert abs(coordinates[nose[1], nose[0], 0]) < 0.1


def test_a_rig_follows_the_crop(
    head: HeadModel, landmarks: NDArray[np.float64], portrait: NDArray[np.uint8]
) -> None:
    photo = np.pad(portrait, ((40, 40), (30, 50), (0, 0)), mode="edge")
    found = fit(head, landmarks + np.array([30.0, 40.0]))
    whole = photo_rig(head, found, photo, Crop(x=30, y=40, side=256))
    half = photo_rig(head, found, photo, Crop(x=94, y=104, side=128))
    near = whole.landmarks(whole.resting(), STILL)
    np.testing.assert_allclose(half.landmarks(whole.resting(), STILL), (near - 64) * 2, atol=0.01)
    np.testing.assert_array_equal(whole.image, portrait)


def test_wrong_shapes_are_named(head: HeadModel, rig: PhotoRig) -> None:
    with pytest.raises(ValueError, match=r"\(468, 2\).*expected \(478, 2\)"):
        fit(head, np.zeros((468, 2)))
    with pytest.raises(ValueError, match=r"\(128, 128, 3\).*expected uint8 \(256, 256, 3\)"):
        PhotoRig(head, rig.fit, np.zeros((128, 128, 3), dtype=np.uint8))


@pytest.mark.skipif(DATA is None, reason="RAP_EDGE_DATA names no data folder")
@pytest.mark.parametrize("index", range(0, 348, 29))
def test_real_portraits_rest_with_closed_lips_and_speak(index: int) -> None:
    data = Path(str(DATA))
    head = HeadModel.load(data / "heads" / "ict")
    with np.load(data / "portraits_landmarks.npz") as stored:
        name, landmarks = str(stored["names"][index]), stored["landmarks"][index, :, :2]
    photo = cv2.imread(str(data / "portraits" / name))
    assert photo is not None
    height, width = photo.shape[:2]
    crop = Crop.of_landmarks(landmarks, width, height)
    rig = photo_rig(head, fit(head, landmarks), photo[..., ::-1].copy(), crop)
    resting = rig.label(rig.resting(), STILL)
    assert resting.interior.sum() == 0
    speaking = rig.render(expressing(rig, jawOpen=0.5), Pose(yaw=0.1))
    assert speaking.opening > 0.05
    assert speaking.labels.interior.sum() > 2
