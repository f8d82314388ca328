"""Two small networks that find faces: a coarse map over a window, and a refinement of one crop.

A *target* is the square of `rap_edge.portrait.Crop` before the photo's edges limit it: its centre
and its side. Both networks read uint8 pictures and hold their own scaling, so that an exported
graph needs no preprocessing beyond a resize.
"""

from __future__ import annotations

from typing import ClassVar, cast

import torch
from torch import Tensor, nn

from rap_edge.locate import REFINE_SIZE
from rap_edge.models.folding import Foldable, Layer, Residual, normalized

COARSE_WIDTHS = (12, 24, 40, 56, 72)
REFINE_WIDTHS = (16, 32, 48, 56, 64)
CONTOUR_POINTS = 48  # landmarks that the refinement also learns; dropped on export


class CoarseLocator(nn.Module):
    """Score every 8-pixel cell of a window as a face's centre, and say where and how large."""

    def __init__(self, widths: tuple[int, ...] = COARSE_WIDTHS) -> None:
        super().__init__()
        a, b, c, d, e = widths
        self.stem = nn.Sequential(Layer(3, a, 2), Layer(a, b, 2), Layer(b, c, 2), Residual(c))
        self.stage_half = nn.Sequential(Layer(c, d, 2), Residual(d))
        self.stage_quarter = nn.Sequential(Layer(d, e, 2), Residual(e))
        self.from_quarter = nn.Conv2d(e, d, 1)
        self.from_half = nn.Conv2d(d, c, 1)
        self.merge_half = Layer(d, d)
        self.merge = Layer(c, c)
        self.head = nn.Conv2d(c, 4, 1)
        nn.init.constant_(cast(Tensor, self.head.bias)[:1], -4.0)  # faces are rare

    def cells(self, image: Tensor) -> Tensor:
        """Return (N, 4, 16, 16): logit, centre x and y from the cell's (cells), log side."""
        x = self.stem(normalized(image))
        half = self.stage_half(x)
        quarter = self.stage_quarter(half)
        half = self.merge_half(
            half + nn.functional.interpolate(self.from_quarter(quarter), scale_factor=2.0)
        )
        x = self.merge(x + nn.functional.interpolate(self.from_half(half), scale_factor=2.0))
        return cast(Tensor, self.head(x))

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """Map image (N, 128, 128, 3) uint8 RGB to scores (N, 16, 16) in 0..1 and boxes.

        boxes: (N, 16, 16, 3) float32: centre x and y from the cell's centre, in cells, and the
        logarithm of the side over 32 px.
        """
        cells = self.cells(image)
        return torch.sigmoid(cells[:, 0]), cells[:, 1:].permute(0, 2, 3, 1)


class RefineLocator(nn.Module):
    """Correct a rough crop, and say whether it shows a face at all."""

    def __init__(self, widths: tuple[int, ...] = REFINE_WIDTHS) -> None:
        super().__init__()
        a, b, c, d, e = widths
        self.trunk = nn.Sequential(
            *(Layer(3, a, 2), Layer(a, b, 2), Layer(b, c, 2), Residual(c)),
            *(Layer(c, d, 2), Residual(d), Layer(d, e, 2), nn.Flatten()),
        )
        cells = REFINE_SIZE // 32
        self.hidden = nn.Sequential(nn.Linear(e * cells * cells, 128), nn.ReLU(inplace=True))
        self.head = nn.Linear(128, 4)
        self.contour = nn.Linear(128, 2 * CONTOUR_POINTS)

    def heads(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """Return (N, 4) correction and logit, and (N, 96) landmarks in sides from the centre."""
        hidden = self.hidden(self.trunk(normalized(image)))
        return self.head(hidden), self.contour(hidden)

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """Map image (N, 96, 96, 3) uint8 RGB to correction (N, 3) and score (N, 1) in 0..1.

        correction: the target's centre x and y from the crop's centre, in sides of the crop, and
        the logarithm of the target's side over the crop's.
        """
        head, _ = self.heads(image)
        return head[:, :3], torch.sigmoid(head[:, 3:])


class Locators(Foldable):
    """Both networks, as they are trained, stored and exported together."""

    title: ClassVar[str] = "face finder"
    file: ClassVar[str] = "weights/locator.safetensors"

    def __init__(self) -> None:
        super().__init__()
        self.coarse = CoarseLocator()
        self.refine = RefineLocator()
