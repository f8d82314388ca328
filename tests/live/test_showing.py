"""How frames leave: into buffers, to callbacks, to several threads, in a loop that ends."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from rap_edge.errors import ConfigError, StateError
from rap_edge.runtime import Avatar, Frame
from rap_edge.runtime.live import Stream
from rap_edge.runtime.pixels import FORMATS, convert, frame_shape

pytestmark = pytest.mark.usefixtures("nothing_stays")

RATE = 16000
PATIENCE_S = 30.0

Speech = Callable[..., NDArray[np.float32]]
Threads = Callable[[], list[str]]
Until = Callable[[Callable[[], Any]], None]


def heard(frames: list[Frame]) -> NDArray[np.float32]:
    return np.concatenate([frame.audio for frame in frames])


@pytest.mark.parametrize("layout", FORMATS)
def test_a_frame_goes_into_the_buffer_of_the_caller(
    stage: Any, speech: Speech, layout: str
) -> None:
    plain = stage.say(stage.open(), speech(6400))
    stream = stage.open(format=layout)
    stream.push_audio(speech(6400), RATE)
    stream.flush()
    out = np.zeros(frame_shape(layout, 64, 64), np.uint8)
    for expected in plain:
        frame = stage.pull(stream, out)
        assert frame.image is out
        assert np.array_equal(out, convert(expected.image, layout))


@pytest.mark.parametrize(
    "out",
    [
        np.zeros((64, 64), np.uint8),
        np.zeros((64, 64, 3), np.float32),
        np.zeros((64, 128, 3), np.uint8)[:, ::2],
        np.zeros((0,), np.uint8),
    ],
)
def test_a_buffer_that_does_not_fit_costs_no_frame(stage: Any, speech: Speech, out: Any) -> None:
    stream = stage.open()
    stream.push_audio(speech(6400), RATE)
    stream.flush()
    first = stage.pull(stream)
    stage.clocks[stream].ns += 40_000_000
    for _ in range(3):
        with pytest.raises(ConfigError, match="out is"):
            stream.poll(out)
    frames = [first, *stage.finish(stream, 1)]
    assert [frame.index for frame in frames] == list(range(10))
    assert np.array_equal(heard(frames), speech(6400))


def test_frames_are_the_callers(stage: Any, speech: Speech) -> None:
    """Without a buffer every frame has memory of its own."""
    frames = stage.say(stage.open(), speech(RATE))
    kept = [frame.image.copy() for frame in frames]
    assert all(np.array_equal(a.image, b) for a, b in zip(frames, kept, strict=True))
    assert not any(
        np.may_share_memory(a.image, b.image) for a in frames for b in frames if a is not b
    )


def test_pull_waits_no_longer_than_asked(avatar: Avatar) -> None:
    with avatar.open_stream() as stream:
        assert stream.pull(timeout=PATIENCE_S) is not None
        taken = [stream.pull(timeout=0) for _ in range(50)]
        assert taken.count(None) > 40
        assert stream.pull(timeout=PATIENCE_S) is not None


def test_frames_go_to_a_callback(avatar: Avatar, until: Until, threads: Threads) -> None:
    frames: list[Frame] = []
    with avatar.open_stream() as stream:
        stream.start(frames.append)
        with pytest.raises(StateError, match="started already"):
            stream.start(frames.append)
        until(lambda: len(frames) > 5)
    assert [frame.index for frame in frames] == list(range(len(frames)))
    assert threads() == []


def test_close_raises_what_a_callback_raised(
    avatar: Avatar, until: Until, threads: Threads
) -> None:
    def fail(frame: Frame) -> None:
        raise LookupError(f"frame {frame.index}")

    stream = avatar.open_stream()
    stream.start(fail)
    until(lambda: len(threads()) == 1)
    assert stream.pull(timeout=PATIENCE_S) is not None
    with pytest.raises(LookupError, match="frame 0"):
        stream.close()
    assert stream.closed
    stream.close()
    assert avatar.model.admission.count == 0


def test_a_callback_may_close_its_stream(avatar: Avatar, until: Until, threads: Threads) -> None:
    stream = avatar.open_stream()
    stream.start(lambda frame: stream.close())
    until(lambda: not threads())
    stream.close()
    assert stream.closed


def test_two_threads_share_the_frames(avatar: Avatar) -> None:
    taken: list[list[int]] = [[], []]
    with avatar.open_stream() as stream:

        def pull(mine: list[int]) -> None:
            while sum(map(len, taken)) < 24:
                frame = stream.pull(timeout=PATIENCE_S)
                assert frame is not None
                mine.append(frame.index)

        pulling = [threading.Thread(target=pull, args=(mine,)) for mine in taken]
        for thread in pulling:
            thread.start()
        for thread in pulling:
            thread.join(PATIENCE_S)
    for mine in taken:
        assert mine == sorted(mine)
    together = sorted(taken[0] + taken[1])
    assert together == list(range(len(together)))
    assert len(together) >= 24


def interrupted(stream: Stream) -> None:
    for frame in stream.run():
        if frame.index == 2:
            raise KeyboardInterrupt


def test_ctrl_c_ends_the_loop_and_not_the_stream(avatar: Avatar) -> None:
    with avatar.open_stream() as stream:
        with pytest.raises(KeyboardInterrupt):
            interrupted(stream)
        frame = stream.pull(timeout=PATIENCE_S)
        assert frame is not None
        assert frame.index == 3
