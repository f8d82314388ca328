"""`rap-edge run` plays a stream to its end with and without devices, and says how it did."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from typer.testing import CliRunner, Result

import rap_edge
from rap_edge.cli import run_report
from rap_edge.cli.failures import ExitCode
from rap_edge.cli.group import app
from rap_edge.cli.window import NullScreen, Window
from rap_edge.errors import AudioError, NotSupported, StateError
from rap_edge.runtime.stats import StageTimes, StreamStats

RATE = 48_000
FRAME = RATE // 25

Run = Callable[..., Result]


class FakeStream:
    """Speaks what was pushed as the device plays, one frame for each 40 ms of it."""

    def __init__(self) -> None:
        self.pushed = self.played = self.shown = 0
        self.flushed = self.closed = False
        self.played_more = threading.Condition()
        self.playout = self
        self.failure: Exception | None = None

    def __enter__(self) -> FakeStream:
        return self

    def __exit__(self, *exception: object) -> None:
        self.closed = True

    def begin(self) -> int:
        return 1

    def push_audio(self, pcm: NDArray[np.float32], sample_rate: int, utterance: int) -> bool:
        if self.closed:
            raise StateError("the stream is closed")
        assert (sample_rate, utterance) == (RATE, 1)
        self.pushed += len(pcm)
        return True

    def flush(self, utterance: int) -> bool:
        self.flushed = True
        return True

    def read_into(self, out: NDArray[np.float32], host_ns: int, latency_ns: int) -> int:
        if self.failure is not None:
            raise self.failure
        with self.played_more:
            self.played += len(out)
            self.played_more.notify()
        return len(out)

    def pull(self, timeout: float) -> SimpleNamespace | None:
        with self.played_more:
            if not self.played_more.wait_for(lambda: self.played > self.shown * FRAME, timeout):
                return None
        end = (self.shown + 1) * FRAME
        self.shown += 1
        return SimpleNamespace(
            image=np.full((64, 64, 3), self.shown % 256, np.uint8),
            is_speech=end <= self.pushed,
            end_of_speech=self.flushed and end == self.pushed,
        )

    def stats(self) -> StreamStats:
        return StreamStats(
            ticks=self.shown,
            presented=self.shown,
            held=0,
            produced=self.shown,
            dropped=0,
            queued=0,
            late=0,
            skipped=0,
            underruns=0,
            interrupts=0,
            level=0,
            level_share=(1.0,),
            skew_ms_p50=2.0,
            skew_ms_p95=9.0,
            skew_ms_max=19.0,
            first_frame_ms=250.0,
            first_frame_from_enough_audio_ms=None,
            interrupt_ms_p50=None,
            interrupt_ms_p95=None,
            stage_ms={"decode": StageTimes(9, 11.0, 12.0, 13.0, 14.0, 100.0)},
            played_seconds=self.played / RATE,
            open_seconds=self.played / RATE,
        )


class FakeModel:
    """Stands for an opened model, its avatar and its stream."""

    def __init__(self) -> None:
        self.live = FakeStream()
        self.options: dict[str, Any] = {}
        self.backend, self.bundle = "onnxruntime", SimpleNamespace(name="live")

    def avatar(self, portrait: Path) -> FakeModel:
        return self

    def open_stream(self, **options: Any) -> FakeStream:
        self.options = options
        return self.live


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch) -> FakeModel:
    fake = FakeModel()
    monkeypatch.setattr(rap_edge, "open", lambda *arguments, **options: fake)
    return fake


@pytest.fixture
def portrait(tmp_path: Path) -> Path:
    Image.new("RGB", (64, 64)).save(tmp_path / "face.png")
    return tmp_path / "face.png"


@pytest.fixture
def speech(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file of 0.4 s, ten frames."""
    import wave

    path = tmp_path / "speech.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(bytes(2 * 10 * FRAME))
    return path


@pytest.fixture
def run(portrait: Path) -> Run:
    def invoke(*arguments: str) -> Result:
        return CliRunner().invoke(app, ["run", str(portrait), *arguments])

    return invoke


NULL = ("--null-audio", "--null-video", "--ahead", "1")


def test_a_file_is_played_to_its_end(model: FakeModel, run: Run, speech: Path) -> None:
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


