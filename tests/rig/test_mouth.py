"""The mouth: what opens it, what closes it, and what is seen inside.

Set RAP_EDGE_DATA to the data folder of docs/data.md to run the last test on real portraits.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from rap_edge.portrait import Crop
from rap_edge.training.rig import HeadFit, HeadModel, PhotoRig, Pose, fit, opening_of, photo_rig

Expressing = Callable[..., NDArray[np.float32]]
STILL = Pose()
DATA = os.environ.get("RAP_EDGE_DATA")


def test_an_open_jaw_shows_the_interior_between_the_lips(
    rig: PhotoRig, expressing: Expressing
) -> None:
    frame = rig.render(expressing(jawOpen=0.8), STILL)
    rows, columns = np.nonzero(frame.labels.lips > 0)
    lips = frame.landmarks[48:68] / 4
    assert frame.opening > 0.1
    assert frame.labels.lips.max() > 4
    assert columns.min() > lips[:, 0].min() - 1.5
    assert columns.max() < lips[:, 0].max() + 1.5
    assert rows.min() > lips[:, 1].min() - 1.5
    assert rows.max() < lips[:, 1].max() + 1.5
    assert 0 < frame.labels.teeth[rows, columns].mean() < 1


def test_the_opening_grows_with_the_jaw(rig: PhotoRig, expressing: Expressing) -> None:
    openings = [
        opening_of(rig.landmarks(expressing(jawOpen=jaw), STILL)) for jaw in (0, 0.3, 0.6, 1)
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
    expression[head.names.index("jawOpen")] = 0.6
    smiling = PhotoRig(head, HeadFit(**{**vars(rig.fit), "expression": expression}), portrait)
    frame = smiling.render(smiling.resting(), STILL)
    assert smiling.label(expression, STILL).lips.max() > 1
    assert frame.opening == 0
    assert frame.labels.lips.max() < 0


@pytest.mark.skipif(
    DATA is None, reason="needs the data folder (docs/data.md) - set RAP_EDGE_DATA to it"
)
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
    assert resting.lips.max() < 0
    speech = rig.resting()
    speech[head.names.index("jawOpen")] = 0.5
    speaking = rig.render(speech, Pose(yaw=0.1))
    assert speaking.opening > 0.05
    assert speaking.labels.lips.max() > 1
