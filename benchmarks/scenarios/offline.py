"""`offline`: a recording as fast as it goes, as `render` does it; throughput.

From PCM to RGB: resampling, features, audio encoder, denoiser, decoder. The intake of the portrait,
reading of the sound file and writing of the film are not in it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rap_edge.benchmarks.chunks import Feed
from rap_edge.benchmarks.pinned import Pinned
from rap_edge.benchmarks.report.record import Result, Value
from rap_edge.benchmarks.report.statistics import median
from rap_edge.benchmarks.subjects import Opened, exact_of
from rap_edge.benchmarks.turns import Turn, in_turns, ms_per_frame, speed_ratio
from rap_edge.runtime import throughput

SCENARIO = "offline"
CHUNKS_A_TURN = 3


def run(opened: Sequence[Opened], pinned: Pinned, seconds: float) -> list[Result]:
    """Render for about ``seconds`` with each subject."""
    feeds = {
        one.label: Feed.of(one.avatar, pinned, throughput(one.model.config.sampler))
        for one in opened
    }
    turns = in_turns(feeds, CHUNKS_A_TURN, seconds)
    return [_result(one, turns, opened) for one in opened]


def _result(one: Opened, turns: dict[str, list[Turn]], opened: Sequence[Opened]) -> Result:
    mine = turns[one.label]
    fps = [1000 / ms_per_frame(turn) for turn in mine]
    costs = [cost for turn in mine for cost in turn]
    wall = sum(cost.wall_ms for cost in costs)
    cpu, frames = sum(cost.cpu_ms for cost in costs), sum(cost.n_frames for cost in costs)
    x_realtime = np.asarray(fps) / one.model.config.fps
    values = {
        "x_realtime": median(x_realtime),
        "fps": median(fps),
        "frame_ms": median([ms_per_frame(turn) for turn in mine]),
        "cpu_ms_per_frame": Value(cpu / frames, n=frames),
        "cores_busy": Value(cpu / wall, n=len(costs)),
    }
    exact = exact_of(one.subject, opened)
    if exact is not None and exact is not one:
        values["speed_to_fp32"] = speed_ratio(mine, turns[exact.label])
    return one.result(
        SCENARIO, values, series={"x_realtime": tuple(np.round(x_realtime, 3).tolist())}
    )
