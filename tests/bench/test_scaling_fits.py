"""Fits find what is known, promise neither too much nor too little, and say what they cannot."""

from __future__ import annotations

import numpy as np
import pytest

from rap_edge.benchmarks.report.record import Value
from rap_edge.benchmarks.scaling.fits import amdahl, line, of_rounds, power_law, student, told

X = np.array([1.0, 2.0, 4.0, 8.0])
SEEDS = 1000
COVERED = range(929, 972)  # 950, give or take 3 standard deviations of a count of 1000


def holds(value: Value, truth: float) -> bool:
    assert value.low is not None
    assert value.high is not None
    return value.low <= truth <= value.high


def noise(seed: int, *shape: int) -> np.ndarray:
    return np.exp(np.random.default_rng(seed).normal(0, 0.05, shape))


@pytest.mark.parametrize("exponent", [-1.0, 0.0, 0.7, 2.0])
def test_an_exponent_is_found_without_noise_and_nothing_is_off(exponent: float) -> None:
    found = power_law(X, np.tile(3 * X**exponent, (5, 1)))
    assert found.value.value == pytest.approx(exponent, abs=1e-9)
    assert found.misfit_percent.value == pytest.approx(0, abs=1e-6)
    assert found.fitted == pytest.approx(3 * X**exponent)


def test_intervals_hold_the_truth_95_times_of_100() -> None:
    lengths = np.array([10.0, 30.0, 60.0, 180.0, 600.0])
    held = np.zeros(4, int)
    for seed in range(SEEDS):
        rounds = noise(seed, 12, len(X))
        one = noise(seed, len(lengths))
        held += (
            holds(power_law(X, 3 * X**0.7 * rounds).value, 0.7),
            holds(amdahl(X, 20 * (0.2 + 0.8 / X) * rounds).value, 0.2),
            holds(power_law(lengths, 3 * lengths**0.1 * one).value, 0.1),
            holds(line(X, 5 + 2 * X + np.log(noise(seed, 4))).value, 2.0),
        )
    assert all(count in COVERED for count in held), held.tolist()


def test_what_is_no_power_law_is_off_it() -> None:
    assert power_law(X, 10 + X**2).misfit_percent.value > 10


def test_amdahl_is_exact_at_its_ends() -> None:
    assert amdahl(X, [5 / X] * 3).value.value == pytest.approx(0, abs=1e-9)
    assert amdahl(X, [5 + 0 * X] * 3).value.value == pytest.approx(1)


def test_quantiles_fall_to_those_of_the_normal_distribution() -> None:
    quantiles = [student(n) for n in range(1, 200)]
    assert quantiles == sorted(quantiles, reverse=True)
    assert student(20) == pytest.approx(2.086, abs=1e-3)
    assert student(10**6) == pytest.approx(1.96, abs=1e-3)


def test_few_rounds_have_no_interval() -> None:
    assert of_rounds(np.array([1.0, 3.0])) == Value(2.0, n=2)


def test_what_cannot_be_fitted_is_told_with_its_reason() -> None:
    values, missing = told(
        {
            "exponent": lambda: power_law([1.0], [2.0]).value,
            "cpu_exponent": lambda: power_law(X, [1.0, 0.0, 1.0, 1.0]).value,
            "misfit_percent": lambda: power_law([1, 2], [3, 4]).misfit_percent,
            "rss_mb_per_hour": lambda: line(X, [np.nan, 1, 1, 1]).value,
            "serial_share": lambda: amdahl(X, [[1.0, 2.0]]).value,
            "slope": lambda: line(X, X).value,
        }
    )
    assert list(values) == ["slope"]
    assert missing["exponent"].startswith("1 points: expected 2")
    assert "too coarse" in missing["cpu_exponent"]
    assert "2 points" in missing["misfit_percent"]
    assert "not known" in missing["rss_mb_per_hour"]
    assert "2 values at 4 points" in missing["serial_share"]
