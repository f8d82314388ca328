"""Several ways measured in turn, round after round, so that what disturbs one disturbs all."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rap_edge.benchmarks.chunks import ChunkCost, Feed
from rap_edge.benchmarks.report.record import Value
from rap_edge.benchmarks.report.statistics import median

WARM_UP_ROUNDS = 2
NO_MEMORY = "this system does not tell it: there is no /proc"


@dataclass(frozen=True)
class FrameCost:
    """What a frame cost in one turn, in ms."""

    wall_ms: float
    cpu_ms: float


@dataclass(frozen=True, eq=False)
class Costs:
    """What a frame cost in every round, in ms."""

    wall_ms: NDArray[np.float64]  # (R, P)
    cpu_ms: NDArray[np.float64]  # (R, P)

    def values(self, point: int, fps: float) -> dict[str, Value]:
        """Return what was found at one of the points."""
        wall, cpu = self.wall_ms[:, point], self.cpu_ms[:, point]
        return {
            "x_realtime": median(1000 / fps / wall),
            "frame_ms": median(wall),
            "cpu_ms_per_frame": median(cpu),
            "cores_busy": median(cpu / wall),
        }


def in_rounds(turns: Sequence[Callable[[], FrameCost]], n_rounds: int) -> Costs:
    """Take every turn once a round, forwards and backwards by turns; two rounds warm up."""
    wall, cpu = np.zeros((2, n_rounds, len(turns)))
    for index in range(-WARM_UP_ROUNDS, n_rounds):
        order = range(len(turns))
        for point in order if index % 2 else reversed(order):
            cost = turns[point]()
            if index >= 0:
                wall[index, point], cpu[index, point] = cost.wall_ms, cost.cpu_ms
    return Costs(wall, cpu)


def steady(feed: Feed) -> ChunkCost:
    """Push blocks until frames come; return what that block cost. Only a stream's first are dry."""
    while not (cost := feed.step()).n_frames:
        pass
    return cost


def frame_cost(costs: Sequence[ChunkCost]) -> FrameCost:
    """Return what a frame of several chunks cost on average."""
    frames = sum(cost.n_frames for cost in costs)
    return FrameCost(
        sum(cost.wall_ms for cost in costs) / frames, sum(cost.cpu_ms for cost in costs) / frames
    )