def test_the_numbers_are_told_in_words(model: FakeModel, run: Run, speech: Path) -> None:
    result = run("--audio-in", str(speech), *NULL)
    assert "frames: 10 shown of 10 due, 0.0 % late" in result.stdout
    assert "skew: 2 ms median, 9 ms p95, 19 ms largest" in result.stdout
    assert "first frame of speech: 250 ms after the first sample, no after" in result.stdout
    assert result.stderr == ""


def test_it_ends_when_the_time_is_over(model: FakeModel, run: Run, speech: Path) -> None:
    result = run("--audio-in", str(speech), *NULL, "--seconds", "0.1")
    assert result.exit_code == ExitCode.OK
    assert model.live.closed
    assert 0 < model.live.shown < 10


def test_a_trace_is_written_at_the_end(
    model: FakeModel, run: Run, speech: Path, tmp_path: Path
) -> None:
    path = tmp_path / "trace.json"
    result = run("--audio-in", str(speech), *NULL, "--trace", str(path))
    assert "ui.perfetto.dev" in result.stdout
    assert model.options["trace"] is not None
    assert json.loads(path.read_text())["traceEvents"]


def test_ctrl_c_ends_it_with_its_numbers(
    model: FakeModel, run: Run, speech: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(timeout: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(model.live, "pull", interrupted)
    result = run("--audio-in", str(speech), *NULL)
    assert result.exit_code == ExitCode.OK
    assert "0 shown" in result.stdout
    assert model.live.closed


def test_what_ends_the_sound_or_the_speech_ends_the_command(
    model: FakeModel, run: Run, speech: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model.live.failure = NotSupported("the device is gone")
    result = run("--audio-in", str(speech), *NULL)
    assert (result.exit_code, result.stderr) == (
        ExitCode.UNAVAILABLE,
        "error: the device is gone\n",
    )
    model.live = FakeStream()

    def refuse(*arguments: object) -> bool:
        raise AudioError("a sample is not finite")

    monkeypatch.setattr(model.live, "push_audio", refuse)
    result = run("--audio-in", str(speech), *NULL)
    assert (result.exit_code, result.stderr) == (
        ExitCode.BAD_DATA,
        "error: a sample is not finite\n",
    )


def test_nothing_is_opened_for_input_that_cannot_be_used(
    model: FakeModel, run: Run, speech: Path, tmp_path: Path
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


class FakeMicrophone:
    """Hears ten frames and then nothing, until it is closed."""

    sample_rate = RATE

    def __init__(self) -> None:
        self.is_closed = threading.Event()

    def __iter__(self) -> Any:
        for _ in range(20):
            yield np.zeros(FRAME // 2, np.float32)
        self.is_closed.wait(30)

    def close(self) -> None:
        self.is_closed.set()


def test_a_microphone_is_heard_until_the_time_is_over(
    model: FakeModel, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    microphone = FakeMicrophone()
    monkeypatch.setattr("rap_edge.runtime.sound_device.Microphone", lambda: microphone)
    result = run("--null-audio", "--null-video", "--seconds", "0.2")
    assert result.exit_code == ExitCode.OK, result.stderr
    assert model.live.pushed == 10 * FRAME
    assert microphone.is_closed.is_set()


class FakeTkinter(ModuleType):
    """tkinter where no window can open."""

    class TclError(Exception):
        pass

    def Tk(self, className: str) -> None:  # noqa: N802, N803
        raise self.TclError("no display name and no $DISPLAY environment variable")


def test_without_a_display_the_way_out_is_named(
    model: FakeModel, run: Run, speech: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "tkinter", FakeTkinter("tkinter"))
    result = run("--audio-in", str(speech), "--null-audio")
    assert result.exit_code == ExitCode.UNAVAILABLE
    assert "--null-video" in result.stderr
    assert model.options == {}


def test_without_tkinter_its_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tkinter", None)
    with pytest.raises(NotSupported, match=r"python3-tk.*--null-video"):
        Window("nothing")


def test_the_null_screen_stays_open() -> None:
    screen = NullScreen()
    screen.show(np.zeros((2, 2, 3), np.uint8))
    screen.update()
    assert screen.is_open


def test_the_status_line_says_how_the_stream_does() -> None:
    stream = FakeStream()
    stream.played, stream.shown = RATE, 25
    assert run_report.status(stream.stats()) == (
        "1.0 s heard, 25 frames, 0.0 % late, level 0, skew 2 ms, 0 queued"
    )
