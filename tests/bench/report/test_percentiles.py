"""A high percentile is told with an interval that holds the truth, or it is not told."""

from __future__ import annotations

from math import comb

import numpy as np
import pytest
from numpy.typing import NDArray

from rap_edge.benchmarks.report.order_statistics import ends_of, needed_for, worth_for
from rap_edge.benchmarks.report.statistics import percentiles

NORMAL = {90: 1.2815515655, 95: 1.6448536270, 99: 2.3263478740}  # quantiles


def below(k: int, n: int, share: float) -> float:
    """Return P(K <= k) of a binomial K."""
    return sum(comb(n, j) * share**j * (1 - share) ** (n - j) for j in range(k + 1))


@pytest.mark.parametrize("percent", [90, 95, 99])
def test_as_many_are_needed_as_put_one_above(percent: int) -> None:
    needed = needed_for(percent)
    assert (percent / 100) ** needed <= 0.025 < (percent / 100) ** (needed - 1)
    rising = np.arange(needed, dtype=float)
    assert ends_of(rising, percent, needed) is not None
    assert ends_of(rising, percent, needed - 1) is None


@pytest.mark.parametrize(("percent", "n"), [(90, 36), (90, 200), (95, 100), (99, 400), (99, 1000)])
def test_the_ends_are_the_samples_of_the_binomial_distribution(percent: int, n: int) -> None:
    found = ends_of(np.arange(1, n + 1, dtype=float), percent, n)
    assert found is not None
    low, high = map(int, found)  # ranks
    share = percent / 100
    assert below(low - 1, n, share) < 0.025 <= below(low, n, share)
    assert 1 - below(high - 1, n, share) <= 0.025 < 1 - below(high - 2, n, share)


@pytest.mark.parametrize(("percent", "n"), [(90, 100), (95, 100), (99, 500)])
@pytest.mark.parametrize("phi", [0.0, 0.5])
def test_intervals_that_are_told_hold_the_truth(percent: int, n: int, phi: float) -> None:
    rng = np.random.default_rng(7)
    truth = np.exp(NORMAL[percent])
    ends = [_ends(np.exp(series), percent) for series in _autoregressions(300, n, phi, rng)]
    told = [both for both in ends if both is not None]
    assert len(told) > 100
    assert np.mean([low <= truth <= high for low, high in told]) > 0.92


def test_samples_that_follow_each_other_are_told_apart_from_too_few() -> None:
    rng = np.random.default_rng(0)
    (series,) = _autoregressions(1, 400, 0.98, rng)
    values, missing = percentiles("chunk_ms", series)
    assert "chunk_ms_p99" not in values
    assert missing["chunk_ms_p99"].startswith("400 samples, worth ")
    assert missing["chunk_ms_p99"].endswith("independent ones, 368 are needed")


def test_percentiles_say_how_many_samples_they_want() -> None:
    values, missing = percentiles("chunk_ms", np.linspace(1, 2, 3))
    assert list(values) == ["chunk_ms_max"]
    assert [reason.removeprefix("3 samples, ") for reason in missing.values()] == [
        f"{needed} are needed" for needed in (4, 36, 72, 368)
    ]


def test_samples_without_any_change_have_their_percentiles() -> None:
    values, missing = percentiles("interval_ms", np.full(400, 40.0))
    assert not missing
    assert {(one.value, one.low or 40.0, one.high or 40.0) for one in values.values()} == {
        (40,) * 3
    }


def _ends(values: NDArray[np.float64], percent: int) -> tuple[float, float] | None:
    return ends_of(values, percent, worth_for(values, percent))


def _autoregressions(
    count: int, n: int, phi: float, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Return series (count, n) of normal numbers whose neighbours have correlation ``phi``."""
    series = rng.standard_normal((count, n))
    for place in range(1, n):
        series[:, place] = phi * series[:, place - 1] + (1 - phi**2) ** 0.5 * series[:, place]
    return series
