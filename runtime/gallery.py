"""What there is to see: frames that are made, the idle loop, and where the motion goes on."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rap_edge.runtime.animator import Past
from rap_edge.runtime.idle import IdleLoop
from rap_edge.runtime.levels import Level
from rap_edge.runtime.made import MadeFrames, Picture
from rap_edge.runtime.picture import Screen

KEPT_PASTS = 16  # chunks that an interrupt may go back by


@dataclass(frozen=True, eq=False)
class Chunk:
    """A chunk to make: its place in time, what it hears and continues from, where it goes."""

    id: int
    first_frame: int
    n_frames: int
    deadline_ns: int
    level_index: int
    level: Level
    hops: NDArray[np.float32]
    past: Past
    stir: float  # of the head
    buffer: int
    out: Picture  # (n_frames, H, W, 3)


class Gallery:
    """The pictures of a stream, and the past that the next chunk continues from."""

    def __init__(self, made: MadeFrames, screen: Screen, past: Past, loop: IdleLoop | None) -> None:
        """``past`` is where the motion starts; ``loop`` is shown in silence, if there is one."""
        self._made, self._screen, self._loop = made, screen, loop
        self._pasts: deque[tuple[int, Past]] = deque([(-1, past)], maxlen=KEPT_PASTS)
        self._tick = 0  # of the loop
        self._is_looping = False  # the last frame shown was the loop's
        self._ramps: set[int] = set()  # frames that do not continue the one before

    def next_past(self) -> Past:
        """Return what the next chunk continues from."""
        if self._is_looping and self._loop is not None:
            self._screen.ramp()
            return self._loop.past(self._tick)
        return self._pasts[-1][1]

    def reserve(self) -> tuple[int, Picture]:
        """Return a free buffer's number and its memory, for a chunk."""
        return self._made.reserve()

    def release(self, buffer: int) -> None:
        """Nobody wants the chunk of a buffer."""
        self._made.release(buffer)

    def keep(self, chunk: Chunk, past: Past) -> None:
        """A chunk is made; ``past`` is what follows it.

        With another number of solver steps than before the head is elsewhere: the chunk ramps in.
        """
        self._made.keep(chunk.buffer, chunk.first_frame, chunk.n_frames, chunk.level_index)
        if past.motion.steps != chunk.past.motion.steps:
            self._ramps.add(chunk.first_frame)
        self._pasts.append((chunk.first_frame, past))

    def cut(self, frame: int) -> int:
        """Forget what was made from ``frame`` on; return how many frames that were."""
        while len(self._pasts) > 1 and self._pasts[-1][0] >= frame:
            self._pasts.pop()
        self._ramps = {first for first in self._ramps if first < frame}
        return self._made.drop_from(frame)

    def drop(self, first: int, n_frames: int) -> None:
        """Forget frames that nobody will see."""
        self._made.drop(first, n_frames)

    def check(self, out: Picture | None) -> None:
        """Raise ConfigError for a buffer that a picture does not fit."""
        self._screen.check(out)

    def ramp(self) -> None:
        """The next pictures start from the last one shown."""
        self._screen.ramp()

    def show(self, frame: int, out: Picture | None) -> tuple[Picture, int]:
        """Return a frame's picture and level; it is gone then."""
        picture, level = self._made.picture(frame)
        if any(first <= frame for first in self._ramps):
            self._ramps = {first for first in self._ramps if first > frame}
            self._screen.ramp()
        image = self._screen.show(picture, out)
        self._made.drop(frame, 1)
        self._is_looping = False
        return image, level

    def hold(self, is_idle: bool, out: Picture | None) -> Picture:
        """Return the last picture again, or the loop's next one while nobody speaks."""
        if not is_idle or self._loop is None:
            return self._screen.hold(out)
        if not self._is_looping:
            self._screen.ramp()
        self._is_looping = True
        self._tick += 1
        return self._screen.show(self._loop.picture(self._tick), out)
