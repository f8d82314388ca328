"""Intervals of high percentiles: between two of the samples, by the binomial distribution."""

from __future__ import annotations

from math import ceil, floor, log, log1p

import numpy as np
from numpy.typing import NDArray

from rap_edge.benchmarks.report.correlation import effective_n

OUTSIDE = 0.025  # on each side


def needed_for(percent: float) -> int:
    """Return from how many independent samples on the largest is above a percentile, in 97.5 %.

    With fewer, nothing that was measured bounds it from above: 36 for p90, 72 for p95, 368 for p99.
    """
    return ceil(log(OUTSIDE) / log(percent / 100))


def worth_for(values: NDArray[np.float64], percent: float) -> int:
    """Return how many independent samples (n,) are worth where a percentile is concerned.

    What counts is how those beyond it follow each other.
    """
    return floor(effective_n((values > np.percentile(values, percent)).astype(np.float64)))


def ends_of(values: NDArray[np.float64], percent: float, worth: int) -> tuple[float, float] | None:
    """Return the interval of a percentile of samples (n,) that are worth ``worth``.

    Of that many independent samples, a number K is below the percentile, and K is binomial: the
    ends are the samples whose ranks are the 2.5 and 97.5 % quantiles of K, as shares of all. None
    if the upper one would be beyond the largest sample.
    """
    below = _cumulative(worth, percent / 100)
    low = int(np.searchsorted(below, OUTSIDE))
    high = int(np.searchsorted(below, 1 - OUTSIDE)) + 1
    if high > worth:
        return None
    ordered, share = np.sort(values), len(values) / worth
    first, last = floor(low * share), ceil(high * share)
    return float(ordered[max(first, 1) - 1]), float(ordered[min(last, len(values)) - 1])


def _cumulative(n: int, share: float) -> NDArray[np.float64]:
    """Return P(K <= k) for k in 0..n of a binomial K: products of neighbours' ratios."""
    k = np.arange(n)
    steps = np.log((n - k) / (k + 1)) + log(share) - log1p(-share)
    chances = np.exp(np.concatenate([[0.0], np.cumsum(steps)]) + n * log1p(-share))
    return np.cumsum(chances)
