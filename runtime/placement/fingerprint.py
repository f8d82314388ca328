"""What decides how fast a variant is on this machine, as a value that can be compared."""

from __future__ import annotations

import hashlib
import json
import os
import platform
from dataclasses import asdict, dataclass
from pathlib import Path

from rap_edge import __version__
from rap_edge.bundle import Bundle
from rap_edge.requirements import version_of
from rap_edge.runtime.cores import physical_cores
from rap_edge.runtime.cpu import cpu_flags, cpu_name
from rap_edge.runtime.jetson import read_jetson

RUNTIMES = ("onnxruntime", "openvino", "coremltools")
NVIDIA_DRIVER = Path("/proc/driver/nvidia/version")
JETSON = Path("/etc/nv_tegra_release")


@dataclass(frozen=True)
class Host:
    """This machine, this process and its packages, as far as they change what is fastest."""

    cpu: str
    flags: tuple[str, ...]  # empty if nothing tells
    cores: int  # physical ones that this process may use
    cpus: int  # logical ones
    system: str
    driver: str  # of an NVIDIA GPU
    power_mode: str | None  # of a Jetson
    packages: tuple[tuple[str, str], ...]

    @classmethod
    def here(cls) -> Host:
        jetson = read_jetson()
        versions = [(name, version_of(name)) for name in RUNTIMES]
        return cls(
            cpu_name(),
            tuple(sorted(cpu_flags() or ())),
            physical_cores(),
            _cpus(),
            f"{platform.system()} {platform.release()} {platform.machine()}",
            nvidia_driver(),
            jetson.power_mode if jetson else None,
            (("rap-edge", __version__), *((name, found) for name, found in versions if found)),
        )

    @property
    def digest(self) -> str:
        return digest_of(asdict(self))


def bundle_digest(bundle: Bundle) -> str:
    """Return the digest of the manifest, which lists the digest of every other file."""
    return hashlib.sha256(bundle.manifest_bytes).hexdigest()


def digest_of(value: object) -> str:
    text = json.dumps(value, sort_keys=True, default=str)
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def nvidia_driver() -> str:
    """Return what Linux says of NVIDIA's driver, or of a Jetson's system; empty without one."""
    for place in (NVIDIA_DRIVER, JETSON):
        try:
            return place.read_text(encoding="utf-8", errors="replace").splitlines()[0].strip()
        except (OSError, IndexError):
            continue
    return ""


def _cpus() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
