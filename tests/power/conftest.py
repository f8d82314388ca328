"""Machines as trees of files and small programs, and a clock that a test turns."""

from __future__ import annotations

import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from rap_edge.runtime.power import Meter, Unavailable, find_meter, sampled, streamed
from rap_edge.runtime.power import meter as meters

RAPL = "sys/class/powercap"
BATTERY = "sys/class/power_supply/BAT0"
RAIL = "sys/bus/i2c/drivers/ina3221/1-0040/hwmon/hwmon3"
WHOLE_RANGE_UJ = 262_143_328_850

Files = Mapping[str, object]


@dataclass(frozen=True)
class Tree:
    """What a meter finds below a root."""

    root: Path

    def write(self, *several: Files) -> Tree:
        """Write files over what is there."""
        for name, value in ((name, files[name]) for files in several for name in files):
            path = self.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"{value}\n")
        return self

    def program(self, name: str, script: str) -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)

    def meter(self) -> Meter:
        found = find_meter(self.root)
        assert isinstance(found, Meter), found
        return found

    def why_not(self) -> str:
        found = find_meter(self.root)
        assert isinstance(found, Unavailable)
        return found.why

    @staticmethod
    def zone(number: str, name: str, uj: int, range_uj: int | None = WHOLE_RANGE_UJ) -> Files:
        """One zone of RAPL, in microjoules."""
        folder = f"{RAPL}/intel-rapl:{number}"
        ranges = {} if range_uj is None else {f"{folder}/max_energy_range_uj": range_uj}
        return {f"{folder}/name": name, f"{folder}/energy_uj": uj, **ranges}

    @staticmethod
    def rail(name: str = "VDD_IN", mv: int = 5000, ma: int = 1000, channel: int = 1) -> Files:
        """One rail of a Jetson."""
        return {
            f"{RAIL}/in{channel}_label": name,
            f"{RAIL}/in{channel}_input": mv,
            f"{RAIL}/curr{channel}_input": ma,
        }

    @staticmethod
    def battery(**files: object) -> Files:
        """A battery, discharging if nothing else is said."""
        said = {"type": "Battery", "status": "Discharging", **files}
        return {f"{BATTERY}/{name}": value for name, value in said.items()}


class Clock:
    """Stands still until it is told to go on."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def monotonic(self) -> float:
        return self.now_s


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    return Tree(tmp_path)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    for module in (meters, sampled, streamed):
        monkeypatch.setattr(module, "time", clock)
    return clock
