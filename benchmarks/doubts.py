"""What makes the numbers of a benchmark doubtful, in plain words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from rap_edge.benchmarks.condition import Condition

if TYPE_CHECKING:
    from rap_edge.benchmarks.host import Host

LOAD_PER_CORE = 0.5
STALLED_PERCENT = 10.0
STOLEN_PERCENT = 1.0
SWAPPED_MB = 10  # the kernel puts away a page that nobody wants now and then
SLOWER = 0.9  # of the fastest core's frequency
FIRMWARE = {0: "its voltage was too low", 1: "it capped the frequency", 2: "it throttled"}
FIRMWARE_EVER = 16  # the same bits, at any time since boot


def warnings_of(host: Host, before: Condition, after: Condition) -> tuple[str, ...]:
    """Name all that speaks against numbers measured between the two readings; best is none.

    A reading that is None says nothing, neither for nor against. Load, and waiting for a CPU or the
    disk, are judged before alone: a benchmark that keeps every core busy makes tasks wait for them,
    and what of it others cause cannot be told from outside. Waiting for memory is judged after it
    too: a time with such waits is not the model's, whoever wants the memory.
    """
    return (
        *_settings(host, before, after),
        *_shared(host, before, after),
        *_busy(host, before),
        *_short_of_memory(before, after),
        *_throttled(before, after),
        *_slowed(before, after),
    )


def _settings(host: Host, before: Condition, after: Condition) -> Iterator[str]:
    governor = host.clock.governor
    if governor not in (None, "performance"):
        yield f"the governor is {governor}: the frequency follows the load; expected performance"
    if before.governor != after.governor:
        yield f"the governor changed from {before.governor} to {after.governor} meanwhile"
    if before.power_mode != after.power_mode:
        yield f"the power mode changed from {before.power_mode} to {after.power_mode} meanwhile"
    if "battery" in (before.power_source, after.power_source):
        yield "the machine runs on its battery: expected mains power"
    elif before.power_source != after.power_source:
        yield f"power came from {before.power_source}, then from {after.power_source}"
    if host.debug_build:
        yield "this Python is a debug build, which is slower"


def _shared(host: Host, before: Condition, after: Condition) -> Iterator[str]:
    usable, there = host.processor.usable_cpus, host.logical_cores
    if usable is not None and there is not None and usable < there:
        yield f"this process may use {usable} of {there} CPUs"
    if host.cpu_quota_cores is not None:
        place = f"{host.system.container} container" if host.system.container else "control group"
        yield f"its {place} allows {host.cpu_quota_cores:g} cores of CPU time"
    if host.system.virtual_machine:
        yield "it is a virtual machine: others may use its cores, unseen"
    if before.ticks and after.ticks and after.ticks.all > before.ticks.all:
        stolen = after.ticks.stolen - before.ticks.stolen
        percent = 100 * stolen / (after.ticks.all - before.ticks.all)
        if percent > STOLEN_PERCENT:
            yield f"{percent:.1f} % of the CPU time was taken by other virtual machines meanwhile"


def _busy(host: Host, before: Condition) -> Iterator[str]:
    cores = host.logical_cores
    if before.load_1m is not None and cores and before.load_1m / cores > LOAD_PER_CORE:
        yield (
            f"before it began, {before.load_1m:.1f} tasks wanted the {cores} CPUs: something else "
            "was running"
        )
    for name, percent in (
        ("a CPU", before.stalls.cpu_percent),
        ("the disk", before.stalls.io_percent),
        ("memory", before.stalls.memory_percent),
    ):
        if percent is not None and percent > STALLED_PERCENT:
            yield f"before it began, tasks waited for {name} {percent:.0f} % of the time"


def _throttled(before: Condition, after: Condition) -> Iterator[str]:
    if new := _grown(before.thermal_throttles, after.thermal_throttles):
        yield f"cores were throttled {new} times by heat meanwhile"
    if new := _grown(before.quota_throttled, after.quota_throttled):
        yield f"the CPU quota was used up {new} times meanwhile"
    for zone in after.zones or ():
        if zone.passive_c is not None and zone.temperature_c >= zone.passive_c:
            yield f"{zone.name} ended at {zone.temperature_c:.0f} C, where the kernel throttles"
    if after.thermal_state not in (None, "unavailable", "nominal"):
        yield f"macOS says that its heat is {after.thermal_state}"
    if before.firmware_limits is not None and after.firmware_limits is not None:
        for bit, words in FIRMWARE.items():
            new_since_boot = after.firmware_limits & ~before.firmware_limits
            if after.firmware_limits >> bit & 1 or new_since_boot >> (bit + FIRMWARE_EVER) & 1:
                yield f"the board's firmware says: {words} meanwhile"


def _slowed(before: Condition, after: Condition) -> Iterator[str]:
    if after.frequency_cap is not None and after.frequency_cap < 1:
        yield f"the kernel caps the frequency to {100 * after.frequency_cap:.0f} % of the highest"
    if before.frequency and after.frequency:
        fast, slow = before.frequency.max_mhz, after.frequency.max_mhz
        if slow < SLOWER * fast:
            yield f"the fastest core went from {fast:.0f} MHz to {slow:.0f} MHz"


def _short_of_memory(before: Condition, after: Condition) -> Iterator[str]:
    swapped_mb = _grown(before.memory.swap_used_mb, after.memory.swap_used_mb)
    if swapped_mb > SWAPPED_MB:
        yield f"{swapped_mb} MB were swapped out meanwhile: memory is short"
    percent = after.stalls.memory_percent
    if percent is not None and percent > STALLED_PERCENT:
        yield f"when it ended, tasks waited for memory {percent:.0f} % of the time"


def _grown(before: int | None, after: int | None) -> int:
    return 0 if before is None or after is None else max(after - before, 0)
