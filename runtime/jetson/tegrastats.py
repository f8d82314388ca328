"""The lines of tegrastats, from the TX1 to Thor.

Their fields are in the Jetson Linux Developer Guide, "tegrastats Utility" (Reported Statistics).
What a release adds or leaves out is no error: what is known is taken, wherever it stands.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

MEMORY = re.compile(r"\b(RAM|SWAP) (\d{1,9})/(\d{1,9})MB")
CPU = re.compile(r"\bCPU \[([^\]]*)\](?:@(\d{1,6}))?")
CORE = re.compile(r"(\d{1,3})%(?:@(\d{1,6}))?")
ENGINE = re.compile(
    r"\b(GR3D|EMC)(?:_FREQ)? (?:(\d{1,3})%)?(?:@(\d{1,6}\b|\[[\d,]{1,99}\]))?(?=\s|$)"
)
TEMPERATURE = re.compile(r"\b([A-Za-z][\w-]{0,40})@(-?\d{1,4}(?:\.\d{1,6})?)C\b")
RAIL = re.compile(
    r"\b([A-Z][A-Z0-9_]{0,40}) (-?\d{1,9})"
    r"(?:(?:mW)?/(-?\d{1,9})(?:mW)?(?:/-?\d{1,9}mW)?|mW)(?=\s|$)"
)
COLDEST_C = -100.0  # -256: a sensor of an engine that is off


@dataclass(frozen=True)
class Load:
    """How busy a core or an engine is, of what it could do at its clock now."""

    percent: int | None
    mhz: int | None


@dataclass(frozen=True)
class Power:
    """Of a rail, in milliwatts. A rail that is idle may be a little below zero."""

    now_mw: int
    mean_mw: int | None  # since tegrastats began


@dataclass(frozen=True)
class Tegrastats:
    """One line; empty or None where it says nothing."""

    ram_mb: tuple[int, int] | None  # used, of all
    swap_mb: tuple[int, int] | None
    cores: tuple[Load | None, ...]  # None: powered down
    gpu: Load | None
    memory: Load | None  # its controller
    temperatures_c: Mapping[str, float]
    rails: Mapping[str, Power]


def parse_tegrastats(line: str) -> Tegrastats | None:
    """Read a line; None if nothing in it is known."""
    memory = {name: (int(used), int(total)) for name, used, total in MEMORY.findall(line)}
    engines = {found[1]: _load(found[2], found[3]) for found in ENGINE.finditer(line)}
    parsed = Tegrastats(
        memory.get("RAM"),
        memory.get("SWAP"),
        _cores(line),
        engines.get("GR3D"),
        engines.get("EMC"),
        {
            name: float(value)
            for name, value in TEMPERATURE.findall(line)
            if float(value) > COLDEST_C
        },
        {
            name: Power(int(now), int(mean) if mean else None)
            for name, now, mean in RAIL.findall(line)
        },
    )
    return parsed if parsed.ram_mb or parsed.cores or parsed.rails else None


def _cores(line: str) -> tuple[Load | None, ...]:
    found = CPU.search(line)
    if found is None:
        return ()
    cores: list[Load | None] = []
    for core in found[1].split(","):
        load = CORE.fullmatch(core.strip())
        cores.append(_load(load[1], load[2] or found[2]) if load else None)
    return tuple(cores)


def _load(percent: str | None, clocks: str | None) -> Load | None:
    """``clocks`` is one, or in brackets those of the parts of a GPU, of which some may sleep."""
    speeds = [int(mhz) for mhz in re.findall(r"\d{1,6}", clocks or "")]
    if percent is None and not speeds:
        return None
    return Load(None if percent is None else int(percent), max(speeds, default=None))
