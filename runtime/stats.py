"""The numbers of a live stream, and how its times are kept: in rings that never grow."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rap_edge.errors import ConfigError

NS_PER_MS = 1e6
RECENT = 1024  # values that percentiles are taken of

FIRST_FRAME_DEFINITION = (
    "from the push of the first sample of an utterance, pushed in real time, to the moment its "
    "first frame of speech can be pulled; the latest utterance"
)
FIRST_FRAME_FROM_ENOUGH_AUDIO_DEFINITION = (
    "from the push that brought the last sample its first chunk hears (its frames and the right "
    "context) to the moment its first frame of speech can be pulled; the latest utterance"
)


@dataclass(frozen=True)
class StageTimes:
    """Times of one stage in ms: percentiles of the last 1024, the rest since the stream opened."""

    count: int
    p50: float
    p95: float
    p99: float
    max: float
    total: float


@dataclass(frozen=True)
class StreamStats:
    """What a stream has done since it opened; None is what has not happened yet.

    ticks = presented + held, and produced = presented + dropped + queued.
    """

    ticks: int  # frames whose time has come, 25 a second
    presented: int
    held: int  # ticks without a new frame
    held_by_reason: Mapping[str, int]  # those that happened
    produced: int
    dropped: int  # made, never shown
    queued: int  # made, not shown yet
    late: int  # held, repeated, or shown after 40 ms
    skipped: int  # never made, since they would have been stale
    underruns: int  # times an utterance ran dry before its end
    interrupts: int
    level: int  # of the ladder; 0 is best
    level_share: tuple[float, ...]  # of the time since the stream opened, for each level
    skew_ms_p50: float | None  # frame minus audio position as it is shown: above 0, video is early
    skew_ms_p95: float | None  # of the magnitude
    skew_ms_max: float | None  # of the magnitude
    first_frame_ms: float | None  # FIRST_FRAME_DEFINITION
    first_frame_from_enough_audio_ms: float | None  # FIRST_FRAME_FROM_ENOUGH_AUDIO_DEFINITION
    interrupt_ms_p50: float | None  # from the call to its return
    interrupt_ms_p95: float | None
    stage_ms: Mapping[str, StageTimes]  # of the stages that have run; a plain dict
    played_seconds: float  # of speech, that were heard since the stream opened
    open_seconds: float


def skew_percentiles(
    histogram: Sequence[int] | NDArray[np.int64],
) -> tuple[float, float, float] | None:
    """Return the median of the skew in ms, and p95 and the largest of its magnitude.

    ``histogram`` counts frames by whole ms of lateness around 0, as `SchedulerStats` does; its cost
    does not depend on how many. None for no frames.
    """
    counts = np.asarray(histogram)
    if not counts.any():
        return None
    most = len(counts) // 2
    sizes = counts[most:].copy()  # by magnitude
    sizes[1:] += counts[:most][::-1]
    early = counts[::-1]  # by skew, which is above 0 where the picture is early
    return _ranked(early, 0.5) - most, _ranked(sizes, 0.95), _ranked(sizes, 1.0)


def _ranked(counts: NDArray[np.int64], share: float) -> float:
    """Return the first place up to which a share of what is counted lies."""
    up_to = np.cumsum(counts)
    return float(np.searchsorted(up_to, share * up_to[-1]))


class Recent:
    """The last values of a series: `add` allocates nothing, percentiles are worked out on demand.

    One thread adds; any thread reads, and may miss a value that is being added.
    """

    def __init__(self, capacity: int = RECENT) -> None:
        """Keep the last `capacity` values; raises ConfigError below 1."""
        if capacity < 1:
            raise ConfigError(
                f"capacity is {capacity}: expected 1 or more; choose how many to keep"
            )
        self._ring = np.zeros(capacity)
        self._capacity = capacity
        self.count = 0  # of all values ever added
        self.total = 0.0
        self.max = 0.0

    def add(self, value: float) -> None:
        """Take one value."""
        self._ring[self.count % self._capacity] = value
        if value > self.max or not self.count:
            self.max = value
        self.total += value
        self.count += 1

    def percentiles(self, *percents: float) -> tuple[float, ...] | None:
        """Return percentiles (0 to 100) of the values that are kept; None if there are none."""
        n = min(self.count, self._capacity)
        if not n:
            return None
        ordered = np.sort(self._ring[:n]).tolist()
        return tuple(_between(ordered, percent / 100 * (n - 1)) for percent in percents)


def _between(ordered: list[float], place: float) -> float:
    """Interpolate linearly, as `numpy.percentile` does, which takes four times as long."""
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)


class StageTimings:
    """How long each stage of a stream takes, in memory that does not grow."""

    def __init__(self, stages: Iterable[str], capacity: int = RECENT) -> None:
        """Name the stages; percentiles are taken of the last `capacity` times of each."""
        self._stages = {stage: Recent(capacity) for stage in stages}

    def add(self, stage: str, elapsed_ns: int) -> None:
        """Take the time of one run of a stage; raises ConfigError for one that was not named."""
        recent = self._stages.get(stage)
        if recent is None:
            known = ", ".join(self._stages)
            raise ConfigError(f"stage is {stage!r}: expected one of {known}; name it at the start")
        recent.add(elapsed_ns / NS_PER_MS)

    def times(self) -> dict[str, StageTimes]:
        """Return the times of every stage that has run, in ms."""
        found = {}
        for stage, recent in self._stages.items():
            percentiles = recent.percentiles(50, 95, 99)
            if percentiles is not None:
                p50, p95, p99 = percentiles
                found[stage] = StageTimes(recent.count, p50, p95, p99, recent.max, recent.total)
        return found
