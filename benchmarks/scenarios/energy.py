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
    """Render for ``seconds`` with each subject; where nothing can be told, say why."""
    return [_of(one, pinned, seconds, meter) for one in opened]


def _of(one: Opened, pinned: Pinned, seconds: float, meter: Meter | Unavailable) -> Result:
    if isinstance(meter, Unavailable):
        return _unknown(one, meter.why)
    if seconds < meter.least_s:
        return _unknown(
            one,
            f"{meter.name} tells little in {seconds:.0f} s: measure for {meter.least_s:.0f} s or "
            f"more (--seconds {2 * meter.least_s:.0f})",
        )
    if meter.only_cpu and one.subject.device != "cpu":
        return _unknown(one, f"{meter.name} covers the CPU, and this runs on {one.subject.device}")
    return _measured(one, pinned, seconds, meter)


def _measured(one: Opened, pinned: Pinned, seconds: float, meter: Meter) -> Result:
    feed = Feed.of(one.avatar, pinned, throughput(one.model.config.sampler))
    feed.step()
    frames = 0
    with meter.measure() as spent:
        end = perf_counter() + seconds
        while frames == 0 or perf_counter() < end:
            frames += feed.step().n_frames
    if spent.joules is None or spent.watts is None:
        return _unknown(one, f"{meter.name}: {spent.why}")
    values = {
        "energy_j_per_frame": Value(spent.joules / frames, n=frames, source=meter.source),
        "power_w": Value(spent.watts, source=meter.source),
    }
    return one.result(SCENARIO, values)


def _unknown(one: Opened, why: str) -> Result:
    return one.result(SCENARIO, {}, {"energy_j_per_frame": why})
