"""What a stream measures of itself, beside what its scheduler counts."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np

from rap_edge._core import SchedulerStats
from rap_edge.runtime.frames import Frame
from rap_edge.runtime.stats import (
    FIRST_FRAME_DEFINITION,
    FIRST_FRAME_FROM_ENOUGH_AUDIO_DEFINITION,
    NS_PER_MS,
    Recent,
    StageTimings,
    StreamStats,
)
from rap_edge.runtime.trace import Trace

STAGES = ("audio", "denoise", "decode")
NS_PER_S = 1e9


class Measures:
    """Times of stages, of first frames and of interrupts; and the trace, if one is kept."""

    def __init__(self, opened_ns: int, enough_seconds: float, trace: Trace | None) -> None:
        """``enough_seconds`` of an utterance are what its first chunk hears."""
        self._opened_ns, self._enough_seconds, self._trace = opened_ns, enough_seconds, trace
        self._stages = StageTimings(STAGES)
        self._interrupts = Recent()
        self._utterance = 0  # whose first frame has not left yet
        self._pushed_ns = 0
        self._enough_ns: int | None = None
        self.first_frames_ms, self.first_frames_from_enough_ms = Recent(), Recent()
        self._first_frame: tuple[float | None, float | None] = (None, None)

    def add(self, stage: str, start_ns: int, end_ns: int) -> None:
        """A stage ran."""
        self._stages.add(stage, end_ns - start_ns)
        if self._trace is not None:
            self._trace.complete(stage, start_ns, end_ns)

    def pushed(self, utterance: int, seconds: float, ended: bool, now: int) -> None:
        """``seconds`` of an utterance have come since it began."""
        if utterance > self._utterance:
            self._utterance, self._pushed_ns, self._enough_ns = utterance, now, None
        if self._enough_ns is None and (ended or seconds >= self._enough_seconds):
            self._enough_ns = now

    def left(self, frame: Frame, now: int) -> None:
        """A frame was pulled."""
        if self._trace is not None and frame.late:
            self._trace.instant("late frame", now, frame=frame.index)
        if not frame.utterance or frame.utterance != self._utterance or not self._pushed_ns:
            return
        first = (now - self._pushed_ns) / NS_PER_MS
        from_enough = None if self._enough_ns is None else (now - self._enough_ns) / NS_PER_MS
        self._first_frame, self._pushed_ns = (first, from_enough), 0
        self.first_frames_ms.add(first)
        if from_enough is not None:
            self.first_frames_from_enough_ms.add(from_enough)

    def interrupted(self, start_ns: int, elapsed_ns: int) -> None:
        """An interrupt was carried out."""
        self._interrupts.add(elapsed_ns / NS_PER_MS)
        if self._trace is not None:
            self._trace.instant("interrupt", start_ns, latency_ms=elapsed_ns / NS_PER_MS)

    def stats(self, counts: SchedulerStats, played_seconds: float, now: int) -> StreamStats:
        """Put the numbers together."""
        skew = _skews(counts)
        interrupts = self._interrupts.percentiles(50, 95) or (None, None)
        held = {reason.name.lower(): n for reason, n in counts.held_by_reason.items() if n}
        shares = np.asarray(counts.time_at_level_ns, float)
        if self._trace is not None:
            self._trace.counter("queued", now, counts.queued)
            self._trace.counter("level", now, counts.level)
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

    def snapshot(self, stats: StreamStats) -> dict[str, Any]:
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
            "utterances": self.first_frames_ms.count,
        }


def _skews(counts: SchedulerStats) -> tuple[float, float, float] | tuple[None, None, None]:
    """Return the median of the skew in ms, and p95 and the largest of its magnitude."""
    histogram = np.asarray(counts.skew_histogram)
    if not histogram.any():
        return None, None, None
    values = (len(histogram) - 1) / 2 - np.arange(len(histogram))  # it counts ms of lateness
    skews = np.repeat(values, histogram)
    sizes = np.abs(skews)
    p50, p95 = np.median(skews), np.percentile(sizes, 95)
    return float(p50), float(p95), float(sizes.max())
