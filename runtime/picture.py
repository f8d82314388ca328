"""The picture that is on show: what came last, how it turns into what comes next, its layout."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from rap_edge.runtime.pixels import check_buffer, convert, frame_shape

Picture = NDArray[np.uint8]

RAMP_FRAMES = 4  # 160 ms from one picture to the next where motion was cut


class Screen:
    """The last picture shown, and a ramp from it where the next one does not continue it."""

    def __init__(self, picture: Picture, layout: str) -> None:
        """``picture`` (H, W, 3) stands in before the first frame; ``layout`` is as in pixels."""
        self._layout = layout
        self._shape = frame_shape(layout, *picture.shape[:2])
        self._last = picture.copy()
        self._from = picture.copy()
        self._left = 0
        self._laid_out: Picture | None = None  # the last picture in the layout

    def check(self, out: Picture | None) -> None:
        """Raise ConfigError for a buffer that does not fit the layout."""
        if out is not None:
            check_buffer(out, self._last, self._layout)

    def ramp(self) -> None:
        """The next pictures start from the last one, over `RAMP_FRAMES` frames."""
        np.copyto(self._from, self._last)
        self._left = RAMP_FRAMES

    def show(self, picture: Picture, out: Picture | None) -> Picture:
        """Show a picture (H, W, 3), and return it in the layout: in ``out``, or in a new array."""
        if self._left:
            share = self._left / (RAMP_FRAMES + 1)
            cv2.addWeighted(self._from, share, picture, 1 - share, 0, dst=self._last)
            self._left -= 1
        else:
            np.copyto(self._last, picture)
        self._laid_out = None
        out = np.empty(self._shape, np.uint8) if out is None else out
        return convert(self._last, self._layout, out)

    def hold(self, out: Picture | None) -> Picture:
        """Return the last picture again."""
        if self._laid_out is None:
            self._laid_out = convert(self._last, self._layout, np.empty(self._shape, np.uint8))
        out = np.empty(self._shape, np.uint8) if out is None else out
        np.copyto(out, self._laid_out)
        return out
