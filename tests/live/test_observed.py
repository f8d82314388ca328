"""What a stream says of itself while it runs: in numbers, events, a trace and a log."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from rap_edge._core import LevelChange, Reason
from rap_edge.runtime import Avatar, Frame, Trace
from rap_edge.runtime.live import Stream
from rap_edge.runtime.pressure import Pressure

RATE = 16000
CHUNK_NS = 400_000_000  # of work, for 160 ms of pictures

Speech = Callable[..., NDArray[np.float32]]
Until = Callable[[Callable[[], Any]], None]
Hinder = Callable[..., Avatar]


@pytest.fixture(autouse=True)
def _cool(monkeypatch: pytest.MonkeyPatch) -> None:
    """No level changes because of the machine that runs the tests."""
    warm(monkeypatch, Pressure())


def warm(monkeypatch: pytest.MonkeyPatch, pressure: Pressure) -> None:
    monkeypatch.setattr("rap_edge.runtime.opening.read_pressure", lambda before: pressure)


def told(path: Path, name: str) -> list[dict[str, Any]]:
    return [e["args"] for e in json.loads(path.read_text())["traceEvents"] if e["name"] == name]


def go_on(stage: Any, stream: Stream) -> None:
    """Let a moment pass, in which a chunk may be made or not."""
    stage.clocks[stream].ns += 10_000_000
    stream.poll()
    stream.flush(-1)  # nothing, but the maker looks at the clock


def overload(
    stage: Any, hindered: Hinder, until: Until, trace: Trace | None
) -> tuple[Stream, list[LevelChange]]:
    """Open a stream whose chunks take too long, and wait for what it says to that."""
    opened: list[Stream] = []

    def slow_down() -> None:
        if opened and threading.current_thread().name == "rap-edge maker":
            stage.clocks[opened[0]].ns += CHUNK_NS

    opened.append(stage.open(hindered(slow_down), trace, level=None))
    changes: list[LevelChange] = []

    def happened() -> bool:
        go_on(stage, opened[0])
        changes.extend(opened[0].events())
        return bool(changes)

    until(happened)
    return opened[0], changes


def test_a_change_of_level_is_told_with_its_reason(
    stage: Any, hindered: Hinder, until: Until
) -> None:
    stream, (change, *_) = overload(stage, hindered, until, None)
    assert (change.from_level, change.to_level) == (0, 1)
    assert change.reason in (Reason.OVERLOAD, Reason.LATE)
    assert stream.stats().level >= 1
    assert change.now_ns not in [later.now_ns for later in stream.events()]


def test_a_trace_has_the_changes_of_level_and_the_counters(
    stage: Any, hindered: Hinder, until: Until, tmp_path: Path
) -> None:
    """Nobody has to ask for numbers, and who asks for events gets them all the same."""
    path = tmp_path / "trace.json"
    with Trace(path) as trace:
        stream, changes = overload(stage, hindered, until, trace)
        for _ in range(60):
            stage.tick(stream)
        changes += stream.events()
        stream.close()
    levels = [(args["from_level"], args["to_level"]) for args in told(path, "level change")]
    assert levels == [(change.from_level, change.to_level) for change in changes]
    assert told(path, "level change")[0]["reason"] == changes[0].reason.name.lower()
    for counter in ("queued", "level"):
        assert len(told(path, counter)) >= 3


def test_a_trace_counts_the_skew_once_a_second(stage: Any, speech: Speech, tmp_path: Path) -> None:
    path = tmp_path / "trace.json"
    with Trace(path) as trace:
        stream = stage.open(trace=trace)
        stage.say(stream, speech(RATE * 4))
        stream.close()
    assert [args["value"] for args in told(path, "skew_ms")] == [0.0] * 3
    assert told(path, "level") == [{"value": 0}] * 4


def test_heat_that_lowers_the_level_says_why(
    stage: Any, monkeypatch: pytest.MonkeyPatch, until: Until, tmp_path: Path
) -> None:
    path = tmp_path / "trace.json"
    warm(monkeypatch, Pressure(frequency_cap=1.0))
    with Trace(path) as trace:
        stream = stage.open(trace=trace, level=None)
        until(lambda: stream.snapshot()["pressure"])
        assert stream.snapshot()["pressure"]["severity"] == "nominal"
        warm(monkeypatch, Pressure(frequency_cap=0.4))
        stage.tick(stream)
        changes: list[LevelChange] = []
        until(lambda: go_on(stage, stream) or changes.extend(stream.events()) or changes)
        assert [(change.to_level, change.reason) for change in changes] == [(1, Reason.PRESSURE)]
        reason = "frequency capped to 40 %"
        pressure = {"severity": "serious", "reason": reason, "temperature_c": None}
        assert stream.snapshot()["pressure"] == pressure
        stream.close()
    assert told(path, "pressure") == [
        {"severity": "nominal", "reason": ""},
        {"severity": "serious", "reason": reason},
    ]
    assert told(path, "level change")[0]["reason"] == "pressure"


def test_a_level_that_was_asked_for_needs_no_reading(stage: Any) -> None:
    stream = stage.open(level=1)
    stage.tick(stream)
    assert stream.snapshot()["pressure"] is None


def test_what_was_heard_only_grows(stage: Any, speech: Speech) -> None:
    stream = stage.open()
    stage.say(stream, speech(RATE))
    stream.begin()
    assert stream.stats().played_seconds == pytest.approx(1.0)
    stage.say(stream, speech(RATE // 2))
    assert stream.stats().played_seconds == pytest.approx(1.5)
    stream.interrupt()
    assert stream.stats().played_seconds == pytest.approx(1.5)


def test_a_held_picture_is_no_first_frame_of_speech(
    stage: Any, hindered: Hinder, speech: Speech, until: Until
) -> None:
    gate = threading.Event()
    gate.set()

    def wait() -> None:
        if threading.current_thread().name == "rap-edge maker":
            assert gate.wait(30)

    stream = stage.open(hindered(wait), idle="hold")
    gate.clear()
    utterance = stream.begin()
    stream.push_audio(speech(RATE * 4), RATE, utterance)
    frames: list[Frame] = [stage.tick(stream)]
    while frames[-1].utterance != utterance:
        frames.append(stage.tick(stream))
    assert frames[-1].late
    assert stream.stats().first_frame_ms is None
    gate.set()
    until(lambda: not stage.tick(stream).late)
    assert stream.stats().first_frame_ms is not None


def test_stages_are_timed_from_the_first_chunk_that_is_shown(stage: Any, speech: Speech) -> None:
    stream = stage.open(idle="hold")
    assert stream.stats().stage_ms == {}
    stage.say(stream, speech(RATE))
    assert stream.stats().stage_ms["audio"].count == stream.snapshot()["chunks"]


def test_a_snapshot_has_what_the_scheduler_counts(stage: Any, speech: Speech) -> None:
    stream = stage.open()
    stage.say(stream, speech(RATE))
    found = stream.snapshot()
    assert found["script_end"] >= RATE
    assert found["next_make"] >= found["next_show"] == found["ticks"]
    assert found["service_p50_ms"] <= found["service_p90_ms"] <= found["service_p99_ms"]
    assert (found["failed_chunks"], found["position_clamps"]) == (0, 0)
    assert found["chunks"] >= 6


def test_a_callback_that_fails_is_told_at_once(
    avatar: Avatar, until: Until, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(frame: Frame) -> None:
        raise LookupError(f"frame {frame.index}")

    stream = avatar.open_stream(admission=False)
    assert stream.snapshot()["callback_error"] is None
    with caplog.at_level(logging.ERROR, "rap_edge"):
        stream.start(fail)
        until(lambda: stream.snapshot()["callback_error"])
    assert stream.snapshot()["callback_error"] == "LookupError: frame 0"
    (record,) = [record for record in caplog.records if record.name == "rap_edge"]
    assert record.exc_info is not None
    assert "on_frame" in record.getMessage()
    with pytest.raises(LookupError, match="frame 0"):
        stream.close()
