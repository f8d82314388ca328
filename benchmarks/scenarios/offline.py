"""`offline`: a recording as fast as it goes, as `render` does it; throughput.

From PCM to RGB: resampling, features, audio encoder, denoiser, decoder. The intake of the portrait,
reading of the sound file and writing of the film are not in it.

Throughput is frames over time, of a turn; what is told is the median over turns. A turn is as long
as it takes eyes to blink once, for which latents are decoded once more, so that blinks count; it is
shorter where so long ones would not fit. The first chunk of a turn, which finds the caches as
another model left them, does not count.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial

import numpy as np

from rap_edge.benchmarks.chunks import Feed
from rap_edge.benchmarks.costs import (
    FrameCost,
    cost_values,
    costs_of,
    speed_ratio,
    turn_cost,
    x_realtime,
)
from rap_edge.benchmarks.pinned import Pinned
from rap_edge.benchmarks.report.record import Result
from rap_edge.benchmarks.report.statistics import median
from rap_edge.benchmarks.subjects import Opened, exact_of
from rap_edge.benchmarks.turns import LEAST_ROUNDS, in_turns
from rap_edge.runtime import throughput
from rap_edge.runtime.blinks import STRETCH
from rap_edge.runtime.levels import Level

SCENARIO = "offline"
LEAST_CHUNKS = 3  # of a turn
ROUNDS = LEAST_ROUNDS + 1  # one warms up


def run(opened: Sequence[Opened], pinned: Pinned, seconds: float) -> list[Result]:
    """Render for about ``seconds`` with each subject, all of one bundle."""
    level = throughput(opened[0].model.config.sampler)
    feeds = {one.label: Feed.of(one.avatar, pinned, level) for one in opened}
    chunks = chunks_a_turn(level, _slowest_s(feeds.values()), seconds)
    turns = in_turns(
        {label: partial(turn_cost, feed, chunks) for label, feed in feeds.items()},
        seconds * len(feeds),
    )
    return [_result(one, turns, opened) for one in opened]


def chunks_a_turn(level: Level, chunk_s: float, seconds: float) -> int:
    """Return how many chunks of a turn count, if one takes ``chunk_s``: of a blink, or that fit."""
    fitting = int(seconds / ROUNDS / chunk_s) - 1
    return max(LEAST_CHUNKS, min(STRETCH // level.latents, fitting))


def _slowest_s(feeds: Iterable[Feed]) -> float:
    """Make two chunks with each, and return what the second took where it took longest."""
    return max(feed.turn(1)[0].wall_ms for feed in feeds) / 1000


def _result(
    one: Opened, turns: Mapping[str, Sequence[FrameCost]], opened: Sequence[Opened]
) -> Result:
    mine = turns[one.label]
    wall_ms, cpu_ms = costs_of(mine)
    speeds = x_realtime(wall_ms, one.model.config.fps)
    values = {
        "x_realtime": median(speeds),
        "fps": median(1000 / wall_ms),
        **cost_values(wall_ms, cpu_ms),
    }
    exact = exact_of(one.subject, opened)
    if exact is not None and exact is not one:
        values["speed_to_fp32"] = speed_ratio(mine, turns[exact.label])
    return one.result(SCENARIO, values, series={"x_realtime": tuple(np.round(speeds, 3).tolist())})
