"""Energy of a frame: what a meter counts while frames are made, and why it is not told."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rap_edge.benchmarks.pinned import Pinned
from rap_edge.benchmarks.scenarios import energy
from rap_edge.benchmarks.subjects import Opened
from rap_edge.runtime.power import Meter, Unavailable

JOULES = 50.0


def meter(joules: float = JOULES, **more: object) -> Meter:
    return replace(Meter("fake", "everything", "measured", lambda: lambda: joules), **more)


def test_a_frame_takes_what_all_took_over_their_number(
    opened: list[Opened], pinned: Pinned
) -> None:
    for row in energy.run(opened, pinned, 0.1, meter()):
        told = row.values["energy_j_per_frame"]
        assert told.value * told.n == pytest.approx(JOULES)
        assert told.source == "measured"
        assert row.values["power_w"].value > 0


def test_some_frames_are_made_however_short_the_time(opened: list[Opened], pinned: Pinned) -> None:
    row, *_ = energy.run(opened, pinned, 0.0, meter())
    assert row.values["energy_j_per_frame"].n > 0


@pytest.mark.parametrize(
    ("given", "why"),
    [
        (Unavailable("RAPL: none"), "RAPL: none"),
        (meter(least_s=60.0), "--seconds 120"),
        (meter(joules=0.0), "measure for longer"),
    ],
)
def test_what_is_not_known_says_why(
    opened: list[Opened], pinned: Pinned, given: Meter | Unavailable, why: str
) -> None:
    for row in energy.run(opened, pinned, 0.1, given):
        assert not row.values
        assert why in row.missing["energy_j_per_frame"]


def test_a_meter_of_the_cpu_tells_nothing_of_a_gpu(opened: list[Opened], pinned: Pinned) -> None:
    on_gpu = replace(opened[0], subject=replace(opened[0].subject, device="gpu"))
    (row,) = energy.run([on_gpu], pinned, 0.1, meter(only_cpu=True))
    assert "runs on gpu" in row.missing["energy_j_per_frame"]
    (row,) = energy.run([on_gpu], pinned, 0.1, meter())
    assert row.values["energy_j_per_frame"].value > 0
