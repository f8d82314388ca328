"""RAPL: what Intel's and AMD's processors count of their own energy.

Linux, Documentation/power/powercap: zones ``intel-rapl:N`` (package, psys) with subzones
``intel-rapl:N:M`` (core, uncore, dram). A package contains its cores and not its DRAM; psys is
the whole board where there is one, packages included, and is left out.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rap_edge.runtime.power.meter import Begin, End, Meter, ReadingFailed, Unavailable
from rap_edge.runtime.sysfs import read_number, read_text

ZONES = "sys/class/powercap/intel-rapl:*"
PERIOD_S = 10.0  # a counter of 65 kJ goes round in 3 minutes at 350 W
ALLOW = "sudo chmod a+r /sys/class/powercap/intel-rapl:*/energy_uj"


@dataclass(frozen=True)
class Zone:
    """One counter."""

    name: str  # package-0, dram
    file: Path
    range_uj: int | None  # where it begins again at 0


def rapl(root: Path) -> Meter | Unavailable:
    """Sum all packages and their DRAM."""
    zones = find_zones(root)
    if not zones:
        return Unavailable("RAPL: none (nor has any virtual machine)")
    silent = [zone for zone in zones if read_number(zone.file) is None]
    if silent:
        return Unavailable(
            f"RAPL: {silent[0].file} cannot be read: since Linux 5.10 only root may; "
            f"allow it until the next start with `{ALLOW}`"
        )
    return Meter("RAPL", _what(zones), "measured", counted(zones), only_cpu=True)


def find_zones(root: Path) -> tuple[Zone, ...]:
    """Find the zones that add up: packages, and DRAM, which they do not contain."""
    zones: list[Zone] = []
    for folder in sorted(root.glob(ZONES)):
        name = read_text(folder / "name") or ""
        if name.startswith("package") or name == "dram":
            file = folder / "energy_uj"
            zones.append(Zone(name, file, read_number(folder / "max_energy_range_uj")))
    return tuple(zones)


def grown_uj(before: int, after: int, range_uj: int | None) -> int:
    """Return by how much a counter grew if it went round once at most."""
    if after >= before:
        return after - before
    if not range_uj or before > range_uj:
        raise ReadingFailed("a RAPL counter went back, and does not tell where it begins again")
    return after + range_uj - before


def counted(zones: Sequence[Zone]) -> Begin:
    """Count from begin to end; in between often enough that none goes round twice unseen."""

    def begin() -> End:
        count = _Count(zones)
        return count.end

    return begin


class _Count:
    def __init__(self, zones: Sequence[Zone]) -> None:
        self._zones = zones
        self._last = self._read()
        self._total_uj = 0
        self._failed: ReadingFailed | None = None
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="power", daemon=True)
        self._thread.start()

    def end(self) -> float:
        self._over.set()
        self._thread.join()
        self._advance()
        if self._failed is not None:
            raise self._failed
        return self._total_uj * 1e-6

    def _follow(self) -> None:
        while self._failed is None and not self._over.wait(PERIOD_S):
            self._advance()

    def _advance(self) -> None:
        try:
            now = self._read()
            for zone in self._zones:
                before, after = self._last[zone.file], now[zone.file]
                self._total_uj += grown_uj(before, after, zone.range_uj)
            self._last = now
        except ReadingFailed as error:
            self._failed = self._failed or error

    def _read(self) -> Mapping[Path, int]:
        read = {zone.file: read_number(zone.file) for zone in self._zones}
        known = {file: value for file, value in read.items() if value is not None}
        if len(known) < len(read):
            raise ReadingFailed(f"{next(iter(read.keys() - known.keys()))} cannot be read any more")
        return known


def _what(zones: Sequence[Zone]) -> str:
    packages = [z.name.removeprefix("package-") for z in zones if z.name.startswith("package")]
    named = f"CPU package{'s' * (len(packages) > 1)} {', '.join(packages)}"
    return f"{named} and DRAM" if len(packages) < len(zones) else named
