"""A stream whose sound leaves through a device, here a thread that reads in its own time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from rap_edge.errors import ConfigError, StateError
from rap_edge.runtime import Avatar
from rap_edge.runtime.options import Playout, StreamOptions

Speech = Callable[..., NDArray[np.float32]]


PATIENCE_S = 30.0


def test_without_playout_there_is_no_device(stage: Any) -> None:
    with pytest.raises(StateError, match="playout="):
        _ = stage.open().playout
    with pytest.raises(ConfigError, match="sample_rate and playout"):
        StreamOptions(sample_rate=48000, playout=Playout())


def test_a_device_plays_what_was_said(avatar: Avatar, speech: Speech) -> None:
    """A device thread reads in its own time; what it hears follows without a gap."""
    pcm = speech(48000)
    with avatar.open_stream(playout=Playout(48000)) as stream:
        device = Device(stream.playout)
        utterance = stream.begin()
        stream.push_audio(pcm, 48000, utterance)
        stream.flush(utterance)
        frames = []
        with device:
            while not frames or not frames[-1].end_of_speech:
                frame = stream.pull(timeout=PATIENCE_S)
                assert frame is not None
                frames.append(frame)
        played = device.played()
        start = int(np.flatnonzero(played)[0]) - int(np.flatnonzero(pcm)[0])
        assert np.array_equal(played[start : start + 40000], pcm[:40000])
        indices = [frame.index for frame in frames]
        assert indices == sorted(set(indices))
        spoken = [frame for frame in frames if frame.utterance == utterance]
        for frame in spoken[:20]:
            place = start + (frame.index - spoken[0].index) * 1920
            assert np.array_equal(frame.audio, played[place : place + 1920])


def test_an_interrupt_silences_the_device(avatar: Avatar, speech: Speech) -> None:
    with avatar.open_stream(playout=Playout(48000)) as stream:
        device = Device(stream.playout)
        stream.push_audio(np.ones(480000, np.float32), 48000)
        with device:
            while (frame := stream.pull(timeout=PATIENCE_S)) is None or frame.index < 15:
                assert frame is not None
            stream.interrupt()
            read = device.n_read
            while device.n_read < read + 9600:
                stream.pull(timeout=0.01)
        after = device.played()[read:]
    assert not after[480 + 240 :].any()
    assert np.abs(np.diff(after)).max() < 0.05


class Device:
    """A sound device: a thread that reads 10 ms every 10 ms and keeps what it heard."""

    def __init__(self, player: Any) -> None:
        self._player = player
        self._blocks: list[NDArray[np.float32]] = []
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.n_read = 0

    def __enter__(self) -> Device:
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._stopping.set()
        self._thread.join()

    def played(self) -> NDArray[np.float32]:
        return np.concatenate(self._blocks)

    def _run(self) -> None:
        due = time.monotonic_ns()
        while not self._stopping.wait(max(0, due - time.monotonic_ns()) / 1e9):
            block = np.empty(480, np.float32)
            self._player.read_into(block, due, 0)
            self._blocks.append(block)
            self.n_read += 480
            due += 10_000_000
