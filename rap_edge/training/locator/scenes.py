"""Training pictures for both networks: portraits laid into backgrounds, damaged, and labelled."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np
from numpy.random import Generator

from rap_edge.locate import CELL, PAD, REFINE_SIZE, UNIT_SIDE, WINDOW
from rap_edge.training.locator.backgrounds import Backgrounds, erase_face
from rap_edge.training.locator.portraits import (
    Floats,
    Image,
    Outline,
    Portrait,
    blend,
    coverage,
    placement,
    target_of,
    transform,
    warp,
)

GRID = WINDOW // CELL
BORDERS = (cv2.BORDER_REPLICATE, cv2.BORDER_CONSTANT)
CONTOUR = (
    *(10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377),
    *(152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109),
    *(33, 133, 362, 263, 1, 61, 291, 0, 17, 105, 334, 168),
)  # FaceMesh: the face's outline, corners of the eyes and the mouth, nose, brows


class CoarseExample(NamedTuple):
    image: Image  # (H, W, 3), the longer side 128; (128, 128, 3) once damaged
    heat: Floats  # (16, 16) 0..1, exactly 1 in a face's own cell
    boxes: Floats  # (16, 16, 3), as `CoarseLocator` gives them
    weight: Floats  # (16, 16) of the box in the loss


class RefineExample(NamedTuple):
    image: Image  # (96, 96, 3)
    correction: Floats  # (3,)
    contour: Floats  # (P, 2) landmarks in sides from the centre
    is_face: float


@dataclass(frozen=True)
class Scenes:
    """Draws examples; `contour` are the indices of the landmarks to learn."""

    backgrounds: Backgrounds
    contour: tuple[int, ...]

    @property
    def portraits(self) -> list[Portrait]:
        return self.backgrounds.portraits

    def coarse(self, rng: Generator) -> CoarseExample:
        """Draw one window: no face, one photo that fills it, or several."""
        width, height = _window_size(rng)
        canvas, targets = self.scene(rng, width, height)
        return CoarseExample(canvas, *coarse_labels(targets))

    def scene(self, rng: Generator, width: int, height: int) -> tuple[Image, list[Floats]]:
        """Draw a picture and the targets of the faces in it."""
        canvas = self.backgrounds.draw(rng, width, height)
        choice = rng.random()
        if choice < 0.22:
            return canvas, []
        if choice < 0.65:
            wanted = _wanted(rng, width, height, 0.18, 1.9)
            border = int(rng.choice(BORDERS)) if rng.random() < 0.7 else None
            canvas, target = self._lay(rng, canvas, wanted, "photo", border)
            return canvas, [target]
        targets: list[Floats] = []
        for _ in range(int(rng.integers(1, 7))):
            wanted = _wanted(rng, width, height, 0.14, 0.75)
            if any(_too_near(wanted, other) for other in targets):
                continue
            outline: Outline = "photo" if rng.random() < 0.4 and not targets else "head"
            canvas, target = self._lay(rng, canvas, wanted, outline, None)
            if rng.random() < 0.15:
                canvas = erase_face(rng, canvas, target)
            else:
                targets.append(target)
        return canvas, targets

    def _lay(
        self, rng: Generator, canvas: Image, wanted: Floats, outline: Outline, border: int | None
    ) -> tuple[Image, Floats]:
        """Lay a random portrait; with a border mode its surroundings cover the whole canvas."""
        portrait = self.portraits[int(rng.integers(len(self.portraits)))]
        size = (canvas.shape[1], canvas.shape[0])
        affine = _random_placement(rng, portrait, wanted)
        target = target_of(transform(portrait.landmarks, affine))
        if border is not None:
            return warp(portrait, affine, size, border), target
        picture = warp(portrait, affine, size, cv2.BORDER_REPLICATE)
        return blend(canvas, picture, coverage(portrait, affine, size, outline)), target

    def refine(self, rng: Generator) -> RefineExample:
        """Draw one rough crop: of a face, beside a face, or of none."""
        choice = rng.random()
        if choice < 0.22:
            image = self.backgrounds.draw(rng, REFINE_SIZE, REFINE_SIZE)
            return self.no_face(image)
        spread = 0.03 if choice < 0.55 else 0.11
        wanted = _jittered(rng, spread) if choice < 0.88 else _astray(rng)
        portrait = self.portraits[int(rng.integers(len(self.portraits)))]
        affine = _random_placement(rng, portrait, wanted)
        image = self._portrait_crop(rng, portrait, affine)
        if choice >= 0.88:
            return self.no_face(image)
        landmarks = transform(portrait.landmarks, affine)
        x, y, side = target_of(landmarks)
        half = REFINE_SIZE / 2
        correction = np.array(
            [(x - half) / REFINE_SIZE, (y - half) / REFINE_SIZE, np.log(side / REFINE_SIZE)]
        )
        contour = (landmarks[list(self.contour)] - half) / REFINE_SIZE
        return RefineExample(image, correction, contour, 1.0)

    def _portrait_crop(self, rng: Generator, portrait: Portrait, affine: Floats) -> Image:
        size = (REFINE_SIZE, REFINE_SIZE)
        if rng.random() < 0.6:
            return warp(portrait, affine, size, cv2.BORDER_REPLICATE)
        outline: Outline = "photo" if rng.random() < 0.5 else "head"
        canvas = self.backgrounds.draw(rng, *size)
        picture = warp(portrait, affine, size, cv2.BORDER_REPLICATE)
        return blend(canvas, picture, coverage(portrait, affine, size, outline))

    def no_face(self, image: Image) -> RefineExample:
        """Label a crop as showing no face."""
        empty = np.zeros((len(self.contour), 2))
        return RefineExample(image, np.zeros(3), empty, 0.0)


def coarse_labels(targets: list[Floats]) -> tuple[Floats, Floats, Floats]:
    """Draw the maps that the coarse network should answer; see `CoarseExample`."""
    heat, weight = np.zeros((GRID, GRID)), np.zeros((GRID, GRID))
    boxes = np.zeros((GRID, GRID, 3))
    rows, columns = np.mgrid[:GRID, :GRID] + 0.5
    for x, y, side in sorted(targets, key=lambda t: -t[2]):
        dx, dy = x / CELL - columns, y / CELL - rows
        sigma = 0.5 + 0.04 * side / CELL
        bump = np.exp(-(dx**2 + dy**2) / (2 * sigma**2))
        bump[int(np.clip(y // CELL, 0, GRID - 1)), int(np.clip(x // CELL, 0, GRID - 1))] = 1.0
        nearer = bump > np.maximum(heat, 0.3)
        boxes[nearer] = np.stack([dx, dy, np.full_like(dx, np.log(side / UNIT_SIDE))], -1)[nearer]
        weight[nearer] = bump[nearer]
        heat = np.maximum(heat, bump)
    return heat, boxes, weight


def damaged_window(rng: Generator, example: CoarseExample) -> CoarseExample:
    """Damage a window's picture, then fill the window up with grey as `locate.windows` does."""
    height, width = example.image.shape[:2]
    image = np.full((WINDOW, WINDOW, 3), PAD, np.uint8)
    image[:height, :width] = damage(rng, example.image)
    return example._replace(image=image)


