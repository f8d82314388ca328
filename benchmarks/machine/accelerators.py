"""GPUs and NPUs and the drivers under them, as far as Linux tells without their libraries."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from rap_edge.benchmarks.machine.files import fields_of
from rap_edge.runtime.placement.fingerprint import NVIDIA_DRIVER
from rap_edge.runtime.sysfs import read_text

CLASSES = {"gpu": "sys/class/drm/card*", "npu": "sys/class/accel/accel*"}
NVIDIA_GPUS = "proc/driver/nvidia/gpus"
NVIDIA_VERSION = re.compile(r"Kernel Module.*?\s(\d+(?:\.\d+)+)\s")


@dataclass(frozen=True)
class Accelerators:
    """What could run graphs beside the CPU."""

    devices: tuple[str, ...] = ()  # "gpu i915 8086:9a49", or an NVIDIA's name
    drivers: Mapping[str, str] = field(default_factory=dict)  # version, where a driver has one


def read_accelerators(root: Path = Path("/")) -> Accelerators:
    found = list(_found(root))
    names = {driver for _, driver, _ in found}
    versions = {name: read_text(root / "sys/module" / name / "version") for name in sorted(names)}
    versions["nvidia"] = _nvidia_version(root) or versions.get("nvidia")
    named = [f"gpu {name}" for name in _nvidia_names(root)]
    others = [
        " ".join((kind, driver, number)).strip()
        for kind, driver, number in found
        if not (named and driver == "nvidia")
    ]
    return Accelerators(
        devices=(*named, *others),
        drivers={name: version for name, version in versions.items() if version},
    )


def _found(root: Path) -> Iterator[tuple[str, str, str]]:
    """Name kind, driver and PCI's vendor:device of what the kernel lists; connectors are none."""
    for kind, pattern in CLASSES.items():
        for place in sorted(root.glob(pattern)):
            facts = fields_of(read_text(place / "device/uevent"), "=")
            if place.name.lstrip("cardel").isdigit() and "DRIVER" in facts:
                yield kind, facts["DRIVER"], facts.get("PCI_ID", "").lower()


def _nvidia_version(root: Path) -> str | None:
    """Return only the number: the line of the open module also names who built it, and where."""
    line = read_text(root / NVIDIA_DRIVER.relative_to("/")) or ""
    found = NVIDIA_VERSION.search(line)
    return found[1] if found else None


def _nvidia_names(root: Path) -> list[str]:
    """Return only the models: beside them stand the GPUs' unique numbers."""
    files = sorted((root / NVIDIA_GPUS).glob("*/information"))
    names = (fields_of(read_text(file)).get("Model") for file in files)
    return [name for name in names if name]
