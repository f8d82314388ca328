"""Fitting the head to landmarks: known cameras and expressions are found again."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from rap_edge.portrait import Crop
from rap_edge.training.rig import HeadFit, HeadModel, PhotoRig, Pose, cached_fit, fit, photo_rig
from rap_edge.training.rig.head import Part

PX_PER_CM = 8.0
STILL = Pose()


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
    jaw = rig.head.names.index("jawOpen")
    shift = np.load(folder / "ict.npz")["expr"][jaw]
    found = np.load(folder / "corr.npz")["vi"]
    opened[:, 1] -= 0.5 * shift[found, 1].astype(np.float64) * PX_PER_CM
    assert fit(rig.head, opened).expression[jaw] == pytest.approx(0.5, abs=0.1)


def test_a_fit_is_stored_and_read_back(
    head: HeadModel, landmarks: NDArray[np.float64], tmp_path: Path
) -> None:
    made = cached_fit(head, landmarks, tmp_path / "fit.npz")
    read = cached_fit(head, np.zeros((478, 2)), tmp_path / "fit.npz")
    for name, value in vars(made).items():
        np.testing.assert_array_equal(getattr(read, name), value)
    assert isinstance(read, HeadFit)
    assert [path.name for path in tmp_path.iterdir()] == ["fit.npz"]


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
