"""Numbers as people read them: no more digits than the interval leaves."""

from __future__ import annotations

import math

from rap_edge.benchmarks.report.record import Value

LEGEND = (
    "± is the farther end of the 95 % interval, (a to b) both ends of one near 0; n: samples "
    "behind a row's intervals, without those of quality; ~: an estimate."
)
MOST_DECIMALS = 6


def shown(value: Value) -> str:
    """Return a value with its interval, as in 4.83 ± 0.05; alone if it has none.

    Where ± would reach below 0 and the interval does not, both ends are told: 2 (0.4 to 9).
    """
    mark = "~" if value.source == "estimated" else ""
    if value.low is None or value.high is None:
        return mark + plain(value.value)
    reach = max(value.high - value.value, value.value - value.low)
    if not (0 < reach < math.inf):
        return f"{mark}{plain(value.value)} ± 0"
    first = math.floor(math.log10(reach))
    digits = 2 if reach < 2 * 10.0**first else 1
    decimals = min(max(digits - 1 - first, 0), MOST_DECIMALS)
    if value.low >= 0 > value.value - reach:
        ends = f"{_two_digits(value.low)} to {_two_digits(value.high)}"
        return f"{mark}{_two_digits(value.value)} ({ends})"
    return f"{mark}{value.value:.{decimals}f} ± {reach:.{decimals}f}"


def plain(number: float) -> str:
    """Return a number with four digits, and with all those before the point."""
    return f"{number:.0f}" if 1000 <= abs(number) < 1e15 else f"{number:.4g}"


def _two_digits(number: float) -> str:
    return f"{number:.0f}" if abs(number) >= 10 else f"{number:.2g}"
