"""What the kernel says of heat and throttling is read, judged, and never made up."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from rap_edge.runtime import pressure_sources
from rap_edge.runtime.pressure import Pressure, ladder_floor, read_pressure
from rap_edge.runtime.pressure_sources import Zone

CPUS = "sys/devices/system/cpu"
ZONE = "sys/class/thermal/thermal_zone0"

# An x86 laptop in a control group, as sysfs and procfs show it
LAPTOP = {
    f"{ZONE}/type": "x86_pkg_temp\n",
    f"{ZONE}/temp": "61000\n",
    f"{ZONE}/trip_point_0_type": "passive\n",
    f"{ZONE}/trip_point_0_temp": "95000\n",
    f"{ZONE}/trip_point_1_type": "passive\n",
    f"{ZONE}/trip_point_1_temp": "0\n",
    f"{ZONE}/trip_point_2_type": "critical\n",
    f"{ZONE}/trip_point_2_temp": "105000\n",
    f"{CPUS}/cpufreq/policy0/cpuinfo_max_freq": "4000000\n",
    f"{CPUS}/cpufreq/policy0/scaling_cur_freq": "3000000\n",
    f"{CPUS}/cpufreq/policy0/scaling_max_freq": "4000000\n",
    f"{CPUS}/cpufreq/policy1/cpuinfo_max_freq": "2000000\n",
    f"{CPUS}/cpufreq/policy1/scaling_cur_freq": "400000\n",
    f"{CPUS}/cpufreq/policy1/scaling_max_freq": "1900000\n",
    f"{CPUS}/cpu0/thermal_throttle/core_throttle_count": "7\n",
    f"{CPUS}/cpu1/thermal_throttle/core_throttle_count": "2\n",
    "proc/pressure/cpu": (
        "some avg10=12.50 avg60=5.92 avg300=1.89 total=9922829219\n"
        "full avg10=0.00 avg60=0.00 avg300=0.00 total=0\n"
    ),
    "proc/self/cgroup": "0::/app.slice/rap.service\n",
    "sys/fs/cgroup/cpu.stat": "usage_usec 9\nuser_usec 5\nsystem_usec 4\n",
    "sys/fs/cgroup/app.slice/cpu.stat": "usage_usec 9\nnr_periods 0\nnr_throttled 0\n",
    "sys/fs/cgroup/app.slice/rap.service/cpu.stat": (
        "usage_usec 9\nnr_periods 1000\nnr_throttled 30\nthrottled_usec 5000\n"
    ),
}


def tree(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def test_every_reading_of_a_laptop_is_read(tmp_path: Path) -> None:
    pressure = read_pressure(tree(tmp_path, LAPTOP))
    assert pressure == Pressure(
        zones=(Zone("x86_pkg_temp", 61.0, passive_c=95.0, critical_c=105.0),),
        frequency=0.75,
        frequency_cap=0.95,
        thermal_throttles=9,
        quota_periods=1000,
        quota_throttled=30,
        cpu_stall_percent=12.5,
    )
    assert pressure.temperature_c == 61.0
    assert (pressure.severity, pressure.reason) == ("nominal", "")


def test_where_nothing_is_said_nothing_is_made_up(tmp_path: Path) -> None:
    pressure = read_pressure(tmp_path)
    assert pressure == Pressure()
    assert pressure.temperature_c is None
    assert pressure.severity == "unavailable"
    assert ladder_floor(pressure.severity) == 0


@pytest.mark.parametrize(
    "files",
    [
        {f"{ZONE}/temp": "-274000\n", f"{ZONE}/type": "cpu\n"},
        {f"{ZONE}/temp": "", f"{ZONE}/type": "cpu\n"},
        {"proc/pressure/cpu": "some avg10=\n"},
        {"proc/pressure/cpu": "\n"},
        {f"{CPUS}/cpufreq/policy0/cpuinfo_max_freq": "0\n"},
        {"proc/self/cgroup": "9:name=systemd:/\n1:cpu:/\n"},
        {"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.stat": "usage_usec 9\n"},
        {f"{CPUS}/cpu0/thermal_throttle/core_throttle_count": "<unknown>\n"},
    ],
)
def test_a_file_that_says_nothing_is_as_none(tmp_path: Path, files: dict[str, str]) -> None:
    assert read_pressure(tree(tmp_path, files)) == Pressure()


def test_counts_are_judged_by_what_is_new(tmp_path: Path) -> None:
    before = read_pressure(tree(tmp_path, LAPTOP))
    assert before.new_thermal_throttles is None
    again = read_pressure(tmp_path, before)
    assert (again.new_thermal_throttles, again.new_quota_share) == (0, None)
    assert again.severity == "nominal"
    throttled = {
        f"{CPUS}/cpu1/thermal_throttle/core_throttle_count": "5\n",
        "sys/fs/cgroup/app.slice/rap.service/cpu.stat": "nr_periods 1100\nnr_throttled 50\n",
    }
    after = read_pressure(tree(tmp_path, throttled), again)
    assert (after.new_thermal_throttles, after.new_quota_share) == (3, 0.2)
    assert (after.severity, after.reason) == ("serious", "cores throttled 3 times by heat")


@pytest.mark.parametrize(
    ("pressure", "severity", "reason"),
    [
        (Pressure(zones=(Zone("cpu", 84.9, 95.0, None, 110.0),)), "nominal", ""),
        (Pressure(zones=(Zone("cpu", 85.0, 95.0, None, 110.0),)), "fair", "cpu at 85 C"),
        (Pressure(zones=(Zone("cpu", 95.0, 95.0, None, 110.0),)), "serious", "cpu at 95 C"),
        (Pressure(zones=(Zone("cpu", 100.0, 95.0, 100.0, 110.0),)), "critical", "cpu at 100 C"),
        (Pressure(zones=(Zone("cpu", 105.0, None, None, 110.0),)), "critical", "cpu at 105 C"),
        (Pressure(zones=(Zone("room", 150.0),)), "unavailable", ""),
        (Pressure(frequency_cap=1.0), "nominal", ""),
        (Pressure(frequency_cap=0.8), "fair", "frequency capped to 80 %"),
        (Pressure(frequency_cap=0.5), "serious", "frequency capped to 50 %"),
        (Pressure(frequency=0.1), "unavailable", ""),  # an idle core
        (Pressure(frequency=0.1, cpu_stall_percent=5.0), "nominal", ""),
        (Pressure(frequency=0.5, cpu_stall_percent=25.0), "serious", "50 % of the frequency, busy"),
        (Pressure(new_quota_share=0.1), "fair", "CPU quota used up 10 % of the time"),
        (Pressure(new_quota_share=0.6), "serious", "CPU quota used up 60 % of the time"),
        (Pressure(cpu_stall_percent=99.0), "fair", "tasks wait for a CPU 99 % of the time"),
        (Pressure(thermal_state="critical"), "critical", "macOS says critical"),
        (
            Pressure(frequency_cap=0.7, zones=(Zone("gpu", 90.0, 80.0), Zone("cpu", 99.0, 80.0))),
            "serious",
            "gpu at 90 C; cpu at 99 C",
        ),
    ],
)
def test_the_worst_reading_counts_and_is_the_reason(
    pressure: Pressure, severity: str, reason: str
) -> None:
    assert (pressure.severity, pressure.reason) == (severity, reason)


def test_the_ladder_has_a_floor_from_serious_on() -> None:
    severities = ("unavailable", "nominal", "fair", "serious", "critical")
    assert [ladder_floor(severity) for severity in severities] == [0, 0, 0, 1, 2]


def test_this_machine_can_be_read() -> None:
    assert read_pressure(before=read_pressure()).severity in (
        "unavailable",
        "nominal",
        "fair",
        "serious",
        "critical",
    )


def test_macos_is_asked_by_its_thermal_state(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr("rap_edge.runtime.pressure.macos_thermal_state", lambda: "fair")
    assert read_pressure() == Pressure(thermal_state="fair")
    monkeypatch.setattr("rap_edge.runtime.pressure.macos_thermal_state", lambda: None)
    assert read_pressure().severity == "unavailable"


def test_elsewhere_there_is_no_thermal_state(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pressure_sources, "NS_FOUNDATION", "/no/such/framework")
    assert pressure_sources.macos_thermal_state() is None
