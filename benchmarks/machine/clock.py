"""How fast the cores may run, and who decides it.

Documented in the kernel's Documentation/admin-guide/pm: cpufreq, intel_pstate and amd-pstate.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from rap_edge.benchmarks.machine.files import cpus_of, fields_of
from rap_edge.runtime.sysfs import read_number, read_text

CPUS = "sys/devices/system/cpu"
KHZ_PER_MHZ = 1000


@dataclass(frozen=True)
class Kind:
    """Cores with the same highest frequency."""

    cores: int
    max_mhz: int


@dataclass(frozen=True)
class Clock:
    """The limits of the cores' frequency; where policies differ, all their words."""

    governor: str | None = None
    driver: str | None = None
    preference: str | None = None  # energy_performance_preference
    min_mhz: int | None = None
    max_mhz: int | None = None
    kinds: tuple[Kind, ...] = ()  # fastest first; more than one is a big.LITTLE, or favoured cores
    boost: bool | None = None


@dataclass(frozen=True)
class Frequency:
    """The frequency of all cores at one moment."""

    min_mhz: float
    mean_mhz: float
    max_mhz: float


def read_clock(root: Path = Path("/")) -> Clock:
    policies = _policies(root)
    lowest = _numbers(policy / "cpuinfo_min_freq" for policy in policies)
    kinds = _kinds(policies)
    return Clock(
        governor=read_governor(root),
        driver=_words(policy / "scaling_driver" for policy in policies),
        preference=_words(policy / "energy_performance_preference" for policy in policies),
        min_mhz=min(lowest) // KHZ_PER_MHZ if lowest else None,
        max_mhz=kinds[0].max_mhz if kinds else None,
        kinds=kinds,
        boost=_boost(root),
    )


def read_governor(root: Path = Path("/")) -> str | None:
    """Return the governor; where policies have different ones, all of them."""
    return _words(policy / "scaling_governor" for policy in _policies(root))


def read_frequency(root: Path = Path("/")) -> Frequency | None:
    """Read how fast every core runs now; what x86 writes in cpuinfo where there is no cpufreq."""
    now = [
        (khz / KHZ_PER_MHZ, len(_cpus(policy)))
        for policy in _policies(root)
        if (khz := read_number(policy / "scaling_cur_freq"))
    ]
    mhz = [each for each, cores in now for _ in range(cores)] or _in_cpuinfo(root)
    return Frequency(min(mhz), sum(mhz) / len(mhz), max(mhz)) if mhz else None


def _policies(root: Path) -> list[Path]:
    return sorted(
        (root / CPUS / "cpufreq").glob("policy*"), key=lambda path: (len(path.name), path)
    )


def _cpus(policy: Path) -> frozenset[int]:
    """Name the CPUs of a policy; affected_cpus are those of them that are switched on."""
    listed = cpus_of(read_text(policy / "affected_cpus"))
    return listed or cpus_of(read_text(policy / "related_cpus")) or frozenset({0})


def _kinds(policies: Iterable[Path]) -> tuple[Kind, ...]:
    cores: Counter[int] = Counter()
    for policy in policies:
        if khz := read_number(policy / "cpuinfo_max_freq"):
            cores[khz // KHZ_PER_MHZ] += len(_cpus(policy))
    return tuple(Kind(cores[mhz], mhz) for mhz in sorted(cores, reverse=True))


def _boost(root: Path) -> bool | None:
    off = read_number(root / CPUS / "intel_pstate/no_turbo")
    if off is not None:
        return off == 0
    on = read_number(root / CPUS / "cpufreq/boost")
    if on is None:
        on = next(iter(_numbers(policy / "boost" for policy in _policies(root))), None)
    return None if on is None else on != 0


def _in_cpuinfo(root: Path) -> list[float]:
    blocks = (read_text(root / "proc/cpuinfo") or "").split("\n\n")
    words = [fields_of(block).get("cpu MHz", "") for block in blocks]
    return [float(word) for word in words if word.replace(".", "", 1).isdigit() and float(word) > 0]


def _words(files: Iterable[Path]) -> str | None:
    return ", ".join(sorted({word for file in files if (word := read_text(file))})) or None


def _numbers(files: Iterable[Path]) -> list[int]:
    return [number for file in files if (number := read_number(file)) is not None]
