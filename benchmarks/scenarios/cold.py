"""`cold`: from the start of a new process to its first frame, and the memory that it takes.

The process opens a bundle, makes an avatar of a photo and says its first words, as a program would.
The files are in the system's cache, as after any earlier start: a cold process, not a cold disk.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from rap_edge.benchmarks.report.record import Result, Value
from rap_edge.benchmarks.scenarios.process import Asked, answer, in_own_process, open_asked
from rap_edge.errors import BackendFailed

SCENARIO = "cold"
LATER_CHUNKS = 10


def run(asked: Sequence[Asked], starts: int, tell: Callable[[int], object]) -> list[Result]:
    """Start a process ``starts`` times for each subject, in turns; medians of what they say.

    ``tell`` is told how many have started.
    """
    found: list[list[Result]] = [[] for _ in asked]
    for number in range(starts):
        for place, one in enumerate(asked):
            tell(number * len(asked) + place)
            found[place].append(_start(one))
    return [_together(results) for results in found]


def _start(asked: Asked) -> Result:
    """Start one process; what does not run is told when it is opened for the other scenarios."""
    try:
        return in_own_process(__name__, asked)
    except BackendFailed as error:
        return Result(SCENARIO, asked.label, {}, missing={SCENARIO: str(error)})


def _together(results: Sequence[Result]) -> Result:
    from rap_edge.benchmarks.report.statistics import median

    names = set.intersection(*(set(one.values) for one in results))
    values = {name: median([one.values[name].value for one in results]) for name in sorted(names)}
    missing = {name: why for one in results for name, why in one.missing.items()}
    return Result(SCENARIO, results[0].subject, values, missing=missing)


def measure(asked: Asked, begun_s: float) -> Result:
    """Be the process: open, make an avatar, say the first words."""
    from rap_edge.benchmarks.chunks import Feed
    from rap_edge.benchmarks.memory import peak_mb
    from rap_edge.runtime import low_latency

    imported_s = time.monotonic()
    opened, pinned = open_asked(asked)
    feed = Feed.of(opened.avatar, pinned, low_latency(opened.model.config.sampler))
    cost = feed.step()
    while not cost.n_frames:
        cost = feed.step()
    shown_s = time.monotonic()
    later = sorted(feed.step().wall_ms for _ in range(LATER_CHUNKS))
    found = {
        "cold_ms": 1000 * (shown_s - begun_s),
        "import_ms": 1000 * (imported_s - begun_s),
        "open_ms": opened.open_ms,
        "avatar_ms": opened.avatar_ms,
        "warm_up_ms": cost.wall_ms - later[LATER_CHUNKS // 2],
    }
    peak = peak_mb()
    if peak is not None:
        found["rss_mb"] = peak
    return Result(SCENARIO, opened.label, {name: Value(value) for name, value in found.items()})


if __name__ == "__main__":
    answer(measure)
