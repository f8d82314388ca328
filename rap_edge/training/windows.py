"""Static-dynamic windows: which latents of a clip the transformer is trained on (RAP section 3.3).

A static window starts with latent 0, which is one frame; a dynamic one starts later, so that all of
its latents are ``time_stride`` frames. Both have the same number of latents. With the paper's 121
frames (16 latents of stride 8) and 11 latents a window: static is 81 frames, dynamic is 88.
"""

from __future__ import annotations

import numpy as np

from rap_edge.timeline import Timeline


def draw_window(
    rng: np.random.Generator, latents: int, window: int, static_share: float = 0.5
) -> int:
    """Return the first latent of a window in a clip of ``latents`` latents.

    The paper's dynamic window is the last one of the clip; here it starts anywhere after latent 0.
    """
    if latents < window:
        raise ValueError(f"a clip of {latents} latents: expected at least the window's {window}")
    if latents == window or rng.random() < static_share:
        return 0
    return int(rng.integers(1, latents - window + 1))


def window_frames(timeline: Timeline, first: int, window: int) -> int:
    """Return how many video frames a window covers."""
    return len(timeline.frames_of(first, window))
