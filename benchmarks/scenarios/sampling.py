"""Samples of a long conversation: what a chunk takes, the memory, the heat; first against last."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rap_edge.benchmarks.memory import peak_mb, resident_mb
from rap_edge.benchmarks.report.record import Value
from rap_edge.benchmarks.report.statistics import mean, median
from rap_edge.runtime import Stream
from rap_edge.runtime.pressure import read_pressure
from rap_edge.runtime.stats import StreamStats

MINUTE_S = 60.0
SETTLED = 0.1  # of the time, after which memory should not grow any more
AVERAGED = 5  # samples of it at either end
COMPARED = ("first_minute_chunk_ms", "last_minute_chunk_ms", "sustained")
CHUNK = "audio"  # the stage that runs once a chunk

Found = tuple[dict[str, Value], dict[str, str]]


@dataclass(frozen=True)
class Sample:
    """What happened since the sample before, and how things are now."""

    at_s: float  # since the stream opened
    seconds: float  # since the sample before
    chunk_ms: float  # mean of the chunks in between
    fps: float  # new frames a second
    late_percent: float
    rss_mb: float | None
    temperature_c: float | None


class Sampler(threading.Thread):
    """Looks at a stream every so often, in a thread of its own: some readings sleep."""

    def __init__(self, stream: Stream, every_s: float) -> None:
        super().__init__(name="bench sampler", daemon=True)
        self._stream, self._every_s = stream, every_s
        self._is_over = threading.Event()
        self._error: Exception | None = None
        self.samples: list[Sample] = []

    def run(self) -> None:
        try:
            before = self._stream.stats()
            while not self._is_over.wait(self._every_s):
                now = self._stream.stats()
                if _chunks(now) > _chunks(before):  # else the next sample has both spans in it
                    self.samples.append(_sample(before, now))
                    before = now
        except Exception as error:  # for who calls `end`
            self._error = error

    def end(self) -> None:
        """Take no more; raises what ended it early."""
        self._is_over.set()
        self.join()
        if self._error is not None:
            raise self._error


def histories(samples: Sequence[Sample]) -> dict[str, tuple[float, ...]]:
    """Return the samples as series of equal lengths; what the machine does not tell has none."""
    series = {
        "soak_at_s": [one.at_s for one in samples],
        "soak_chunk_ms": [one.chunk_ms for one in samples],
        "soak_late_percent": [one.late_percent for one in samples],
        "soak_rss_mb": [one.rss_mb for one in samples if one.rss_mb is not None],
        "soak_temperature_c": [
            one.temperature_c for one in samples if one.temperature_c is not None
        ],
    }
    return {
        name: tuple(np.round(values, 3).tolist())
        for name, values in series.items()
        if values and len(values) == len(samples)
    }


def sustained(samples: Sequence[Sample]) -> Found:
    """Return the first minute against the last, memory and heat.

    Of less than two minutes it is the first half against the second.
    """
    if len(samples) < 2:
        why = f"{len(samples)} samples, 2 are needed"
        return {}, dict.fromkeys(
            ("first_minute_chunk_ms", "last_minute_chunk_ms", "sustained"), why
        )
    start_s, end_s = samples[0].at_s - samples[0].seconds, samples[-1].at_s
    minute_s = min(MINUTE_S, (end_s - start_s) / 2)
    first = [one for one in samples if one.at_s <= start_s + minute_s] or [samples[0]]
    last = [one for one in samples if one.at_s - one.seconds >= end_s - minute_s] or [samples[-1]]
    values = {
        "first_minute_fps": mean([one.fps for one in first]),
        "last_minute_fps": mean([one.fps for one in last]),
        "first_minute_chunk_ms": median([one.chunk_ms for one in first]),
        "last_minute_chunk_ms": median([one.chunk_ms for one in last]),
    }
    ratio = values["first_minute_chunk_ms"].value / values["last_minute_chunk_ms"].value
    values["sustained"] = Value(ratio, n=len(first) + len(last))
    missing: dict[str, str] = {}
    _add_memory(samples, values, missing)
    _add_heat(samples, values, missing)
    return values, missing


def _add_memory(
    samples: Sequence[Sample], values: dict[str, Value], missing: dict[str, str]
) -> None:
    now = [one.rss_mb for one in samples if one.rss_mb is not None]
    peak = peak_mb()
    if peak is None:
        missing["rss_mb"] = "this system does not tell it to Python"
    else:
        values["rss_mb"] = Value(peak)
    if not now:
        missing["rss_growth_mb"] = "only the peak is told on this system"
        return
    settled = now[int(len(now) * SETTLED) :]
    growth = np.mean(settled[-AVERAGED:]) - np.mean(settled[:AVERAGED])
    values["rss_growth_mb"] = Value(float(growth), n=len(settled))


def _add_heat(samples: Sequence[Sample], values: dict[str, Value], missing: dict[str, str]) -> None:
    heat = [one.temperature_c for one in samples if one.temperature_c is not None]
    if heat:
        values["temperature_c"] = Value(max(heat), n=len(heat))
    else:
        missing["temperature_c"] = "this machine shows no thermal zone"


def _sample(before: StreamStats, now: StreamStats) -> Sample:
    seconds = now.open_seconds - before.open_seconds
    ticks = max(1, now.ticks - before.ticks)
    return Sample(
        at_s=now.open_seconds,
        seconds=seconds,
        chunk_ms=(_busy_ms(now) - _busy_ms(before)) / (_chunks(now) - _chunks(before)),
        fps=(now.presented - before.presented) / seconds,
        late_percent=100 * (now.late - before.late) / ticks,
        rss_mb=resident_mb(),
        temperature_c=read_pressure().temperature_c,
    )


def _chunks(stats: StreamStats) -> int:
    times = stats.stage_ms.get(CHUNK)
    return 0 if times is None else times.count


def _busy_ms(stats: StreamStats) -> float:
    return sum(times.total for times in stats.stage_ms.values())
