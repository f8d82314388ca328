"""Counters of energy: they go round, go back, stand still, disappear, or are root's only.

After the kernel's Documentation/power/powercap.
"""

from __future__ import annotations

import threading
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from rap_edge.runtime.power import rapl
from rap_edge.runtime.sysfs import read_number

RAPL = "sys/class/powercap"


def test_packages_and_dram_are_summed_and_nothing_twice(tree: Any) -> None:
    tree.write(tree.zone("0", "package-0", 1_000_000), tree.zone("1", "package-1", 0))
    tree.write(tree.zone("0:0", "core", 5), tree.zone("0:1", "uncore", 5))
    tree.write(tree.zone("0:2", "dram", 2_000_000), tree.zone("2", "psys", 7))
    meter = tree.meter()
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
        tree.write({f"{RAPL}/intel-rapl:{n}/energy_uj": uj for n, uj in after.items()})
    assert energy.joules == pytest.approx(3.0 + 0.5 + 0.25)
    assert energy.why is None
    assert energy.watts is not None


def test_a_counter_that_went_round_has_grown(tree: Any) -> None:
    meter = tree.write(tree.zone("0", "package-0", 900_000, range_uj=1_000_000)).meter()
    with meter.measure() as energy:
        tree.write({f"{RAPL}/intel-rapl:0/energy_uj": 300_000})
    assert energy.joules == pytest.approx(0.4)


def test_a_counter_that_went_back_without_a_range_is_not_believed(tree: Any) -> None:
    meter = tree.write(tree.zone("0", "package-0", 900_000, range_uj=None)).meter()
    with meter.measure() as energy:
        tree.write({f"{RAPL}/intel-rapl:0/energy_uj": 300_000})
    assert energy.joules is None
    assert energy.why is not None
    assert "went back" in energy.why


def test_a_counter_is_read_often_enough_to_go_round_many_times(
    tree: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    readings, often = count(0, 700_000), threading.Event()

    def reading(file: Path) -> int:
        value = next(readings)
        if value > 7_000_000:
            often.set()
        return value % 1_000_000

    zones = rapl.find_zones(tree.write(tree.zone("0", "package-0", 0, range_uj=1_000_000)).root)
    monkeypatch.setattr(rapl, "read_number", reading)
    monkeypatch.setattr(rapl, "PERIOD_S", 0.001)
    end = rapl.counted(zones)()
    assert often.wait(60)
    joules = end()
    assert joules == pytest.approx((next(readings) - 700_000) * 1e-6)


def test_rapl_that_only_root_may_read_says_how_to_allow_it(
    tree: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    tree.write(tree.zone("0", "package-0", 1))

    def denied(file: Path) -> int | None:
        return None if file.name == "energy_uj" else read_number(file)

    monkeypatch.setattr(rapl, "read_number", denied)
    why = tree.why_not()
    assert "only root may" in why
    assert "sudo chmod a+r /sys/class/powercap/intel-rapl:*/energy_uj" in why


def test_a_counter_that_stands_still_is_unknown_and_not_zero(tree: Any) -> None:
    meter = tree.write(tree.zone("0", "package-0", 5)).meter()
    with meter.measure() as energy:
        pass
    assert energy.joules is None
    assert energy.watts is None
    assert energy.why == "the meter counted 0 J: measure for longer"


def test_a_counter_that_disappears_is_unknown(tree: Any) -> None:
    meter = tree.write(tree.zone("0", "package-0", 5)).meter()
    with meter.measure() as energy:
        (tree.root / RAPL / "intel-rapl:0/energy_uj").unlink()
    assert energy.joules is None
    assert "cannot be read any more" in str(energy.why)
    with meter.measure() as later:
        pass
    assert "cannot be read any more" in str(later.why)
