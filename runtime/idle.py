"""A loop of silence, made once: an idle stream that computes nothing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rap_edge.runtime.animator import Animator, Past
from rap_edge.runtime.levels import Level
from rap_edge.runtime.picture import Picture
from rap_edge.runtime.turns import Turns

LOOP_LATENTS = 25  # 4 s, shown forwards and backwards


@dataclass(frozen=True, eq=False)
class IdleLoop:
    """Frames of silence to be shown forwards and backwards, and where each leaves the motion."""

    pictures: Picture  # (F, H, W, 3)
    pasts: tuple[Past, ...]  # after each latent

    def picture(self, tick: int) -> Picture:
        picture: Picture = self.pictures[self._frame(tick)]
        return picture

    def past(self, tick: int) -> Past:
        """Return what continues from the picture of a tick."""
        return self.pasts[self._frame(tick) * len(self.pasts) // len(self.pictures)]

    def _frame(self, tick: int) -> int:
        last = len(self.pictures) - 1
        phase = tick % (2 * last)
        return phase if phase <= last else 2 * last - phase


def make_loop(
    animator: Animator, silence: NDArray[np.float32], past: Past, level: Level, turns: Turns
) -> IdleLoop:
    """Make the loop from silent hops (H, M); the level gives one latent a chunk."""
    n_frames = animator.latent_shape[0]
    pictures = np.empty((LOOP_LATENTS * n_frames, *animator.latent_shape[1:]), np.uint8)
    pasts = []
    for index in range(LOOP_LATENTS):
        out = pictures[index * n_frames : (index + 1) * n_frames]
        with turns.soon():
            following = animator.make(silence, past, level, out)
        assert following is not None  # nothing cancels it
        past = following
        pasts.append(past)
    return IdleLoop(pictures, tuple(pasts))
