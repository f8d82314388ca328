"""Find the faces of a photo with two small networks, and the square crop of each. No torch.

The coarse network looks at the whole photo first, and at overlapping windows of it, each time twice
as large, only while no face of a good size is found. Every candidate is then cut out, corrected and
checked by the refinement network. Networks are run by a callable, so that any backend serves.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from rap_edge.errors import NoFaceFound
from rap_edge.portrait import Crop, cut

Image = NDArray[np.uint8]
Floats = NDArray[np.float32]
Run = Callable[[str, Mapping[str, NDArray[np.generic]]], Mapping[str, NDArray[np.generic]]]

WINDOW = 128  # px, the coarse network's picture
CELL = 8  # px of the window
UNIT_SIDE = 32.0  # px of the window; a box's log side is relative to it
REFINE_SIZE = 96  # px, the refinement's picture

PAD = 128  # grey where a window is larger than the photo
STRIDE = 64  # px between windows of one level
SMALLEST_FACE = 64.0  # px of the photo, cheek to cheek
SMALLEST_IN_WINDOW = 10.0  # px of the window, cheek to cheek
GOOD_SIDE = 40.0  # px of the window: a larger crop ends the search
COARSE_SCORE = 0.25
FACE_SCORE = 0.25  # of the coarse score times those of the closer looks
SAME_FACE = 0.35  # centres closer than this part of the larger side are one face
CANDIDATES = 12
PASSES = 2


@dataclass(frozen=True)
class Face:
    """A face of a photo: the crop to animate, and how sure the locator is (0..1)."""

    crop: Crop
    score: float


@dataclass(frozen=True)
class Box:
    """A face's square before the photo's edges limit it: centre and side in px, score 0..1.

    Coordinates count from the picture's corner: the first pixel reaches from 0 to 1."""

    x: float
    y: float
    side: float
    score: float


def find_face(photo: Image, run: Run) -> tuple[Face, int]:
    """Return the largest face of a photo and how many faces were found.

    photo: (H, W, 3) uint8 RGB. Raises NoFaceFound.
    """
    faces = locate(photo, run)
    if not faces:
        height, width = photo.shape[:2]
        raise NoFaceFound(
            f"no face found in the photo of {width} x {height} px - expected one face seen from "
            "the front, at least 80 px wide - use a closer, upright, evenly lit photo"
        )
    return faces[0], len(faces)


def locate(photo: Image, run: Run) -> list[Face]:
    """Return the faces of a photo, largest first.

    photo: (H, W, 3) uint8 RGB. run: called with a graph's name, "locator" or "locator_refine", and
    its input {"image": (1, 128, 128, 3) or (1, 96, 96, 3) uint8}; returns the graph's outputs.
    Faces much smaller than the largest one may be left out.
    """
    height, width = photo.shape[:2]
    found: list[Box] = []
    for scale in scales(width, height):
        rough = suppress(list(_coarse(photo, scale, run)))[:CANDIDATES]
        refined = (refine(photo, box, run) for box in rough)
        found = suppress(found + [box for box in refined if box.score >= FACE_SCORE])
        if any(box.side * scale >= GOOD_SIDE for box in found):
            break
    return [
        Face(Crop.around(box.x, box.y, box.side, width, height), box.score)
        for box in sorted(found, key=lambda box: -box.side)
    ]


def scales(width: int, height: int) -> Iterator[float]:
    """Yield window pixels per photo pixel, from the whole photo in one window to the finest."""
    scale = WINDOW / max(width, height)
    yield scale
    while scale * SMALLEST_FACE < SMALLEST_IN_WINDOW:
        scale *= 2
        yield scale


def windows(photo: Image, scale: float) -> Iterator[tuple[int, int, Image]]:
    """Yield left, top (px of the scaled photo) and (128, 128, 3) uint8 of every window."""
    height, width = (max(1, round(n * scale)) for n in photo.shape[:2])
    shrinks = scale < 1
    method = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    scaled = cv2.resize(photo, (width, height), interpolation=method)
    for top in _starts(height):
        for left in _starts(width):
            part = scaled[top : top + WINDOW, left : left + WINDOW]
            window = np.full((WINDOW, WINDOW, 3), PAD, np.uint8)
            window[: part.shape[0], : part.shape[1]] = part
            yield left, top, window


def _starts(length: int) -> list[int]:
    last = max(0, length - WINDOW)
    return [*range(0, last, STRIDE), last]


def decode(scores: Floats, boxes: Floats, threshold: float = COARSE_SCORE) -> list[Box]:
    """Turn the coarse network's maps into boxes in px of the window.

    scores: (16, 16) in 0..1. boxes: (16, 16, 3), see `models.locator.CoarseLocator`. The centre of
    cell (row i, column j) is at (8 j + 4, 8 i + 4).
    """
    found = []
    for row, column in np.argwhere(scores >= threshold):
        dx, dy, log_side = (float(v) for v in boxes[row, column])
        x = (float(column) + 0.5 + dx) * CELL
        y = (float(row) + 0.5 + dy) * CELL
        side = UNIT_SIDE * float(np.exp(np.clip(log_side, -3.0, 3.0)))
        found.append(Box(x, y, side, float(scores[row, column])))
    return found


def suppress(boxes: list[Box]) -> list[Box]:
    """Keep the best-scored box of every face, best first."""
    kept: list[Box] = []
    for box in sorted(boxes, key=lambda box: -box.score):
        if not any(_same_face(box, other) for other in kept):
            kept.append(box)
    return kept


def _same_face(one: Box, other: Box) -> bool:
    distance = float(np.hypot(one.x - other.x, one.y - other.y))
    return distance < SAME_FACE * max(one.side, other.side)


def _coarse(photo: Image, scale: float, run: Run) -> Iterator[Box]:
    """Yield candidates in px of the photo."""
    for left, top, window in windows(photo, scale):
        maps = run("locator", {"image": window[None]})
        for box in decode(np.asarray(maps["scores"])[0], np.asarray(maps["boxes"])[0]):
            x, y = (box.x + left) / scale, (box.y + top) / scale
            yield Box(x, y, box.side / scale, box.score)


def refine(photo: Image, box: Box, run: Run) -> Box:
    """Correct a box by looking at it closely, twice; each look's score multiplies the box's."""
    for _ in range(PASSES):
        crop = Crop(box.x - box.side / 2, box.y - box.side / 2, box.side)
        box = corrected(box, *_look(cut(photo, crop, REFINE_SIZE), run))
    return box


def _look(square: Image, run: Run) -> tuple[Floats, float]:
    """Return correction (3,) and score of a cut crop, averaged over it and its mirror image."""
    answers = [
        run("locator_refine", {"image": np.ascontiguousarray(view)[None]})
        for view in (square, square[:, ::-1])
    ]
    seen, mirrored = (np.asarray(answer["correction"], np.float32)[0] for answer in answers)
    score = float(np.mean([answer["score"][0, 0] for answer in answers]))
    return (seen + mirrored * np.array([-1, 1, 1], np.float32)) / 2, score


def corrected(box: Box, correction: Floats, score: float) -> Box:
    """Apply the refinement's answer: centre (sides of the box), log of the side; and its score."""
    dx, dy, log_side = (float(v) for v in correction)
    side = box.side * float(np.exp(np.clip(log_side, -1.0, 1.0)))
    return Box(box.x + dx * box.side, box.y + dy * box.side, side, box.score * score)
