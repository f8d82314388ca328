"""A condition is read, never made up; what speaks against a number is said in words."""

from __future__ import annotations

import sys
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from rap_edge import strict_json
from rap_edge.benchmarks.host import Condition, Host, warnings_of
from rap_edge.benchmarks.machine.clock import Clock, Frequency
from rap_edge.benchmarks.machine.load import Stalls, Ticks, read_firmware_limits, read_load
from rap_edge.benchmarks.machine.memory import Memory, Room
from rap_edge.benchmarks.machine.processor import Processor
from rap_edge.runtime.pressure_sources import Zone


@pytest.fixture
def quiet(tmp_path: Path) -> Host:
    """A machine that nothing speaks against."""
    host = Host.here(tmp_path / "nothing")
    return replace(
        host,
        processor=Processor("cpu", physical_cores=4, logical_cores=4, usable_cpus=4),
        clock=Clock(governor="performance"),
        debug_build=False,
    )


def test_every_reading_of_a_laptop_is_read(laptop: Path) -> None:
    condition = Condition.now(laptop)
    assert condition == Condition(
        load_1m=0.8,
        stalls=Stalls(1.5, 0.25, 0.0),
        frequency=Frequency(1000, 1500, 2000),
        frequency_cap=1.0,
        zones=(Zone("x86_pkg_temp", 61.0, passive_c=95.0),),
        thermal_throttles=7,
        quota_throttled=3,
        memory=Room(7912, 512),
        ticks=Ticks(all=1020, stolen=20),
        governor="powersave",
        power_source="battery",
    )
    assert condition.temperature_c == 61.0
    assert str(condition) == (
        "load 0.8, 1500 MHz, 61 C, tasks wait for a CPU 2 % of the time, 7912 MB of memory free"
    )


def test_a_jetson_tells_its_power_mode_and_its_cap(orin: Path) -> None:
    condition = Condition.now(orin)
    assert (condition.power_mode, condition.governor) == ("25W", "schedutil")
    assert condition.frequency_cap == pytest.approx(1510400 / 1728000)
    assert condition.frequency is not None
    assert asdict(condition.frequency) == pytest.approx(asdict(Frequency(1510.4, 1510.4, 1510.4)))


def test_the_mean_frequency_is_over_cores_not_over_policies(board: Path) -> None:
    frequency = Condition.now(board).frequency
    assert frequency == Frequency(1416, (4 * 1416 + 2 * 1800) / 6, 1800)


def test_where_nothing_is_told_nothing_is_made_up(tmp_path: Path) -> None:
    condition = Condition.now(tmp_path)
    assert condition == Condition()
    assert str(condition) == "nothing is told of this machine"
    assert warnings_of(Host.here(tmp_path), condition, condition) == ()


@pytest.mark.parametrize("name", ["laptop", "orin", "board", "tmp_path"])
def test_what_is_written_is_read_back(name: str, request: pytest.FixtureRequest) -> None:
    condition = Condition.now(request.getfixturevalue(name))
    assert strict_json.decode(Condition, strict_json.parse(strict_json.encode(condition))) == (
        condition
    )


