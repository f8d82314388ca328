"""Times are kept in memory that does not grow, and told as percentiles."""

from __future__ import annotations

import gc
import tracemalloc

import numpy as np
import pytest

from rap_edge.errors import ConfigError
from rap_edge.runtime.stats import Recent, StageTimes, StageTimings


def test_percentiles_are_of_the_last_values_and_totals_of_all() -> None:
    recent = Recent(capacity=100)
    for value in range(1000):
        recent.add(float(value))
    assert recent.percentiles(0, 50, 100) == (900.0, 949.5, 999.0)
    assert (recent.count, recent.total, recent.max) == (1000, 499500.0, 999.0)


def test_percentiles_are_those_of_numpy() -> None:
    values = np.random.default_rng(0).normal(size=777)
    recent = Recent()
    for value in values:
        recent.add(value)
    percents = (0, 12.5, 50, 95, 99, 100)
    assert recent.percentiles(*percents) == pytest.approx(np.percentile(values, percents))


def test_a_ring_that_is_not_full_counts_only_what_was_added() -> None:
    recent = Recent(capacity=100)
    assert recent.percentiles(50) is None
    recent.add(-3.0)
    assert recent.percentiles(50, 95) == (-3.0, -3.0)
    assert recent.max == -3.0


def test_stages_are_told_in_milliseconds() -> None:
    timings = StageTimings(("audio", "decoder", "denoiser"))
    for ms in range(1, 101):
        timings.add("audio", ms * 1_000_000)
    timings.add("decoder", 2_500_000)
    times = timings.times()
    assert list(times) == ["audio", "decoder"]
    assert times["decoder"] == StageTimes(1, 2.5, 2.5, 2.5, 2.5, 2.5)
    expected = np.percentile(np.arange(1, 101), (50, 95, 99))
    found = times["audio"]
    assert (found.p50, found.p95, found.p99) == pytest.approx(expected)
    assert (found.count, found.max, found.total) == (100, 100.0, 5050.0)


def test_adding_allocates_nothing_that_stays() -> None:
    timings = StageTimings(("audio",), capacity=64)
    for _ in range(100):
        timings.add("audio", 1_234_567)
    gc.collect()
    tracemalloc.start()
    for _ in range(10_000):
        timings.add("audio", 1_234_567)
    grown, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert grown < 512
    assert peak < 1024


def test_an_unknown_stage_and_no_capacity_are_refused() -> None:
    with pytest.raises(ConfigError, match="'vocoder': expected one of audio, decoder"):
        StageTimings(("audio", "decoder")).add("vocoder", 1)
    with pytest.raises(ConfigError, match="capacity is 0"):
        Recent(0)
