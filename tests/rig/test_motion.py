"""Poses, blinks and the flow that they cause."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from rap_edge.training.rig import PhotoRig, Pose
from rap_edge.training.rig.flow import within_frame

Expressing = Callable[..., NDArray[np.float32]]
STILL = Pose()


def test_label_equals_render(rig: PhotoRig, expressing: Expressing) -> None:
    expression, pose = expressing(jawOpen=0.7, eyeBlink_L=0.8), Pose(0.1, 0.05, 0.02, 3, -2)
    for drawn, alone in zip(
        rig.render(expression, pose).labels, rig.label(expression, pose), strict=True
    ):
        np.testing.assert_array_equal(drawn, alone)


def test_frames_do_not_depend_on_earlier_frames(rig: PhotoRig, expressing: Expressing) -> None:
    speaking, resting = expressing(jawOpen=0.8, eyeBlink_R=1.0), rig.resting()
    first = rig.render(speaking, Pose(yaw=0.1))
    rig.render(resting, STILL)
    again = rig.render(speaking, Pose(yaw=0.1))
    np.testing.assert_array_equal(first.image, again.image)
    for before, after in zip(first.labels, again.labels, strict=True):
        np.testing.assert_array_equal(before, after)


def test_the_portraits_own_expression_is_the_portrait(
    rig: PhotoRig, portrait: NDArray[np.uint8]
) -> None:
    frame = rig.render(rig.fit.expression, STILL)
    assert np.abs(frame.labels.flow).max() < 0.05
    assert np.abs(frame.image.astype(int) - portrait).max() <= 4


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


def test_a_blink_changes_one_eye_only(rig: PhotoRig, expressing: Expressing) -> None:
    resting = rig.label(rig.resting(), STILL)
    blinking = rig.label(expressing(eyeBlink_L=1.0), STILL)
    rows, columns = np.nonzero(np.abs(blinking.flow - resting.flow).max(axis=-1) > 0.2)
    eye = rig.landmarks(rig.resting(), STILL)[42:48] / 4
    assert len(rows) > 4
    assert columns.min() > eye[:, 0].min() - 4
    assert columns.max() < eye[:, 0].max() + 4
    assert blinking.flow[..., 1].min() < -1.0
    np.testing.assert_array_equal(blinking.lips, resting.lips)


def test_half_a_blink_moves_the_lid_less_far(rig: PhotoRig, expressing: Expressing) -> None:
    lowest = [
        rig.label(expressing(eyeBlink_R=blink), STILL).flow[..., 1].min()
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
