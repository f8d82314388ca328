"""`sessions`: streams of one model that advance in turn, as fast as they go.

A model's graphs are shared and its chunks take turns on all of its threads, so what many streams
make together is what one would make, if each of them costs nothing but its chunks; and memory, a
little more for each. What of it comes on time is another scenario, of live streams.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np

from rap_edge.benchmarks.chunks import Feed
from rap_edge.benchmarks.costs import FrameCost, frame_cost
from rap_edge.benchmarks.memory import resident_mb
from rap_edge.benchmarks.pinned import Pinned
from rap_edge.benchmarks.report.record import Result, Value
from rap_edge.benchmarks.scaling.fits import line, power_law, told
from rap_edge.benchmarks.scaling.rounds import NO_MEMORY, Costs
from rap_edge.benchmarks.subjects import Opened
from rap_edge.runtime import throughput

SCENARIO = "scaling.sessions"
COUNTS = (1, 2, 4, 8)
ROUNDS = 20
SETTLING_CHUNKS = 3


def measure_sessions(
    opened: Opened, pinned: Pinned, counts: Sequence[int] = COUNTS, n_rounds: int = ROUNDS
) -> list[Result]:
    """Advance so many streams, in rising order; at every count the same number of chunks."""
    feeds: list[Feed] = []
    memory = [_open(opened, pinned, feeds, count) for count in counts]
    chunks = max(counts)
    turns: list[Callable[[], FrameCost]] = [
        partial(_advance, feeds[:count], chunks) for count in counts
    ]
    costs = Costs.of(turns, n_rounds)
    rows = [_row(opened, count, costs, point, memory) for point, count in enumerate(counts)]
    return [*rows, _fit(opened, counts, costs, memory)]


def _open(opened: Opened, pinned: Pinned, feeds: list[Feed], count: int) -> float | None:
    """Open streams until there are ``count``, let each speak, and return what is resident."""
    level = throughput(opened.model.config.sampler)
    while len(feeds) < count:
        feeds.append(Feed.of(opened.avatar, pinned, level))
        for _ in range(SETTLING_CHUNKS):
            feeds[-1].chunk()
    return resident_mb()


def _advance(feeds: Sequence[Feed], chunks: int) -> FrameCost:
    """Let streams make a chunk in turn until there are at least so many of them.

    Before them one is made that does not count: it finds the caches as another point left them.
    """
    feeds[-1].chunk()
    rounds = -(-chunks // len(feeds))
    return frame_cost([feed.chunk() for _ in range(rounds) for feed in feeds])


def _row(
    opened: Opened, count: int, costs: Costs, point: int, memory: Sequence[float | None]
) -> Result:
    values, missing = costs.values(point, opened.model.config.fps), {}
    now, first = memory[point], memory[0]
    if now is None or first is None:
        missing = dict.fromkeys(("rss_now_mb", "rss_growth_mb"), NO_MEMORY)
    else:
        values |= {"rss_now_mb": Value(now), "rss_growth_mb": Value(now - first)}
    return opened.result(SCENARIO, values, missing, at={"sessions": float(count)})


def _fit(
    opened: Opened, counts: Sequence[int], costs: Costs, memory: Sequence[float | None]
) -> Result:
    known = np.array([np.nan if mb is None else mb for mb in memory])
    values, missing = told(
        {
            "exponent": lambda: power_law(counts, costs.wall_ms).value,
            "cpu_exponent": lambda: power_law(counts, costs.cpu_ms).value,
            "misfit_percent": lambda: power_law(counts, costs.wall_ms).misfit_percent,
            "rss_mb_per_session": lambda: line(counts, known).value,
        }
    )
    return opened.result(SCENARIO, values, missing)
