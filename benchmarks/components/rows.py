"""The results of a contest: what each contender takes, and ours beside each of the others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from rap_edge.benchmarks.components.contest import Times
from rap_edge.benchmarks.report.record import AGAINST, Result, Value
from rap_edge.benchmarks.report.statistics import median, paired_ratio
from rap_edge.errors import ParityError

Unit = Literal["us_per_call", "ms_per_call"]  # CPU time, or wall time


@dataclass(frozen=True)
class Rows:
    """The rows of one component; ``at`` is what was varied."""

    component: str
    unit: Unit
    times: Mapping[str, Times]

    def alone(
        self,
        name: str,
        more: Mapping[str, Value] | None = None,
        at: Mapping[str, float] | None = None,
    ) -> Result:
        """Return what a contender takes, and what ``more`` is known of it."""
        return self._row(name, {self.unit: self.cost(name), **(more or {})}, at)

    def beside(
        self,
        name: str,
        other: str,
        more: Mapping[str, Value] | None = None,
        at: Mapping[str, float] | None = None,
    ) -> Result:
        """Return what ours takes, and how many times faster than the other it is, pair by pair."""
        ratio = paired_ratio(self._seconds(other), self._seconds(name))
        values = {self.unit: self.cost(name), "ratio": ratio, **(more or {})}
        return self._row(name + AGAINST + other, values, at)

    def missing(
        self, names: Mapping[str, str], at: Mapping[str, float] | None = None
    ) -> list[Result]:
        """Return rows of contenders that are not here, with the reasons."""
        return [self._row(name, {}, at, {self.unit: why}) for name, why in names.items()]

    def cost(self, name: str) -> Value:
        scale = 1e6 if self.unit == "us_per_call" else 1e3
        return median(scale * self._seconds(name))

    def _seconds(self, name: str) -> NDArray[np.float64]:
        times = self.times[name]
        return times.cpu_s if self.unit == "us_per_call" else times.wall_s

    def _row(
        self,
        subject: str,
        values: Mapping[str, Value],
        at: Mapping[str, float] | None,
        missing: Mapping[str, str] | None = None,
    ) -> Result:
        scenario = f"component.{self.component}"
        return Result(scenario, subject, values, at or {}, missing=missing or {})


def agreed(
    component: str,
    name: str,
    other: str,
    ours: NDArray[Any],
    theirs: NDArray[Any],
    limit: float,
) -> Value:
    """Return the largest difference of two results over the largest value of the other.

    Raises ParityError if it is more than ``limit`` or the shapes differ: speeds of different
    things are not comparable.
    """
    one, two = ours, theirs
    if one.shape != two.shape or not one.size:
        raise ParityError(
            f"component {component}: {name} gives {one.shape} and {other} {two.shape}: expected "
            "the same; check the version of its package"
        )
    error = difference(one, two)
    if not error <= limit:
        raise ParityError(
            f"component {component}: {name} and {other} differ by {error:.3g} of the largest "
            f"value: expected {limit:g} at most; check the version of its package"
        )
    return Value(error)


def difference(ours: NDArray[Any], theirs: NDArray[Any]) -> float:
    """Return the largest difference of two arrays over the largest value of the second."""
    one, two = ours.astype(np.float64), theirs.astype(np.float64)
    return float(np.abs(one - two).max() / max(1e-30, float(np.abs(two).max())))
