"""Energy of a frame: each subject alone for a while, with the meter of the device running.

It is a pass of its own, since some meters tell only once a second: turns of a quarter of a second
would be a guess. What the device takes when idle is in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from time import perf_counter

from rap_edge.benchmarks.chunks import Feed
from rap_edge.benchmarks.pinned import Pinned
from rap_edge.benchmarks.report.record import Result, Value
from rap_edge.benchmarks.subjects import Opened
from rap_edge.runtime import throughput
from rap_edge.runtime.power import Meter, Unavailable

SCENARIO = "energy"


def run(
    opened: Sequence[Opened], pinned: Pinned, seconds: float, meter: Meter | Unavailable
) -> list[Result]:
    """Render for ``seconds`` with each subject; without a meter, say why there is none."""
    if isinstance(meter, Unavailable):
        missing = {"energy_j_per_frame": meter.why}
        return [one.result(SCENARIO, {}, missing) for one in opened]
    return [_measured(one, pinned, seconds, meter) for one in opened]


def _measured(one: Opened, pinned: Pinned, seconds: float, meter: Meter) -> Result:
    feed = Feed.of(one.avatar, pinned, throughput(one.model.config.sampler))
    feed.step()
    frames, start = 0, perf_counter()
    with meter.measure() as spent:
        while perf_counter() - start < seconds:
            frames += feed.step().n_frames
    elapsed = perf_counter() - start
    if spent.joules is None:
        return one.result(SCENARIO, {}, {"energy_j_per_frame": f"{meter.name}: {spent.why}"})
    values = {
        "energy_j_per_frame": Value(spent.joules / frames, n=frames, source=meter.source),
        "power_w": Value(spent.joules / elapsed, source=meter.source),
    }
    return one.result(SCENARIO, values)
