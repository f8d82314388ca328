"""Whether jetson_clocks holds the clocks at their highest: then lowest and highest are equal."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from rap_edge.runtime.sysfs import read_number

GPUS = ("*gpu*", "*gv11b*", "*gp10b*", "*gm20b*")
"""Names of the GPU under /sys/class/devfreq: Orin and Thor, Xavier, TX2, Nano and TX1."""


def clocks_locked(root: Path) -> bool | None:
    """Tell from the limits of every CPU policy and of the GPU; None if there are none."""
    limits = [*_cpu_limits(root), *_gpu_limits(root)]
    known = [(low, high) for low, high in limits if low is not None and high is not None]
    return all(low == high for low, high in known) if known else None


def _cpu_limits(root: Path) -> Iterator[tuple[int | None, int | None]]:
    for policy in sorted(root.glob("sys/devices/system/cpu/cpufreq/policy*")):
        yield read_number(policy / "scaling_min_freq"), read_number(policy / "scaling_max_freq")


def _gpu_limits(root: Path) -> Iterator[tuple[int | None, int | None]]:
    for name in GPUS:
        for device in sorted(root.glob(f"sys/class/devfreq/{name}")):
            yield read_number(device / "min_freq"), read_number(device / "max_freq")
