"""Devices play and hear through PortAudio's callbacks, and what is missing is named."""

from __future__ import annotations

import builtins
import sys
from collections.abc import Callable
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from rap_edge.errors import NotSupported
from rap_edge.runtime.sound_device import (
    INPUT_QUEUE_BLOCKS,
    DeviceOutput,
    Microphone,
    output_rate,
)

MS = 1_000_000

Samples = NDArray[np.float32]


class Counting:
    """A player that counts its samples, and remembers the latencies it was told."""

    def __init__(self) -> None:
        self.latencies: list[int] = []
        self.played = 0

    def read_into(self, out: Samples, host_ns: int, latency_ns: int) -> int:
        out[:] = np.arange(self.played, self.played + len(out))
        self.played += len(out)
        self.latencies.append(latency_ns)
        return len(out)


class Failing:
    def read_into(self, out: Samples, host_ns: int, latency_ns: int) -> int:
        raise RuntimeError("nothing to play")


class FakeDevice:
    """A stream of PortAudio's, driven by the test."""

    def __init__(self, **settings: Any) -> None:
        self.settings = settings
        self.callback: Callable[..., None] = settings["callback"]
        self.latency = 0.08
        self.time = 10.0
        self.closed = False
        self.calls: list[str] = []

    def start(self) -> None:
        self.calls.append("start")

    def close(self) -> None:
        self.calls.append("close")
        self.closed = True


class FakeSounddevice(ModuleType):
    class PortAudioError(Exception):
        pass

    InputStream = OutputStream = FakeDevice

    def __init__(self, **device: object) -> None:
        super().__init__("sounddevice")
        self.device = {
            "max_output_channels": 2,
            "max_input_channels": 1,
            "default_samplerate": 44100.0,
            **device,
        }

    def query_devices(self, device: object, kind: str) -> dict[str, object]:
        if not self.device["max_output_channels"]:
            raise self.PortAudioError("Error querying device -1")
        return self.device


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> FakeSounddevice:
    module = FakeSounddevice()
    monkeypatch.setitem(sys.modules, "sounddevice", module)
    return module


def times(dac: float, now: float) -> SimpleNamespace:
    return SimpleNamespace(outputBufferDacTime=dac, currentTime=now)


def test_a_device_plays_the_same_in_both_channels(fake: FakeSounddevice) -> None:
    player = Counting()
    with DeviceOutput(player, 48_000) as output:
        device: FakeDevice = output._stream
        out = np.full((480, 2), np.nan, np.float32)
        device.callback(out, 480, times(10.09, 10.0), None)
        assert (out == np.arange(480)[:, None]).all()
        assert player.latencies == [pytest.approx(90 * MS, abs=1000)]
    assert device.calls == ["start", "close"]
    assert device.settings["latency"] >= 0.1
    assert device.settings["channels"] == 2


def test_a_callback_that_waited_is_heard_when_the_device_says(fake: FakeSounddevice) -> None:
    player = Counting()
    output = DeviceOutput(player, 48_000)
    output._stream.time = 10.06  # PortAudio called at 10.0
    output._fill(np.zeros((480, 1), np.float32), 480, times(10.09, 10.0), None)
    assert player.latencies == [pytest.approx(30 * MS, abs=1000)]


@pytest.mark.parametrize("dac", [0.0, -1.0, 9.0, 100.0])
def test_a_device_that_does_not_know_its_latency_has_that_of_its_stream(
    fake: FakeSounddevice, dac: float
) -> None:
    player = Counting()
    output = DeviceOutput(player, 48_000)
    output._fill(np.zeros((480, 1), np.float32), 480, times(dac, 10.0), None)
    assert player.latencies == [80 * MS]


def test_a_callback_that_fails_is_silent_from_then_on(fake: FakeSounddevice) -> None:
    output = DeviceOutput(Failing(), 48_000)
    for _ in range(2):
        out = np.ones((480, 2), np.float32)
        output._fill(out, 480, times(10.1, 10.0), None)
        assert not out.any()
    assert str(output.error) == "nothing to play"


def test_a_microphone_gives_what_it_heard_until_it_is_closed(fake: FakeSounddevice) -> None:
    microphone = Microphone()
    assert microphone.sample_rate == 44_100
    heard = np.ones((882, 1), np.float32)
    for level in (1, 2, 3):
        heard[:] = level
        microphone._take(heard, 882, None, None)
    microphone.close()
    assert [block.shape for block in microphone] == [(882,)] * 3
    assert microphone.dropped_blocks == 0


def test_a_microphone_listens_from_the_first_iteration_on(fake: FakeSounddevice) -> None:
    microphone = Microphone()
    assert microphone._stream.calls == []
    microphone._take(np.ones((882, 1), np.float32), 882, None, None)
    assert len(next(iter(microphone))) == 882
    assert microphone._stream.calls == ["start"]
    microphone.close()
    assert list(microphone) == []
    assert microphone._stream.calls == ["start", "close"]


def test_what_nobody_takes_from_a_microphone_is_dropped_and_counted(fake: FakeSounddevice) -> None:
    microphone = Microphone()
    for level in range(INPUT_QUEUE_BLOCKS + 5):
        microphone._take(np.full((882, 1), level, np.float32), 882, None, None)
    microphone.close()
    first = next(iter(microphone))
    assert first[0] == microphone.dropped_blocks == 6


def test_a_rate_that_cannot_be_resampled_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sounddevice", FakeSounddevice(default_samplerate=96000.0))
    assert output_rate() == 48_000
    monkeypatch.setitem(sys.modules, "sounddevice", FakeSounddevice())
    assert output_rate() == 44_100


def test_a_missing_device_is_an_error_that_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sounddevice", FakeSounddevice(max_output_channels=0))
    with pytest.raises(NotSupported, match=r"Error querying device -1.*lists them"):
        DeviceOutput(Counting(), 48_000)


@pytest.mark.parametrize(
    ("failure", "message"),
    [
        (ImportError("no module"), r"pip install 'rap-edge\[audio\]'"),
        (OSError("PortAudio library not found"), "apt install libportaudio2"),
    ],
)
def test_a_missing_package_or_library_is_named(
    monkeypatch: pytest.MonkeyPatch, failure: Exception, message: str
) -> None:
    original = builtins.__import__

    def refuse(name: str, *rest: Any) -> ModuleType:
        if name == "sounddevice":
            raise failure
        return original(name, *rest)

    monkeypatch.delitem(sys.modules, "sounddevice", raising=False)
    monkeypatch.setattr(builtins, "__import__", refuse)
    with pytest.raises(NotSupported, match=message):
        output_rate()
