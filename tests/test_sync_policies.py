"""Ours beside the policies of others, and hours on a virtual clock: what is promised holds."""

from __future__ import annotations

import json
import sys

import pytest

from rap_edge.benchmarks import day, sync
from rap_edge.benchmarks.cuts import cut_short
from rap_edge.benchmarks.long_runs import barge_ins, drift
from rap_edge.benchmarks.sync import Row, compare, table
from rap_edge.benchmarks.virtual import Stall

SECONDS = 24.0


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    return compare(SECONDS)


def test_ours_is_in_sync_again_within_a_second_of_any_stall(rows: list[Row]) -> None:
    ours = [row.skew for row in rows if row.policy.startswith("rap-edge")]
    assert len(ours) == 12
    for skew in ours:
        assert abs(skew.end_ms) < 20
        assert skew.recovered_ms is not None
        assert skew.recovered_ms < 1000
        assert abs(skew.median_ms) < 20


def test_no_stall_delays_or_cuts_our_voice(rows: list[Row]) -> None:
    for row in rows:
        if row.policy.startswith("rap-edge"):
            assert row.skew.voice_late_ms < 1
            assert row.skew.voice_cut_ms == 0


def test_an_fps_controller_that_gives_up_stays_behind(rows: list[Row]) -> None:
    """As its users report: what a stall beyond its tolerance costs is never caught up."""
    (skew,) = (
        row.skew
        for row in rows
        if (row.policy, row.stall_ms) == ("fps controller, voice by itself", 800)
        and row.speech == "live"
    )
    assert skew.recovered_ms is None
    assert skew.end_ms > 1500


def test_a_voice_in_step_with_the_picture_waits_for_it(rows: list[Row]) -> None:
    for row in rows:
        if row.policy.endswith("voice in step") and row.speech == "live":
            assert row.skew.voice_late_ms >= row.stall_ms - 40


def test_all_policies_are_in_the_table(rows: list[Row]) -> None:
    lines = table(rows).splitlines()
    assert len(lines) == 2 + len(sync.POLICIES) * len(sync.STALLS_MS) * len(sync.SIDES)


@pytest.mark.parametrize("ppm", [200.0, -200.0])
def test_a_device_that_drifts_is_followed(ppm: float) -> None:
    found = drift(ppm, hours=0.1)
    assert found.max_skew_ms < 40
    assert abs(found.slope_ms_per_h) < 1
    assert found.underflows == 0
    assert abs(found.measured_ppm - ppm) < 20


@pytest.mark.parametrize("latency_ms", [30, 100])
def test_barge_ins_leave_picture_and_voice_together(latency_ms: int) -> None:
    found = cut_short(latency_ms, hours=0.05)
    assert found.cuts > 50
    assert found.frames > 2000
    assert abs(found.median_skew_ms - 5) < 3  # what the device's callbacks are late in the mean
    assert found.p95_skew_ms < 40


def test_nothing_old_follows_a_barge_in() -> None:
    playout, attached, *_ = barge_ins(25)
    assert (playout.frames, attached.frames, attached.voice_ms) == (0, 0, 0)
    assert playout.voice_ms <= 5  # the fade


def test_hours_of_conversation_keep_the_books() -> None:
    found = day.converse(2)
    assert found.utterances > 1000
    assert found.interrupts > 200
    assert found.underruns > 100
    assert found.level_changes > 10
    assert found.drift_ns == 0
    assert found.largest_skew_ms == 0
    assert found.most_kept < 20


def test_a_hiccup_a_minute_leaves_the_quality_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(day, "SLOWNESS", (1,))
    found = day.converse(1)
    assert found.level_share[0] > 0.95
    assert found.presented > 0.95 * found.frames


def test_a_machine_that_was_overloaded_comes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        day, "_episodes", lambda rng, end: lambda now: 8 if now < day.HOUR / 6 else 1
    )
    monkeypatch.setattr(day, "_stalls", lambda rng, end: [Stall(0, 0)])
    found = day.converse(1)
    assert found.held["overload"] > 0
    assert found.level_share[0] > 0.5


def test_json_says_what_schema_it_has(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["sync", "--seconds", "8", "--json"])
    sync.main()
    printed = json.loads(capsys.readouterr().out)
    assert printed["schema_version"] == sync.SCHEMA_VERSION
    assert {row["policy"] for row in printed["policies"]} == set(sync.POLICIES)
    assert printed["host"]["processor"]["logical_cores"] > 0
