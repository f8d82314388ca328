"""Several points measured in turns: what a frame costs at each of them in every round."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from rap_edge.benchmarks.costs import FrameCost, Milliseconds, cost_values, x_realtime
from rap_edge.benchmarks.report.record import Value
from rap_edge.benchmarks.report.statistics import median
from rap_edge.benchmarks.turns import in_turns

WARM_UP_ROUNDS = 2
NO_MEMORY = "this system does not tell it: there is no /proc"


@dataclass(frozen=True, eq=False)
class Costs:
    """What a frame cost in every round, in ms."""

    wall_ms: Milliseconds  # (R, P)
    cpu_ms: Milliseconds  # (R, P)

    @classmethod
    def of(cls, turns: Sequence[Callable[[], FrameCost]], n_rounds: int) -> Costs:
        """Let every point take a turn in so many rounds, after two that warm up."""
        taken = in_turns(dict(enumerate(turns)), 0.0, n_rounds, WARM_UP_ROUNDS)
        costs = [[(one.wall_ms, one.cpu_ms) for one in taken[point]] for point in taken]
        return cls(*np.array(costs, np.float64).transpose(2, 1, 0))

    def values(self, point: int, fps: float) -> dict[str, Value]:
        """Return what was found at one of the points."""
        wall, cpu = self.wall_ms[:, point], self.cpu_ms[:, point]
        return {"x_realtime": median(x_realtime(wall, fps)), **cost_values(wall, cpu)}
