"""Samples of a long conversation: what a chunk takes, the memory, the heat; first against last."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from time import monotonic_ns

import numpy as np

from rap_edge._core import LevelChange
from rap_edge.benchmarks.memory import peak_mb, resident_mb
from rap_edge.benchmarks.report.record import Value
from rap_edge.benchmarks.report.statistics import mean, median
from rap_edge.benchmarks.scenarios.watched import Outcome
from rap_edge.runtime import Stream
from rap_edge.runtime.pressure import read_pressure
from rap_edge.runtime.stats import StreamStats

MINUTE_S = 60.0
SETTLED = 0.1  # of the time, after which memory should not grow any more
AVERAGED = 5  # samples of it at either end
MOSTLY = 50.0  # percent of a minute at full level, for its chunks to stand for it
COMPARED = ("first_minute_chunk_ms", "last_minute_chunk_ms", "sustained")
CHUNK = "audio"  # the stage that runs once a chunk


@dataclass(frozen=True)
class Sample:
    """What happened since the sample before, and how things are now."""

    at_s: float  # since the stream opened
    seconds: float  # since the sample before
    chunk_ms: float  # mean of the chunks in between
    full_level_percent: float  # of the time in between
    fps: float  # new frames a second
    late_percent: float
    rss_mb: float | None
    temperature_c: float | None

    @property
    def is_full(self) -> bool:
        """Say whether all chunks were made at full level: others take less time for less work."""
        return self.full_level_percent == 100


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
            before, before_ns, changes = self._stream.stats(), monotonic_ns(), []
            while not self._is_over.wait(self._every_s):
                now, now_ns = self._stream.stats(), monotonic_ns()
                changes += self._stream.events()
                if _chunks(now) > _chunks(before):  # else the next sample has both spans in it
                    share = full_share(before.level, changes, before_ns, now_ns)
                    self.samples.append(_sample(before, now, share))
                    before, before_ns, changes = now, now_ns, []
        except Exception as error:  # for who calls `end`
            self._error = error

    def end(self) -> None:
        """Take no more; raises what ended it early."""
        self._is_over.set()
        self.join()
        if self._error is not None:
            raise self._error


def full_share(level: int, changes: Iterable[LevelChange], start_ns: int, end_ns: int) -> float:
    """Return the share of a span of time that a stream was at level 0; it began at ``level``."""
    full_ns, at_ns = 0, start_ns
    for change in changes:
        full_ns += (change.now_ns - at_ns) * (level == 0)
        level, at_ns = change.to_level, change.now_ns
    full_ns += (end_ns - at_ns) * (level == 0)
    return full_ns / (end_ns - start_ns)


def histories(samples: Sequence[Sample]) -> dict[str, tuple[float, ...]]:
    """Return the samples as series; what the machine does not tell has none.

    All have the length of `soak_at_s`, but for `soak_chunk_ms` and its own `soak_chunk_at_s`: a
    chunk at another level than the best is other work.
    """
    full = [sample for sample in samples if sample.is_full]
    series: dict[str, list[float | None]] = {
        "soak_at_s": [sample.at_s for sample in samples],
        "soak_chunk_at_s": [sample.at_s for sample in full],
        "soak_chunk_ms": [sample.chunk_ms for sample in full],
        "soak_full_level_percent": [sample.full_level_percent for sample in samples],
        "soak_late_percent": [sample.late_percent for sample in samples],
        "soak_rss_mb": [sample.rss_mb for sample in samples],
        "soak_temperature_c": [sample.temperature_c for sample in samples],
    }
    return {
        name: tuple(np.round(np.array(values, float), 3).tolist())
        for name, values in series.items()
        if values and None not in values
    }


def sustained(samples: Sequence[Sample]) -> Outcome:
    """Return the first minute against the last, memory and heat.

    Of less than two minutes it is the first half against the second.
    """
    if len(samples) < 2:
        return {}, dict.fromkeys(COMPARED, f"{len(samples)} samples, 2 are needed")
    start_s, end_s = samples[0].at_s - samples[0].seconds, samples[-1].at_s
    minute_s = min(MINUTE_S, (end_s - start_s) / 2)
    first = [one for one in samples if one.at_s <= start_s + minute_s] or [samples[0]]
    last = [one for one in samples if one.at_s - one.seconds >= end_s - minute_s] or [samples[-1]]
    values: dict[str, Value] = {}
    missing: dict[str, str] = {}
    _add_minute("first", first, values, missing)
    _add_minute("last", last, values, missing)
    if not missing:
        ratio = values["first_minute_chunk_ms"].value / values["last_minute_chunk_ms"].value
        values["sustained"] = Value(ratio, n=len(first) + len(last))
    else:
        missing["sustained"] = "; ".join(missing.values())
    _add_memory(samples, values, missing)
    _add_heat(samples, values, missing)
    return values, missing


def _add_minute(
    name: str, samples: Sequence[Sample], values: dict[str, Value], missing: dict[str, str]
) -> None:
    full_level = mean([sample.full_level_percent for sample in samples])
    values[f"{name}_minute_fps"] = mean([sample.fps for sample in samples])
    values[f"{name}_minute_full_level_percent"] = full_level
    chunks_ms = [sample.chunk_ms for sample in samples if sample.is_full]
    if chunks_ms and full_level.value >= MOSTLY:
        values[f"{name}_minute_chunk_ms"] = median(chunks_ms)
    else:
        missing[f"{name}_minute_chunk_ms"] = (
            f"the {name} minute was at full level for {full_level.value:.0f} % of its time: other "
            "chunks are other work"
        )


def _add_memory(
    samples: Sequence[Sample], values: dict[str, Value], missing: dict[str, str]
) -> None:
    now = [sample.rss_mb for sample in samples if sample.rss_mb is not None]
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
    heat = [sample.temperature_c for sample in samples if sample.temperature_c is not None]
    if heat:
        values["temperature_c"] = Value(max(heat), n=len(heat))
    else:
        missing["temperature_c"] = "this machine shows no thermal zone"


def _sample(before: StreamStats, now: StreamStats, full_share: float) -> Sample:
    seconds = now.open_seconds - before.open_seconds
    ticks = max(1, now.ticks - before.ticks)
    return Sample(
        at_s=now.open_seconds,
        seconds=seconds,
        chunk_ms=(_busy_ms(now) - _busy_ms(before)) / (_chunks(now) - _chunks(before)),
        full_level_percent=100 * full_share,
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
