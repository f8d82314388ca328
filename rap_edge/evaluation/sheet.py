"""A picture for a person: truth above generated, at moments of shut and of open mouths."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from rap_edge.evaluation.metrics import Curve, Video

COLUMNS = 10
CELL = 128
CAPTION = 16
PLOT = 56
INK, TRUTH_COLOUR, MODEL_COLOUR = (230, 230, 230), (255, 255, 255), (255, 150, 40)


@dataclass(frozen=True)
class Strip:
    """One clip on the sheet: pictures (COLUMNS, CELL, CELL, 3) and the curves (F,) behind them."""

    title: str
    truth: Video
    generated: Video
    truth_opening: Curve
    generated_opening: Curve


def strip(
    title: str, truth: Video, generated: Video, truth_opening: Curve, generated_opening: Curve
) -> Strip:
    """Choose the moments of a clip (F frames) from its true opening and shrink their pictures."""
    at = moments(truth_opening[: len(generated)])
    small = [np.stack([shrunk(video[i]) for i in at]) for video in (truth, generated)]
    return Strip(title, small[0], small[1], truth_opening, generated_opening)


def moments(opening: Curve) -> list[int]:
    """Return the widest moment of the first of `COLUMNS` parts, the shutmost of the next, ..."""
    parts = np.array_split(np.nan_to_num(opening), COLUMNS)
    starts = np.cumsum([0, *(len(part) for part in parts[:-1])])
    extremes = [part.argmin() if i % 2 else part.argmax() for i, part in enumerate(parts)]
    return [int(start + extreme) for start, extreme in zip(starts, extremes, strict=True)]


def shrunk(frame: Video) -> Video:
    """Bring a frame to the size of a cell."""
    small = cv2.resize(frame, (CELL, CELL), interpolation=cv2.INTER_AREA)
    return np.asarray(small, dtype=np.uint8)


def draw(strips: list[Strip]) -> NDArray[np.uint8]:
    """Draw the strips one below the other -> (H, W, 3) uint8 RGB."""
    return np.concatenate([drawn(strip) for strip in strips])


def drawn(strip: Strip) -> NDArray[np.uint8]:
    """Draw a caption, the true row, the generated row and the two curves."""
    width = COLUMNS * CELL
    caption = np.zeros((CAPTION, width, 3), dtype=np.uint8)
    text = f"{strip.title}   above: truth (white), below: generated (orange)"
    cv2.putText(caption, text, (4, 12), cv2.FONT_HERSHEY_SIMPLEX, 0.4, INK, 1, cv2.LINE_AA)
    rows = [np.concatenate(list(row), axis=1) for row in (strip.truth, strip.generated)]
    plot = np.zeros((PLOT, width, 3), dtype=np.uint8)
    top = max(0.05, *(float(np.nanmax(np.append(c, 0.0))) for c in curves(strip)))
    for curve, colour in zip(curves(strip), (TRUTH_COLOUR, MODEL_COLOUR), strict=True):
        line(plot, curve / top, colour)
    return np.concatenate([caption, *rows, plot])


def curves(strip: Strip) -> tuple[Curve, Curve]:
    return strip.truth_opening, strip.generated_opening


def line(plot: NDArray[np.uint8], curve: Curve, colour: tuple[int, int, int]) -> None:
    """Draw a curve of values in 0..1 into `plot`; what was not measured is left out."""
    height, width = plot.shape[:2]
    x = np.linspace(0, width - 1, len(curve))
    y = (height - 3) - curve * (height - 6)
    seen = np.isfinite(y)
    points = np.stack([x[seen], y[seen]], axis=1).round().astype(np.int32)
    cv2.polylines(plot, [points[:, None]], False, colour, 1, cv2.LINE_AA)


def write_sheet(strips: list[Strip], path: Path) -> None:
    """Write the drawing as a PNG file; nothing without strips."""
    if not strips:
        return
    path.write_bytes(cv2.imencode(".png", draw(strips)[..., ::-1])[1].tobytes())
