"""Streams of the synthetic avatar whose clock a test turns, and graphs that wait or fail."""

from __future__ import annotations

import gc
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import rap_edge
from rap_edge.portrait import Crop
from rap_edge.runtime import Avatar, Frame, Trace
from rap_edge.runtime.backends import Binding, Graph, Tensors
from rap_edge.runtime.live import Stream
from rap_edge.runtime.opening import open_stream
from rap_edge.runtime.options import StreamOptions

FRAME_NS = 40_000_000
PATIENCE_S = 30.0


@pytest.fixture(scope="session")
def avatar(synthetic_bundle: Path) -> Avatar:
    photo = np.full((80, 100, 3), 77, np.uint8)
    return rap_edge.open(synthetic_bundle, threads=1).avatar(photo, crop=Crop(10, 8, 64))


def until(condition: Callable[[], Any]) -> None:
    """Wait for what happens in another thread."""
    end_s = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < end_s, "it did not happen"
        time.sleep(0.001)


@pytest.fixture(name="until", scope="session")
def _until() -> Callable[[Callable[[], Any]], None]:
    return until


def threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if "rap-edge" in thread.name]


@pytest.fixture(name="threads", scope="session")
def _threads() -> Callable[[], list[str]]:
    """Name the threads of streams that run."""
    return threads


@pytest.fixture
def nothing_stays() -> Iterator[None]:
    """A test leaves no thread of a stream behind."""
    yield
    gc.collect()
    until(lambda: not threads())


def speech(samples: int, seed: int = 0) -> NDArray[np.float32]:
    """Noise whose loudness changes from frame to frame."""
    rng = np.random.default_rng(seed)
    loudness = np.repeat(10 ** rng.uniform(-3, -0.5, samples // 320 + 1), 320)[:samples]
    return (rng.standard_normal(samples) * loudness).clip(-1, 1).astype(np.float32)


@pytest.fixture(name="speech", scope="session")
def _speech() -> Callable[..., NDArray[np.float32]]:
    return speech


class Clock:
    """Time that passes when a test says so."""

    def __init__(self) -> None:
        self.ns = 10**12

    def __call__(self) -> int:
        return self.ns

    def reach(self, ns: int) -> None:
        self.ns = max(self.ns, ns)


def _count_rests(stream: Stream) -> list[int]:
    rests, look = [0], stream._session.next_chunk

    def counted(now: int) -> Any:
        todo = look(now)
        rests[0] += isinstance(todo, int)
        return todo

    stream._session.next_chunk = counted  # type: ignore[method-assign]
    return rests


class Stage:
    """Streams, each on a clock that stands still until the picture that is due is made."""

    def __init__(self, avatar: Avatar) -> None:
        self._avatar = avatar
        self.clocks: dict[Stream, Clock] = {}
        self._rests: dict[Stream, list[int]] = {}  # how often the maker found nothing to do

    def open(
        self, avatar: Avatar | None = None, trace: Trace | None = None, **options: Any
    ) -> Stream:
        """Open a stream; the pace does not change, unless asked for."""
        asked = StreamOptions(**({"level": 0, "admission": False} | options))
        clock = Clock()
        stream = open_stream(avatar or self._avatar, asked, trace, clock)
        self.clocks[stream] = clock
        self._rests[stream] = _count_rests(stream)
        return stream

    def pull(
        self, stream: Stream, out: NDArray[np.uint8] | None = None, ahead: bool = False
    ) -> Frame:
        """Return the next frame of a stream that makes every frame.

        ``ahead``: its audio has come, so that it is made before its time.
        """
        while not isinstance(todo := stream.poll(out), Frame):
            clock = self.clocks[stream]
            self._settle(stream)
            if ahead:
                until(lambda: stream.stats().queued)
            clock.reach(todo - FRAME_NS // 4)  # the last moment to decide what is heard
            self._settle(stream)
            until(lambda: stream.stats().queued)
            clock.reach(todo)
        return todo

    def _settle(self, stream: Stream) -> None:
        """Wait until the maker has done what it can at this time."""
        rests = self._rests[stream]
        seen = rests[0]
        stream.flush(-1)  # nothing, but the maker looks at the clock
        until(lambda: rests[0] > seen)

    def tick(self, stream: Stream) -> Frame:
        """Return the next frame of a stream, made or not."""
        while not isinstance(todo := stream.poll(), Frame):
            self.clocks[stream].reach(todo)
        return todo

    def say(self, stream: Stream, pcm: NDArray[np.float32], rate: int = 16000) -> list[Frame]:
        """Say something in one piece and return its frames."""
        utterance = stream.begin()
        assert stream.push_audio(pcm, rate, utterance)
        assert stream.flush(utterance)
        return self.finish(stream, utterance)

    def finish(self, stream: Stream, utterance: int) -> list[Frame]:
        """Return the frames of an utterance that was flushed."""
        frames = [self.pull(stream)]
        while not frames[-1].end_of_speech:
            frames.append(self.pull(stream))
        return [frame for frame in frames if frame.utterance == utterance]

    def close(self) -> None:
        for stream in self.clocks:
            with suppress(Exception):  # of a callback, that a test raised
                stream.close()


@pytest.fixture
def stage(avatar: Avatar) -> Iterator[Stage]:
    stage = Stage(avatar)
    yield stage
    stage.close()


class Hindered:
    """A graph that calls somebody before each run."""

    def __init__(self, graph: Graph, before: Callable[[], object]) -> None:
        self._graph, self._before = graph, before

    def __getattr__(self, name: str) -> Any:
        return getattr(self._graph, name)

    def bind(self, shared: Tensors | None = None) -> Any:
        return HinderedBinding(self._graph.bind(shared), self._before)


class HinderedBinding:
    def __init__(self, binding: Binding, before: Callable[[], object]) -> None:
        self._binding, self._before = binding, before
        self.inputs, self.outputs = binding.inputs, binding.outputs

    def run(self, outputs: Tensors | None = None, inputs: Tensors | None = None) -> None:
        self._before()
        self._binding.run(outputs, inputs)


@pytest.fixture(scope="session")
def hindered(avatar: Avatar) -> Callable[..., Avatar]:
    """The avatar on a model of its own, one of whose graphs calls somebody before each run."""
    from rap_edge.runtime.turns import Admission, Turns

    def make(before: Callable[[], object], graph: str = "decoder") -> Avatar:
        graphs = dict(avatar.model.graphs)
        graphs[graph] = Hindered(graphs[graph], before)  # type: ignore[assignment]
        model = replace(avatar.model, graphs=graphs, turns=Turns(), admission=Admission())
        return replace(avatar, model=model)

    return make
