"""Which energy meter this machine has."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from rap_edge.runtime.power.battery import battery
from rap_edge.runtime.power.estimated import estimated
from rap_edge.runtime.power.jetson import ina3221, tegrastats
from rap_edge.runtime.power.meter import Meter, Unavailable
from rap_edge.runtime.power.powermetrics import powermetrics
from rap_edge.runtime.power.rapl import rapl

Finder = Callable[[Path], Meter | Unavailable]

METERS: tuple[Finder, ...] = (ina3221, tegrastats, rapl, powermetrics, battery)
"""In the order in which they are taken: from the finest to the coarsest."""

SYSTEM = Path("/")


def find_meter(root: Path = SYSTEM, watts_per_core: float | None = None) -> Meter | Unavailable:
    """Find the best meter under ``root``; an estimate only if its caller says what a core draws.

    Programs are looked for under ``root`` too, and those that are there are run. Without any
    meter, the reason names every one that was tried. Raises ConfigError for ``watts_per_core``
    that is not above 0.
    """
    guess = None if watts_per_core is None else estimated(watts_per_core)
    reasons: list[str] = []
    for find in METERS:
        found = find(root)
        if isinstance(found, Meter):
            return found
        reasons.append(found.why)
    return guess or Unavailable("; ".join(reasons))
