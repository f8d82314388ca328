"""What a benchmark run is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

SCENARIOS = ("single", "offline", "stream", "interrupt", "sessions", "cold", "soak")
DEFAULT = ("single", "offline", "stream", "interrupt", "cold")
QUICK = ("single", "offline", "stream", "cold")
QUALITY_S, QUICK_QUALITY_S = 10.0, 2.0
QUICK_S = 52.0  # of a minute: the rest is the start of Python, and a page of plots


@dataclass(frozen=True)
class Settings:
    """What to measure and for how long."""

    scenarios: tuple[str, ...] = DEFAULT
    seconds: float = 30.0  # for each subject and scenario, about
    total_s: float | None = None  # for all together, in place of `seconds`
    threads: int | None = None  # of a graph; None is the physical cores
    only: tuple[str, ...] = ()  # labels of subjects; empty is all
    load: int = 0  # other processes that keep a core busy each, in stream and soak
    soak_minutes: float = 10.0
    starts: int = 5  # of a process, in cold
    watts_per_core: float | None = None  # to estimate energy where nothing measures it
    inputs: Mapping[str, Path] = field(default_factory=dict)  # files for the pinned ones, by name
    bundle: str | None = None  # as it was named, for new processes; None is the built-in one
    trust: tuple[str, ...] = ()  # public keys

    @property
    def quality_s(self) -> float:
        """Speech on which pictures are compared."""
        return QUALITY_S if self.total_s is None else QUICK_QUALITY_S

    def described(self) -> dict[str, float | str]:
        """Return what a record tells of these settings."""
        numbers = {
            "load": self.load,
            "starts": self.starts,
            "soak_minutes": self.soak_minutes,
            "threads": self.threads,
            "watts_per_core": self.watts_per_core,
        }
        own = " and ".join(sorted(self.inputs)) or "the bundle's"
        told = {name: float(value) for name, value in numbers.items() if value is not None}
        return {"inputs": own, **told}


def in_a_minute(settings: Settings) -> Settings:
    """Return settings that end in a minute."""
    return replace(settings, scenarios=QUICK, total_s=QUICK_S, starts=1)
