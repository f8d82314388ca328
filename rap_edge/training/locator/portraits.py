"""Portraits with landmarks, and how one is laid into a picture with its label."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from rap_edge.portrait import (
    FACE_WIDTHS_PER_SIDE,
    LEFT_CHEEK,
    RAISE_IN_FACE_WIDTHS,
    RIGHT_CHEEK,
)

Image = NDArray[np.uint8]
Floats = NDArray[np.float64]
Outline = Literal["photo", "head"]

HELD_OUT_EVERY = 8


@dataclass(frozen=True)
class Portrait:
    """A photo at full, half, quarter and eighth size, and its (478, 2) landmarks in px."""

    name: str
    pyramid: tuple[Image, ...]
    landmarks: Floats

    @property
    def image(self) -> Image:
        return self.pyramid[0]

    @property
    def target(self) -> Floats:
        return target_of(self.landmarks)


def load_portraits(data: Path, held_out: bool) -> list[Portrait]:
    """Read the training portraits of a data folder, or the held-out ones (every eighth)."""
    table = np.load(data / "portraits_landmarks.npz")
    chosen = [i for i in range(len(table["names"])) if (i % HELD_OUT_EVERY == 0) == held_out]
    return [
        Portrait(
            str(table["names"][i]),
            _pyramid(read_rgb(data / "portraits" / str(table["names"][i]))),
            table["landmarks"][i, :, :2].astype(np.float64),
        )
        for i in chosen
    ]


def read_rgb(path: Path) -> Image:
    """Read a picture file as (H, W, 3) uint8 RGB."""
    image = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if image is None:
        raise FileNotFoundError(f"{path} is missing or not a picture - expected a PNG or JPEG file")
    return np.asarray(image[..., ::-1], dtype=np.uint8).copy()


def _pyramid(image: Image) -> tuple[Image, ...]:
    height, width = image.shape[:2]
    sizes = [(width >> level, height >> level) for level in range(1, 4)]
    smaller = (cv2.resize(image, size, interpolation=cv2.INTER_AREA) for size in sizes)
    return (image, *(np.asarray(s, dtype=np.uint8) for s in smaller))


def target_of(landmarks: Floats) -> Floats:
    """Return centre x, centre y and side of `Crop.of_landmarks` before edges limit it."""
    face_width = float(np.hypot(*(landmarks[LEFT_CHEEK] - landmarks[RIGHT_CHEEK])))
    x, y = landmarks.mean(axis=0)
    return np.array([x, y - RAISE_IN_FACE_WIDTHS * face_width, FACE_WIDTHS_PER_SIDE * face_width])


def placement(target: Floats, wanted: Floats, roll: float, mirrored: bool) -> Floats:
    """Return the (2, 3) affine map that brings a portrait's target to the wanted one.

    roll: radians, clockwise on the screen, about the target's centre.
    """
    scale = wanted[2] / target[2]
    cos, sin = scale * np.cos(roll), scale * np.sin(roll)
    linear = np.array([[cos, -sin], [sin, cos]]) @ np.diag([-1.0 if mirrored else 1.0, 1.0])
    return np.column_stack([linear, wanted[:2] - linear @ target[:2]])


def transform(points: Floats, affine: Floats) -> Floats:
    """Map (..., 2) points."""
    return points @ affine[:, :2].T + affine[:, 2]


def warp(portrait: Portrait, affine: Floats, size: tuple[int, int], border: int) -> Image:
    """Draw a portrait into a canvas of `size` (width, height), from the level that fits."""
    scale = float(np.sqrt(abs(np.linalg.det(affine[:, :2]))))
    level = int(np.clip(np.floor(-np.log2(scale) + 0.3), 0, len(portrait.pyramid) - 1))
    image = portrait.pyramid[level]
    ratio = np.array(portrait.image.shape[1::-1]) / np.array(image.shape[1::-1])
    to_full = np.column_stack([np.diag(ratio), 0.5 * ratio])  # from pixel centres to edges
    linear = affine[:, :2] @ to_full[:, :2]
    shift = affine[:, :2] @ to_full[:, 2] + affine[:, 2] - 0.5
    return np.asarray(
        cv2.warpAffine(
            image,
            np.column_stack([linear, shift]),
            size,
            flags=cv2.INTER_LINEAR,
            borderMode=border,
        ),
        dtype=np.uint8,
    )


def coverage(
    portrait: Portrait, affine: Floats, size: tuple[int, int], outline: Outline
) -> NDArray[np.float32]:
    """Return where a laid portrait covers the canvas: (H, W) in 0..1.

    "photo" is the whole rectangle, "head" a soft ellipse about the head inside of it.
    """
    width, height = size
    mask = np.zeros((height, width), np.float32)
    h, w = portrait.image.shape[:2]
    corners = transform(np.array([[0, 0], [w, 0], [w, h], [0, h]]), affine) - 0.5
    cv2.fillConvexPoly(mask, np.round(corners).astype(np.int32), 1.0)
    if outline == "photo":
        return mask
    x, y, side = target_of(transform(portrait.landmarks, affine))
    head = np.zeros_like(mask)
    axes = (max(1, int(0.42 * side)), max(1, int(0.55 * side)))
    cv2.ellipse(head, (int(x), int(y - 0.02 * side)), axes, 0, 0, 360, 1.0, -1)
    blur = max(1, int(0.04 * side)) * 2 + 1
    return np.asarray(mask * cv2.GaussianBlur(head, (blur, blur), 0), dtype=np.float32)


def blend(canvas: Image, picture: Image, mask: NDArray[np.float32]) -> Image:
    """Lay a picture over a canvas where the mask says so."""
    weight = mask[..., None]
    return np.asarray(canvas * (1 - weight) + picture * weight + 0.5, dtype=np.uint8)
