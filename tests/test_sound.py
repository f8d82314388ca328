"""Outputs take sound in time, inputs give it in time, and what is missing is named."""

from __future__ import annotations

import builtins
import math
import sys
import threading
from collections.abc import Callable, Iterator
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from rap_edge.errors import NotSupported
from rap_edge.runtime.sound import ASLEEP_NS, NULL_LATENCY_NS, NullOutput, paced
from rap_edge.runtime.sound_device import (
    INPUT_QUEUE_BLOCKS,
    DeviceOutput,
    Microphone,
    output_rate,
)

MS = 1_000_000
BLOCK_NS = 10 * MS

Samples = NDArray[np.float32]


class Counting:
    """A player that writes what it has played so far, and remembers how it was asked."""

    def __init__(self, n_calls: int = 0) -> None:
        self.asked: list[tuple[int, int, int]] = []
        self.played = 0
        self.enough = threading.Event()
        self._n_calls = n_calls

    def read_into(self, out: Samples, host_ns: int, latency_ns: int) -> int:
        out[:] = np.arange(self.played, self.played + len(out))
        self.played += len(out)
        self.asked.append((len(out), host_ns, latency_ns))
        if len(self.asked) >= self._n_calls:
            self.enough.set()
        return len(out)


class Failing:
    def read_into(self, out: Samples, host_ns: int, latency_ns: int) -> int:
        raise RuntimeError("nothing to play")


def heard_at(player: Counting) -> list[int]:
    return [host_ns + latency_ns for _, host_ns, latency_ns in player.asked]


def test_a_null_output_takes_blocks_that_are_heard_without_gap() -> None:
    player = Counting(n_calls=8)
    with NullOutput(player, 48_000) as output:
        assert player.enough.wait(30)
    assert output.error is None
    assert {n_samples for n_samples, _, _ in player.asked} == {480}
    assert set(np.diff(heard_at(player)[:8])) == {BLOCK_NS}


def test_a_null_output_that_wakes_late_takes_what_it_missed() -> None:
    player = Counting(n_calls=4)
    with NullOutput(player, 16_000, lambda: 35 * MS if player.asked else 0):
        assert player.enough.wait(30)
    assert heard_at(player) == [NULL_LATENCY_NS + n * BLOCK_NS for n in range(4)]


def test_a_null_output_that_was_suspended_starts_afresh() -> None:
    later = ASLEEP_NS + 500 * MS
    player = Counting(n_calls=2)
    with NullOutput(player, 16_000, lambda: later if player.asked else 0):
        assert player.enough.wait(30)
    assert heard_at(player) == [NULL_LATENCY_NS, later + NULL_LATENCY_NS]


def test_what_ends_an_output_is_kept_for_its_owner() -> None:
    output = NullOutput(Failing(), 16_000)
    output.start()
    output._thread.join(30)
    output.stop()
    assert str(output.error) == "nothing to play"


def speech(n_samples: int) -> Samples:
    return np.arange(n_samples, dtype=np.float32)


def cut(samples: Samples, size: int) -> Iterator[Samples]:
    return (samples[start : start + size] for start in range(0, len(samples), size))


class Waiting:
    """A clock that moves when somebody waits for it."""

    def __init__(self, stop_after: int = 10**9) -> None:
        self.ns, self.waits, self._left = 0, 0, stop_after

    def now(self) -> int:
        return self.ns

    def wait(self, seconds: float) -> bool:
        self.ns += math.ceil(seconds * 1e9)
        self._left -= 1
        return self._left < 0


@pytest.mark.parametrize("size", [1, 160, 333, 1000, 5000])
def test_a_recording_comes_as_it_is_spoken(size: int) -> None:
    clock = Waiting()
    found, times = [], []
    for block in paced(cut(speech(1700), size), 16_000, wait=clock.wait, now=clock.now):
        found.append(block)
        times.append(clock.ns / MS)
    assert [len(block) for block in found] == [320] * 5 + [100]
    assert (np.concatenate(found) == speech(1700)).all()
    assert times == pytest.approx([20, 40, 60, 80, 100, 106.25], abs=0.001)


def test_a_recording_may_come_ahead_of_its_time() -> None:
    clock = Waiting()
    blocks = paced([speech(1600)], 16_000, 0.05, clock.wait, clock.now)
    times = [clock.ns / MS for _ in blocks]
    assert times == pytest.approx([0, 0, 10, 30, 50], abs=0.001)
    blocks = paced([speech(1600)], 16_000, math.inf, clock.wait, clock.now)
    start = clock.ns
    assert [clock.ns for _ in blocks] == [start] * 5


def test_a_recording_can_be_stopped() -> None:
    clock = Waiting(stop_after=2)
    assert len(list(paced([speech(1600)], 16_000, 0.0, clock.wait, clock.now))) == 2


class FakeDevice:
    """A stream of PortAudio's, driven by the test."""

    def __init__(self, **settings: Any) -> None:
        self.settings = settings
        self.callback: Callable[..., None] = settings["callback"]
        self.latency = 0.08
        self.calls: list[str] = []

    def start(self) -> None:
        self.calls.append("start")

    def close(self) -> None:
        self.calls.append("close")


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
        assert (out == speech(480)[:, None]).all()
        assert player.asked[0][::2] == (480, pytest.approx(90 * MS, abs=1000))
    assert device.calls == ["start", "close"]
    assert device.settings["latency"] >= 0.1
    assert device.settings["channels"] == 2


@pytest.mark.parametrize("dac", [0.0, -1.0, 9.0, 100.0])
def test_a_device_that_does_not_know_its_latency_has_that_of_its_stream(
    fake: FakeSounddevice, dac: float
) -> None:
    player = Counting()
    output = DeviceOutput(player, 48_000)
    output._fill(np.zeros((480, 1), np.float32), 480, times(dac, 10.0), None)
    assert player.asked[0][2] == 80 * MS


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
