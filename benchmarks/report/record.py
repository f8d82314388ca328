"""The records of a benchmark: one run, its subjects, and what each scenario found of each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from rap_edge.benchmarks.host import Condition, Host

SCHEMA_VERSION = 1
Source = Literal["measured", "estimated"]
AGAINST = ", against "
"""Between ours and an alternative, in the subject of a component's row that has a ratio."""


@dataclass(frozen=True)
class Value:
    """A number and its 95 % interval; the name says the unit (`quantities`)."""

    value: float
    low: float | None = None  # both None where there is no interval: one sample, or a count
    high: float | None = None
    n: int = 1  # samples
    source: Source = "measured"

    @property
    def width(self) -> float | None:
        """Width of the interval over the value; None without one."""
        if self.low is None or self.high is None or not self.value:
            return None
        return (self.high - self.low) / abs(self.value)


@dataclass(frozen=True)
class Result:
    """What one scenario found of one subject."""

    scenario: str  # such as offline; of a component, component.features
    subject: str  # label of a subject, or of a component's contender
    values: Mapping[str, Value]
    at: Mapping[str, float] = field(default_factory=dict)  # what was varied, such as sessions: 4
    series: Mapping[str, tuple[float, ...]] = field(default_factory=dict)  # for plots
    missing: Mapping[str, str] = field(default_factory=dict)  # quantity -> why it is not there


@dataclass(frozen=True)
class Subject:
    """A variant of the bundle on a device; one whose golden check fails has no results."""

    label: str  # backend/precision, or backend:device/precision
    backend: str
    device: str
    precision: str
    version: str = ""  # of the runtime
    threads: int = 0
    megabytes: float = 0.0  # of its files
    providers: Mapping[str, str] = field(default_factory=dict)  # graph -> what really ran it
    refused: str = ""  # why it was not measured; empty if it was


@dataclass(frozen=True)
class Input:
    """A pinned input."""

    name: str
    sha256: str


@dataclass(frozen=True)
class Measured:
    """What was measured."""

    bundle: str  # name and version
    bundle_sha256: str  # of its manifest, which lists the digests of all other files
    inputs: tuple[Input, ...]


@dataclass(frozen=True)
class Run:
    """A whole benchmark run."""

    started: str  # ISO 8601, UTC
    command: str
    settings: Mapping[str, float | str]
    measured: Measured
    host: Host
    before: Condition
    after: Condition
    subjects: tuple[Subject, ...]
    results: tuple[Result, ...]
    overhead_us_per_frame: float | None  # of the benchmark itself, in single and offline
    notes: tuple[str, ...] = ()
