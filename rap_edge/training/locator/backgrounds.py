"""Pictures without a face: patterns, text, drawings, photos, portraits painted over."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.random import Generator
from PIL import Image as PillowImage
from PIL import ImageDraw, ImageFont

from rap_edge.training.locator.portraits import (
    Image,
    Portrait,
    blend,
    placement,
    read_rgb,
    warp,
)

PICTURES = (".png", ".jpg", ".jpeg")
PATTERNS = ("gradient", "clouds", "noise", "stripes", "text", "drawing")


def gradient(rng: Generator, width: int, height: int) -> Image:
    """One colour running into another."""
    ramp = _resize(rng.uniform(0, 255, (2, 2, 3)).astype(np.float32), width, height)
    return np.clip(ramp, 0, 255).astype(np.uint8)


def clouds(rng: Generator, width: int, height: int) -> Image:
    """Blotches of random colour at a few scales."""
    total = np.zeros((height, width, 3), np.float32)
    for cells in rng.choice([2, 3, 5, 9, 17, 33], size=3, replace=False):
        blotches = rng.normal(0, 1, (cells, cells, 3)).astype(np.float32)
        total += _resize(blotches, width, height) * rng.uniform(10, 60)
    return np.clip(total + rng.uniform(40, 215, 3), 0, 255).astype(np.uint8)


def noise(rng: Generator, width: int, height: int) -> Image:
    """Independent grains of one to six pixels."""
    grain = int(rng.integers(1, 7))
    shape = (height // grain + 1, width // grain + 1, int(rng.choice([1, 3])))
    grains = rng.normal(rng.uniform(60, 190), rng.uniform(10, 80), shape).astype(np.float32)
    grains = np.broadcast_to(np.clip(grains, 0, 255), (*shape[:2], 3)).astype(np.uint8)
    wide = np.repeat(np.repeat(grains, grain, 0), grain, 1)
    return np.ascontiguousarray(wide[:height, :width])


def stripes(rng: Generator, width: int, height: int) -> Image:
    """Waves, stripes or checks between two colours."""
    y, x = np.mgrid[:height, :width].astype(np.float32)
    wave = np.ones((height, width), np.float32)
    for _ in range(int(rng.integers(1, 3))):
        angle, period = rng.uniform(0, np.pi), rng.uniform(4, 60)
        wave *= np.sin((x * np.cos(angle) + y * np.sin(angle)) * (2 * np.pi / period))
    if rng.random() < 0.5:
        wave = np.sign(wave)
    low, high = rng.uniform(0, 255, (2, 3)).astype(np.float32)
    return (low + (wave[..., None] + 1) / 2 * (high - low)).astype(np.uint8)


def text(rng: Generator, width: int, height: int) -> Image:
    """Lines of random words on paper."""
    dark, light = sorted(rng.integers(0, 256, 2))
    page = PillowImage.new("RGB", (width, height), (int(light), int(light), int(light)))
    pen, size = ImageDraw.Draw(page), int(rng.integers(7, 28))
    font = ImageFont.load_default(size)
    letters = np.array(list("abcdefghijklmnopqrstuvwxyzABDEGHMORST0123456789,.;   "))
    for y in range(int(rng.integers(0, size)), height, int(size * rng.uniform(1.1, 1.8))):
        line = "".join(rng.choice(letters, size=max(1, int(1.6 * width / size))))
        pen.text((int(rng.integers(0, 12)), y), line, fill=(int(dark),) * 3, font=font)
    return np.asarray(page, dtype=np.uint8).copy()


def drawing(rng: Generator, width: int, height: int) -> Image:
    """Ellipses, boxes, polygons and lines in flat colours."""
    canvas = gradient(rng, width, height)
    extent = max(width, height)
    for _ in range(int(rng.integers(3, 25))):
        colour = tuple(int(c) for c in rng.integers(0, 256, 3))
        x, y = int(rng.integers(0, width)), int(rng.integers(0, height))
        a, b = (int(v) for v in rng.uniform(0.01, 0.3, 2) * extent)
        filled = -1 if rng.random() < 0.6 else int(rng.integers(1, 4))
        kind = rng.integers(0, 4)
        if kind == 0:
            cv2.ellipse(canvas, (x, y), (a + 1, b + 1), rng.uniform(0, 180), 0, 360, colour, filled)
        elif kind == 1:
            cv2.rectangle(canvas, (x, y), (x + a, y + b), colour, filled)
        elif kind == 2:
            corners = np.array([x, y]) + rng.normal(0, 0.12, (4, 2)) * extent
            cv2.fillPoly(canvas, [corners.astype(np.int32)], colour)
        else:
            cv2.line(canvas, (x, y), (x + a - b, y + b), colour, int(rng.integers(1, 6)))
    return canvas


PATTERN_MAKERS: dict[str, Callable[[Generator, int, int], Image]] = dict(
    zip(PATTERNS, (gradient, clouds, noise, stripes, text, drawing), strict=True)
)


@dataclass(frozen=True)
class Backgrounds:
    """Everything that pictures without faces are made of."""

    portraits: list[Portrait]
    pictures: list[Image]

    def draw(self, rng: Generator, width: int, height: int) -> Image:
        """Return a random picture without a face."""
        choice = rng.random()
        if choice < 0.6:
            return self.plain(rng, width, height)
        if choice < 0.7:
            return self.corner(rng, width, height)
        return self.faceless(rng, width, height)

    def plain(self, rng: Generator, width: int, height: int) -> Image:
        """Return a pattern or a part of a picture, with no trace of a person."""
        if self.pictures and rng.random() < 0.5:
            picture = self.pictures[int(rng.integers(len(self.pictures)))]
            return window(rng, picture, width, height)
        return PATTERN_MAKERS[str(rng.choice(PATTERNS))](rng, width, height)

    def corner(self, rng: Generator, width: int, height: int) -> Image:
        """Return a piece of a portrait that lies beside the face."""
        portrait = self.portraits[int(rng.integers(len(self.portraits)))]
        h, w = portrait.image.shape[:2]
        left, top = portrait.landmarks.min(axis=0)
        right, bottom = portrait.landmarks.max(axis=0)
        strips = [(0, 0, left, h), (right, 0, w, h), (0, 0, w, top), (0, bottom, w, h)]
        x0, y0, x1, y1 = max(strips, key=lambda s: (s[2] - s[0]) * (s[3] - s[1]) * rng.random())
        piece = portrait.image[max(0, int(y0)) : int(y1), max(0, int(x0)) : int(x1)]
        if min(piece.shape[:2]) < 16:
            return clouds(rng, width, height)
        return window(rng, piece, width, height)

    def faceless(self, rng: Generator, width: int, height: int) -> Image:
        """Return a portrait whose face is painted over."""
        portrait = self.portraits[int(rng.integers(len(self.portraits)))]
        side = float(np.exp(rng.uniform(np.log(0.2), np.log(1.3)))) * max(width, height)
        wanted = np.array([rng.uniform(0.1, 0.9) * width, rng.uniform(0.1, 0.9) * height, side])
        affine = placement(portrait.target, wanted, rng.uniform(-0.3, 0.3), rng.random() < 0.5)
        picture = warp(portrait, affine, (width, height), cv2.BORDER_REPLICATE)
        return erase_face(rng, picture, wanted)


def erase_face(rng: Generator, picture: Image, target: np.ndarray) -> Image:
    """Paint over the face that `target` (centre x, centre y, side) says."""
    height, width = picture.shape[:2]
    x, y, side = (float(v) for v in target)
    mask = np.zeros((height, width), np.float32)
    axes = (int(0.29 * side) + 1, int(0.37 * side) + 1)
    cv2.ellipse(mask, (int(x), int(y + 0.03 * side)), axes, 0, 0, 360, 1.0, -1)
    fill = _filling(rng, picture, mask)
    blur = 2 * int(rng.uniform(0, 0.05) * side) + 1
    return blend(picture, fill, np.asarray(cv2.GaussianBlur(mask, (blur, blur), 0), np.float32))


def _filling(rng: Generator, picture: Image, mask: np.ndarray) -> Image:
    height, width = picture.shape[:2]
    choice = rng.random()
    if choice < 0.35:  # what surrounds the face, spread into it
        small = (max(16, width // 6), max(16, height // 6))
        hole = (cv2.resize(mask, small) > 0).astype(np.uint8)
        spread = cv2.inpaint(cv2.resize(picture, small), hole, 3, cv2.INPAINT_TELEA)
        return np.asarray(cv2.resize(spread, (width, height)), dtype=np.uint8)
    if choice < 0.6:  # the face in pieces
        block = int(rng.integers(max(2, width // 24), max(3, width // 8) + 1))
        rows = rng.permutation(-(-height // block))
        columns = rng.permutation(-(-width // block))
        y = (np.repeat(rows * block, block)[:height] + np.arange(height) % block) % height
        x = (np.repeat(columns * block, block)[:width] + np.arange(width) % block) % width
        return picture[y][:, x]
    if choice < 0.8:  # plain skin
        inside = picture[mask > 0.5]
        colour = inside.mean(axis=0) if len(inside) else np.full(3, 128.0)
        grain = rng.normal(0, rng.uniform(0, 12), (height, width, 1))
        return np.clip(colour + grain, 0, 255).astype(np.uint8)
    return PATTERN_MAKERS[str(rng.choice(PATTERNS))](rng, width, height)


def window(rng: Generator, picture: Image, width: int, height: int) -> Image:
    """Cut a random part of a picture, mirrored or not, and bring it to the wanted size."""
    h, w = picture.shape[:2]
    zoom = rng.uniform(0.25, 1.0) * min(w / width, h / height)
    cut_w, cut_h = max(4, int(width * zoom)), max(4, int(height * zoom))
    x, y = int(rng.integers(0, w - cut_w + 1)), int(rng.integers(0, h - cut_h + 1))
    piece = picture[y : y + cut_h, x : x + cut_w]
    if rng.random() < 0.5:
        piece = piece[:, ::-1]
    return np.asarray(
        cv2.resize(np.ascontiguousarray(piece), (width, height), interpolation=cv2.INTER_AREA),
        dtype=np.uint8,
    )


def load_pictures(folder: Path | None, held_out: bool) -> list[Image]:
    """Read the pictures without people in a folder: every third is held out."""
    if folder is None:
        return []
    paths = sorted(p for p in folder.iterdir() if p.suffix.lower() in PICTURES)
    return [read_rgb(p) for i, p in enumerate(paths) if (i % 3 == 0) == held_out]


def _resize(values: np.ndarray, width: int, height: int) -> np.ndarray:
    return np.asarray(cv2.resize(values, (width, height), interpolation=cv2.INTER_LINEAR))
