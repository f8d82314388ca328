"""Times are kept in memory that does not grow, and told as percentiles."""

from __future__ import annotations

import gc
import tracemalloc

import numpy as np
import pytest

from rap_edge.errors import ConfigError
from rap_edge.runtime.stats import Recent, StageTimes, StageTimings, skew_percentiles


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


def test_skew_is_told_of_any_number_of_frames() -> None:
    rng = np.random.default_rng(0)
    late_ms = rng.normal(-5, 12, 5000).round().astype(int).clip(-200, 200)
    histogram = np.bincount(late_ms + 200, minlength=401)
    rank = {"method": "inverted_cdf"}
    expected = (
        np.percentile(-late_ms, 50, **rank),
        np.percentile(np.abs(late_ms), 95, **rank),
        np.abs(late_ms).max(),
    )
    assert skew_percentiles(histogram.tolist()) == expected
    assert skew_percentiles(histogram * 10**12) == expected  # of 6 million years
    assert skew_percentiles([0] * 401) is None


@pytest.mark.parametrize("late_ms", [-200, -7, 0, 7, 200])
def test_a_picture_that_is_early_has_a_skew_above_0(late_ms: int) -> None:
    histogram = [0] * 401
    histogram[200 + late_ms] = 3
    assert skew_percentiles(histogram) == (-late_ms, abs(late_ms), abs(late_ms))
