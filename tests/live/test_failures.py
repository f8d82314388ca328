"""A graph that fails, and who computes when: one failure is survived, more end the stream."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from rap_edge.errors import BackendFailed, StateError
from rap_edge.runtime import Avatar, Frame
from rap_edge.runtime.turns import Turns

pytestmark = pytest.mark.usefixtures("nothing_stays")

PATIENCE_S = 30.0

Threads = Callable[[], list[str]]
Until = Callable[[Callable[[], Any]], None]
Hinder = Callable[..., Avatar]


class Failing:
    """Fails as often as it is told to, in the stream's own thread."""

    def __init__(self) -> None:
        self.left = 0

    def __call__(self) -> None:
        if self.left and threading.current_thread().name == "rap-edge maker":
            self.left -= 1
            raise RuntimeError("the device is gone")


@pytest.mark.parametrize("graph", ["audio", "denoiser", "decoder"])
def test_a_graph_that_fails_once_is_survived(hindered: Hinder, graph: str, until: Until) -> None:
    failing = Failing()
    with hindered(failing, graph).open_stream() as stream:
        for failures in (1, 2):
            failing.left = failures
            while failing.left:
                assert stream.pull(timeout=PATIENCE_S) is not None
            made = stream.stats().produced
            while stream.stats().produced <= made:
                assert stream.pull(timeout=PATIENCE_S) is not None
        assert not stream.closed


@pytest.mark.parametrize("graph", ["audio", "denoiser", "decoder"])
def test_a_graph_that_fails_for_good_ends_the_stream(
    hindered: Hinder, graph: str, until: Until, threads: Threads
) -> None:
    failing = Failing()
    avatar = hindered(failing, graph)
    frames: list[Frame] = []
    stream = avatar.open_stream()
    stream.start(frames.append)
    failing.left = 10**6
    until(lambda: not threads())
    for use in (stream.begin, stream.flush, stream.interrupt, stream.poll, stream.pull):
        with pytest.raises(BackendFailed, match="the device is gone"):
            use()
    assert stream.stats().produced >= 0
    assert stream.snapshot()["produced"] >= 0
    with pytest.raises(BackendFailed, match="the device is gone"):
        stream.close()
    with pytest.raises(StateError, match="the stream is closed"):
        stream.begin()
    assert avatar.model.admission.count == 0


def test_a_graph_that_fails_at_the_opening_opens_nothing(
    hindered: Hinder, threads: Threads
) -> None:
    def fail() -> None:
        raise RuntimeError("no memory left")

    avatar = hindered(fail)
    for _ in range(3):
        with pytest.raises(RuntimeError, match="no memory left"):
            avatar.open_stream()
    assert avatar.model.admission.count == 0
    assert threads() == []


def test_a_bug_in_the_making_ends_the_stream_too(
    avatar: Avatar, monkeypatch: pytest.MonkeyPatch, until: Until, threads: Threads
) -> None:
    stream = avatar.open_stream()

    def fail(*_: object) -> None:
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr(stream._session, "next_chunk", fail)
    stream.begin()
    until(lambda: not threads())
    with pytest.raises(BackendFailed, match="a bug"):
        stream.pull(timeout=PATIENCE_S)
    stream.close()


def test_an_exception_gives_the_turn_back() -> None:
    turns = Turns()
    with pytest.raises(LookupError), turns.take(1):
        raise LookupError
    with turns.take(1):
        pass


def test_the_earliest_deadline_computes_next(until: Until) -> None:
    turns, order = Turns(), []

    def compute(deadline: int) -> None:
        with turns.take(deadline):
            order.append(deadline)

    waiting = [threading.Thread(target=compute, args=(n,)) for n in (5, 3, 9, 3, 1)]
    with turns.take(0):
        for number, thread in enumerate(waiting, 1):
            thread.start()
            until(lambda number=number: len(turns._waiting) == number)
    for thread in waiting:
        thread.join(PATIENCE_S)
    assert order == [1, 3, 3, 5, 9]


def test_ctrl_c_in_the_queue_keeps_nobody_waiting(
    monkeypatch: pytest.MonkeyPatch, until: Until
) -> None:
    turns = Turns()
    with turns.take(0):
        with monkeypatch.context() as patch:
            patch.setattr(turns._free, "wait_for", _ctrl_c)
            with pytest.raises(KeyboardInterrupt), turns.take(1):
                pass
        waiting = threading.Thread(target=lambda: turns.take(2).__enter__())
        waiting.start()
    waiting.join(PATIENCE_S)
    assert not waiting.is_alive()


def _ctrl_c(*_: object) -> None:
    raise KeyboardInterrupt
