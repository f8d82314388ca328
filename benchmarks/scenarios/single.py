"""`single`: chunk after chunk, back to back, as a live stream makes them; latency and stages.

MLPerf's SingleStream: the next chunk begins when the one before is done. A chunk is what a live
stream makes at its best level: one latent, four frames, 160 ms of speech. Models take turns; the
first chunk of a turn, which finds the caches as another model left them, is made and not counted,
so percentiles are those of one model at work. How many frames a second there are says `offline`.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np

from rap_edge.benchmarks.chunks import ChunkCost, Feed
from rap_edge.benchmarks.costs import cost_values, costs_of, frame_cost, speed_ratio
from rap_edge.benchmarks.pinned import Pinned
from rap_edge.benchmarks.report.record import Result
from rap_edge.benchmarks.report.statistics import median, percentiles
from rap_edge.benchmarks.subjects import Opened, exact_of
from rap_edge.benchmarks.turns import in_turns
from rap_edge.runtime import low_latency

SCENARIO = "single"
CHUNKS_A_TURN = 8  # that count
Turns = dict[str, list[list[ChunkCost]]]


def run(opened: Sequence[Opened], pinned: Pinned, seconds: float) -> list[Result]:
    """Make chunks for about ``seconds`` with each subject."""
    feeds = {
        one.label: Feed.of(one.avatar, pinned, low_latency(one.model.config.sampler))
        for one in opened
    }
    turns = in_turns(
        {label: partial(feed.turn, CHUNKS_A_TURN) for label, feed in feeds.items()},
        seconds * len(feeds),
    )
    return [_result(one, turns, opened) for one in opened]


def _result(one: Opened, turns: Turns, opened: Sequence[Opened]) -> Result:
    chunks = [chunk for turn in turns[one.label] for chunk in turn]
    chunk_ms = [chunk.wall_ms for chunk in chunks]
    frames = [frame_cost(turn) for turn in turns[one.label]]
    values, missing = percentiles("chunk_ms", chunk_ms)
    values |= cost_values(*costs_of(frames))
    for stage in chunks[0].stages_ms:
        values[stage] = median([chunk.stages_ms[stage] for chunk in chunks])
    exact = exact_of(one.subject, opened)
    if exact is not None and exact is not one:
        values["speed_to_fp32"] = speed_ratio(frames, [frame_cost(t) for t in turns[exact.label]])
    series = {"chunk_ms": tuple(np.round(chunk_ms, 3).tolist())}
    return one.result(SCENARIO, values, missing, series)
