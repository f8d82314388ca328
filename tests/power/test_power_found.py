"""Which meter is taken, what a battery tells, and what an estimate is.

Supplies after the kernel's Documentation/ABI/testing/sysfs-class-power.
"""

from __future__ import annotations

from typing import Any

import pytest

from rap_edge.errors import ConfigError
from rap_edge.runtime.power import Meter, Unavailable, estimated, find_meter, power_source

BATTERY = "sys/class/power_supply/BAT0"
MAINS = "sys/class/power_supply/AC"


@pytest.mark.parametrize(
    "files",
    [
        {"power_now": 12_000_000},
        {"power_now": -12_000_000},
        {"current_now": 1_000_000, "voltage_now": 12_000_000},
    ],
)
def test_a_battery_tells_what_the_whole_laptop_draws(
    tree: Any, clock: Any, files: dict[str, object]
) -> None:
    meter = tree.write(tree.battery(**files)).meter()
    assert (meter.name, meter.source) == ("battery", "measured")
    assert "whole laptop" in meter.what
    with meter.measure() as energy:
        clock.now_s += 60.0
    assert energy.joules == pytest.approx(720.0)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({f"{BATTERY}/status": "Charging"}, "the battery did not discharge all the time"),
        ({f"{BATTERY}/power_now": 0}, "the meter read 0 W"),
        ({f"{BATTERY}/power_now": ""}, "the battery does not tell its power any more"),
    ],
)
def test_a_battery_that_stops_telling_leaves_unknown(
    tree: Any, change: dict[str, object], why: str
) -> None:
    meter = tree.write(tree.battery(power_now=9_000_000)).meter()
    with meter.measure() as energy:
        tree.write(change)
    assert (energy.joules, energy.why) == (None, why)


@pytest.mark.parametrize(
    ("battery", "why"),
    [
        (None, "battery: none"),
        ({"status": "Full", "power_now": 1}, "battery: it is not discharging"),
        ({}, "battery: it tells neither"),
        ({"scope": "Device", "power_now": 1}, "battery: none"),  # of a mouse
    ],
)
def test_without_a_meter_every_one_says_why(
    tree: Any, battery: dict[str, object] | None, why: str
) -> None:
    said = tree.write({} if battery is None else tree.battery(**battery)).why_not()
    assert why in said
    for name in ("INA3221", "tegrastats", "RAPL", "powermetrics", "battery"):
        assert f"{name}: " in said


def test_the_finest_meter_is_taken(tree: Any) -> None:
    tree.write(tree.battery(power_now=1_000_000))
    assert tree.meter().name == "battery"
    tree.write(tree.zone("0", "package-0", 1))
    assert tree.meter().name == "RAPL"
    tree.program("usr/bin/tegrastats", "while :; do echo VDD_IN 4000mW/3000mW; sleep 0.01; done")
    assert tree.meter().name == "tegrastats"
    tree.write(tree.rail())
    assert tree.meter().name == "INA3221"


def test_an_estimate_is_made_only_if_asked_for(tree: Any) -> None:
    assert isinstance(find_meter(tree.root), Unavailable)
    meter = find_meter(tree.root, watts_per_core=6.5)
    assert isinstance(meter, Meter)
    assert (meter.source, meter.what) == ("estimated", "CPU time of this process x 6.5 W a core")
    measured = find_meter(tree.write(tree.rail()).root, watts_per_core=6.5)
    assert isinstance(measured, Meter)
    assert measured.source == "measured"


def test_an_estimate_is_cpu_time_times_watts(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter((10.0, 12.0))
    monkeypatch.setattr("time.process_time", lambda: next(clock))
    with estimated(6.5).measure() as energy:
        pass
    assert energy.joules == pytest.approx(13.0)


@pytest.mark.parametrize("watts", [0.0, -3.0, float("nan"), float("inf")])
def test_an_estimate_needs_watts(tree: Any, watts: float) -> None:
    with pytest.raises(ConfigError, match="watts_per_core is"):
        find_meter(tree.root, watts_per_core=watts)


@pytest.mark.parametrize(
    ("plug", "online", "battery", "source"),
    [
        (None, 0, None, None),
        ("Mains", 1, None, "AC"),
        ("USB", 1, {"status": "Full"}, "AC"),
        ("Mains", 0, {"status": "?"}, "battery"),
        ("Mains", 1, {}, "battery"),  # plugged into less than it draws
        (None, 0, {}, "battery"),
        (None, 0, {"scope": "Device"}, None),
        ("USB", 0, None, None),
    ],
)
def test_the_source_of_power_is_told(
    tree: Any, plug: str | None, online: int, battery: dict[str, object] | None, source: str | None
) -> None:
    if plug is not None:
        tree.write({f"{MAINS}/type": plug, f"{MAINS}/online": online})
    if battery is not None:
        tree.write(tree.battery(**battery))
    assert power_source(tree.root) == source
