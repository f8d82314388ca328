"""Numbers with their 95 % intervals, from samples that are not independent of each other.

What disturbs a machine disturbs many samples in a row, so that resampling single ones would
promise too much. For medians and means, blocks of neighbours are drawn (moving block bootstrap,
Kuensch 1989), of the cube root of the number of samples, and single samples below 24, of which
blocks are too few. The draws are seeded: the same samples give the same interval. Of medians of
simulated samples the intervals held the truth in 90 to 95 % if they were independent, and, with a
correlation of 0.5 between neighbours, in 80 % of those of 24 and 90 % of those of 70 and more.
High percentiles and shares of events, of which a bootstrap promises too much, have intervals of
counts, of as many samples as those that follow each other are worth (`correlation`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from rap_edge.benchmarks.report.correlation import effective_n
from rap_edge.benchmarks.report.order_statistics import ends_of, needed_for, worth_for
from rap_edge.benchmarks.report.record import Value
from rap_edge.errors import ConfigError

Samples = Sequence[float] | NDArray[np.float64]
Statistic = Callable[[NDArray[np.float64]], NDArray[np.float64]]

DRAWS = 1000
DRAWN_AT_MOST = 4_000_000  # numbers in memory at once
LEAST = 3
LEAST_FOR_BLOCKS = 24
LEAST_FOR_MEDIAN = 4
ARE_NEEDED = "are needed"  # how the reason ends where more samples would help
INTERVAL = (2.5, 97.5)
THREE = 3.0  # hits that may be expected at most where none was seen, in 95 % of the time
WITHIN = 1.96  # standard deviations that hold 95 % of a normal quantity
HIGH_PERCENTS = (90, 95, 99)


def interval_of(samples: Samples, statistic: Statistic) -> Value:
    """Return a statistic of samples (n,) with its interval, from 3 samples on.

    ``statistic`` maps (draws, n) to (draws,).
    """
    values = np.asarray(samples, np.float64)
    n = len(values)
    if n == 0:
        raise ConfigError("there are no samples: expected one at least; measure for longer")
    found = float(statistic(values[None])[0])
    if n < LEAST:
        return Value(found, n=n)
    low, high = np.percentile(_drawn(values, statistic), INTERVAL)
    return Value(found, float(low), float(high), n)


def median(samples: Samples) -> Value:
    return interval_of(samples, lambda drawn: np.median(drawn, axis=-1))


def mean(samples: Samples) -> Value:
    return interval_of(samples, lambda drawn: drawn.mean(axis=-1))


def spread(samples: Samples) -> Value:
    """Return the standard deviation."""
    return interval_of(samples, lambda drawn: drawn.std(axis=-1))


def paired_ratio(numerator: Samples, denominator: Samples) -> Value:
    """Return the median of ratios of samples that were taken next to each other, pair by pair."""
    above, below = np.asarray(numerator, np.float64), np.asarray(denominator, np.float64)
    if above.shape != below.shape:
        raise ConfigError(f"{len(above)} and {len(below)} samples: expected pairs")
    return median(above / below)


def proportion(hits: Samples) -> Value:
    """Return the share of samples (n,) of 0 or 1 that are 1, in percent: Wilson's interval.

    Hits that come in runs are worth fewer samples (`effective_n`). None at all of n leaves up to
    384 / (n + 4) %, and the rule of three, 300 / n %, at least. How long runs are of which there
    was none, or one, nothing tells: of simulated samples, the interval held the truth in 95 % if
    hits were independent, and, in runs of 4, in 94 % with 40 runs, 89 % with 6, 67 % with one.
    """
    values = np.asarray(hits, np.float64)
    n = len(values)
    if n == 0:
        raise ConfigError("there are no samples: expected one at least; measure for longer")
    if not np.isin(values, (0.0, 1.0)).all():
        raise ConfigError("samples of a share are not all 0 or 1: expected 1 for a hit, else 0")
    share, worth = float(values.mean()), effective_n(values)
    square = WITHIN**2 / worth
    middle = (share + square / 2) / (1 + square)
    reach = (square * (share * (1 - share) + square / 4)) ** 0.5 / (1 + square)
    low, high = max(0.0, min(share, middle - reach)), min(1.0, max(share, middle + reach))
    if share in (0.0, 1.0):
        low = min(low, max(0.0, share - THREE / worth))
        high = max(high, min(1.0, share + THREE / worth))
    return Value(100 * share, 100 * low, 100 * high, n)


def percentiles(name: str, samples: Samples) -> tuple[dict[str, Value], dict[str, str]]:
    """Return NAME_p50, p90, p95, p99 and max, and why those that are missing are missing.

    The intervals of those above p50 lie between samples, and are told as soon as one lies above
    them: p90 from 36 independent samples on, p95 from 72, p99 from 368 (`order_statistics`). Of
    simulated lognormal samples they held the truth in 96 to 99 %; with a correlation of 0.5 between
    neighbours in 94 to 98 %, and in 85 to 92 % of those few that are told of less than 1.2 times
    as many samples as are needed.
    """
    values = np.asarray(samples, np.float64)
    found: dict[str, Value] = {}
    missing: dict[str, str] = {}
    if len(values) >= LEAST_FOR_MEDIAN:
        found[f"{name}_p50"] = median(values)
    else:
        missing[f"{name}_p50"] = f"{len(values)} samples, {LEAST_FOR_MEDIAN} {ARE_NEEDED}"
    for percent in HIGH_PERCENTS:
        value, reason = _high_percentile(values, percent)
        if value is None:
            missing[f"{name}_p{percent}"] = reason
        else:
            found[f"{name}_p{percent}"] = value
    if len(values):
        found[f"{name}_max"] = Value(float(values.max()), n=len(values))
    return found, missing


def _high_percentile(values: NDArray[np.float64], percent: int) -> tuple[Value | None, str]:
    """Return a percentile, or why there is none."""
    n, needed = len(values), needed_for(percent)
    if n < needed:
        return None, f"{n} samples, {needed} {ARE_NEEDED}"
    worth = worth_for(values, percent)
    ends = ends_of(values, percent, worth)
    if ends is None:
        reason = f"{n} samples, worth {worth} independent ones, {needed} {ARE_NEEDED}"
        return None, reason
    return Value(float(np.percentile(values, percent)), *ends, n), ""


def agree(one: Value, other: Value) -> bool | None:
    """Say whether the intervals of two values overlap; None if one has none."""
    if one.low is None or one.high is None or other.low is None or other.high is None:
        return None
    return one.low <= other.high and other.low <= one.high


def _drawn(values: NDArray[np.float64], statistic: Statistic) -> NDArray[np.float64]:
    """Return the statistic of DRAWS resamples in blocks, (DRAWS,)."""
    n = len(values)
    block = round(n ** (1 / 3)) if n >= LEAST_FOR_BLOCKS else 1
    n_blocks = -(-n // block)
    rng = np.random.default_rng(0)
    at_once = max(1, DRAWN_AT_MOST // n)
    found = []
    for start in range(0, DRAWS, at_once):
        draws = min(at_once, DRAWS - start)
        first = rng.integers(0, n - block + 1, (draws, n_blocks, 1))
        places = (first + np.arange(block)).reshape(draws, -1)[:, :n]
        found.append(statistic(values[places]))
    return np.concatenate(found)


def merged(
    *parts: tuple[Mapping[str, Value], Mapping[str, str]],
) -> tuple[dict[str, Value], dict[str, str]]:
    """Put values and what is missing of several quantities together."""
    values: dict[str, Value] = {}
    missing: dict[str, str] = {}
    for found, lacking in parts:
        values.update(found)
        missing.update(lacking)
    return values, missing
