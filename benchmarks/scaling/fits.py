"""Curves through measured points, by least squares, with the 95 % interval of what is fitted.

Points that were measured in rounds, one after the other and again, are fitted round by round: the
value is the mean of the rounds' fits. What disturbs a round disturbs all of its points, so the fits
of rounds depend on each other far less than the times do. Points of a single pass are fitted once.
Either interval is the textbook's, by Student's t: from the spread of the rounds, or from the
residuals of the regression. A bootstrap of so few numbers would promise too much.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rap_edge.benchmarks.report.record import Value
from rap_edge.benchmarks.report.statistics import LEAST
from rap_edge.errors import ConfigError

Numbers = Sequence[float] | NDArray[np.float64]
Columns = NDArray[np.float64]

LEAST_POINTS = 2
STUDENT = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228)
"""97.5 % quantiles of Student's t for 1 to 10 degrees of freedom."""
BEYOND = (1.960, 2.372, 2.823)
"""For more: powers of 1 over them (Cornish and Fisher 1960)."""


@dataclass(frozen=True, eq=False)
class Curve:
    """What was fitted: an exponent, a slope, or a share."""

    value: Value
    points: NDArray[np.float64]  # (P,) mean of the rounds
    fitted: NDArray[np.float64]  # (P,) the curve there

    @property
    def misfit_percent(self) -> Value:
        """Return how far the farthest point is from the curve, of what the curve says.

        Raises ConfigError for 2 points, through which a curve goes whatever they are.
        """
        if len(self.points) <= LEAST_POINTS:
            raise ConfigError(f"{len(self.points)} points: expected 3 to be off a curve at all")
        off = np.abs(self.points / self.fitted - 1)
        return Value(100 * float(off.max()), n=len(off))


def power_law(x: Numbers, costs: Numbers) -> Curve:
    """Fit ``costs = c * x ** exponent`` in logarithms; the value is the exponent.

    x: (P,) above 0; costs: (P,) of a pass, or (R, P) of rounds, above 0. Raises ConfigError for
    fewer than 2 points, or one that is not above 0.
    """
    found = line(np.log(_positive(x)), np.log(_positive(costs)))
    return Curve(found.value, np.exp(found.points), np.exp(found.fitted))


def line(x: Numbers, y: Numbers) -> Curve:
    """Fit ``y = intercept + slope * x``; the value is the slope. x: (P,), y: (P,) or (R, P).

    Raises ConfigError for fewer than 2 points.
    """
    across, rows = _checked(x, y)
    columns = np.stack([across, np.ones_like(across)], 1)
    coefficients = least_squares(columns, rows)
    slopes = coefficients[0]
    value = of_rounds(slopes) if len(rows) > 1 else _regressed(across, rows[0], float(slopes[0]))
    return _curve(value, columns, coefficients, rows)


def amdahl(threads: Numbers, times: Numbers) -> Curve:
    """Fit ``time = serial + parallel / threads``; the value is serial over their sum.

    That is the share of the work of one thread that others do not shorten (Amdahl 1967); nothing
    holds it between 0 and 1. times: (R, P), of rounds. Raises ConfigError for fewer than 2 points.
    """
    across, rows = _checked(threads, times)
    columns = np.stack([np.ones_like(across), 1 / across], 1)
    coefficients = least_squares(columns, rows)
    serial, parallel = coefficients
    return _curve(of_rounds(serial / (serial + parallel)), columns, coefficients, rows)


def least_squares(columns: Columns, rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the coefficients (K, R) of columns (P, K) that are nearest to each of rows (R, P)."""
    return np.asarray(np.linalg.lstsq(columns, rows.T, rcond=None)[0], np.float64)


def of_rounds(fitted: NDArray[np.float64]) -> Value:
    """Return the mean of what was fitted to each round (R,), with its interval from 3 rounds on."""
    n, found = len(fitted), float(fitted.mean())
    if n < LEAST:
        return Value(found, n=n)
    reach = student(n - 1) * float(fitted.std(ddof=1)) / n**0.5
    return Value(found, found - reach, found + reach, n)


def student(freedom: int) -> float:
    """Return the 97.5 % quantile of Student's t for 1 degree of freedom or more."""
    if freedom <= len(STUDENT):
        return STUDENT[freedom - 1]
    return sum(term / float(freedom) ** power for power, term in enumerate(BEYOND))


def told(fits: Mapping[str, Callable[[], Value]]) -> tuple[dict[str, Value], dict[str, str]]:
    """Return the values by their names, and why those that are missing are missing."""
    values: dict[str, Value] = {}
    missing: dict[str, str] = {}
    for name, fit in fits.items():
        try:
            values[name] = fit()
        except ConfigError as error:
            missing[name] = str(error)
    return values, missing


def _curve(
    value: Value,
    columns: Columns,
    coefficients: NDArray[np.float64],
    rows: NDArray[np.float64],
) -> Curve:
    return Curve(value, rows.mean(axis=0), (columns @ coefficients).mean(axis=1))


def _regressed(x: NDArray[np.float64], y: NDArray[np.float64], slope: float) -> Value:
    """Return a slope with the interval that the residuals give it, from 3 points on."""
    n = len(y)
    if n < LEAST:
        return Value(slope, n=n)
    off = x - x.mean()
    residuals = y - y.mean() - slope * off
    reach = student(n - 2) * float(np.sqrt(residuals @ residuals / (n - 2) / (off @ off)))
    return Value(slope, slope - reach, slope + reach, n)


def _checked(x: Numbers, y: Numbers) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    across, rows = np.asarray(x, np.float64), np.atleast_2d(np.asarray(y, np.float64))
    if rows.shape[1] != len(across):
        raise ConfigError(f"{rows.shape[1]} values at {len(across)} points: expected one at each")
    if len(set(across.tolist())) < LEAST_POINTS:
        raise ConfigError(
            f"{len(across)} points: expected {LEAST_POINTS} at least to fit a curve; measure more"
        )
    if not np.isfinite(rows).all():
        raise ConfigError("a point is not known: expected all of them; measure where they are")
    return across, rows


def _positive(values: Numbers) -> NDArray[np.float64]:
    found = np.asarray(values, np.float64)
    if not (found > 0).all():
        raise ConfigError(
            f"a point is {found.min():g}: expected above 0; the clock is too coarse, measure longer"
        )
    return found