def damaged_crop(rng: Generator, example: RefineExample) -> RefineExample:
    """Damage a rough crop."""
    return example._replace(image=damage(rng, example.image))


def damage(rng: Generator, image: Image) -> Image:
    """Change light and colour, and blur, shrink, add grain or compress as real photos are."""
    if rng.random() < 0.25:
        image = _resampled(image, rng.uniform(0.35, 0.9))
    if rng.random() < 0.2:
        image = np.asarray(cv2.GaussianBlur(image, (0, 0), rng.uniform(0.4, 1.8)), np.uint8)
    if rng.random() < 0.2:
        grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
        image = np.repeat(np.asarray(grey, np.uint8)[..., None], 3, axis=2)
    image = np.asarray(cv2.LUT(image, _tones(rng)), np.uint8)
    if rng.random() < 0.3:
        grain = rng.standard_normal(image.shape, np.float32) * rng.uniform(1, 14)
        image = np.clip(image + grain, 0, 255).astype(np.uint8)
    if rng.random() < 0.25:
        quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(10, 80))]
        image = np.asarray(cv2.imdecode(cv2.imencode(".jpg", image, quality)[1], 1), np.uint8)
    return image


def _tones(rng: Generator) -> Image:
    """Draw how light is rendered: colour balance, gamma, contrast, brightness; (1, 256, 3)."""
    levels = np.linspace(0, 1, 256)[:, None] * rng.uniform(0.8, 1.2, 3)
    if rng.random() < 0.7:
        levels = np.power(levels, np.exp(rng.normal(0, 0.4)))
        levels = (levels - 0.5) * np.exp(rng.normal(0, 0.25)) + 0.5 + rng.normal(0, 0.07)
    return np.clip(255 * levels + 0.5, 0, 255).astype(np.uint8)[None]


