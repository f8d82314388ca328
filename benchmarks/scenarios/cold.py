"""`cold`: from the start of a new process to its first frame, and the memory that it takes.

The files are in the system's cache, as after any earlier start: said once more, this is a cold
process, not a cold disk.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rap_edge.benchmarks.report.record import Result, Value
from rap_edge.benchmarks.scenarios.process import answer, in_own_process
from rap_edge.errors import BackendFailed

SCENARIO = "cold"
LATER_CHUNKS = 10


def run(
    labels: Sequence[str], bundle: Path, threads: int, inputs: Mapping[str, str], starts: int
) -> list[Result]:
    """Start a process ``starts`` times for each label, in turns; medians of what they say.

    ``inputs`` are files to use in place of the pinned ones, by name.
    """
    found: dict[str, list[Result]] = {label: [] for label in labels}
    for _ in range(starts):
        for label in labels:
            asked = {"label": label, "bundle": str(bundle), "threads": threads, "inputs": inputs}
            found[label].append(_start(asked))
    return [_together(results) for results in found.values()]


def _start(asked: Mapping[str, Any]) -> Result:
    """Start one process; what does not run is told when it is opened for the other scenarios."""
    try:
        return in_own_process(__name__, {**asked, "begun_s": time.monotonic()})
    except BackendFailed as error:
        return Result(SCENARIO, asked["label"], {}, missing={"cold_ms": str(error)})


def _together(results: Sequence[Result]) -> Result:
    from rap_edge.benchmarks.report.statistics import median

    names = set.intersection(*(set(one.values) for one in results))
    values = {name: median([one.values[name].value for one in results]) for name in sorted(names)}
    missing = {name: why for one in results for name, why in one.missing.items()}
    return Result(SCENARIO, results[0].subject, values, missing=missing)


def measure(asked: Mapping[str, Any]) -> Result:
    """Be the process: open, make an avatar, say the first words."""
    from rap_edge.benchmarks.chunks import Feed
    from rap_edge.benchmarks.memory import peak_mb
    from rap_edge.benchmarks.pinned import pinned_inputs
    from rap_edge.benchmarks.subjects import find_candidate, open_subject
    from rap_edge.bundle import open_bundle
    from rap_edge.runtime import low_latency

    imported_s = time.monotonic()
    bundle = open_bundle(asked["bundle"])
    files = {name: Path(path) for name, path in asked["inputs"].items()}
    pinned = pinned_inputs(bundle, **files)
    candidate = find_candidate(bundle, asked["label"])
    opened = open_subject(bundle, candidate, pinned.portrait, asked["threads"])
    feed = Feed.of(opened.avatar, pinned, low_latency(opened.model.config.sampler))
    first_ms = 0.0
    while not first_ms:
        cost = feed.step()
        first_ms = cost.wall_ms if cost.n_frames else 0.0
    shown_s = time.monotonic()
    later = sorted(feed.step().wall_ms for _ in range(LATER_CHUNKS))
    found = {
        "cold_ms": 1000 * (shown_s - asked["begun_s"]),
        "import_ms": 1000 * (imported_s - asked["begun_s"]),
        "open_ms": opened.open_ms,
        "avatar_ms": opened.avatar_ms,
        "warm_up_ms": max(0.0, first_ms - later[LATER_CHUNKS // 2]),
    }
    peak = peak_mb()
    if peak is not None:
        found["rss_mb"] = peak
    return Result(SCENARIO, asked["label"], {name: Value(value) for name, value in found.items()})


if __name__ == "__main__":
    answer(measure)
