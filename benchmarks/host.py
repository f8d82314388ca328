"""What a number was measured on, so that two numbers can be compared."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from rap_edge import __version__
from rap_edge.benchmarks.condition import Condition
from rap_edge.benchmarks.doubts import warnings_of
from rap_edge.benchmarks.machine.accelerators import Accelerators, read_accelerators
from rap_edge.benchmarks.machine.clock import Clock, read_clock
from rap_edge.benchmarks.machine.memory import Memory, read_cpu_quota, read_memory
from rap_edge.benchmarks.machine.processor import Processor, read_processor
from rap_edge.benchmarks.machine.software import (
    NOT_INSTALLED,
    interpreter,
    is_debug_build,
    packages_here,
    python_version,
    settings_of,
)
from rap_edge.benchmarks.machine.system import System, read_system
from rap_edge.runtime.jetson import Jetson, read_jetson
from rap_edge.runtime.power import power_source

__all__ = ["Condition", "Host", "differences", "warnings_of"]

HERE = Path("/")
MB_PER_GB = 1024
SETTINGS = "environment."


@dataclass(frozen=True)
class Host:
    """The machine and its software: what stays the same while measuring.

    It is made to be pasted in public. It names no host and no user, holds no serial number and no
    address of a network, and of an environment variable that could hold a secret or a path it
    only says that it is set.
    """

    processor: Processor
    clock: Clock
    memory: Memory
    system: System
    accelerators: Accelerators
    jetson: Jetson | None
    cpu_quota_cores: float | None  # of the control group; None for no limit
    power_source: str | None  # AC or battery
    python: str
    interpreter: str
    debug_build: bool
    rap_edge: str
    packages: Mapping[str, str]
    environment: Mapping[str, str] = field(default_factory=dict)  # what changes speed

    @classmethod
    def here(cls, root: Path = HERE) -> Host:
        """Read this machine, or the files of another one under ``root``."""
        return cls(
            processor=read_processor(root),
            clock=read_clock(root),
            memory=read_memory(root),
            system=read_system(root),
            accelerators=read_accelerators(root),
            jetson=read_jetson(root),
            cpu_quota_cores=read_cpu_quota(root),
            power_source=power_source(root),
            python=python_version(),
            interpreter=interpreter(),
            debug_build=is_debug_build(),
            rap_edge=__version__,
            packages=packages_here(),
            environment=settings_of(),
        )

    @property
    def cpu(self) -> str:
        return self.processor.name

    @property
    def isa(self) -> tuple[str, ...]:
        return self.processor.isa

    @property
    def physical_cores(self) -> int | None:
        return self.processor.physical_cores

    @property
    def logical_cores(self) -> int | None:
        return self.processor.logical_cores

    @property
    def digest(self) -> str:
        """Digest of the machine alone: the same after an update and under another governor.

        Machines of one make have the same digest; it tells none of them from the others.
        """
        total_mb = self.memory.total_mb
        memory_gb = None if total_mb is None else round(total_mb / MB_PER_GB)
        machine = [
            self.processor.name,
            self.isa,
            self.physical_cores,
            self.logical_cores,
            dict(self.processor.caches),
            self.clock.max_mhz,
            memory_gb,
            self.system.machine,
            self.system.board,
            self.accelerators.devices,
        ]
        return hashlib.sha256(json.dumps(machine, sort_keys=True).encode()).hexdigest()

    def __str__(self) -> str:
        """Say in two lines what decides most of the speed."""
        cores = f"{self.physical_cores or 'unknown'} cores"
        isa = " ".join(self.isa) or "isa unknown"
        governor = f", governor {self.clock.governor}" if self.clock.governor else ""
        installed = [
            f"{name} {number}" for name, number in self.packages.items() if number != NOT_INSTALLED
        ]
        return (
            f"{self.cpu} ({cores}, {isa}{governor})\n{self.system}, "
            f"Python {self.python}, rap-edge {self.rap_edge}, {', '.join(installed)}"
        )


def differences(one: Host, other: Host) -> dict[str, tuple[str, str]]:
    """Name every field in which two hosts differ, such as ``clock.governor``, with both values."""
    left, right = _flat(asdict(one)), _flat(asdict(other))
    names = [*left, *(name for name in right if name not in left)]
    return {
        name: (_word(name, left), _word(name, right))
        for name in names
        if left.get(name) != right.get(name)
    }


def _flat(values: Mapping[str, Any], within: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in values.items():
        inner = _flat(value, f"{within}{key}.") if isinstance(value, Mapping) else None
        flat.update({f"{within}{key}": value} if inner is None else inner)
    return flat


def _word(name: str, values: Mapping[str, Any]) -> str:
    value = values.get(name)
    if value is None:
        return "not set" if name.startswith(SETTINGS) else "unknown"
    if isinstance(value, (list, tuple)):
        return ", ".join(map(_item, value)) or "none"
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)


def _item(value: object) -> str:
    """Write an item of a list; one of several fields as ``4 x 2400``: cores and their MHz."""
    return " x ".join(map(str, value.values())) if isinstance(value, Mapping) else str(value)
