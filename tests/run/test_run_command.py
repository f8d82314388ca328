"""`rap-edge run` plays a stream to its end with and without devices, and says how it did."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from typer.testing import Result

from rap_edge.cli import run_report
from rap_edge.cli.failures import ExitCode
from rap_edge.errors import AudioError, NotSupported

RATE = 48_000
FRAME = RATE // 25
NULL = ("--null-audio", "--null-video", "--ahead", "1")

Run = Callable[..., Result]


def test_a_file_is_played_to_its_end(model: Any, run: Run, speech: Path) -> None:
    result = run("--audio-in", str(speech), *NULL, "--json", "--seed", "7")
    assert result.exit_code == ExitCode.OK, result.stderr
    told = json.loads(result.stdout)
    assert told["schema_version"] == run_report.SCHEMA_VERSION
    assert (told["backend"], told["bundle"], told["trace"]) == ("onnxruntime", "live", None)
    assert told["presented"] == 10
    assert told["stage_ms"]["decode"]["p50"] == 11.0
    assert model.live.pushed == 10 * FRAME
    assert model.live.closed
    assert (model.options["seed"], model.options["trace"]) == (7, None)
    assert model.options["playout"].sample_rate == RATE


def test_the_numbers_are_told_in_words(model: Any, run: Run, speech: Path) -> None:
    result = run("--audio-in", str(speech), *NULL)
    assert "frames: 10 shown of 10 due, 0.0 % late" in result.stdout
    assert "skew: 2 ms median, 9 ms p95, 19 ms largest" in result.stdout
    assert "first frame of speech: 250 ms after the first sample, no after" in result.stdout
    assert result.stderr == ""


def test_it_ends_when_the_time_is_over(model: Any, run: Run, speech: Path) -> None:
    result = run("--audio-in", str(speech), *NULL, "--seconds", "0.1")
    assert result.exit_code == ExitCode.OK
    assert model.live.closed
    assert 0 < model.live.shown < 10


def test_a_trace_is_written_at_the_end(model: Any, run: Run, speech: Path, tmp_path: Path) -> None:
    path = tmp_path / "trace.json"
    result = run("--audio-in", str(speech), *NULL, "--trace", str(path))
    assert "ui.perfetto.dev" in result.stdout
    assert model.options["trace"] is not None
    assert json.loads(path.read_text())["traceEvents"]


def test_ctrl_c_ends_it_with_its_numbers(
    model: Any, run: Run, speech: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(timeout: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(model.live, "pull", interrupted)
    result = run("--audio-in", str(speech), *NULL)
    assert result.exit_code == ExitCode.OK
    assert "0 shown" in result.stdout
    assert model.live.closed


def test_what_ends_the_sound_or_the_speech_ends_the_command(
    model: Any, run: Run, speech: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model.live.failure = NotSupported("the device is gone")
    result = run("--audio-in", str(speech), *NULL)
    assert (result.exit_code, result.stderr) == (
        ExitCode.UNAVAILABLE,
        "error: the device is gone\n",
    )
    model.restart()

    def refuse(*arguments: object) -> bool:
        raise AudioError("a sample is not finite")

    monkeypatch.setattr(model.live, "push_audio", refuse)
    result = run("--audio-in", str(speech), *NULL)
    assert (result.exit_code, result.stderr) == (
        ExitCode.BAD_DATA,
        "error: a sample is not finite\n",
    )


def test_nothing_is_opened_for_input_that_cannot_be_used(
    model: Any, run: Run, speech: Path, tmp_path: Path
) -> None:
    cases = [
        (run("--audio-in", str(tmp_path / "no.wav"), *NULL), ExitCode.NO_INPUT, "no.wav"),
        (run("--audio-in", str(tmp_path / "face.png"), *NULL), ExitCode.BAD_DATA, "face.png"),
        (
            run("--audio-in", str(speech), *NULL, "--trace", str(tmp_path / "no" / "t.json")),
            ExitCode.CANNOT_CREATE,
            "create it first",
        ),
        (run("--seconds", "0"), ExitCode.USAGE, "--seconds"),
        (run("--ahead", "1000"), ExitCode.USAGE, "--ahead"),
    ]
    for result, code, words in cases:
        assert result.exit_code == code
        assert words in result.stderr
        assert "Traceback" not in result.stderr
    assert model.options == {}


def test_a_failure_at_the_start_leaves_the_older_trace(
    model: Any, run: Run, tmp_path: Path
) -> None:
    path = tmp_path / "trace.json"
    path.write_text("older")
    result = run("--audio-in", str(tmp_path / "no.wav"), *NULL, "--trace", str(path))
    assert result.exit_code == ExitCode.NO_INPUT
    assert path.read_text() == "older"


class FakeMicrophone:
    """Hears ten frames and then nothing, until it is closed."""

    sample_rate = RATE

    def __init__(self) -> None:
        self.is_closed = threading.Event()

    def __iter__(self) -> Iterator[NDArray[np.float32]]:
        for _ in range(20):
            yield np.zeros(FRAME // 2, np.float32)
        self.is_closed.wait(30)

    def close(self) -> None:
        self.is_closed.set()


def test_a_microphone_is_heard_until_the_time_is_over(
    model: Any, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    microphone = FakeMicrophone()
    monkeypatch.setattr("rap_edge.runtime.sound_device.Microphone", lambda: microphone)
    result = run("--null-audio", "--null-video", "--seconds", "0.2")
    assert result.exit_code == ExitCode.OK, result.stderr
    assert model.live.pushed == 10 * FRAME
    assert microphone.is_closed.is_set()


def test_without_a_microphone_the_way_out_is_named(
    model: Any, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    result = run("--null-audio", "--null-video")
    assert result.exit_code == ExitCode.UNAVAILABLE
    assert "no microphone: sounddevice is not installed" in result.stderr
    assert "or name a file with --audio-in" in result.stderr


def test_the_status_line_says_how_the_stream_does(model: Any) -> None:
    model.live.played, model.live.shown = RATE, 25
    assert run_report.status(model.live.stats()) == (
        "1.0 s heard, 25 frames, 0.0 % late, level 0, skew 2 ms, 0 queued"
    )
