"""How hot and how throttled the machine is, as far as it says so itself.

Linux: thermal zones against their trip points, caps of the CPU's frequency, throttle counts, the
CPU quota of the control group (v2) and pressure stall information. macOS: the thermal state of
`NSProcessInfo`. What cannot be read is None, never 0.

A reading is judged so (the worst counts):

| reading | fair | serious | critical |
|---|---|---|---|
| thermal zone | 10 K below its passive trip | at it | at its hot one, 5 K below critical |
| cores throttled by heat since the reading before | | any | |
| cap of the frequency, of the highest possible | 0.8 or less | 0.5 or less | |
| frequency below 0.6 of the highest while tasks wait 20 % of the time | | yes | |
| periods in which the quota was used up | 0.1 | 0.5 | |
| time in which tasks wait for a CPU | 60 % | | |
| macOS thermal state | fair | serious | critical |
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from rap_edge.runtime.pressure_sources import Zone, macos_thermal_state, read_sources

Severity = Literal["unavailable", "nominal", "fair", "serious", "critical"]

SEVERITIES: tuple[Severity, ...] = ("unavailable", "nominal", "fair", "serious", "critical")
LADDER_FLOORS = {"serious": 1, "critical": 2}

FAIR_BELOW_PASSIVE_C = 10.0
CRITICAL_MARGIN_C = 5.0
CAP_FAIR, CAP_SERIOUS = 0.8, 0.5
SLOW, WANTED_PERCENT = 0.6, 20.0
QUOTA_FAIR, QUOTA_SERIOUS = 0.1, 0.5
STALL_FAIR_PERCENT = 60.0


@dataclass(frozen=True)
class Pressure:
    """One reading. Counts grow since boot; what is `new` is since the reading before."""

    zones: tuple[Zone, ...] | None = None
    frequency: float | None = None  # of the fastest core now, of its highest; low when idle, too
    frequency_cap: float | None = None  # what the kernel allows, of the highest; the lowest core's
    thermal_throttles: int | None = None  # of all cores
    new_thermal_throttles: int | None = None
    quota_periods: int | None = None  # of the control group and those above it
    quota_throttled: int | None = None
    new_quota_share: float | None = None  # periods throttled of periods passed
    cpu_stall_percent: float | None = None  # of the last 10 s, some task waited for a CPU
    thermal_state: Severity | None = None  # macOS

    @property
    def temperature_c(self) -> float | None:
        """The hottest zone."""
        return max((zone.temperature_c for zone in self.zones or ()), default=None)

    @property
    def judgements(self) -> tuple[tuple[Severity, str], ...]:
        """Every reading that can be judged, worst first, with its reason in words."""
        found = [_judge_zone(zone) for zone in self.zones or ()]
        found += [
            self._judge_throttles(),
            self._judge_cap(),
            self._judge_speed(),
            self._judge_quota(),
            self._judge_stall(),
            self.thermal_state and (self.thermal_state, f"macOS says {self.thermal_state}"),
        ]
        judged = [judgement for judgement in found if judgement]
        return tuple(sorted(judged, key=lambda j: SEVERITIES.index(j[0]), reverse=True))

    @property
    def severity(self) -> Severity:
        """The worst judgement; "unavailable" if nothing can be judged here."""
        judgements = self.judgements
        return judgements[0][0] if judgements else "unavailable"

    @property
    def reason(self) -> str:
        """What the severity is due to, for logs; empty while it is nominal."""
        due = [reason for severity, reason in self.judgements if severity == self.severity]
        return "" if self.severity == "nominal" else "; ".join(due)

    def _judge_throttles(self) -> tuple[Severity, str] | None:
        new = self.new_thermal_throttles
        if new is None:
            return None
        return ("serious" if new > 0 else "nominal"), f"cores throttled {new} times by heat"

    def _judge_cap(self) -> tuple[Severity, str] | None:
        cap = self.frequency_cap
        if cap is None:
            return None
        return _above(-cap, -CAP_FAIR, -CAP_SERIOUS), f"frequency capped to {100 * cap:.0f} %"

    def _judge_speed(self) -> tuple[Severity, str] | None:
        if self.frequency is None or self.cpu_stall_percent is None:
            return None
        slow = self.frequency < SLOW and self.cpu_stall_percent >= WANTED_PERCENT
        return (
            "serious" if slow else "nominal"
        ), f"{100 * self.frequency:.0f} % of the frequency, busy"

    def _judge_quota(self) -> tuple[Severity, str] | None:
        share = self.new_quota_share
        if share is None:
            return None
        return _above(
            share, QUOTA_FAIR, QUOTA_SERIOUS
        ), f"CPU quota used up {100 * share:.0f} % of the time"

    def _judge_stall(self) -> tuple[Severity, str] | None:
        stall = self.cpu_stall_percent
        if stall is None:
            return None
        return _above(stall, STALL_FAIR_PERCENT), f"tasks wait for a CPU {stall:.0f} % of the time"


def read_pressure(root: Path = Path("/"), before: Pressure | None = None) -> Pressure:
    """Read what this machine says of itself; `before` is the last reading, for what is new.

    Takes well under 1 ms once the files are found, which the first call does; some kernels sleep
    20 ms while they measure a frequency, so call it from no thread that has a deadline.
    """
    if sys.platform == "darwin" and root == Path("/"):
        return Pressure(thermal_state=macos_thermal_state())
    sources, earlier = read_sources(root), before or Pressure()
    return Pressure(
        zones=sources.zones,
        frequency=sources.frequency,
        frequency_cap=sources.frequency_cap,
        thermal_throttles=sources.thermal_throttles,
        new_thermal_throttles=_grown(sources.thermal_throttles, earlier.thermal_throttles),
        quota_periods=sources.quota_periods,
        quota_throttled=sources.quota_throttled,
        new_quota_share=_share(
            _grown(sources.quota_throttled, earlier.quota_throttled),
            _grown(sources.quota_periods, earlier.quota_periods),
        ),
        cpu_stall_percent=sources.cpu_stall_percent,
    )


def ladder_floor(severity: Severity) -> int:
    """Return the best level that a stream should run at: 1 if serious, 2 if critical, else 0."""
    return LADDER_FLOORS.get(severity, 0)


def _judge_zone(zone: Zone) -> tuple[Severity, str] | None:
    if zone.passive_c is None and zone.hot_c is None and zone.critical_c is None:
        return None
    severity: Severity = "nominal"
    if zone.passive_c is not None:
        severity = _above(zone.temperature_c, zone.passive_c - FAIR_BELOW_PASSIVE_C, zone.passive_c)
    hot = zone.hot_c is not None and zone.temperature_c >= zone.hot_c
    if zone.critical_c is not None and zone.temperature_c >= zone.critical_c - CRITICAL_MARGIN_C:
        hot = True
    return ("critical" if hot else severity), f"{zone.name} at {zone.temperature_c:.0f} C"


def _above(value: float, fair: float, serious: float = float("inf")) -> Severity:
    return "serious" if value >= serious else "fair" if value >= fair else "nominal"


def _grown(now: int | None, before: int | None) -> int | None:
    return None if now is None or before is None else max(now - before, 0)


def _share(part: int | None, whole: int | None) -> float | None:
    return None if part is None or not whole else part / whole
