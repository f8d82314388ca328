"""Programs that print power: tegrastats, and powermetrics as its manual page describes it."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from rap_edge.runtime.power import Meter, streamed
from rap_edge.runtime.power.jetson import total_watts
from rap_edge.runtime.power.powermetrics import watts_of

STATS = "RAM 1/2MB (lfb 1x4MB) CPU [1%@729,off] VDD_IN 4000mW/3000mW VDD_SOC 9000mW/9000mW"
FOREVER = f'while :; do echo "{STATS}"; sleep 0.01; done'


def test_tegrastats_measures_where_sensors_cannot_be_read(tree: Any, clock: Any) -> None:
    tree.program("usr/bin/tegrastats", FOREVER)
    meter = tree.meter()
    assert (meter.name, meter.what) == ("tegrastats", "whole module (VDD_IN)")
    with meter.measure() as energy:
        clock.now_s += 2.0
    assert energy.joules == pytest.approx(8.0)


def test_tegrastats_that_ends_leaves_unknown(tree: Any) -> None:
    ended = tree.root / "ended"
    waits = f'echo "{STATS}"; while [ ! -e {ended} ]; do sleep 0.01; done'
    tree.program("usr/bin/tegrastats", waits)
    with tree.meter().measure() as energy:
        ended.touch()
        for thread in threading.enumerate():
            if thread.name == "power":
                thread.join(60)
    assert (energy.joules, energy.why) == (None, "tegrastats ended by itself")


@pytest.mark.parametrize("script", ["echo RAM 1/2MB; exit 1", "exit 3", "echo 'VDD_IN 0mW/0mW'"])
def test_tegrastats_without_power_is_no_meter(tree: Any, script: str) -> None:
    tree.program("usr/bin/tegrastats", script)
    assert "tegrastats: tegrastats tells no power" in tree.why_not()


def test_a_program_that_does_not_start_is_unknown(tree: Any) -> None:
    command = [str(tree.root / "nothing")]
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
    tree: Any, monkeypatch: pytest.MonkeyPatch, user: int
) -> None:
    monkeypatch.setattr("os.geteuid", lambda: user)
    said = '"Combined Power (CPU + GPU + ANE): 2000 mW"'
    tree.program("usr/bin/powermetrics", f"while :; do echo {said}; sleep 0.01; done")
    tree.program("usr/bin/sudo", 'printf %s "$1" > "$0.asked"; shift; exec "$@"')
    meter = tree.meter()
    asked = tree.root / "usr/bin/sudo.asked"
    assert meter.name == "powermetrics"
    assert (asked.read_text() == "-n") if user else not asked.exists()


def test_powermetrics_without_root_says_what_to_do(
    tree: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 501)
    tree.program("usr/bin/powermetrics", "exit 1")
    tree.program("usr/bin/sudo", "echo sudo: a password is required >&2; exit 1")
    assert "run `sudo -v` first" in tree.why_not()
