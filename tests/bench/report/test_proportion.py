"""A share of events has an interval even where there were none, and runs of them widen it."""

from __future__ import annotations

import numpy as np
import pytest

from rap_edge.benchmarks.report.correlation import effective_n
from rap_edge.benchmarks.report.statistics import proportion
from rap_edge.errors import ConfigError


def wilson(hits: int, n: int) -> tuple[float, float]:
    """Return the ends as the roots of (p - q)^2 = z^2 q (1 - q) / n, in percent."""
    p, z2 = hits / n, 1.96**2 / n
    low, high = sorted(np.roots([1 + z2, -(2 * p + z2), p * p]).real)
    return 100 * low, 100 * high


@pytest.mark.parametrize("hits", [1, 20, 250, 499])
def test_independent_hits_have_wilsons_interval(hits: int) -> None:
    samples = np.zeros(500)
    samples[np.linspace(0, 499, hits, dtype=int)] = 1
    found = proportion(samples)
    assert found.value == pytest.approx(hits / 5)
    assert (found.low, found.high) == pytest.approx(wilson(hits, 500))
    assert found.n == 500


@pytest.mark.parametrize("n", [1, 5, 40, 500])
def test_none_at_all_leaves_room_for_some(n: int) -> None:
    none, all_of_them = proportion(np.zeros(n)), proportion(np.ones(n))
    assert (none.value, none.low, all_of_them.value, all_of_them.high) == (0, 0, 100, 100)
    assert none.high is not None
    assert all_of_them.low is not None
    assert none.high >= min(300 / n, 100)
    assert none.high == pytest.approx(100 - all_of_them.low)


def test_runs_of_hits_are_worth_less_than_as_many_apart() -> None:
    apart, runs = np.zeros(1000), np.zeros(1000)
    apart[::25] = 1
    runs.reshape(4, 250)[:, :10] = 1
    assert apart.sum() == runs.sum()
    assert effective_n(apart) == 1000
    assert effective_n(runs) < 200
    assert (proportion(runs).width or 0) > 2 * (proportion(apart).width or 0)


@pytest.mark.parametrize("phi", [0.0, 0.5, 0.8])
def test_an_autoregression_is_worth_what_theory_says(phi: float) -> None:
    """A mean of n values with correlation phi^k is as certain as of n (1 - phi) / (1 + phi)."""
    rng = np.random.default_rng(0)
    series = rng.standard_normal(20_000)
    for place in range(1, len(series)):
        series[place] += phi * series[place - 1]
    assert effective_n(series) == pytest.approx(20_000 * (1 - phi) / (1 + phi), rel=0.15)


def test_what_is_no_share_is_refused() -> None:
    with pytest.raises(ConfigError, match="not all 0 or 1"):
        proportion([0.0, 0.5])
    with pytest.raises(ConfigError, match="there are no samples"):
        proportion([])
