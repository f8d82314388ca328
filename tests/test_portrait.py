"""The crop lies around the face, inside the photo, and is cut exact to a fraction of a pixel."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from rap_edge.portrait import LANDMARK_COUNT, LEFT_CHEEK, RIGHT_CHEEK, Crop, cut

Picture = NDArray[np.uint8]


def gradient(width: int = 96, height: int = 128) -> Picture:
    """Red grows to the right, green downwards, blue is constant: (H, W, 3) uint8."""
    picture = np.full((height, width, 3), 90, np.uint8)
    picture[..., 0] = np.linspace(10, 240, width).astype(np.uint8)[None, :]
    picture[..., 1] = np.linspace(20, 220, height).astype(np.uint8)[:, None]
    return picture


def face(centre_x: float, centre_y: float, width: float) -> NDArray[np.float32]:
    """Landmarks whose mean is the centre and whose cheeks are `width` apart: (478, 2) px."""
    points = np.tile(np.float32([centre_x, centre_y]), (LANDMARK_COUNT, 1))
    points[LEFT_CHEEK, 0] -= width / 2
    points[RIGHT_CHEEK, 0] += width / 2
    return points


def test_the_crop_is_two_face_widths_about_the_face() -> None:
    crop = Crop.of_landmarks(face(500, 400, 100), 1000, 800)
    assert (crop.x, crop.y, crop.side) == pytest.approx((400, 294, 200), abs=0.01)


@given(
    centre=st.tuples(st.floats(0, 640), st.floats(0, 480)),
    width=st.floats(20, 900),
)
@settings(max_examples=60, deadline=None)
def test_the_crop_lies_inside_the_photo(centre: tuple[float, float], width: float) -> None:
    crop = Crop.of_landmarks(face(*centre, width), 640, 480)
    assert crop.side == pytest.approx(min(2 * width, 480), rel=1e-4)
    assert crop.x >= 0
    assert crop.y >= 0
    assert crop.x + crop.side <= 640 + 1e-6
    assert crop.y + crop.side <= 480 + 1e-6


def test_landmarks_of_another_shape_are_refused() -> None:
    with pytest.raises(ValueError, match="expected \\(478, 2\\)"):
        Crop.of_landmarks(np.zeros((68, 2)), 640, 480)


def test_cutting_at_scale_one_copies_the_pixels() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (90, 100, 3), np.uint8)
    assert (cut(noise, Crop(7, 11, 64), 64) == noise[11:75, 7:71]).all()


@pytest.mark.parametrize("side", [40.0, 64.5, 100.0, 300.0, 420.7])
def test_cutting_samples_where_the_crop_says(side: float) -> None:
    ramp = np.tile(np.rint(np.linspace(0, 255, 640))[None, :, None], (480, 1, 3)).astype(np.uint8)
    square = cut(ramp, Crop(20.3, 3.6, side), 64)
    centres = 20.3 + (np.arange(64) + 0.5) * side / 64 - 0.5
    expected = centres * 255 / 639
    assert square.shape == (64, 64, 3)
    assert np.abs(square[32, :, 0] - expected).max() <= 1.0


def test_cutting_beyond_the_edge_repeats_it() -> None:
    square = cut(gradient(), Crop(-40, 0, 64), 64)
    assert (square[:, :30, 0] == gradient()[0, 0, 0]).all()
