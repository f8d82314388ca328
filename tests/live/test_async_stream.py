"""A stream in an asyncio program: tasks push, pull and are cancelled; the loop goes on."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from rap_edge.errors import ConfigError, StateError
from rap_edge.runtime import AsyncStream, Avatar, Frame, Playout

RATE = 16000
PATIENCE_S = 30.0

Speech = Callable[..., NDArray[np.float32]]
Until = Callable[[Callable[[], Any]], None]
Hinder = Callable[..., Avatar]


def play(program: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(program, PATIENCE_S))
    assert not [t for t in threading.enumerate() if "rap-edge" in t.name]


async def speak(stream: AsyncStream, pcm: NDArray[np.float32]) -> int:
    utterance = stream.begin()
    for start in range(0, len(pcm), 1600):
        assert await stream.push_audio(pcm[start : start + 1600], RATE, utterance)
        await asyncio.sleep(0)
    assert await stream.flush(utterance)
    return utterance


async def hear(stream: AsyncStream) -> list[Frame]:
    frames = []
    async for frame in stream.run():
        frames.append(frame)
        if frame.end_of_speech:
            break
    return frames


def test_one_task_speaks_and_another_shows(avatar: Avatar, speech: Speech) -> None:
    async def program() -> None:
        async with avatar.stream(sample_rate=16000) as stream:
            frames, utterance = await asyncio.gather(hear(stream), speak(stream, speech(RATE)))
            assert [frame.index for frame in frames] == list(range(len(frames)))
            spoken = [frame for frame in frames if frame.utterance == utterance]
            assert np.array_equal(np.concatenate([f.audio for f in spoken]), speech(RATE))
            assert stream.stats().ticks == len(frames)
        assert stream.sync.closed

    play(program())


def test_a_task_interrupts(avatar: Avatar, speech: Speech) -> None:
    async def program() -> None:
        async with avatar.stream() as stream:
            utterance = await speak(stream, speech(RATE * 4))
            frames: list[Frame] = []
            async for frame in stream.run():
                frames.append(frame)
                if frame.is_speech and len(frames) == 6:
                    found = await asyncio.create_task(stream.interrupt())
                    assert found.played_seconds > 0
                    assert not await stream.push_audio(speech(640), RATE, utterance)
                    assert not await stream.flush(utterance)
                if len(frames) == 12:
                    break
            assert {frame.utterance for frame in frames[6:]} == {0}

    play(program())


def test_a_task_that_is_cancelled_leaves_the_stream_open(avatar: Avatar) -> None:
    async def program() -> None:
        async with avatar.stream() as stream:
            seen: list[int] = []

            async def show() -> None:
                async for frame in stream.run():
                    seen.append(frame.index)

            task = asyncio.create_task(show())
            while len(seen) < 3:
                await asyncio.sleep(0.001)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            async for frame in stream.run():
                assert frame.index == seen[-1] + 1
                break

    play(program())


def test_an_exception_closes_the_stream(avatar: Avatar) -> None:
    opened: list[AsyncStream] = []

    async def program() -> None:
        async with avatar.stream() as stream:
            opened.append(stream)
            async for _ in stream.run():
                raise LookupError("of the program")

    with pytest.raises(LookupError, match="of the program"):
        play(program())
    assert opened[0].sync.closed
    assert avatar.model.admission.count == 0


def test_another_task_closes_it(avatar: Avatar) -> None:
    async def program() -> None:
        async with avatar.stream() as stream:
            seen: list[int] = []

            async def show() -> None:
                async for frame in stream.run():
                    seen.append(frame.index)

            showing = [asyncio.create_task(show()) for _ in range(2)]
            while len(seen) < 3:
                await asyncio.sleep(0.001)
            await stream.close()
            await asyncio.gather(*showing)
            assert seen == list(range(len(seen)))
            with pytest.raises(StateError, match="the stream is closed"):
                stream.begin()

    play(program())


def test_another_thread_closes_it(avatar: Avatar) -> None:
    """However the close falls between two looks of the loop, the frames end."""

    async def program() -> None:
        for _ in range(30):
            async with avatar.stream() as stream:
                closing = threading.Thread(target=stream.sync.close)
                closing.start()
                async for _ in stream.run():
                    pass
                closing.join(PATIENCE_S)

    play(program())


def test_ten_tasks_share_one_loop(avatar: Avatar, speech: Speech) -> None:
    async def converse(seed: int) -> None:
        async with avatar.stream(admission=False) as stream:
            frames, _ = await asyncio.gather(
                hear(stream), speak(stream, speech(RATE // 2, seed=seed))
            )
            spoken = np.concatenate([frame.audio for frame in frames if frame.is_speech])
            assert np.array_equal(spoken[: RATE // 2], speech(RATE // 2, seed=seed))

    async def program() -> None:
        await asyncio.gather(*(converse(n) for n in range(10)))

    play(program())


def test_the_loop_goes_on_while_a_graph_runs(hindered: Hinder) -> None:
    """No call of the stream waits for a graph: here one that runs until the loop has come by."""
    running, gate = threading.Event(), threading.Event()

    def wait() -> None:
        if threading.current_thread().name == "rap-edge maker":
            running.set()
            assert gate.wait(PATIENCE_S)

    avatar = hindered(wait)

    async def program() -> None:
        async with avatar.stream() as stream:
            frames: list[Frame] = []
            async for frame in stream.run():
                frames.append(frame)
                if running.is_set() and frame.late:
                    break
            utterance = stream.begin()
            assert await stream.push_audio(np.zeros(RATE, np.float32), RATE, utterance)
            assert await stream.flush(utterance)
            await stream.interrupt()
            stream.set_state("listening")
            assert stream.stats().queued >= 0
            assert stream.snapshot()["state"] == "listening"
            assert isinstance(stream.events(), list)
            assert not gate.is_set()
            gate.set()

    play(program())


@pytest.mark.parametrize("as_bytes", [False, True])
def test_a_long_push_leaves_the_loop_to_others(
    avatar: Avatar, speech: Speech, monkeypatch: pytest.MonkeyPatch, as_bytes: bool
) -> None:
    """What takes long is done by another thread, here once the loop has come by."""
    pushing: list[str] = []
    gate = threading.Event()

    async def program() -> None:
        async with avatar.stream() as stream:
            push_audio = stream.sync.push_audio

            def push(pcm: Any, *how: Any) -> bool:
                pushing.append(threading.current_thread().name)
                assert len(pushing) == 1 or gate.wait(PATIENCE_S)
                return push_audio(pcm, *how)

            monkeypatch.setattr(stream.sync, "push_audio", push)
            short, long = np.zeros(RATE, np.int16), np.zeros(RATE + 1, np.int16)
            assert await stream.push_audio(short.tobytes() if as_bytes else short, RATE)
            task = asyncio.create_task(
                stream.push_audio(long.tobytes() if as_bytes else long, RATE)
            )
            while len(pushing) < 2:
                await asyncio.sleep(0.001)
            gate.set()
            assert await task
            assert pushing[0] == "MainThread" != pushing[1]

    play(program())


def test_frames_go_into_the_buffer_of_a_task(avatar: Avatar) -> None:
    async def program() -> None:
        async with avatar.stream() as stream:
            out = np.zeros((64, 64, 3), np.uint8)
            async for frame in stream.run(out):
                assert frame.image is out
                if frame.index == 5:
                    break
            assert out.any()

    play(program())


def test_a_sound_device_reads_the_stream_of_a_loop(avatar: Avatar) -> None:
    async def program() -> None:
        async with avatar.stream(playout=Playout(RATE)) as stream:
            assert stream.playout.sample_rate == RATE
        async with avatar.stream() as stream:
            with pytest.raises(StateError, match="no play-out"):
                assert stream.playout

    play(program())


def test_a_task_that_is_cancelled_while_it_opens_leaves_nothing(
    hindered: Hinder, until: Until
) -> None:
    running, gate = threading.Event(), threading.Event()

    def wait() -> None:
        running.set()
        assert gate.wait(PATIENCE_S)

    avatar = hindered(wait)

    async def program() -> None:
        async def converse() -> None:
            async with avatar.stream():
                pytest.fail("it was cancelled")

        task = asyncio.create_task(converse())
        while not running.is_set():
            await asyncio.sleep(0.001)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        gate.set()

    play(program())
    until(lambda: avatar.model.admission.count == 0)


def test_an_opening_that_fails_says_why(avatar: Avatar) -> None:
    async def program() -> None:
        with pytest.raises(ConfigError, match="level is 17"):
            async with avatar.stream(level=17):
                pytest.fail("it opened")

    play(program())
    assert avatar.model.admission.count == 0


def test_it_is_used_in_its_block(avatar: Avatar) -> None:
    stream = avatar.stream()
    with pytest.raises(StateError, match="async with"):
        stream.begin()

    async def program() -> None:
        await stream.close()
        async with stream:
            assert stream.begin() == 1
        with pytest.raises(StateError, match="opened already"):
            async with stream:
                pytest.fail("it opened again")

    play(program())
