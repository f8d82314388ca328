"""The square of a photo that is animated: where it lies and how it is cut out.

Training and runtime use the same two functions, so that the model sees at the user's what it was
trained on. Photos are read by `rap_edge.photo`, faces are found by `rap_edge.locate`.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

LANDMARK_COUNT = 478
LEFT_CHEEK, RIGHT_CHEEK = 234, 454

FACE_WIDTHS_PER_SIDE = 2.0
RAISE_IN_FACE_WIDTHS = 0.06


@dataclass(frozen=True)
class Crop:
    """A square of a photo, in pixels of the photo: left edge, top edge, length of a side."""

    x: float
    y: float
    side: float

    @classmethod
    def of_landmarks(cls, landmarks: NDArray[np.floating], width: int, height: int) -> Crop:
        """Place the square around a face.

        landmarks: (478, 2) FaceMesh order, px of a photo of `width` x `height`. The square is two
        face widths wide or as large as the photo allows, and lies wholly inside the photo.
        """
        if landmarks.shape != (LANDMARK_COUNT, 2):
            raise ValueError(
                f"landmarks have shape {landmarks.shape} - expected ({LANDMARK_COUNT}, 2) - "
                "pass the x and y of every FaceMesh point, in pixels"
            )
        cheeks = landmarks[LEFT_CHEEK] - landmarks[RIGHT_CHEEK]
        face_width = float(np.hypot(cheeks[0], cheeks[1]))
        centre_x, centre_y = (float(c) for c in landmarks.mean(axis=0))
        centre_y -= RAISE_IN_FACE_WIDTHS * face_width
        return cls.around(centre_x, centre_y, FACE_WIDTHS_PER_SIDE * face_width, width, height)

    @classmethod
    def around(cls, centre_x: float, centre_y: float, side: float, width: int, height: int) -> Crop:
        """Place a square of `side` about a centre, as near as a photo's edges allow."""
        side = min(side, float(width), float(height))
        return cls(
            x=min(max(centre_x - side / 2, 0.0), width - side),
            y=min(max(centre_y - side / 2, 0.0), height - side),
            side=side,
        )


def cut(image: NDArray[np.uint8], crop: Crop, size: int) -> NDArray[np.uint8]:
    """Cut a crop out of a photo and bring it to `size` x `size`, exact to a fraction of a pixel.

    image: (H, W, 3) uint8 RGB -> (size, size, 3) uint8 RGB. A crop larger than `size` is sampled at
    a whole multiple of `size` and then averaged by area; pixels outside the photo repeat its edge.
    """
    multiple = max(1, int(np.ceil(crop.side / size)))
    sampled = size * multiple
    step = crop.side / sampled
    offset = step / 2 - 0.5
    to_photo = np.array([[step, 0.0, crop.x + offset], [0.0, step, crop.y + offset]])
    square = cv2.warpAffine(
        image,
        to_photo,
        (sampled, sampled),
        flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    if multiple > 1:
        square = cv2.resize(square, (size, size), interpolation=cv2.INTER_AREA)
    return np.asarray(square, dtype=np.uint8)
