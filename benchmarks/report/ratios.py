"""One value over another, and whether it is better."""

from __future__ import annotations

from math import exp, hypot, log
from typing import Literal

from rap_edge.benchmarks.report.quantities import quantity_of
from rap_edge.benchmarks.report.record import Value
from rap_edge.benchmarks.report.statistics import agree

Verdict = Literal["same", "better", "worse", "differs", "unknown"]


def ratio_of(b: Value, a: Value) -> Value | None:
    """Return b over a with its interval; None unless both are above 0.

    Errors are propagated in logarithms, where a ratio is a difference: the distances of values
    to the ends of their intervals, as logarithms, are added as independent errors are, the root of
    the sum of squares; upwards that of b's upper and a's lower end. Without both intervals, or with
    one that reaches 0, the ratio has none.
    """
    if a.value <= 0 or b.value <= 0:
        return None
    ratio, n = b.value / a.value, min(a.n, b.n)
    ends = (a.low, a.high, b.low, b.high)
    if any(end is None or end <= 0 for end in ends):
        return Value(ratio, n=n)
    a_low, a_high, b_low, b_high = (log(end) for end in ends if end is not None)
    a_log, b_log = log(a.value), log(b.value)
    down, up = hypot(b_log - b_low, a_high - a_log), hypot(b_high - b_log, a_log - a_low)
    return Value(ratio, ratio * exp(-down), ratio * exp(up), n)


def verdict_of(name: str, a: Value, b: Value) -> Verdict:
    """Say whether b is better than a, by the direction of the quantity."""
    if a.value == b.value or agree(a, b):
        return "same"
    if agree(a, b) is None:
        return "unknown"
    try:
        better = quantity_of(name).better
    except KeyError:
        better = "neither"
    if better == "neither":
        return "differs"
    return "better" if (b.value > a.value) == (better == "higher") else "worse"
