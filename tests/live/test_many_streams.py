"""Many streams of one model: each says its own, and no more are let in than can be served."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from rap_edge.config import TINY
from rap_edge.errors import ConfigError, Overloaded
from rap_edge.runtime import Avatar, Frame, low_latency, opening
from rap_edge.runtime.turns import FULL, Admission

RATE = 16000
STREAMS = 8
PATIENCE_S = 30.0
SLOW_S = 0.08  # of a latent, which plays for 0.16 s: one stream has a place, a second has none

Speech = Callable[..., NDArray[np.float32]]
Hinder = Callable[..., Avatar]


def heard(frames: list[Frame]) -> NDArray[np.float32]:
    return np.concatenate([frame.audio for frame in frames])


def makers() -> int:
    return sum(thread.name == "rap-edge maker" for thread in threading.enumerate())


def test_eight_streams_speak_at_once_and_nothing_mixes(
    stage: Any, avatar: Avatar, speech: Speech
) -> None:
    """Frame by frame in turn, each shows exactly what it shows alone."""
    voices = [speech(RATE * 2 + 100 * n, seed=n) for n in range(STREAMS)]
    streams = [stage.open() for _ in voices]
    for stream, pcm in zip(streams, voices, strict=True):
        stream.push_audio(pcm, RATE)
        stream.flush()
    frames: list[list[Frame]] = [[] for _ in streams]
    while not all(mine and mine[-1].end_of_speech for mine in frames):
        for stream, mine in zip(streams, frames, strict=True):
            if not mine or not mine[-1].end_of_speech:
                mine.append(stage.pull(stream))
    for pcm, mine in zip(voices, frames, strict=True):
        alone = list(avatar.render(pcm, sample_rate=RATE, level=low_latency(TINY.sampler)))
        assert [frame.index for frame in mine] == list(range(len(alone)))
        assert np.array_equal(heard(mine)[: len(pcm)], pcm)
        for ours, expected in zip(mine, alone, strict=True):
            assert np.array_equal(ours.image, expected.image)
    assert {frame.image[0, 0, 0] for frame in frames[0]} != {f.image[0, 0, 0] for f in frames[1]}


def test_eight_threads_hear_each_their_own(avatar: Avatar, speech: Speech) -> None:
    voices = [speech(RATE, seed=n) for n in range(STREAMS)]

    def converse(pcm: NDArray[np.float32]) -> list[Frame]:
        frames: list[Frame] = []
        with avatar.open_stream(admission=False) as stream:
            utterance = stream.begin()
            for start in range(0, len(pcm), 1600):
                assert stream.push_audio(pcm[start : start + 1600], RATE, utterance)
            stream.flush(utterance)
            while not frames or not frames[-1].end_of_speech:
                frame = stream.pull(timeout=PATIENCE_S)
                assert frame is not None
                frames.append(frame)
        return frames

    with ThreadPoolExecutor(STREAMS) as pool:
        conversations = list(pool.map(converse, voices))
    for pcm, frames in zip(voices, conversations, strict=True):
        assert [frame.index for frame in frames] == list(range(len(frames)))
        spoken = [frame for frame in frames if frame.is_speech]
        assert np.array_equal(heard(spoken), pcm)
    assert makers() == 0


def test_an_interrupt_is_of_one_stream(stage: Any, speech: Speech) -> None:
    ours, other = stage.open(), stage.open()
    for stream in (ours, other):
        stream.push_audio(speech(RATE), RATE)
        stream.flush()
    frames = [stage.pull(other) for _ in range(3)]
    ours.interrupt()
    frames += stage.finish(other, 1)
    assert np.array_equal(heard(frames), speech(RATE))
    assert other.stats().interrupts == 0


def test_one_chunk_at_a_time(hindered: Hinder) -> None:
    """Streams of a model compute one after another, those that open too."""
    inside = threading.Lock()

    def alone() -> None:
        assert inside.acquire(blocking=False), "two graphs at once"
        time.sleep(0.001)
        inside.release()

    avatar = hindered(alone)
    with ExitStack() as stack:
        streams = [stack.enter_context(avatar.open_stream(admission=False)) for _ in range(4)]
        opened = ThreadPoolExecutor(1).submit(
            lambda: [avatar.open_stream(idle=idle, admission=False).close() for idle in IDLES]
        )
        for _ in range(12):
            for stream in streams:
                assert stream.pull(timeout=PATIENCE_S) is not None
        opened.result(PATIENCE_S)
        assert all(stream.stats().produced for stream in streams)


IDLES = ("generate", "loop", "hold")


def test_a_stream_too_many_is_refused_with_numbers(hindered: Hinder) -> None:
    avatar = hindered(lambda: time.sleep(SLOW_S))
    with avatar.open_stream():
        threads = makers()
        with pytest.raises(Overloaded) as refused:
            avatar.open_stream()
        assert makers() == threads
        found = re.search(
            r"1 streams are open .* (\d+)% of the time.*expected 85%", str(refused.value)
        )
        assert found is not None
        assert int(found[1]) >= 100
        assert "admission=False" in str(refused.value)
        with avatar.open_stream(admission=False) as unasked:
            assert unasked.pull(timeout=PATIENCE_S) is not None
        assert avatar.model.admission.count == 1
    avatar.open_stream().close()
    assert avatar.model.admission.count == 0


def test_places_are_counted_by_load() -> None:
    admission = Admission()
    for stream in range(4):
        admission.enter(stream, FULL / 4)
    with pytest.raises(Overloaded, match="4 streams are open"):
        admission.enter(4, 0.01)
    admission.leave(2)
    admission.leave(2)
    admission.leave(99)
    admission.enter(5, FULL / 4)
    assert admission.count == 4


@pytest.mark.parametrize(
    "part", ["Screen", "Session", "PlayoutDevice", "make_loop", "Maker", "Stream"]
)
def test_an_opening_that_fails_half_way_leaves_nothing(
    avatar: Avatar, monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    def fail(*_: object) -> None:
        raise MemoryError(part)

    from rap_edge.runtime.options import Playout

    monkeypatch.setattr(opening, part, fail)
    with pytest.raises(MemoryError, match=part):
        avatar.open_stream(idle="loop", playout=Playout())
    assert avatar.model.admission.count == 0
    assert makers() == 0


def test_a_thread_that_does_not_start_leaves_nothing(
    avatar: Avatar, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", fail)
        with pytest.raises(RuntimeError, match="can't start new thread"):
            avatar.open_stream()
    assert avatar.model.admission.count == 0
    with avatar.open_stream() as stream:
        assert stream.pull(timeout=PATIENCE_S) is not None


def test_a_level_that_is_not_there_costs_no_place(avatar: Avatar) -> None:
    with pytest.raises(ConfigError, match="level is 17"):
        avatar.open_stream(level=17)
    assert avatar.model.admission.count == 0
