"""Figures as SVG inside a page: in the page's own ink, so that they read on light and on dark."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rap_edge.errors import NotSupported

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK, FAINT = "#0a0b0c", "#0d0e0f"  # stand for the page's colours until the SVG is written
PAGE_COLOURS = {INK: "currentColor", FAINT: "var(--faint)"}
COLOURS = ("#2f7ed8", "#d9660a", "#1d9a52", "#b45ac8", "#a67c00", "#0f93a8", "#d6478f", "#7a8b00")
LINES = ("-", "--", ":")
ALARM = "#e0503f"
WIDTH = 9.0  # inches, of 72 units each
LONGEST_LABEL = 90
LARGEST = 1e12
MOST_POINTS = 2000

_STYLE: dict[Any, Any] = {
    "axes.axisbelow": True,
    "axes.edgecolor": FAINT,
    "axes.grid": True,
    "axes.labelcolor": INK,
    "axes.labelsize": 9,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlelocation": "left",
    "axes.titlesize": 9.5,
    "font.family": "sans-serif",
    "font.size": 9,
    "grid.color": FAINT,
    "grid.linewidth": 0.6,
    "legend.frameon": False,
    "svg.fonttype": "none",
    "svg.hashsalt": "rap-edge",
    "text.color": INK,
    "text.parse_math": False,
    "xtick.color": FAINT,
    "xtick.labelcolor": INK,
    "ytick.color": FAINT,
    "ytick.labelcolor": INK,
}


@dataclass(frozen=True)
class Plot:
    """A figure of a page: SVG text, what it shows, and the same for who cannot see it."""

    title: str
    caption: str
    alt: str
    svg: str


@contextmanager
def drawing() -> Iterator[None]:
    """Draw in the style of a page; raise NotSupported if matplotlib is not installed."""
    try:
        import matplotlib
    except ImportError as error:
        raise NotSupported(
            "matplotlib is not installed: expected it for the plots of a report; "
            "pip install 'rap-edge[bench]'"
        ) from error
    with matplotlib.rc_context(_STYLE):
        yield


def rows_of_axes(heights: Sequence[float], share_x: bool = True) -> tuple[Figure, list[Axes]]:
    """Return a figure with axes one below the other, of the given heights in inches."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(WIDTH, sum(heights) + 0.6), layout="constrained")
    axes = figure.subplots(
        len(heights), 1, sharex=share_x, squeeze=False, height_ratios=list(heights)
    )
    return figure, list(axes[:, 0])


def legend(figure: Figure, handles: Sequence[Any], labels: Sequence[str]) -> None:
    """Put a legend above everything, over nothing."""
    columns = max(1, min(len(labels), 100 // (6 + max(map(len, labels), default=0))))
    figure.legend(handles, labels, loc="outside upper left", ncols=columns)


def svg_of(figure: Figure) -> str:
    """Return the SVG element of a figure, without its prologue and its metadata."""
    file = io.StringIO()
    figure.savefig(file, format="svg", transparent=True)
    text = file.getvalue()
    text = text[text.index("<svg") :].strip()
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = re.sub(r'(<svg [^>]*?) height="[^"]*"', r"\1", text, count=1)
    text = re.sub(r'(<svg [^>]*?) width="[^"]*"', r"\1", text, count=1)
    for stand_in, colour in PAGE_COLOURS.items():
        text = text.replace(stand_in, colour)
    return text


def label(text: str) -> str:
    """Return text that fits beside an axis, in letters that the font has."""
    line = "".join(c if c.isprintable() and ord(c) < 0x250 else "?" for c in " ".join(text.split()))
    return line if len(line) <= LONGEST_LABEL else f"{line[: LONGEST_LABEL - 3]}..."


def colour_of(place: int) -> str:
    return COLOURS[place % len(COLOURS)]


def line_of(place: int) -> str:
    """Return another kind of line when the colours begin again."""
    return LINES[place // len(COLOURS) % len(LINES)]


def together(*series: Sequence[float]) -> list[NDArray[np.float64]]:
    """Return series as arrays of one length, the last of each, within what can be drawn."""
    shortest = min(map(len, series))
    return [
        np.clip(np.asarray(one[len(one) - shortest :], np.float64), -LARGEST, LARGEST)
        for one in series
    ]


def thinned(y: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the places of at most MOST_POINTS points to draw: the highest of each stretch."""
    if len(y) <= MOST_POINTS:
        return np.arange(len(y))
    edges = np.linspace(0, len(y), MOST_POINTS + 1).astype(np.int64)
    return np.array([start + int(np.argmax(y[start:end])) for start, end in pairwise(edges)])
