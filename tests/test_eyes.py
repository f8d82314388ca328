"""Eyes: they are found in people that training never saw, and closing them changes nothing else."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from rap_edge.eyes import BROW, POINTS, SIDE, Eye, eyes_of, shut
from rap_edge.models.eyes import EyeFinder
from rap_edge.portrait import Crop, cut

ROOT = Path(__file__).resolve().parent.parent
# FaceMesh's points of the example, px of the square around its face.
CROP = Crop(x=32.4, y=27.2, side=386.7)
TRUTH = np.array(
    [
        [
            [(89.3, 103.6), (94.8, 100.6), (99.4, 100.0), (104.0, 100.7), (113.0, 107.4)],
            [(96.1, 107.5), (100.5, 108.1), (104.8, 108.0)],
            [(87.5, 89.5), (94.7, 88.5), (104.4, 89.9)],
        ],
        [
            [(172.7, 108.7), (167.3, 104.7), (162.4, 103.5), (157.0, 103.6), (145.1, 109.5)],
            [(163.8, 111.7), (158.6, 111.5), (153.8, 110.7)],
            [(176.6, 96.1), (168.6, 94.2), (157.3, 94.3)],
        ],
    ],
    dtype=object,
)
PLACES = np.array([np.concatenate([np.array(part) for part in eye]) for eye in TRUTH])


@pytest.fixture(scope="module")
def square() -> NDArray[np.uint8]:
    image = cv2.imread(str(ROOT / "examples" / "portrait.jpg"))
    assert image is not None
    return cut(np.asarray(image[..., ::-1], np.uint8), CROP, SIDE)


@pytest.fixture(scope="module")
def eyes(square: NDArray[np.uint8]) -> tuple[Eye, Eye]:
    found = eyes_of(square, PLACES / SIDE - 0.5)
    assert found is not None
    return found


def test_the_shipped_finder_finds_the_lids_of_the_example(square: NDArray[np.uint8]) -> None:
    torch.set_num_threads(1)
    finder = EyeFinder.load(ROOT / EyeFinder.file)
    with torch.no_grad():
        found = finder(torch.from_numpy(square)[None])[0].numpy()
    off = SIDE * (found + 0.5) - PLACES
    assert found.shape == (2, POINTS, 2)
    assert np.sqrt(np.mean(np.delete(off, BROW, axis=1) ** 2)) < 1.5
    assert eyes_of(square, found) is not None


def test_closing_leaves_all_outside_of_the_eyes_as_it_was(
    square: NDArray[np.uint8], eyes: tuple[Eye, Eye]
) -> None:
    changed = np.any(shut(square, eyes, 1.0) != square, axis=-1)
    for eye in eyes:
        left, top, right, bottom = (int(v) for v in eye.box())
        assert changed[top : bottom + 1, left : right + 1].sum() > 0.5 * 0.3 * eye.width**2
        changed[top : bottom + 1, left : right + 1] = False
    assert not changed.any()


def test_open_eyes_are_the_picture(square: NDArray[np.uint8], eyes: tuple[Eye, Eye]) -> None:
    np.testing.assert_array_equal(shut(square, eyes, 0.0), square)


def test_what_is_between_the_lids_is_covered_with_what_was_above_them() -> None:
    """A white eyeball under grey skin is gone when the lids are shut, and half gone half-way."""
    u = np.linspace(0, 1, 33)
    bell = 4 * u * (1 - u)
    picture = np.full((SIDE, SIDE, 3), 120, np.uint8)
    points = PLACES.copy()
    for eye, left in zip(points, (80.0, 146.0), strict=True):
        x = left + 30 * np.array([0, 0.25, 0.5, 0.75, 1, 0.25, 0.5, 0.75, 0.2, 0.5, 0.8])
        rise = np.interp((x - left) / 30, u, bell)
        y = 100 + np.where(np.arange(POINTS) < 5, -5 * rise, 5 * rise)
        eye[:] = np.stack([x, np.where(np.arange(POINTS) < 8, y, 80)], -1)
        ball = np.concatenate(
            [
                np.stack([left + 30 * u, 100 - 5 * bell], -1),
                np.stack([left + 30 * u, 100 + 5 * bell], -1)[::-1],
            ]
        )
        cv2.fillPoly(picture, [np.round(ball).astype(np.int32)], (255, 255, 255))
        cv2.circle(picture, (int(left) + 15, 100), 3, (30, 30, 30), -1)
    eyes = eyes_of(picture, points / SIDE - 0.5)
    assert eyes is not None
    white = [int((shut(picture, eyes, amount) > 200).sum()) for amount in (0.0, 0.5, 1.0)]
    assert 0.2 * white[0] < white[1] < 0.8 * white[0]
    assert white[2] < 0.25 * white[0]


@pytest.mark.parametrize("why", ["shut", "unlike", "outside", "one place", "tiny", "dark"])
def test_what_does_not_look_like_two_open_eyes_is_left_alone(
    square: NDArray[np.uint8], why: str
) -> None:
    points = PLACES / SIDE - 0.5
    middle = points.mean((0, 1))
    if why == "shut":
        points[:, 1:4, 1] = points[:, 5:8, 1]
    elif why == "unlike":
        points[0] = points[0].mean(0) + 0.4 * (points[0] - points[0].mean(0))
    elif why == "outside":
        points[..., 1] -= 0.4
    elif why == "one place":
        points[1] = points[0]
    elif why == "dark":
        square = np.full_like(square, 20)
    else:
        points = middle + 0.4 * (points - middle)
    assert eyes_of(square, points) is None
