"""`single`: chunk after chunk, back to back, as a live stream makes them; latency and stages.

MLPerf's SingleStream: the next chunk begins when the one before is done. A chunk is what a live
stream makes at its best level: one latent, four frames, 160 ms of speech.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rap_edge.benchmarks.chunks import Feed
from rap_edge.benchmarks.pinned import Pinned
from rap_edge.benchmarks.report.record import Result, Value
from rap_edge.benchmarks.report.statistics import median, percentiles
from rap_edge.benchmarks.subjects import Opened, exact_of
from rap_edge.benchmarks.turns import Turn, in_turns, speed_ratio
from rap_edge.runtime import low_latency

SCENARIO = "single"
CHUNKS_A_TURN = 4


def run(opened: Sequence[Opened], pinned: Pinned, seconds: float) -> list[Result]:
    """Make chunks for about ``seconds`` with each subject."""
    feeds = {
        one.label: Feed.of(one.avatar, pinned, low_latency(one.model.config.sampler))
        for one in opened
    }
    turns = in_turns(feeds, CHUNKS_A_TURN, seconds)
    return [_result(one, turns, opened) for one in opened]


def _result(one: Opened, turns: dict[str, list[Turn]], opened: Sequence[Opened]) -> Result:
    costs = [cost for turn in turns[one.label] for cost in turn]
    chunk_ms = [cost.wall_ms for cost in costs]
    frames = sum(cost.n_frames for cost in costs)
    values, missing = percentiles("chunk_ms", chunk_ms)
    values["frame_ms"] = median([cost.wall_ms / cost.n_frames for cost in costs])
    values["fps"] = median([1000 * cost.n_frames / cost.wall_ms for cost in costs])
    values["cpu_ms_per_frame"] = Value(sum(cost.cpu_ms for cost in costs) / frames, n=frames)
    values["cores_busy"] = Value(sum(cost.cpu_ms for cost in costs) / sum(chunk_ms), n=len(costs))
    for stage in costs[0].stages_ms:
        values[stage] = median([cost.stages_ms[stage] for cost in costs])
    exact = exact_of(one.subject, opened)
    if exact is not None and exact is not one:
        values["speed_to_fp32"] = speed_ratio(turns[one.label], turns[exact.label])
    series = {"chunk_ms": tuple(np.round(chunk_ms, 3).tolist())}
    return one.result(SCENARIO, values, missing, series)
