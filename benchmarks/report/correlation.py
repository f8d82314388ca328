"""How many independent samples a series of neighbours is worth."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FEWEST = 8  # samples; below, nothing can be said of neighbours


def effective_n(series: NDArray[np.float64]) -> float:
    """Return the number of independent samples whose mean is as certain as that of (n,).

    n over the integrated autocorrelation, which is summed in pairs of lags until a pair is no
    longer above 0 (Geyer 1992, Practical Markov chain Monte Carlo). Neighbours that balance each
    other are not taken for more than they are: at most n. A series without any change is worth n,
    since it tells nothing of how changes would follow each other.
    """
    n = len(series)
    deviations = series - series.mean()
    power = float(deviations @ deviations)
    if n < FEWEST or power == 0.0:
        return float(n)
    spectrum = np.abs(np.fft.rfft(deviations, 2 * n)) ** 2
    correlation = np.fft.irfft(spectrum)[: n // 2] / power
    pairs = correlation[: len(correlation) // 2 * 2].reshape(-1, 2).sum(axis=1)
    ends = np.flatnonzero(pairs <= 0)
    positive = pairs[: ends[0]] if len(ends) else pairs
    return n / max(1.0, 2.0 * float(positive.sum()) - 1.0)
