"""A model whose stream speaks what was pushed as the device plays, and the command over it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from typer.testing import CliRunner, Result

import rap_edge
from rap_edge.cli.group import app
from rap_edge.errors import StateError
from rap_edge.runtime.stats import StageTimes, StreamStats

RATE = 48_000
FRAME = RATE // 25


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
            held_by_reason={"late": 0},
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

    def restart(self) -> None:
        self.live = FakeStream()

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
def speech(tmp_path: Path) -> Path:
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
def run(portrait: Path) -> Callable[..., Result]:
    def invoke(*arguments: str) -> Result:
        return CliRunner().invoke(app, ["run", str(portrait), *arguments])

    return invoke
