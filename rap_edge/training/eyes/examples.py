"""Examples for the eye finder: squares of portraits, turned, mirrored, damaged, with points."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from rap_edge.eyes import SIDE
from rap_edge.portrait import Crop, cut
from rap_edge.training.locator.portraits import Floats, Image, Portrait, transform

# FaceMesh points from the outer to the inner corner: upper lid with both corners, lower lid, brow.
EYES = np.array(
    [
        [33, 160, 159, 158, 133, 144, 145, 153, 53, 52, 65],
        [263, 387, 386, 385, 362, 373, 374, 380, 283, 282, 295],
    ]
)


class Example(NamedTuple):
    image: Image  # (256, 256, 3)
    points: Floats  # (2, POINTS, 2), as `EyeFinder` gives them


def plain(portrait: Portrait) -> Example:
    """Return the square that would be animated, as it is."""
    height, width = portrait.image.shape[:2]
    crop = Crop.of_landmarks(portrait.landmarks, width, height)
    places = (portrait.landmarks[EYES] - (crop.x, crop.y)) / crop.side - 0.5
    return Example(cut(portrait.image, crop, SIDE), places)


def drawn(rng: Generator, portraits: list[Portrait]) -> Example:
    """Draw a portrait, and a square about its face that is placed worse than at the user's."""
    portrait = portraits[int(rng.integers(len(portraits)))]
    height, width = portrait.image.shape[:2]
    crop = Crop.of_landmarks(portrait.landmarks, width, height)
    scale = SIDE / crop.side * np.exp(rng.normal(0.0, 0.08))
    if rng.random() < 0.2:
        scale *= rng.uniform(1.0, 1.5)
    turn = rng.normal(0.0, 0.09)
    stretch = np.exp(rng.normal(0.0, 0.03))
    cos, sin = scale * np.cos(turn), scale * np.sin(turn)
    mirror = -1.0 if rng.random() < 0.5 else 1.0
    linear = np.array([[cos, -sin], [sin, cos]]) @ np.diag([mirror * stretch, 1 / stretch])
    middle = np.array([crop.x, crop.y]) + crop.side / 2
    shift = SIDE / 2 + rng.normal(0.0, 5.0, 2) - linear @ middle
    affine = np.column_stack([linear, shift])
    centres = np.column_stack([linear, linear @ [0.5, 0.5] + shift - 0.5])
    image = cv2.warpAffine(
        portrait.image,
        centres,
        (SIDE, SIDE),
        flags=cv2.INTER_CUBIC if scale > 0.8 else cv2.INTER_AREA,
        borderMode=cv2.BORDER_REPLICATE,
    )
    points = transform(portrait.landmarks[EYES], affine) / SIDE - 0.5
    return Example(np.asarray(image, np.uint8), points[::-1] if mirror < 0 else points)


def damaged(rng: Generator, example: Example) -> Example:
    """Change light, colour and sharpness."""
    image: NDArray[np.floating] = example.image.astype(np.float32)
    if rng.random() < 0.4:
        sigma = rng.uniform(0.3, 1.6)
        image = np.asarray(cv2.GaussianBlur(image, (0, 0), sigma), np.float32)
    if rng.random() < 0.2:
        small = int(rng.integers(96, 200))
        shrunk = cv2.resize(image, (small, small), interpolation=cv2.INTER_AREA)
        image = np.asarray(cv2.resize(shrunk, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC))
    image = 255 * np.clip(image / 255, 0, 1) ** np.exp(rng.normal(0.0, 0.35))
    if rng.random() < 0.15:
        image = np.repeat(image.mean(-1, keepdims=True), 3, -1)
    image = image * np.exp(rng.normal(0.0, 0.08, 3)) * np.exp(rng.normal(0.0, 0.15))
    image = (image - 110) * np.exp(rng.normal(0.0, 0.2)) + 110
    if rng.random() < 0.5:
        slope = rng.normal(0.0, 0.3, 2)
        axis = np.linspace(-1, 1, SIDE)
        image = image * (1 + slope[0] * axis[:, None, None] + slope[1] * axis[None, :, None])
    image = image + rng.normal(0.0, rng.uniform(0, 6), image.shape)
    result = np.asarray(np.clip(image + 0.5, 0, 255), np.uint8)
    if rng.random() < 0.3:
        quality = (cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(25, 95)))
        _, jpeg = cv2.imencode(".jpg", result, quality)
        result = np.asarray(cv2.imdecode(jpeg, cv2.IMREAD_COLOR), np.uint8)
    return Example(result, example.points)
