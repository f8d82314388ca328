"""Pictures to measure a face finder on: held-out people in many conditions, and no people."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.random import Generator

from rap_edge.portrait import Crop
from rap_edge.training.locator.backgrounds import PATTERN_MAKERS, Backgrounds, window
from rap_edge.training.locator.portraits import (
    Floats,
    Image,
    Portrait,
    blend,
    coverage,
    placement,
    transform,
    warp,
)

PIECES_PER_PICTURE = 5
PATTERNS_OF_A_KIND = 25


@dataclass(frozen=True)
class Case:
    """A picture, its kind and the true crop of every face in it."""

    kind: str
    image: Image
    crops: tuple[Crop, ...]


def people(backgrounds: Backgrounds, seed: int = 0) -> Iterator[Case]:
    """Yield every portrait once in every condition."""
    rng = np.random.default_rng([seed, 10])
    for portrait in backgrounds.portraits:
        plain = _alone(portrait, np.array([[1.0, 0, 0], [0, 1, 0]]), portrait.image.shape[:2])
        yield Case("as it is", plain.image, plain.crops)
        yield _in_a_room(rng, portrait, backgrounds, "80 px face in 800 x 600", (800, 600), 80)
        yield _in_a_room(rng, portrait, backgrounds, "off-centre", (640, 480), rng.uniform(90, 200))
        yield _filling(rng, portrait)
        yield _rotated(rng, portrait)
        yield _collage(rng, backgrounds)
        for kind, change in DAMAGES.items():
            yield Case(kind, change(rng, plain.image), plain.crops)


def nobody(backgrounds: Backgrounds, seed: int = 0) -> Iterator[Case]:
    """Yield patterns, text, drawings, pictures, and portraits beside and without their face."""
    rng = np.random.default_rng([seed, 11])
    for kind, make in PATTERN_MAKERS.items():
        for _ in range(PATTERNS_OF_A_KIND):
            yield Case(kind, make(rng, *_size(rng)), ())
    for picture in backgrounds.pictures:
        yield Case("sample picture", picture, ())
        for _ in range(PIECES_PER_PICTURE):
            yield Case("sample picture", window(rng, picture, *_size(rng)), ())
    for portrait in backgrounds.portraits:
        only = Backgrounds([portrait], [])
        yield Case("beside a face", only.corner(rng, *_size(rng)), ())
        yield Case("face painted over", only.faceless(rng, *_size(rng)), ())


def _size(rng: Generator) -> tuple[int, int]:
    width, height = rng.integers(200, 900, 2)
    return int(width), int(height)


def _alone(portrait: Portrait, affine: Floats, shape: tuple[int, ...]) -> Case:
    """Draw one portrait over a whole canvas of `shape` (height, width), black beyond the photo."""
    height, width = shape[:2]
    image = warp(portrait, affine, (width, height), cv2.BORDER_CONSTANT)
    landmarks = transform(portrait.landmarks, affine)
    return Case("", image, (Crop.of_landmarks(landmarks, width, height),))


def _in_a_room(
    rng: Generator,
    portrait: Portrait,
    backgrounds: Backgrounds,
    kind: str,
    size: tuple[int, int],
    face_width: float,
) -> Case:
    """Lay a head of a given width (px, cheek to cheek) somewhere into a background."""
    canvas = backgrounds.plain(rng, *size)
    side = 2 * face_width
    x, y = (rng.uniform(0.35 * side, n - 0.35 * side) for n in size)
    affine = placement(portrait.target, np.array([x, y, side]), rng.normal(0, 0.05), False)
    canvas = _laid(canvas, portrait, affine)
    landmarks = transform(portrait.landmarks, affine)
    return Case(kind, canvas, (Crop.of_landmarks(landmarks, *size),))


def _filling(rng: Generator, portrait: Portrait) -> Case:
    """Cut the photo so that the face fills 75 to 95 % of its width."""
    low, high = portrait.landmarks.min(axis=0), portrait.landmarks.max(axis=0)
    width = float(high[0] - low[0]) / rng.uniform(0.75, 0.95)
    height = max(width, float(high[1] - low[1]) * 1.05)
    centre = (low + high) / 2
    scale = rng.uniform(200, 700) / width
    shift = scale * (np.array([width, height]) / 2 - centre)
    affine = np.column_stack([np.diag([scale, scale]), shift])
    case = _alone(portrait, affine, (round(height * scale), round(width * scale)))
    return Case("face fills the picture", case.image, case.crops)


def _rotated(rng: Generator, portrait: Portrait) -> Case:
    height, width = portrait.image.shape[:2]
    centre = np.array([width / 2, height / 2, 1.0])
    roll = np.deg2rad(15) * (1 if rng.random() < 0.5 else -1)
    case = _alone(portrait, placement(centre, centre, roll, False), (height, width))
    return Case("rotated by 15 degrees", case.image, case.crops)


def _collage(rng: Generator, backgrounds: Backgrounds) -> Case:
    """Lay two to six heads into the fields of a grid of 3 x 2."""
    width, height = 1200, 900
    canvas, crops = backgrounds.plain(rng, width, height), []
    for field in rng.permutation(6)[: int(rng.integers(2, 7))]:
        portrait = backgrounds.portraits[int(rng.integers(len(backgrounds.portraits)))]
        x, y = 200 + 400 * (field % 3), 225 + 450 * (field // 3)
        wanted = np.array([*(np.array([x, y]) + rng.uniform(-40, 40, 2)), rng.uniform(180, 380)])
        affine = placement(portrait.target, wanted, rng.normal(0, 0.08), False)
        canvas = _laid(canvas, portrait, affine)
        landmarks = transform(portrait.landmarks, affine)
        crops.append(Crop.of_landmarks(landmarks, width, height))
    return Case("collage of 2 to 6", canvas, tuple(crops))


def _laid(canvas: Image, portrait: Portrait, affine: Floats) -> Image:
    size = (canvas.shape[1], canvas.shape[0])
    picture = warp(portrait, affine, size, cv2.BORDER_REPLICATE)
    return blend(canvas, picture, coverage(portrait, affine, size, "head"))


def _light(factor: float, offset: float) -> Callable[[Generator, Image], Image]:
    def change(_: Generator, image: Image) -> Image:
        return np.clip(image * factor + offset, 0, 255).astype(np.uint8)

    return change


def _grey(_: Generator, image: Image) -> Image:
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    return np.repeat(grey[..., None], 3, axis=2)


def _jpeg(rng: Generator, image: Image) -> Image:
    quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(8, 16))]
    return np.asarray(cv2.imdecode(cv2.imencode(".jpg", image, quality)[1], 1), np.uint8)


def _blurred(rng: Generator, image: Image) -> Image:
    sigma = rng.uniform(0.01, 0.02) * image.shape[1]
    return np.asarray(cv2.GaussianBlur(image, (0, 0), sigma), np.uint8)


DAMAGES: dict[str, Callable[[Generator, Image], Image]] = {
    "dark": _light(0.25, 0),
    "bright": _light(1.2, 70),
    "grey": _grey,
    "JPEG quality 8 to 15": _jpeg,
    "blurred": _blurred,
}
