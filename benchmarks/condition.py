"""How the machine was at one moment: what a number depends on and what changes by the minute."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from rap_edge.benchmarks.machine.clock import Frequency, read_frequency, read_governor
from rap_edge.benchmarks.machine.load import (
    Stalls,
    Ticks,
    read_firmware_limits,
    read_load,
    read_stalls,
    read_ticks,
)
from rap_edge.benchmarks.machine.memory import Room, read_room
from rap_edge.runtime.jetson import read_jetson
from rap_edge.runtime.power import power_source
from rap_edge.runtime.pressure import Severity, read_pressure
from rap_edge.runtime.pressure_sources import Zone

HERE = Path("/")


@dataclass(frozen=True)
class Condition:
    """One reading, before or after a measurement; None of what the machine does not tell.

    Counts grow since boot: two readings tell what is new between them.
    """

    load_1m: float | None = None  # tasks that wanted a core, on average of the last minute
    stalls: Stalls = field(default_factory=Stalls)
    frequency: Frequency | None = None
    frequency_cap: float | None = None  # what the kernel allows, of the highest; the lowest core's
    zones: tuple[Zone, ...] | None = None
    thermal_state: Severity | None = None  # macOS
    thermal_throttles: int | None = None  # count, of all cores
    quota_throttled: int | None = None  # count: periods in which the CPU quota was used up
    firmware_limits: int | None = None  # a Raspberry Pi's bits
    memory: Room = field(default_factory=Room)
    ticks: Ticks | None = None
    governor: str | None = None
    power_mode: str | None = None  # a Jetson's
    power_source: str | None = None  # AC or battery

    @classmethod
    def now(cls, root: Path = HERE) -> Condition:
        """Read everything under ``root``; a few ms, and 20 ms a core on some kernels."""
        pressure, jetson = read_pressure(root), read_jetson(root)
        return cls(
            load_1m=read_load(root),
            stalls=read_stalls(root),
            frequency=read_frequency(root),
            frequency_cap=pressure.frequency_cap,
            zones=pressure.zones,
            thermal_state=pressure.thermal_state,
            thermal_throttles=pressure.thermal_throttles,
            quota_throttled=pressure.quota_throttled,
            firmware_limits=read_firmware_limits(root),
            memory=read_room(root),
            ticks=read_ticks(root),
            governor=read_governor(root),
            power_mode=jetson.power_mode if jetson else None,
            power_source=power_source(root),
        )

    @property
    def temperature_c(self) -> float | None:
        """The hottest zone."""
        return max((zone.temperature_c for zone in self.zones or ()), default=None)

    def __str__(self) -> str:
        parts = [
            _told("load {:.1f}", self.load_1m),
            _told("{:.0f} MHz", self.frequency.mean_mhz if self.frequency else None),
            _told("{:.0f} C", self.temperature_c),
            _told("tasks wait for a CPU {:.0f} % of the time", self.stalls.cpu_percent),
            _told("{} MB of memory free", self.memory.available_mb),
        ]
        return ", ".join(part for part in parts if part) or "nothing is told of this machine"


def _told(text: str, value: float | None) -> str:
    return "" if value is None else text.format(value)
