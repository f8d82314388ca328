"""Energy meters, on trees and programs that behave as the documents say (see their modules)."""

from __future__ import annotations

import stat
import threading
from collections.abc import Callable, Mapping
from itertools import count
from pathlib import Path

import pytest

from rap_edge.errors import ConfigError
from rap_edge.runtime.power import (
    Meter,
    Unavailable,
    estimated,
    find_meter,
    power_source,
    rapl,
    sampled,
    streamed,
)
from rap_edge.runtime.power import meter as meters
from rap_edge.runtime.power.jetson import total_watts
from rap_edge.runtime.power.meter import ReadingFailed
from rap_edge.runtime.power.powermetrics import watts_of
from rap_edge.runtime.power.sampled import Samples, integrate
from rap_edge.runtime.sysfs import read_number

RAPL = "sys/class/powercap"
BAT = "sys/class/power_supply/BAT0"
RAIL = "sys/bus/i2c/drivers/ina3221/1-0040/hwmon/hwmon3"


def written(root: Path, files: Mapping[str, object]) -> Path:
    for name, value in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{value}\n")
    return root


def program(path: Path, script: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


class Clock:
    """Stands still until it is told to go on."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def monotonic(self) -> float:
        return self.now_s


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    for module in (meters, sampled, streamed):
        monkeypatch.setattr(module, "time", clock)
    return clock


def meter_at(root: Path) -> Meter:
    found = find_meter(root)
    assert isinstance(found, Meter), found
    return found


def why_not(root: Path) -> str:
    found = find_meter(root)
    assert isinstance(found, Unavailable)
    return found.why


def zone(
    number: str, name: str, uj: int, range_uj: int | None = 262_143_328_850
) -> dict[str, object]:
    folder = f"{RAPL}/intel-rapl:{number}"
    ranges = {} if range_uj is None else {f"{folder}/max_energy_range_uj": range_uj}
    return {f"{folder}/name": name, f"{folder}/energy_uj": uj, **ranges}


def rail(name: str = "VDD_IN", mv: int = 5000, ma: int = 1000) -> dict[str, object]:
    return {f"{RAIL}/in1_label": name, f"{RAIL}/in1_input": mv, f"{RAIL}/curr1_input": ma}


def discharging(**files: object) -> dict[str, object]:
    said = {"type": "Battery", "status": "Discharging", **files}
    return {f"{BAT}/{name}": value for name, value in said.items()}


def test_packages_and_dram_are_summed_and_nothing_twice(tmp_path: Path) -> None:
    before = {
        **zone("0", "package-0", 1_000_000), **zone("0:0", "core", 5), **zone("0:1", "uncore", 5),
        **zone("0:2", "dram", 2_000_000), **zone("1", "package-1", 0), **zone("2", "psys", 7),
    }  # fmt: skip
    meter = meter_at(written(tmp_path, before))
    assert (meter.name, meter.source) == ("RAPL", "measured")
    assert meter.what == "CPU packages 0, 1 and DRAM"
    with meter.measure() as energy:
        after = {
            "0": 4_000_000,
            "0:0": 9**9,
            "0:1": 9**9,
            "0:2": 2_500_000,
            "1": 250_000,
            "2": 9**9,
        }
        written(tmp_path, {f"{RAPL}/intel-rapl:{n}/energy_uj": uj for n, uj in after.items()})
    assert energy.joules == pytest.approx(3.0 + 0.5 + 0.25)
    assert energy.why is None
    assert energy.watts is not None


def test_a_counter_that_went_round_has_grown(tmp_path: Path) -> None:
    meter = meter_at(written(tmp_path, zone("0", "package-0", 900_000, range_uj=1_000_000)))
    with meter.measure() as energy:
        written(tmp_path, {f"{RAPL}/intel-rapl:0/energy_uj": 300_000})
    assert energy.joules == pytest.approx(0.4)


def test_a_counter_that_went_back_without_a_range_is_not_believed(tmp_path: Path) -> None:
    meter = meter_at(written(tmp_path, zone("0", "package-0", 900_000, range_uj=None)))
    with meter.measure() as energy:
        written(tmp_path, {f"{RAPL}/intel-rapl:0/energy_uj": 300_000})
    assert energy.joules is None
    assert energy.why is not None
    assert "went back" in energy.why


def test_a_counter_is_read_often_enough_to_go_round_many_times(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    readings, often = count(0, 700_000), threading.Event()

    def reading(file: Path) -> int:
        value = next(readings)
        if value > 7_000_000:
            often.set()
        return value % 1_000_000

    zones = rapl.find_zones(written(tmp_path, zone("0", "package-0", 0, range_uj=1_000_000)))
    monkeypatch.setattr(rapl, "read_number", reading)
    monkeypatch.setattr(rapl, "PERIOD_S", 0.001)
    end = rapl.counted(zones)()
    assert often.wait(60)
    joules = end()
    assert joules == pytest.approx((next(readings) - 700_000) * 1e-6)


def test_rapl_that_only_root_may_read_says_how_to_allow_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(tmp_path, zone("0", "package-0", 1))

    def denied(file: Path) -> int | None:
        return None if file.name == "energy_uj" else read_number(file)

    monkeypatch.setattr(rapl, "read_number", denied)
    why = why_not(tmp_path)
    assert "only root may" in why
    assert "sudo chmod a+r /sys/class/powercap/intel-rapl:*/energy_uj" in why


def test_a_counter_that_stands_still_is_unknown_and_not_zero(tmp_path: Path) -> None:
    meter = meter_at(written(tmp_path, zone("0", "package-0", 5)))
    with meter.measure() as energy:
        pass
    assert energy.joules is None
    assert energy.watts is None
    assert energy.why == "the meter counted 0 J: measure for longer"


def test_a_counter_that_disappears_is_unknown(tmp_path: Path) -> None:
    meter = meter_at(written(tmp_path, zone("0", "package-0", 5)))
    with meter.measure() as energy:
        (tmp_path / RAPL / "intel-rapl:0/energy_uj").unlink()
    assert energy.joules is None
    assert "cannot be read any more" in str(energy.why)
    with meter.measure() as later:
        pass
    assert "cannot be read any more" in str(later.why)


@pytest.mark.parametrize(
    ("samples", "joules"),
    [
        ([(5.0, 3.0)], 30.0),  # held on both sides
        ([(0.0, 2.0), (10.0, 4.0)], 30.0),
        ([(0.0, 2.0), (5.0, 2.0), (5.0, 4.0), (10.0, 4.0)], 30.0),
        ([(-10.0, 0.0), (10.0, 4.0)], 30.0),  # what was before counts for its edge only
        ([(0.0, 3.0), (2.0, 3.0), (30.0, 3.0)], 30.0),
    ],
)
def test_power_is_integrated_by_trapezoids(
    samples: list[tuple[float, float]], joules: float
) -> None:
    assert integrate(samples, 0.0, 10.0) == pytest.approx(joules)


def test_power_is_held_or_changes_evenly_between_readings(tmp_path: Path, clock: Clock) -> None:
    meter = meter_at(written(tmp_path, rail(mv=5000, ma=1500)))
    assert (meter.name, meter.what) == ("INA3221", "whole module (VDD_IN)")
    with meter.measure() as energy:
        clock.now_s += 4.0
    assert (energy.joules, energy.seconds) == (pytest.approx(30.0), 4.0)
    assert energy.watts == pytest.approx(7.5)


def test_rails_that_nothing_feeds_in_common_are_summed(tmp_path: Path, clock: Clock) -> None:
    files = {**rail("VDD_GPU_SOC", 1000, 2000), f"{RAIL}/in2_label": "VIN_SYS_5V0",
             f"{RAIL}/in2_input": 5000, f"{RAIL}/curr2_input": 1000}  # fmt: skip
    meter = meter_at(written(tmp_path, files))
    assert meter.what == "module, the sum of its rails VDD_GPU_SOC, VIN_SYS_5V0"
    with meter.measure() as energy:
        clock.now_s += 2.0
    assert energy.joules == pytest.approx(14.0)


def test_a_rail_that_disappears_leaves_unknown(tmp_path: Path) -> None:
    meter = meter_at(written(tmp_path, rail()))
    with meter.measure() as energy:
        (tmp_path / RAIL / "curr1_input").unlink()
    assert energy.joules is None
    assert energy.why == "rail VDD_IN cannot be read any more"


def test_a_reading_that_failed_in_between_is_not_forgotten() -> None:
    failed, readings = threading.Event(), count()

    def read() -> float:
        if next(readings) == 2:
            failed.set()
            raise ReadingFailed("asleep")
        return 1.0

    with Meter("fake", "all", "measured", sampled.sampled(read, 0.001)).measure() as energy:
        assert failed.wait(60)
    assert (energy.joules, energy.why) == (None, "asleep")


@pytest.mark.parametrize("watts", [0.0, -1.0, float("nan"), float("inf")])
def test_power_that_cannot_be_is_unknown(watts: float) -> None:
    samples = Samples()
    samples.add(5.0)
    samples.add(watts)
    with pytest.raises(ReadingFailed, match="the meter read"):
        samples.joules(0.0, 1.0)


def test_measuring_leaves_no_thread_and_no_error_behind(tmp_path: Path) -> None:
    meter, before = meter_at(written(tmp_path, rail())), threading.active_count()
    with pytest.raises(KeyError), meter.measure() as energy:  # what is measured may fail
        raise KeyError
    assert threading.active_count() == before
    assert energy.why is None or energy.joules is None


def test_energy_is_unknown_until_the_end(tmp_path: Path) -> None:
    meter = meter_at(written(tmp_path, rail()))
    with meter.measure() as energy:
        assert (energy.joules, energy.why) == (None, "it is still being measured")


STATS = "RAM 1/2MB (lfb 1x4MB) CPU [1%@729,off] VDD_IN 4000mW/3000mW VDD_SOC 9000mW/9000mW"
FOREVER = f'while :; do echo "{STATS}"; sleep 0.01; done'


def test_tegrastats_measures_where_sensors_cannot_be_read(tmp_path: Path, clock: Clock) -> None:
    program(tmp_path / "usr/bin/tegrastats", FOREVER)
    meter = meter_at(tmp_path)
    assert (meter.name, meter.what) == ("tegrastats", "whole module (VDD_IN)")
    with meter.measure() as energy:
        clock.now_s += 2.0
    assert energy.joules == pytest.approx(8.0)


def test_tegrastats_that_ends_leaves_unknown(tmp_path: Path) -> None:
    ended = tmp_path / "ended"
    waits = f'echo "{STATS}"; while [ ! -e {ended} ]; do sleep 0.01; done'
    program(tmp_path / "usr/bin/tegrastats", waits)
    with meter_at(tmp_path).measure() as energy:
        ended.touch()
        for thread in threading.enumerate():
            if thread.name == "power":
                thread.join(60)
    assert (energy.joules, energy.why) == (None, "tegrastats ended by itself")


@pytest.mark.parametrize("script", ["echo RAM 1/2MB; exit 1", "exit 3", "echo 'VDD_IN 0mW/0mW'"])
def test_tegrastats_without_power_is_no_meter(tmp_path: Path, script: str) -> None:
    program(tmp_path / "usr/bin/tegrastats", script)
    assert "tegrastats: tegrastats tells no power" in why_not(tmp_path)


def test_a_program_that_does_not_start_is_unknown(tmp_path: Path) -> None:
    command = [str(tmp_path / "nothing")]
    with Meter(
        "fake", "all", "measured", streamed.streamed(command, lambda line: 1.0)
    ).measure() as energy:
        pass
    assert "nothing does not start" in str(energy.why)


def test_lines_choose_the_rail_that_feeds_all() -> None:
    assert total_watts(STATS) == (("VDD_IN",), pytest.approx(4.0))
    assert total_watts("RAM 1/2MB CPU [off]") is None


@pytest.mark.parametrize(
    ("line", "watts"),
    [
        ("Combined Power (CPU + GPU + ANE): 1172 mW\n", 1.172),
        ("Intel energy model derived package power (CPUs+GT+SA): 2.48W\n", 2.48),
        ("CPU Power: 823 mW\n", None),
        ("ANE Power: 3 mW\n", None),
        ("Combined Power (CPU + GPU + ANE): lots\n", None),
    ],
)
def test_powermetrics_tells_the_power_of_the_chip(line: str, watts: float | None) -> None:
    assert watts_of(line) == (None if watts is None else pytest.approx(watts))


@pytest.mark.parametrize("user", [0, 501])
def test_powermetrics_asks_for_no_password(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, user: int
) -> None:
    monkeypatch.setattr("os.geteuid", lambda: user)
    said = '"Combined Power (CPU + GPU + ANE): 2000 mW"'
    program(tmp_path / "usr/bin/powermetrics", f"while :; do echo {said}; sleep 0.01; done")
    program(tmp_path / "usr/bin/sudo", 'printf %s "$1" > "$0.asked"; shift; exec "$@"')
    meter = meter_at(tmp_path)
    asked = tmp_path / "usr/bin/sudo.asked"
    assert meter.name == "powermetrics"
    assert (asked.read_text() == "-n") if user else not asked.exists()


def test_powermetrics_without_root_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 501)
    program(tmp_path / "usr/bin/powermetrics", "exit 1")
    program(tmp_path / "usr/bin/sudo", "echo sudo: a password is required >&2; exit 1")
    assert "run `sudo -v` first" in why_not(tmp_path)


@pytest.mark.parametrize(
    "files",
    [
        {"power_now": 12_000_000},
        {"power_now": -12_000_000},
        {"current_now": 1_000_000, "voltage_now": 12_000_000},
    ],
)
def test_a_battery_tells_what_the_whole_laptop_draws(
    tmp_path: Path, clock: Clock, files: dict[str, object]
) -> None:
    meter = meter_at(written(tmp_path, discharging(**files)))
    assert (meter.name, meter.source) == ("battery", "measured")
    assert "whole laptop" in meter.what
    with meter.measure() as energy:
        clock.now_s += 60.0
    assert energy.joules == pytest.approx(720.0)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({f"{BAT}/status": "Charging"}, "the battery did not discharge all the time"),
        ({f"{BAT}/power_now": 0}, "the meter read 0 W"),
        ({f"{BAT}/power_now": ""}, "the battery does not tell its power any more"),
    ],
)
def test_a_battery_that_stops_telling_leaves_unknown(
    tmp_path: Path, change: dict[str, object], why: str
) -> None:
    meter = meter_at(written(tmp_path, discharging(power_now=9_000_000)))
    with meter.measure() as energy:
        written(tmp_path, change)
    assert (energy.joules, energy.why) == (None, why)


@pytest.mark.parametrize(
    ("files", "why"),
    [
        ({}, "battery: none"),
        (discharging(status="Full", power_now=1), "battery: it is not discharging"),
        (discharging(), "battery: it tells neither"),
        (discharging(scope="Device", power_now=1), "battery: none"),  # of a mouse
    ],
)
def test_without_a_meter_every_one_says_why(
    tmp_path: Path, files: dict[str, object], why: str
) -> None:
    said = why_not(written(tmp_path, files))
    assert why in said
    for name in ("INA3221", "tegrastats", "RAPL", "powermetrics", "battery"):
        assert f"{name}: " in said


def test_the_finest_meter_is_taken(tmp_path: Path) -> None:
    steps: list[tuple[str, Callable[[], object]]] = [
        ("battery", lambda: written(tmp_path, discharging(power_now=1_000_000))),
        ("RAPL", lambda: written(tmp_path, zone("0", "package-0", 1))),
        ("tegrastats", lambda: program(tmp_path / "usr/bin/tegrastats", FOREVER)),
        ("INA3221", lambda: written(tmp_path, rail())),
    ]
    for name, arrive in steps:
        arrive()
        assert meter_at(tmp_path).name == name


def test_an_estimate_is_made_only_if_asked_for(tmp_path: Path) -> None:
    assert isinstance(find_meter(tmp_path), Unavailable)
    meter = find_meter(tmp_path, watts_per_core=6.5)
    assert isinstance(meter, Meter)
    assert (meter.source, meter.what) == ("estimated", "CPU time of this process x 6.5 W a core")
    measured = find_meter(written(tmp_path, rail()), watts_per_core=6.5)
    assert isinstance(measured, Meter)
    assert measured.source == "measured"


def test_an_estimate_is_cpu_time_times_watts(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter((10.0, 12.0))
    monkeypatch.setattr("time.process_time", lambda: next(clock))
    with estimated(6.5).measure() as energy:
        pass
    assert energy.joules == pytest.approx(13.0)


@pytest.mark.parametrize("watts", [0.0, -3.0, float("nan"), float("inf")])
def test_an_estimate_needs_watts(tmp_path: Path, watts: float) -> None:
    with pytest.raises(ConfigError, match="watts_per_core is"):
        find_meter(tmp_path, watts_per_core=watts)


MAINS = "sys/class/power_supply/AC"


@pytest.mark.parametrize(
    ("files", "source"),
    [
        ({}, None),
        ({f"{MAINS}/type": "Mains", f"{MAINS}/online": 1}, "AC"),
        ({f"{MAINS}/type": "Mains", f"{MAINS}/online": 1, **discharging(status="Full")}, "AC"),
        ({f"{MAINS}/type": "Mains", f"{MAINS}/online": 0, **discharging(status="?")}, "battery"),
        (discharging(), "battery"),
        (discharging(scope="Device"), None),
        ({f"{MAINS}/type": "USB", f"{MAINS}/online": 0}, None),
    ],
)
def test_the_source_of_power_is_told(
    tmp_path: Path, files: dict[str, object], source: str | None
) -> None:
    assert power_source(written(tmp_path, files)) == source
