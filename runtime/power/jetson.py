"""The energy of a Jetson: from its power sensors, or from tegrastats where they cannot be read."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from rap_edge.runtime.jetson.rails import Rail, described, find_rails, total_of
from rap_edge.runtime.jetson.tegrastats import parse_tegrastats
from rap_edge.runtime.power.meter import Meter, ReadingFailed, Unavailable
from rap_edge.runtime.power.sampled import sampled
from rap_edge.runtime.power.streamed import streamed, tells_power

PERIOD_S = 0.1
TEGRASTATS = "usr/bin/tegrastats"


def ina3221(root: Path) -> Meter | Unavailable:
    """Integrate the rail that feeds all others, or the sum of those that are not fed by another."""
    rails = {rail.name: rail for rail in find_rails(root)}
    names = total_of(rails)
    if not names:
        return Unavailable("INA3221: none (a Jetson has it)")
    read = _Sum([rails[name] for name in names])
    return Meter("INA3221", described(names), "measured", sampled(read, PERIOD_S))


class _Sum:
    """Reads rails together."""

    def __init__(self, rails: Sequence[Rail]) -> None:
        self._rails = rails

    def __call__(self) -> float:
        watts = {rail.name: rail.watts() for rail in self._rails}
        silent = [name for name, value in watts.items() if value is None]
        if silent:
            raise ReadingFailed(f"rail {silent[0]} cannot be read any more")
        return sum(value for value in watts.values() if value is not None)


def tegrastats(root: Path) -> Meter | Unavailable:
    """Integrate the same rails as tegrastats prints them."""
    program = root / TEGRASTATS
    if not os.access(program, os.X_OK):
        return Unavailable("tegrastats: none (a Jetson has it)")
    seen: dict[tuple[str, ...], None] = {}

    def watts_of(line: str) -> float | None:
        watts = total_watts(line)
        if watts is None:
            return None
        seen.setdefault(watts[0])
        return watts[1]

    begin = streamed([str(program), "--interval", str(int(PERIOD_S * 1000))], watts_of)
    why = tells_power(begin)
    if why is not None:
        return Unavailable(f"tegrastats: {why}")
    return Meter("tegrastats", described(next(iter(seen))), "measured", begin)


def total_watts(line: str) -> tuple[tuple[str, ...], float] | None:
    """Return the rails that add up to everything, and their power; None of a line without any."""
    parsed = parse_tegrastats(line)
    names = total_of(parsed.rails) if parsed else ()
    if parsed is None or not names:
        return None
    return names, sum(parsed.rails[name].now_mw for name in names) * 1e-3
