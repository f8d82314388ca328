"""What a frame costs in a turn: its chunks' time over their frames, all of them counted.

In some chunks eyes blink, and a latent is decoded once more; a median over chunks would leave that
out. What is told is the median over turns.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rap_edge.benchmarks.chunks import ChunkCost, Feed
from rap_edge.benchmarks.report.record import Value
from rap_edge.benchmarks.report.statistics import median, paired_ratio

Milliseconds = NDArray[np.float64]


@dataclass(frozen=True)
class FrameCost:
    """What a frame cost in one turn, in ms."""

    wall_ms: float
    cpu_ms: float


def frame_cost(chunks: Sequence[ChunkCost]) -> FrameCost:
    """Return what a frame of several chunks cost: the time of all over the frames of all."""
    frames = sum(cost.n_frames for cost in chunks)
    return FrameCost(
        sum(cost.wall_ms for cost in chunks) / frames, sum(cost.cpu_ms for cost in chunks) / frames
    )


def turn_cost(feed: Feed, chunks: int) -> FrameCost:
    """Take a turn of so many chunks that count, and return what a frame of them cost."""
    return frame_cost(feed.turn(chunks))


def costs_of(turns: Sequence[FrameCost]) -> tuple[Milliseconds, Milliseconds]:
    """Return the wall and the CPU time of a frame in every turn, (R,) each."""
    return np.array([one.wall_ms for one in turns]), np.array([one.cpu_ms for one in turns])


def cost_values(wall_ms: Milliseconds, cpu_ms: Milliseconds) -> dict[str, Value]:
    """Return what a frame costs, from the times of a frame in every turn, (R,) each."""
    return {
        "frame_ms": median(wall_ms),
        "cpu_ms_per_frame": median(cpu_ms),
        "cores_busy": median(cpu_ms / wall_ms),
    }


def x_realtime(wall_ms: Milliseconds, fps: float) -> Milliseconds:
    """Return the seconds of speech in a second, (R,); a second of speech is ``fps`` frames."""
    return 1000 / fps / wall_ms


def speed_ratio(turns: Sequence[FrameCost], exact: Sequence[FrameCost]) -> Value:
    """Return how many times faster turns are than those of fp32, pair by pair."""
    return paired_ratio([one.wall_ms for one in exact], [one.wall_ms for one in turns])