def _resampled(image: Image, factor: float) -> Image:
    height, width = image.shape[:2]
    small = (max(8, int(width * factor)), max(8, int(height * factor)))
    shrunk = cv2.resize(image, small, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(shrunk, (width, height)), dtype=np.uint8)


def _window_size(rng: Generator) -> tuple[int, int]:
    """Draw the part of a window that a photo fills: all of it, or a narrower one."""
    if rng.random() < 0.5:
        return WINDOW, WINDOW
    other = int(rng.integers(WINDOW // 2, WINDOW + 1))
    return (WINDOW, other) if rng.random() < 0.5 else (other, WINDOW)


def _wanted(rng: Generator, width: int, height: int, low: float, high: float) -> Floats:
    """Draw a target: log-uniform in side, centre where most of the face stays inside."""
    side = float(np.exp(rng.uniform(np.log(low), np.log(high)))) * WINDOW
    side = min(side, 1.9 * min(width, height))
    margin = 0.24 * side
    x, y = (rng.uniform(min(margin, 0.42 * n), max(n - margin, 0.58 * n)) for n in (width, height))
    return np.array([x, y, side])


def _too_near(one: Floats, other: Floats) -> bool:
    return float(np.hypot(*(one - other)[:2])) < 0.4 * (one[2] + other[2])


def _random_placement(rng: Generator, portrait: Portrait, wanted: Floats) -> Floats:
    """Place with a random mirror, roll of mostly +-20 degrees and a slight stretch."""
    roll = rng.normal(0, 0.12) if rng.random() < 0.6 else rng.uniform(-0.4, 0.4)
    affine = placement(portrait.target, wanted, roll, bool(rng.random() < 0.5))
    stretch = np.diag(np.exp(np.array([1, -1]) * rng.normal(0, 0.03)))
    linear = stretch @ affine[:, :2]
    return np.column_stack([linear, wanted[:2] - linear @ portrait.target[:2]])


def _jittered(rng: Generator, spread: float) -> Floats:
    """Draw a rough crop's true target, in px of the crop."""
    x, y = REFINE_SIZE * (0.5 + rng.normal(0, spread, 2))
    return np.array([x, y, REFINE_SIZE * np.exp(rng.normal(0, 1.6 * spread))])


def _astray(rng: Generator) -> Floats:
    """Draw the target of a crop that misses its face: beside it, or of a quite different size."""
    if rng.random() < 0.5:
        angle, distance = rng.uniform(0, 2 * np.pi), rng.uniform(0.5, 0.9)
        x, y = REFINE_SIZE * (0.5 + distance * np.array([np.cos(angle), np.sin(angle)]))
        return np.array([x, y, REFINE_SIZE * np.exp(rng.normal(0, 0.3))])
    x, y = REFINE_SIZE * (0.5 + rng.normal(0, 0.1, 2))
    factor = rng.uniform(2.2, 4.0) if rng.random() < 0.5 else rng.uniform(0.2, 0.4)
    return np.array([x, y, REFINE_SIZE * factor])
