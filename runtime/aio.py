"""A stream in an asyncio program: the same stream, awaited."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from time import monotonic_ns
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rap_edge._core import LevelChange
from rap_edge.errors import StateError
from rap_edge.runtime.frames import Frame, Interruption
from rap_edge.runtime.live import Stream
from rap_edge.runtime.pcm import Samples
from rap_edge.runtime.playout import PlayoutDevice
from rap_edge.runtime.stats import StreamStats
from rap_edge.runtime.voice import check_rate

LONGEST_SLEEP_S = 0.02
NS_PER_S = 1_000_000_000


class AsyncStream:
    """`Stream` for one event loop, opened by ``async with``.

    Opening, closing and pushes of more than a second leave the loop to others. No call waits
    for a graph. The others do their work on the loop: some ms at most, for a push of a second.
    """

    def __init__(self, open_stream: Callable[[], Stream]) -> None:
        self._open = open_stream
        self._stream: Stream | None = None
        self._is_unwanted = False

    async def __aenter__(self) -> AsyncStream:
        if self._stream is not None:
            raise StateError("the stream was opened already: make another one for another block")
        try:
            await asyncio.to_thread(self._enter)
        except asyncio.CancelledError:
            self._is_unwanted = True
            await self.close()
            raise
        return self

    def _enter(self) -> None:
        self._stream = self._open()
        if self._is_unwanted:  # the task was cancelled meanwhile
            self._stream.close()

    async def __aexit__(self, *exception: object) -> None:
        await self.close()

    @property
    def sync(self) -> Stream:
        """The stream itself, for all that does not wait; StateError before ``async with``."""
        if self._stream is None:
            raise StateError("the stream is not open yet: use it in `async with`")
        return self._stream

    def begin(self) -> int:
        """See `Stream.begin`."""
        return self.sync.begin()

    async def push_audio(
        self, pcm: Samples, sample_rate: int, utterance: int | None = None
    ) -> bool:
        """See `Stream.push_audio`; more than a second is taken in by another thread.

        A task that is cancelled meanwhile does not take it back.
        """
        check_rate(sample_rate)
        if _n_samples(pcm) > sample_rate:
            return await asyncio.to_thread(self.sync.push_audio, pcm, sample_rate, utterance)
        return self.sync.push_audio(pcm, sample_rate, utterance)

    async def flush(self, utterance: int | None = None) -> bool:
        """See `Stream.flush`."""
        return self.sync.flush(utterance)

    async def interrupt(self) -> Interruption:
        """See `Stream.interrupt`."""
        return self.sync.interrupt()

    @property
    def playout(self) -> PlayoutDevice:
        """See `Stream.playout`."""
        return self.sync.playout

    def set_state(self, state: str) -> None:
        """See `Stream.set_state`."""
        self.sync.set_state(state)

    def events(self) -> list[LevelChange]:
        """See `Stream.events`."""
        return self.sync.events()

    def stats(self) -> StreamStats:
        """See `Stream.stats`."""
        return self.sync.stats()

    def snapshot(self) -> Mapping[str, Any]:
        """See `Stream.snapshot`."""
        return self.sync.snapshot()

    async def run(self, out: NDArray[np.uint8] | None = None) -> AsyncIterator[Frame]:
        """Yield frames as they are due, until the stream is closed.

        ``out`` is a buffer for every image, as of `Stream.poll`: a frame is good until the next.
        """
        stream = self.sync
        while not stream.closed:
            try:
                todo = stream.poll(out)
            except StateError:
                if stream.closed:  # by another thread
                    return
                raise
            if isinstance(todo, Frame):
                yield todo
            else:
                wait = (todo - monotonic_ns()) / NS_PER_S
                await asyncio.sleep(min(max(0.0, wait), LONGEST_SLEEP_S))

    async def close(self) -> None:
        """See `Stream.close`."""
        if self._stream is not None:
            await asyncio.to_thread(self._stream.close)


def _n_samples(pcm: Samples) -> int:
    """Return how many samples these are, if they are any."""
    return len(pcm) // 2 if isinstance(pcm, (bytes, bytearray, memoryview)) else np.size(pcm)
