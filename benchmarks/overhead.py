"""What measuring costs in `single` and `offline`: the harness of a chunk, around nothing.

Components and other scenarios are measured by other means, of which this says nothing.
"""

from __future__ import annotations

from itertools import repeat
from time import monotonic_ns, perf_counter_ns

import numpy as np
from numpy.typing import NDArray

from rap_edge.benchmarks.chunks import Feed, StageTimes

CALLS = 2000
FRAMES_A_CHUNK = 4


class Nothing:
    """A stream that tells of three stages, makes nothing, and gives four frames."""

    def __init__(self, times: StageTimes) -> None:
        self._times = times
        self._frames = [None] * FRAMES_A_CHUNK

    def push(self, pcm: NDArray[np.float32]) -> list[None]:
        for stage in ("audio", "denoise", "decode"):
            self._times.add(stage, monotonic_ns(), monotonic_ns())
        return self._frames


def overhead_us_per_frame() -> float:
    """Return the wall time in us that `single` and `offline` add to a frame by measuring it."""
    times = StageTimes()
    feed = Feed(Nothing(times), repeat(np.zeros(1, np.float32)), times)
    start = perf_counter_ns()
    for _ in range(CALLS):
        feed.step()
    return (perf_counter_ns() - start) / 1000 / CALLS / FRAMES_A_CHUNK
