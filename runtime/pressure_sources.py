"""The files in which Linux tells of heat and throttling, and macOS's thermal state.

Documented in the kernel's Documentation: driver-api/thermal/sysfs-api, admin-guide/pm/cpufreq,
accounting/psi and admin-guide/cgroup-v2; thermal_throttle is x86's only.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal

NS_FOUNDATION = "/System/Library/Frameworks/Foundation.framework/Foundation"
NS_STATES: tuple[Literal["nominal", "fair", "serious", "critical"], ...] = (
    "nominal",
    "fair",
    "serious",
    "critical",
)
READ_BYTES = 4096
LOWEST_C, HIGHEST_C = -40.0, 200.0  # beyond it a sensor or a trip point is not in use


@dataclass(frozen=True)
class Zone:
    """A thermal zone and, of each kind that it has, its lowest trip point, in Celsius."""

    name: str
    temperature_c: float
    passive_c: float | None = None  # from here on the kernel throttles
    hot_c: float | None = None
    critical_c: float | None = None  # here it shuts down


@dataclass(frozen=True)
class Sources:
    """The raw readings; None where there is no such file. `Pressure` says what each means."""

    zones: tuple[Zone, ...] | None
    frequency: float | None
    frequency_cap: float | None
    thermal_throttles: int | None
    quota_periods: int | None
    quota_throttled: int | None
    cpu_stall_percent: float | None


@dataclass(frozen=True)
class _Files:
    """Where to read, and what never changes, found once."""

    zones: tuple[tuple[str, Zone], ...]  # file of the temperature, zone with its trip points
    policies: tuple[tuple[str, str, float], ...]  # files of frequency and cap, highest in kHz
    throttles: tuple[str, ...]
    groups: tuple[str, ...]
    stall: str


def read_sources(root: Path) -> Sources:
    """Read everything under `root`; files are looked for in the first call for it."""
    files = _find(root)
    zones = [
        Zone(zone.name, temperature, zone.passive_c, zone.hot_c, zone.critical_c)
        for file, zone in files.zones
        if (temperature := _celsius(file)) is not None
    ]
    speeds = [(_number(now), _number(cap), top) for now, cap, top in files.policies]
    quota = [statistics for file in files.groups if (statistics := _statistics(file))]
    return Sources(
        zones=tuple(zones) or None,
        frequency=max((now / top for now, _, top in speeds if now), default=None),
        frequency_cap=min((cap / top for _, cap, top in speeds if cap), default=None),
        thermal_throttles=_total(_number(file) for file in files.throttles),
        quota_periods=_total(statistics.get("nr_periods") for statistics in quota),
        quota_throttled=_total(statistics.get("nr_throttled") for statistics in quota),
        cpu_stall_percent=_stall(files.stall),
    )


def macos_thermal_state() -> Literal["nominal", "fair", "serious", "critical"] | None:
    """Return `NSProcessInfo.thermalState`; None where it cannot be asked."""
    try:
        ctypes.CDLL(NS_FOUNDATION)
        objc = ctypes.CDLL("/usr/lib/libobjc.A.dylib")
    except OSError:
        return None
    objc.objc_getClass.restype = objc.sel_registerName.restype = ctypes.c_void_p
    objc.objc_getClass.argtypes = objc.sel_registerName.argtypes = [ctypes.c_char_p]
    send = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p)
    ask = ctypes.CFUNCTYPE(ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p)
    address = ctypes.cast(objc.objc_msgSend, ctypes.c_void_p).value or 0
    process = send(address)(
        objc.objc_getClass(b"NSProcessInfo"), objc.sel_registerName(b"processInfo")
    )
    state = ask(address)(process, objc.sel_registerName(b"thermalState"))
    return NS_STATES[state] if 0 <= state < len(NS_STATES) else None


@lru_cache(maxsize=8)
def _find(root: Path) -> _Files:
    cpus = root / "sys/devices/system/cpu"
    policies = []
    for policy in sorted((cpus / "cpufreq").glob("policy*")):
        top = _number(str(policy / "cpuinfo_max_freq"))
        if top:
            now, cap = policy / "scaling_cur_freq", policy / "scaling_max_freq"
            policies.append((str(now), str(cap), float(top)))
    return _Files(
        zones=tuple(_zone(path) for path in sorted(root.glob("sys/class/thermal/thermal_zone*"))),
        policies=tuple(policies),
        throttles=tuple(map(str, sorted(cpus.glob("cpu*/thermal_throttle/core_throttle_count")))),
        groups=_groups(root),
        stall=str(root / "proc/pressure/cpu"),
    )


def _zone(path: Path) -> tuple[str, Zone]:
    trips: dict[str, float] = {}
    for file in path.glob("trip_point_*_type"):
        kind = (_text(str(file)) or "").strip()
        trip_c = _celsius(str(file).removesuffix("type") + "temp")
        if trip_c is not None and trip_c > 0:  # 0: not in use
            trips[kind] = min(trip_c, trips.get(kind, trip_c))
    name = (_text(str(path / "type")) or path.name).strip()
    trip_points = (trips.get("passive"), trips.get("hot"), trips.get("critical"))
    return str(path / "temp"), Zone(name, 0.0, *trip_points)


def _groups(root: Path) -> tuple[str, ...]:
    """Name cpu.stat of this process's control group and of those above it, which limit it too."""
    lines = (_text(str(root / "proc/self/cgroup")) or "").splitlines()
    own = next((line[3:] for line in lines if line.startswith("0::")), None)
    if own is None:
        return ()
    top = root / "sys/fs/cgroup"
    group = top / own.strip("/")
    within = [group, *group.parents[: len(group.parts) - len(top.parts)]]
    return tuple(str(folder / "cpu.stat") for folder in within)


def _text(file: str) -> str | None:
    try:
        descriptor = os.open(file, os.O_RDONLY)
    except OSError:
        return None
    try:
        return os.read(descriptor, READ_BYTES).decode("ascii", "replace")
    except OSError:  # a sensor that is asleep
        return None
    finally:
        os.close(descriptor)


def _number(file: str) -> int | None:
    try:
        return int(_text(file) or "")
    except ValueError:
        return None


def _celsius(file: str) -> float | None:
    millidegrees = _number(file)
    if millidegrees is None or not LOWEST_C <= millidegrees / 1000 <= HIGHEST_C:
        return None
    return millidegrees / 1000


def _statistics(file: str) -> dict[str, int]:
    pairs = (line.split() for line in (_text(file) or "").splitlines())
    return {pair[0]: int(pair[1]) for pair in pairs if len(pair) == 2 and pair[1].isdigit()}


def _stall(file: str) -> float | None:
    some = next((line for line in (_text(file) or "").splitlines() if line.startswith("some ")), "")
    shares = dict(word.split("=", 1) for word in some.split()[1:] if "=" in word)
    try:
        return float(shares["avg10"])
    except (KeyError, ValueError):
        return None


def _total(counts: Iterable[int | None]) -> int | None:
    known = [count for count in counts if count is not None]
    return sum(known) if known else None
