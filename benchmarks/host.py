"""What a number was measured on, so that two numbers can be compared."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

from rap_edge import __version__
from rap_edge.isa import ARM_INT8, X86_INT8
from rap_edge.runtime.cores import physical_cores
from rap_edge.runtime.cpu import cpu_flags, cpu_name

PACKAGES = ("onnxruntime", "openvino", "numpy", "opencv-python-headless")
ISA = ("avx2", "avx512f", *X86_INT8, *ARM_INT8)


@dataclass(frozen=True)
class Host:
    """The machine, its software, and how busy it was when the measurement began."""

    cpu: str
    isa: tuple[str, ...]
    physical_cores: int
    logical_cores: int
    system: str
    python: str
    rap_edge: str
    packages: dict[str, str]
    load_1m: float | None  # other processes that wanted a core, on average of the last minute

    @classmethod
    def here(cls) -> Host:
        flags = cpu_flags() or ()
        return cls(
            cpu=cpu_name(),
            isa=tuple(name for name in ISA if name in flags),
            physical_cores=physical_cores(),
            logical_cores=os.cpu_count() or 0,
            system=f"{platform.system()} {platform.release()} {platform.machine()}",
            python=platform.python_version(),
            rap_edge=__version__,
            packages={name: _version(name) for name in PACKAGES},
            load_1m=os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
        )

    def __str__(self) -> str:
        packages = ", ".join(f"{name} {number}" for name, number in self.packages.items())
        load = "" if self.load_1m is None else f", load {self.load_1m:.1f}"
        return (
            f"{self.cpu} ({self.physical_cores} cores, {' '.join(self.isa) or 'isa unknown'}{load})"
            f"\n{self.system}, Python {self.python}, rap-edge {self.rap_edge}, {packages}"
        )


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


@dataclass(frozen=True)
class Condition:
    """How the machine was at one moment."""

    load_1m: float | None = None

    @classmethod
    def now(cls) -> Condition:
        return cls(os.getloadavg()[0] if hasattr(os, "getloadavg") else None)
