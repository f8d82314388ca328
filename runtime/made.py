"""Frames that are made and not shown yet, in buffers that are used again."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]


class MadeFrames:
    """Pictures by frame; a buffer is free again when the last of its frames is gone."""

    def __init__(self, buffers: int, shape: tuple[int, ...]) -> None:
        """``shape`` (F, H, W, 3) is the longest chunk's."""
        self._shape = shape
        self._buffers = [np.zeros(shape, np.uint8) for _ in range(buffers)]
        self._free = list(range(buffers))
        self._frames: dict[int, tuple[int, Picture, int]] = {}  # frame -> buffer, picture, level

    def __len__(self) -> int:
        return len(self._frames)

    def reserve(self) -> tuple[int, Picture]:
        """Return a free buffer's number and its memory."""
        if not self._free:
            self._free.append(len(self._buffers))
            self._buffers.append(np.zeros(self._shape, np.uint8))
        number = self._free.pop()
        return number, self._buffers[number]

    def keep(self, number: int, first_frame: int, n_frames: int, level: int) -> None:
        """The buffer holds a chunk's frames now."""
        for offset in range(n_frames):
            picture = self._buffers[number][offset]
            self._frames[first_frame + offset] = (number, picture, level)

    def release(self, number: int) -> None:
        """The buffer's chunk is not wanted."""
        self._free.append(number)

    def picture(self, frame: int) -> tuple[Picture, int]:
        """Return the picture of a frame and the level at which it was made."""
        _, picture, level = self._frames[frame]
        return picture, level

    def drop(self, first: int, n_frames: int) -> int:
        """Forget frames; return how many of them there were."""
        numbers = [
            self._frames.pop(frame)[0]
            for frame in range(first, first + n_frames)
            if frame in self._frames
        ]
        held = {number for number, _, _ in self._frames.values()}
        self._free += sorted(set(numbers) - held)
        return len(numbers)

    def drop_from(self, first: int) -> int:
        """Forget every frame from ``first`` on; return how many there were."""
        last = max(self._frames, default=first - 1)
        return self.drop(first, last + 1 - first)