@pytest.mark.parametrize("system", ["linux", "darwin", "win32"])
def test_this_machine_can_be_read(system: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", system)
    monkeypatch.setattr("rap_edge.runtime.pressure.macos_thermal_state", lambda: "fair")
    assert Condition.now().thermal_state == ("fair" if system == "darwin" else None)


@pytest.mark.parametrize("text", ["", "cpu 1 2 3", "cpu a b c d e f g h", "intr 1 2 3 4 5 6 7 8"])
def test_a_file_that_says_nothing_is_as_none(tmp_path: Path, text: str) -> None:
    for name in ("proc/stat", "proc/pressure/cpu", "proc/meminfo", "proc/loadavg", "proc/cpuinfo"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    assert Condition.now(tmp_path) == Condition()
    assert read_firmware_limits(tmp_path) is None
    assert read_load(tmp_path) is None


def test_a_quiet_machine_is_not_doubted(quiet: Host) -> None:
    calm = Condition(
        load_1m=2.0,
        stalls=Stalls(10.0, 10.0, 10.0),
        frequency=Frequency(1, 1, 2000),
        frequency_cap=1.0,
        zones=(Zone("cpu", 94.0, passive_c=95.0), Zone("room", 200.0)),
        thermal_state="nominal",
        thermal_throttles=5,
        quota_throttled=5,
        firmware_limits=0x50000,
        memory=Room(100, 700),  # swapped out days ago
        ticks=Ticks(1000, 900),
        governor="performance",
        power_mode="MAXN",
        power_source="AC",
    )
    later = replace(
        calm,
        load_1m=50.0,  # that was the benchmark
        stalls=Stalls(90.0, 90.0, 10.0),
        memory=Room(100, 710),
        frequency=Frequency(1, 1, 1800),
        ticks=Ticks(2000, 910),
    )
    assert warnings_of(quiet, calm, later) == ()


@pytest.mark.parametrize(
    ("before", "after", "warning"),
    [
        (
            Condition(governor="performance"),
            Condition(governor="powersave"),
            "the governor changed from performance to powersave meanwhile",
        ),
        (
            Condition(power_mode="MAXN"),
            Condition(power_mode="15W"),
            "the power mode changed from MAXN to 15W meanwhile",
        ),
        (
            Condition(power_source="AC"),
            Condition(power_source="battery"),
            "the machine runs on its battery: expected mains power",
        ),
        (
            Condition(ticks=Ticks(1000, 0)),
            Condition(ticks=Ticks(2000, 25)),
            "2.5 % of the CPU time was taken by other virtual machines meanwhile",
        ),
        (
            Condition(load_1m=2.1),
            Condition(),
            "before it began, 2.1 tasks wanted the 4 CPUs: something else was running",
        ),
        (
            Condition(stalls=Stalls(cpu_percent=10.6)),
            Condition(),
            "before it began, tasks waited for a CPU 11 % of the time",
        ),
        (
            Condition(stalls=Stalls(memory_percent=30.0)),
            Condition(),
            "before it began, tasks waited for memory 30 % of the time",
        ),
        (
            Condition(thermal_throttles=2),
            Condition(thermal_throttles=5),
            "cores were throttled 3 times by heat meanwhile",
        ),
        (
            Condition(quota_throttled=0),
            Condition(quota_throttled=40),
            "the CPU quota was used up 40 times meanwhile",
        ),
        (
            Condition(),
            Condition(zones=(Zone("cpu", 95.0, passive_c=95.0),)),
            "cpu ended at 95 C, where the kernel throttles",
        ),
        (
            Condition(),
            Condition(thermal_state="serious"),
            "macOS says that its heat is serious",
        ),
        (
            Condition(firmware_limits=0x10000),
            Condition(firmware_limits=0x50000),
            "the board's firmware says: it throttled meanwhile",
        ),
        (
            Condition(),
            Condition(frequency_cap=0.8),
            "the kernel caps the frequency to 80 % of the highest",
        ),
        (
            Condition(frequency=Frequency(400, 2000, 4000)),
            Condition(frequency=Frequency(400, 2000, 3000)),
            "the fastest core went from 4000 MHz to 3000 MHz",
        ),
        (
            Condition(memory=Room(100, 900)),
            Condition(memory=Room(100, 912)),
            "12 MB were swapped out meanwhile: memory is short",
        ),
        (
            Condition(),
            Condition(stalls=Stalls(memory_percent=12.0)),
            "when it ended, tasks waited for memory 12 % of the time",
        ),
    ],
)
def test_each_doubt_has_its_words(
    quiet: Host, before: Condition, after: Condition, warning: str
) -> None:
    assert warnings_of(quiet, before, after) == (warning,)


def test_what_never_changes_is_doubted_too(quiet: Host) -> None:
    host = replace(
        quiet,
        processor=replace(quiet.processor, usable_cpus=1),
        clock=Clock(governor="powersave"),
        system=replace(quiet.system, virtual_machine=True, container="docker"),
        memory=Memory(),
        cpu_quota_cores=1.5,
        debug_build=True,
    )
    assert warnings_of(host, Condition(), Condition()) == (
        "the governor is powersave: the frequency follows the load; expected performance",
        "this Python is a debug build, which is slower",
        "this process may use 1 of 4 CPUs",
        "its docker container allows 1.5 cores of CPU time",
        "it is a virtual machine: others may use its cores, unseen",
    )
