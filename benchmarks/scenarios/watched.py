"""What segments of conversation say together: the values that all scenarios in real time have."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from rap_edge.benchmarks.report.record import Value
from rap_edge.benchmarks.report.statistics import mean, median, merged, percentiles, spread
from rap_edge.benchmarks.scenarios.pulling import Segment

Found = tuple[dict[str, Value], dict[str, str]]


def pictures(segments: Sequence[Segment]) -> Found:
    """Return what was seen: late frames, new ones, freezes, the share of full quality."""
    late = np.concatenate([one.late for one in segments])
    values = {
        "late_percent": mean(100.0 * late),
        "freeze_ms": Value(max(one.freeze_ms for one in segments), n=len(late)),
        "fps_shown": mean([one.n_new / one.seconds for one in segments]),
        "full_level_percent": mean([100 * one.stats.level_share[0] for one in segments]),
        "underruns": Value(float(sum(one.stats.underruns for one in segments)), n=len(segments)),
    }
    return values, {}


def rhythm(segments: Sequence[Segment]) -> Found:
    """Return percentiles of the intervals between frames, and their standard deviation."""
    interval_ms = _intervals_ms(segments)
    return merged(percentiles("interval_ms", interval_ms), ({"jitter_ms": spread(interval_ms)}, {}))


def first_frames(segments: Sequence[Segment]) -> Found:
    """Return percentiles of the time to the first frames of turns."""
    first = [ms for one in segments for ms in one.first_frames_ms()]
    enough = [ms for one in segments for ms in one.first_frames_from_enough_ms()]
    return merged(
        percentiles("first_frame_ms", first), percentiles("first_frame_from_enough_ms", enough)
    )


def skew(segments: Sequence[Segment]) -> Found:
    """Return the median over segments of what each stream says of its skew; the largest of all."""
    stats = [one.stats for one in segments if one.stats.skew_ms_p50 is not None]
    if not stats:
        why = "no frame was shown"
        return {}, {f"skew_ms_{suffix}": why for suffix in ("p50", "p95", "max")}
    values = {
        "skew_ms_p50": median([abs(one.skew_ms_p50 or 0.0) for one in stats]),
        "skew_ms_p95": median([one.skew_ms_p95 or 0.0 for one in stats]),
        "skew_ms_max": Value(max(one.skew_ms_max or 0.0 for one in stats), n=len(stats)),
    }
    return values, {}


def computing(segments: Sequence[Segment]) -> Found:
    """Return the CPU time of the process: pushing and pulling are in it, and cannot be told apart.

    Segments come one after the other: nothing else in the process computes meanwhile.
    """
    values = {
        "cores_busy": mean([one.cpu_s / one.seconds for one in segments]),
        "cpu_ms_per_frame": mean([1000 * one.cpu_s / one.n_frames for one in segments]),
    }
    return values, {}


def timeline(segments: Sequence[Segment]) -> dict[str, tuple[float, ...]]:
    """Return `at_s`, `interval_ms` and `late` (0 or 1) of every frame but the first of a segment.

    Segments follow each other without the time between them.
    """
    ends = np.cumsum([0.0, *(one.seconds for one in segments)])
    at_s = np.concatenate([end + one.at_s[1:] for end, one in zip(ends, segments, strict=False)])
    late = np.concatenate([one.late[1:] for one in segments])
    return {
        "at_s": _rounded(at_s, 4),
        "interval_ms": _rounded(_intervals_ms(segments), 3),
        "late": _rounded(late.astype(float), 0),
    }


def _intervals_ms(segments: Sequence[Segment]) -> NDArray[np.float64]:
    return np.concatenate([one.interval_ms for one in segments])


def _rounded(values: NDArray[np.float64], digits: int) -> tuple[float, ...]:
    return tuple(np.round(values, digits).tolist())
