"""A small network that says where the lids and brows lie in the square that is animated."""

from __future__ import annotations

from typing import ClassVar, cast

import torch
from torch import Tensor, nn

from rap_edge.eyes import POINTS, SIDE
from rap_edge.models.folding import Foldable, Layer, Residual, normalized

WIDTHS = (12, 28, 40, 56)
STRIDE = 4
TOP, LEFT, HEIGHT, WIDTH = 24, 32, 128, 192
"""The part of the square in which eyes are looked for, px."""


class EyeFinder(Foldable):
    """A map of likelihood for each point of both eyes; the point is its mean."""

    title: ClassVar[str] = "eye finder"
    file: ClassVar[str] = "weights/eyes.safetensors"

    def __init__(self, widths: tuple[int, int, int, int] = WIDTHS) -> None:
        super().__init__()
        a, b, c, d = widths
        self.stem = nn.Sequential(Layer(3, a, 2), Layer(a, b, 2), Residual(b))
        self.stage_half = nn.Sequential(Layer(b, c, 2), Residual(c))
        self.stage_quarter = nn.Sequential(Layer(c, d, 2), Residual(d), Residual(d))
        self.from_quarter = nn.Conv2d(d, c, 1)
        self.from_half = nn.Conv2d(c, b, 1)
        self.merge_half = Layer(c, c)
        self.merge = Layer(b, b)
        self.head = nn.Conv2d(b, 2 * POINTS, 1)
        self.register_buffer("places", _places(), persistent=False)

    def maps(self, image: Tensor) -> Tensor:
        """Return logits (N, 2 * POINTS, 32, 48)."""
        part = normalized(image)[:, :, TOP : TOP + HEIGHT, LEFT : LEFT + WIDTH]
        x = self.stem(part)
        half = self.stage_half(x)
        quarter = self.stage_quarter(half)
        half = self.merge_half(
            half + nn.functional.interpolate(self.from_quarter(quarter), scale_factor=2.0)
        )
        x = self.merge(x + nn.functional.interpolate(self.from_half(half), scale_factor=2.0))
        return cast(Tensor, self.head(x))

    def forward(self, image: Tensor) -> Tensor:
        """Map image (N, 256, 256, 3) uint8 RGB to points (N, 2, POINTS, 2) float32.

        points: of the eye at the left of the picture, then of the other, as `rap_edge.eyes` orders
        them: x and y from the middle of the square, in sides of the square.
        """
        likely = torch.softmax(self.maps(image).flatten(2), -1)
        return torch.matmul(likely, cast(Tensor, self.places)).unflatten(1, (2, POINTS))


def _places() -> Tensor:
    """Return x and y of the cells of a map, in sides from the middle of the square: (cells, 2)."""
    y = TOP + STRIDE * (torch.arange(HEIGHT // STRIDE) + 0.5)
    x = LEFT + STRIDE * (torch.arange(WIDTH // STRIDE) + 0.5)
    grid = torch.stack(torch.meshgrid(y, x, indexing="ij")[::-1], -1).flatten(0, 1)
    return grid / SIDE - 0.5
