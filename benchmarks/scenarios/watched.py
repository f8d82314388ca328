"""What segments of conversation say together: the values that all scenarios in real time have."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from rap_edge.benchmarks.report.record import Value
from rap_edge.benchmarks.report.statistics import (
    LEAST,
    mean,
    median,
    merged,
    percentiles,
    proportion,
    spread,
)
from rap_edge.benchmarks.scenarios.pulling import Segment

Outcome = tuple[dict[str, Value], dict[str, str]]
"""Values by quantity, and why others are missing."""


def pictures(segments: Sequence[Segment]) -> Outcome:
    """Return what was seen: late frames, new ones, freezes, the share of full quality."""
    late = np.concatenate([segment.late for segment in segments])
    underruns = sum(segment.stats.underruns for segment in segments)
    values = {
        "late_percent": proportion(late.astype(float)),
        "freeze_ms": Value(max(segment.freeze_ms for segment in segments), n=len(late)),
        "fps_shown": mean([segment.fps_shown for segment in segments]),
        "full_level_percent": mean([100 * segment.stats.level_share[0] for segment in segments]),
        "underruns": Value(float(underruns), n=len(segments)),
    }
    return values, {}


def rhythm(segments: Sequence[Segment]) -> Outcome:
    """Return percentiles of the intervals between frames, and their standard deviation."""
    interval_ms = _intervals_ms(segments)
    return merged(percentiles("interval_ms", interval_ms), ({"jitter_ms": spread(interval_ms)}, {}))


def first_frames(segments: Sequence[Segment]) -> Outcome:
    """Return percentiles of the time to the first frames of turns; the median of 3 or more."""
    since_first = [ms for segment in segments for ms in segment.first_frames_ms()]
    since_enough = [ms for segment in segments for ms in segment.first_frames_from_enough_ms()]
    return merged(
        _few("first_frame_ms", since_first), _few("first_frame_from_enough_ms", since_enough)
    )


def _few(name: str, samples: Sequence[float]) -> Outcome:
    """Return percentiles of what happens once a turn, so that there are few samples."""
    values, missing = percentiles(name, samples)
    if not samples:
        missing[f"{name}_max"] = "no turn had a first frame that was on time"
    elif len(samples) >= LEAST and f"{name}_p50" not in values:
        values[f"{name}_p50"] = median(samples)
        del missing[f"{name}_p50"]
    return values, missing


def skew(segments: Sequence[Segment]) -> Outcome:
    """Return the median over segments of what each stream says of its skew; the largest of all."""
    stats = [segment.stats for segment in segments if segment.stats.skew_ms_p50 is not None]
    if not stats:
        why = "no frame was shown"
        return {}, {f"skew_ms_{suffix}": why for suffix in ("p50", "p95", "max")}
    values = {
        "skew_ms_p50": median([abs(one.skew_ms_p50 or 0.0) for one in stats]),
        "skew_ms_p95": median([one.skew_ms_p95 or 0.0 for one in stats]),
        "skew_ms_max": Value(max(one.skew_ms_max or 0.0 for one in stats), n=len(stats)),
    }
    return values, {}


def computing(segments: Sequence[Segment]) -> Outcome:
    """Return the CPU time of the process: pushing and pulling are in it, and cannot be told apart.

    Segments come one after the other: nothing else in the process computes meanwhile.
    """
    values = {
        "cores_busy": mean([segment.cpu_s / segment.seconds for segment in segments]),
        "cpu_ms_per_frame": mean(
            [1000 * segment.cpu_s / (segment.n_frames - 1) for segment in segments]
        ),
    }
    return values, {}


def timeline(segments: Sequence[Segment]) -> dict[str, tuple[float, ...]]:
    """Return `at_s`, `interval_ms` and `late` (0 or 1) of every frame but the first of a segment.

    Segments follow each other without the time between them.
    """
    starts_s = np.cumsum([0.0, *(segment.seconds for segment in segments[:-1])])
    at_s = np.concatenate(
        [start_s + segment.at_s[1:] for start_s, segment in zip(starts_s, segments, strict=True)]
    )
    late = np.concatenate([segment.late[1:] for segment in segments])
    return {
        "at_s": _rounded(at_s, 4),
        "interval_ms": _rounded(_intervals_ms(segments), 3),
        "late": _rounded(late.astype(float), 0),
    }


def _intervals_ms(segments: Sequence[Segment]) -> NDArray[np.float64]:
    return np.concatenate([segment.interval_ms for segment in segments])


def _rounded(values: NDArray[np.float64], digits: int) -> tuple[float, ...]:
    return tuple(np.round(values, digits).tolist())
