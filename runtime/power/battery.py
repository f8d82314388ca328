"""The energy of a whole laptop, from its battery while nothing else feeds it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rap_edge.runtime.power.meter import Meter, ReadingFailed, Unavailable
from rap_edge.runtime.power.sampled import sampled
from rap_edge.runtime.power.supplies import Supply, find_supplies
from rap_edge.runtime.sysfs import read_number

PERIOD_S = 1.0
LEAST_S = 60.0  # a battery tells something new every few seconds only


def battery(root: Path) -> Meter | Unavailable:
    """Integrate what the batteries give while they discharge."""
    batteries = [one for one in find_supplies(root) if one.kind == "Battery"]
    if not batteries:
        return Unavailable("battery: none")
    giving = [one for one in batteries if one.discharging]
    if not giving:
        return Unavailable("battery: it is not discharging: unplug the machine")
    if any(_watts(one.folder) is None for one in giving):
        return Unavailable("battery: it tells neither power_now nor current_now and voltage_now")
    read = _Discharge(root, giving)
    what = "whole laptop, from its battery (coarse)"
    return Meter("battery", what, "measured", sampled(read, PERIOD_S), LEAST_S)


class _Discharge:
    """Reads batteries together, as long as the same ones give."""

    def __init__(self, root: Path, giving: Sequence[Supply]) -> None:
        self._root, self._folders = root, [one.folder for one in giving]

    def __call__(self) -> float:
        now = [one.folder for one in find_supplies(self._root) if one.discharging]
        if now != self._folders:
            raise ReadingFailed("the battery did not discharge all the time")
        watts = [_watts(folder) for folder in self._folders]
        if None in watts:
            raise ReadingFailed("the battery does not tell its power any more")
        return sum(value for value in watts if value is not None)


def _watts(folder: Path) -> float | None:
    """Read microwatts, or microamperes and microvolts; some drivers give them a minus sign."""
    power = read_number(folder / "power_now")
    if power is not None:
        return abs(power) * 1e-6
    current, voltage = read_number(folder / "current_now"), read_number(folder / "voltage_now")
    return None if current is None or voltage is None else abs(current) * voltage * 1e-12
