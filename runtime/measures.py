"""What a stream measures of itself, beside what its scheduler counts; and its trace."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rap_edge._core import FrameScheduler, LevelChange, SchedulerStats
from rap_edge.runtime.backends import Placement
from rap_edge.runtime.frames import Frame
from rap_edge.runtime.pressure import Pressure
from rap_edge.runtime.stats import (
    FIRST_FRAME_DEFINITION,
    FIRST_FRAME_FROM_ENOUGH_AUDIO_DEFINITION,
    NS_PER_MS,
    Recent,
    StageTimings,
    StreamStats,
    skew_percentiles,
)
from rap_edge.runtime.trace import Trace

STAGES = ("audio", "denoise", "decode")
NS_PER_S = 1e9
# What a snapshot tells of the machine, and of the scheduler beside `StreamStats`
PRESSURE = ("severity", "reason", "temperature_c")
COUNTS = (
    "chunks",
    "stale_chunks",
    "failed_chunks",
    "position_clamps",
    "script_end",
    "position",
    "next_show",
    "next_make",
)
SERVICES = ("service_last", "service_p50", "service_p90", "service_p99")
COUNTERS_EVERY_NS = 1_000_000_000
CHANGES = 1024  # of the level, that wait for somebody to ask


class Measures:
    """Times of stages, of first frames and of interrupts; and the trace, if one is kept."""

    def __init__(
        self,
        opened_ns: int,
        enough_seconds: float,
        trace: Trace | None,
        placement: Mapping[str, Placement],
    ) -> None:
        """``enough_seconds`` of an utterance are what its first chunk hears."""
        self._placement = placement
        self._opened_ns, self._enough_seconds, self._trace = opened_ns, enough_seconds, trace
        self._stages = StageTimings(STAGES)
        self._interrupts = Recent()
        self._utterance = 0  # whose first frame has not left yet
        self._pushed_ns = 0
        self._enough_ns: int | None = None
        self.first_frames_ms, self.first_frames_from_enough_ms = Recent(), Recent()
        self._first_frame: tuple[float | None, float | None] = (None, None)
        self._changes: deque[LevelChange] = deque(maxlen=CHANGES)
        self._counted_ns = 0
        self._skews: NDArray[np.int64] | None = None  # counted by then
        self.pressure: Pressure | None = None  # of the machine, read last

    def add(self, stage: str, start_ns: int, end_ns: int) -> None:
        """A stage ran."""
        self._stages.add(stage, end_ns - start_ns)
        if self._trace is not None:
            self._trace.complete(stage, start_ns, end_ns)

    def forget_stages(self) -> None:
        """Forget how long stages took so far."""
        self._stages = StageTimings(STAGES)

    def pushed(self, utterance: int, seconds: float, ended: bool, now: int) -> None:
        """``seconds`` of an utterance have come since it began."""
        if utterance > self._utterance:
            self._utterance, self._pushed_ns, self._enough_ns = utterance, now, None
        if self._enough_ns is None and (ended or seconds >= self._enough_seconds):
            self._enough_ns = now

    def left(self, frame: Frame, now: int) -> None:
        """A frame was pulled. One that is held shows nothing of what it says."""
        if self._trace is not None and frame.late:
            self._trace.instant("late frame", now, frame=frame.index)
        if frame.late or not frame.utterance or frame.utterance != self._utterance:
            return
        if not self._pushed_ns:
            return
        first = (now - self._pushed_ns) / NS_PER_MS
        from_enough = None if self._enough_ns is None else (now - self._enough_ns) / NS_PER_MS
        self._first_frame, self._pushed_ns = (first, from_enough), 0
        self.first_frames_ms.add(first)
        if from_enough is not None:
            self.first_frames_from_enough_ms.add(from_enough)

    def look(self, scheduler: FrameScheduler, now: int) -> None:
        """Take up what changed, and trace it; the counters once a second."""
        while (change := scheduler.next_event()) is not None:
            self._changes.append(change)
            if self._trace is not None:
                self._trace.instant(
                    "level change",
                    change.now_ns,
                    from_level=change.from_level,
                    to_level=change.to_level,
                    reason=change.reason.name.lower(),
                )
        if self._trace is not None and now - self._counted_ns >= COUNTERS_EVERY_NS:
            self._counted_ns = now
            self._count(self._trace, scheduler.stats(), now)

    def changes(self, scheduler: FrameScheduler, now: int) -> list[LevelChange]:
        """Return the changes of level that nobody has asked for yet."""
        self.look(scheduler, now)
        found = list(self._changes)
        self._changes.clear()
        return found

    def pressed(self, pressure: Pressure, now: int) -> None:
        """The pressure of the machine was read."""
        before, self.pressure = self.pressure, pressure
        changed = before is None or before.severity != pressure.severity
        if changed and self._trace is not None:
            self._trace.instant("pressure", now, severity=pressure.severity, reason=pressure.reason)

    def interrupted(self, start_ns: int, elapsed_ns: int) -> None:
        """An interrupt was carried out."""
        self._interrupts.add(elapsed_ns / NS_PER_MS)
        if self._trace is not None:
            self._trace.instant("interrupt", start_ns, latency_ms=elapsed_ns / NS_PER_MS)

    def stats(self, counts: SchedulerStats, played_seconds: float, now: int) -> StreamStats:
        """Put the numbers together."""
        skew = skew_percentiles(counts.skew_histogram) or (None, None, None)
        interrupts = self._interrupts.percentiles(50, 95) or (None, None)
        held = {reason.name.lower(): n for reason, n in counts.held_by_reason.items() if n}
        shares = np.asarray(counts.time_at_level_ns, float)
        return StreamStats(
            ticks=counts.ticks,
            presented=counts.presented,
            held=counts.held,
            held_by_reason=held,
            produced=counts.produced,
            dropped=counts.dropped,
            queued=counts.queued,
            late=counts.late + sum(held.values()) - held.get("idle", 0),
            skipped=counts.skipped_frames,
            underruns=counts.underruns,
            interrupts=counts.interrupts,
            level=counts.level,
            level_share=tuple((shares / max(1.0, shares.sum())).tolist()),
            skew_ms_p50=skew[0],
            skew_ms_p95=skew[1],
            skew_ms_max=skew[2],
            first_frame_ms=self._first_frame[0],
            first_frame_from_enough_audio_ms=self._first_frame[1],
            interrupt_ms_p50=interrupts[0],
            interrupt_ms_p95=interrupts[1],
            stage_ms=self._stages.times(),
            played_seconds=played_seconds,
            open_seconds=(now - self._opened_ns) / NS_PER_S,
        )

    def snapshot(self, stats: StreamStats, counts: SchedulerStats) -> dict[str, Any]:
        """Return the numbers with their definitions beside them."""
        firsts = self.first_frames_ms.percentiles(50, 95) or (None, None)
        enough = self.first_frames_from_enough_ms.percentiles(50, 95) or (None, None)
        return {
            **asdict(stats),
            "first_frame_definition": FIRST_FRAME_DEFINITION,
            "first_frame_ms_p50": firsts[0],
            "first_frame_ms_p95": firsts[1],
            "first_frame_from_enough_audio_definition": FIRST_FRAME_FROM_ENOUGH_AUDIO_DEFINITION,
            "first_frame_from_enough_audio_ms_p50": enough[0],
            "first_frame_from_enough_audio_ms_p95": enough[1],
            "placement": {name: asdict(place) for name, place in self._placement.items()},
            "utterances": self.first_frames_ms.count,
            "pressure": self.pressure and {name: getattr(self.pressure, name) for name in PRESSURE},
            **{name: getattr(counts, name) for name in COUNTS},
            **{f"{name}_ms": getattr(counts, f"{name}_ns") / NS_PER_MS for name in SERVICES},
        }

    def _count(self, trace: Trace, counts: SchedulerStats, now: int) -> None:
        """Trace the counters; the skew is the median of what was shown since the last time."""
        trace.counter("queued", now, counts.queued)
        trace.counter("level", now, counts.level)
        skews = np.asarray(counts.skew_histogram)
        latest = skew_percentiles(skews if self._skews is None else skews - self._skews)
        self._skews = skews
        if latest is not None:
            trace.counter("skew_ms", now, latest[0])
