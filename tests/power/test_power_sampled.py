"""Readings of power become energy, and one that fails makes it unknown."""

from __future__ import annotations

import threading
from itertools import count
from typing import Any

import pytest

from rap_edge.runtime.power import Meter, sampled
from rap_edge.runtime.power.meter import ReadingFailed
from rap_edge.runtime.power.sampled import Samples, integrate


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


def test_power_is_held_or_changes_evenly_between_readings(tree: Any, clock: Any) -> None:
    meter = tree.write(tree.rail(mv=5000, ma=1500)).meter()
    assert (meter.name, meter.what) == ("INA3221", "whole module (VDD_IN)")
    with meter.measure() as energy:
        clock.now_s += 4.0
    assert (energy.joules, energy.seconds) == (pytest.approx(30.0), 4.0)
    assert energy.watts == pytest.approx(7.5)


def test_rails_that_nothing_feeds_in_common_are_summed(tree: Any, clock: Any) -> None:
    tree.write(tree.rail("VDD_GPU_SOC", 1000, 2000), tree.rail("VIN_SYS_5V0", 5000, 1000, 2))
    meter = tree.meter()
    assert meter.what == "module, the sum of its rails VDD_GPU_SOC, VIN_SYS_5V0"
    with meter.measure() as energy:
        clock.now_s += 2.0
    assert energy.joules == pytest.approx(14.0)


def test_a_rail_that_disappears_leaves_unknown(tree: Any) -> None:
    meter = tree.write(tree.rail()).meter()
    with meter.measure() as energy:
        next(tree.root.rglob("curr1_input")).unlink()
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


def test_measuring_leaves_no_thread_and_no_error_behind(tree: Any) -> None:
    meter, before = tree.write(tree.rail()).meter(), threading.active_count()
    with pytest.raises(KeyError), meter.measure() as energy:  # what is measured may fail
        raise KeyError
    assert threading.active_count() == before
    assert energy.why is None or energy.joules is None


def test_energy_is_unknown_until_the_end(tree: Any) -> None:
    meter = tree.write(tree.rail()).meter()
    with meter.measure() as energy:
        assert (energy.joules, energy.why) == (None, "it is still being measured")
