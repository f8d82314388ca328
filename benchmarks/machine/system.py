"""The operating system, the board it runs on, and what stands between the two."""

from __future__ import annotations

import platform
import sys
from dataclasses import dataclass
from pathlib import Path

from rap_edge.benchmarks.machine.files import fields_of
from rap_edge.runtime.sysfs import read_text

HERE = Path("/")
DEVICE_TREES = ("proc/device-tree/model", "sys/firmware/devicetree/base/model")
DMI = "sys/class/dmi/id"
UNNAMED = (  # what makers leave in
    "default string",
    "not applicable",
    "not specified",
    "none",
    "system manufacturer",
    "system product name",
    "system version",
    "to be filled by o.e.m.",
)
VIRTUAL_BOARDS = ("qemu", "kvm", "vmware", "virtualbox", "virtual machine")
CONTAINERS = ("kubepods", "docker", "libpod", "lxc")


@dataclass(frozen=True)
class System:
    """The software below Python."""

    name: str  # Linux, Darwin or Windows
    kernel: str
    machine: str  # x86_64, aarch64, ...
    distribution: str | None = None  # or version of macOS or Windows
    libc: str | None = None
    board: str | None = None
    virtual_machine: bool | None = None
    container: str | None = None  # None if nothing shows one

    def __str__(self) -> str:
        return f"{self.name} {self.kernel} {self.machine}"


def read_system(root: Path = HERE) -> System:
    board = _board(root)
    libc = " ".join(platform.libc_ver()).strip()
    return System(
        name=platform.system(),
        kernel=platform.release(),
        machine=platform.machine(),
        distribution=_distribution(root),
        libc=libc or None,
        board=board,
        virtual_machine=_virtual(root, board),
        container=_container(root),
    )


def _distribution(root: Path) -> str | None:
    if root == HERE and sys.platform == "darwin":
        return f"macOS {platform.mac_ver()[0]}"
    if root == HERE and sys.platform == "win32":
        release, version, *_ = platform.win32_ver()
        return f"Windows {release} {version}"
    for place in ("etc/os-release", "usr/lib/os-release"):
        named = fields_of(read_text(root / place), "=").get("PRETTY_NAME", "").strip("\"'")
        if named:
            return named
    return None


def _board(root: Path) -> str | None:
    """Name the board by its model; serial numbers stand in other files, which are not read."""
    for place in DEVICE_TREES:
        if named := read_text(root / place):
            return named
    words = [
        word
        for name in ("sys_vendor", "product_name", "product_version")
        if (word := read_text(root / DMI / name)) and word.lower() not in UNNAMED
    ]
    return " ".join(words) or None


def _virtual(root: Path, board: str | None) -> bool | None:
    """Say whether a hypervisor shows itself; None where its absence cannot be seen."""
    if any(word in (board or "").lower() for word in VIRTUAL_BOARDS):
        return True
    flags = fields_of(read_text(root / "proc/cpuinfo")).get("flags")
    if flags is not None:
        return "hypervisor" in flags.split()
    return True if (root / "proc/device-tree/hypervisor").exists() else None


def _container(root: Path) -> str | None:
    if named := read_text(root / "run/systemd/container"):
        return named
    for file, name in ((".dockerenv", "docker"), ("run/.containerenv", "podman")):
        if (root / file).exists():
            return name
    groups = read_text(root / "proc/1/cgroup") or ""
    return next((name for name in CONTAINERS if name in groups), None)
