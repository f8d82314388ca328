"""A stream begins and ends cleanly, whatever else goes on: nothing is left of it, nobody hangs."""

from __future__ import annotations

import gc
import os
import threading
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from rap_edge.errors import StateError
from rap_edge.runtime import Avatar
from rap_edge.runtime.live import Stream
from rap_edge.runtime.options import Playout

pytestmark = pytest.mark.usefixtures("nothing_stays")

RATE = 16000
PATIENCE_S = 30.0

Speech = Callable[..., NDArray[np.float32]]
Threads = Callable[[], list[str]]
Until = Callable[[Callable[[], Any]], None]
Hinder = Callable[..., Avatar]


USES: dict[str, Callable[[Stream], object]] = {
    "begin": lambda s: s.begin(),
    "push_audio": lambda s: s.push_audio(b"\0\0", RATE),
    "push_audio by name": lambda s: s.push_audio(b"\0\0", RATE, 1),
    "flush": lambda s: s.flush(),
    "interrupt": lambda s: s.interrupt(),
    "set_state": lambda s: s.set_state("idle"),
    "poll": lambda s: s.poll(),
    "pull": lambda s: s.pull(timeout=0),
    "start": lambda s: s.start(print),
}
READINGS: dict[str, Callable[[Stream], object]] = {
    "events": lambda s: s.events(),
    "stats": lambda s: s.stats(),
    "snapshot": lambda s: s.snapshot(),
}


def resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def n_files() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="reads /proc")
def test_a_thousand_streams_leave_nothing_behind(
    avatar: Avatar, speech: Speech, threads: Threads
) -> None:
    pcm = speech(RATE)

    def use(number: int) -> None:
        idle = ("generate", "hold")[number % 2]
        with avatar.open_stream(idle=idle, playout=Playout() if number % 3 == 0 else None) as s:
            s.push_audio(pcm, RATE)
            s.poll()
            s.interrupt()

    for number in range(100):
        use(number)
    before, files = resident(), n_files()
    for number in range(1000):
        use(number)
    gc.collect()
    assert threads() == []
    assert n_files() == files
    assert resident() - before < 4e6
    assert avatar.model.admission.count == 0


def test_a_stream_may_be_closed_again(avatar: Avatar) -> None:
    stream = avatar.open_stream()
    assert not stream.closed
    for _ in range(3):
        stream.close()
        assert stream.closed
    with avatar.open_stream() as other:
        other.close()


@pytest.mark.parametrize("use", USES.values(), ids=USES)
def test_a_closed_stream_says_so(avatar: Avatar, use: Callable[[Stream], object]) -> None:
    stream = avatar.open_stream()
    stream.close()
    with pytest.raises(StateError, match="the stream is closed: open another one"):
        use(stream)
    assert list(stream.run()) == []


@pytest.mark.parametrize("read", READINGS.values(), ids=READINGS)
def test_the_numbers_stay_after_the_end(avatar: Avatar, read: Callable[[Stream], object]) -> None:
    stream = avatar.open_stream()
    assert stream.pull(timeout=PATIENCE_S) is not None
    stream.close()
    assert read(stream) is not None
    assert stream.stats().ticks == 1


BUSY: dict[str, Callable[[Stream], object]] = {
    "push": lambda s: s.push_audio(np.zeros(400, np.float32), RATE),
    "speak": lambda s: (s.begin(), s.push_audio(np.zeros(9000, np.float32), RATE), s.flush()),
    "pull": lambda s: s.pull(timeout=0.05),
    "poll": lambda s: s.poll(),
    "interrupt": lambda s: s.interrupt(),
    "watch": lambda s: (s.stats(), s.snapshot(), s.events()),
}


@pytest.mark.parametrize("busy", BUSY.values(), ids=BUSY)
def test_it_closes_while_another_thread_uses_it(
    avatar: Avatar, busy: Callable[[Stream], object], until: Until
) -> None:
    stream = avatar.open_stream(max_queued_seconds=1e9)
    calls, errors = [0], []

    def use() -> None:
        try:
            while not stream.closed or busy is BUSY["pull"]:
                busy(stream)
                calls[0] += 1
        except Exception as error:
            errors.append(error)

    users = [threading.Thread(target=use) for _ in range(2)]
    for user in users:
        user.start()
    until(lambda: calls[0] > 20 or stream.stats().ticks > 5)
    stream.close()
    for user in users:
        user.join(PATIENCE_S)
        assert not user.is_alive()
    assert {type(error) for error in errors} <= {StateError}


def test_a_wait_for_a_frame_ends_with_the_stream(avatar: Avatar) -> None:
    """In play-out nothing is due before the device runs: both wait until the stream is closed."""
    stream = avatar.open_stream(playout=Playout())
    ended: list[object] = []

    def pull() -> None:
        try:
            stream.pull()
        except StateError as error:
            ended.append(error)

    waiting = [threading.Thread(target=pull)]
    waiting.append(threading.Thread(target=lambda: ended.append(list(stream.run()))))
    for thread in waiting:
        thread.start()
    stream.close()
    for thread in waiting:
        thread.join(PATIENCE_S)
    assert len(ended) == 2


def test_two_threads_close_at_once(avatar: Avatar, threads: Threads) -> None:
    for _ in range(20):
        stream = avatar.open_stream()
        closing = [threading.Thread(target=stream.close) for _ in range(3)]
        for thread in closing:
            thread.start()
        for thread in closing:
            thread.join(PATIENCE_S)
            assert not thread.is_alive()
        assert threads() == []


def test_a_stream_that_nobody_holds_ends(avatar: Avatar, until: Until, threads: Threads) -> None:
    stream = avatar.open_stream()
    stream.push_audio(np.zeros(RATE, np.float32), RATE)
    stream.pull(timeout=PATIENCE_S)
    assert len(threads()) == 1
    gone = weakref.ref(stream)
    del stream
    assert gone() is None
    until(lambda: not threads())
    assert avatar.model.admission.count == 0


def test_a_stream_in_a_cycle_is_collected_in_any_thread(
    hindered: Hinder, until: Until, threads: Threads
) -> None:
    """Also in the thread that makes another stream's chunk, whose turn it waits for."""
    collected = threading.Event()
    ring: list[Any] = []

    def collect() -> None:
        if ring and threading.current_thread().name == "rap-edge maker":
            ring.clear()
            gc.collect()
            collected.set()

    avatar = hindered(collect)
    with avatar.open_stream() as stream:
        lost = avatar.open_stream()
        lost.pull(timeout=PATIENCE_S)
        ring.append(lost)
        loop: list[Any] = [lost]
        loop.append(loop)
        del lost, loop
        while not collected.is_set():
            assert stream.pull(timeout=PATIENCE_S) is not None
        until(lambda: avatar.model.admission.count == 1)
        until(lambda: len(threads()) == 1)
