"""A conversation: audio in at any pace from any thread, the right frame out on time.

One thread of the stream makes chunks; frames are shown by whoever pulls them. Both ask the same
session what to do next, under one lock, which nobody holds while a graph runs.
"""

from __future__ import annotations

import math
import os
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from weakref import finalize

import numpy as np
from numpy.typing import NDArray

from rap_edge._core import LevelChange
from rap_edge.errors import BackendFailed, StateError
from rap_edge.runtime import lifetime
from rap_edge.runtime.frames import Frame, Interruption
from rap_edge.runtime.maker import LONGEST_WAIT_NS, NS_PER_S, Maker
from rap_edge.runtime.measures import Measures
from rap_edge.runtime.pcm import Samples, mono
from rap_edge.runtime.playout import PlayoutDevice
from rap_edge.runtime.session import Session
from rap_edge.runtime.shower import Shower
from rap_edge.runtime.stats import StreamStats
from rap_edge.runtime.voice import check_rate


class Stream:
    """A live avatar. Push from one thread, pull from another; close it, or use it in a `with`.

    The stream's time starts with the first pull (in play-out with the first block that the device
    reads). From then on a frame is due every 40 ms, spoken or idle.
    """

    def __init__(
        self,
        session: Session,
        maker: Maker,
        measures: Measures,
        lock: threading.Condition,
        now: Callable[[], int],
        device: PlayoutDevice | None,
        lead_ns: int,
        on_close: Callable[[], None],
    ) -> None:
        self._session, self._maker, self._measures = session, maker, measures
        self._lock, self._now, self._device = lock, now, device
        self._lead_ns = lead_ns
        self._pid = os.getpid()
        self._started = False
        self._pushing = threading.Lock()
        self._shower: Shower | None = None
        self._end = finalize(self, maker.leave, on_close)
        lifetime.remember(self)
        maker.start()

    def __enter__(self) -> Stream:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    @property
    def closed(self) -> bool:
        return not self._end.alive

    @property
    def playout(self) -> PlayoutDevice:
        """What the sound device's callback reads from; StateError unless opened with `playout`."""
        if self._device is None:
            raise StateError("the stream has no play-out: open it with playout=Playout(48000)")
        return self._device

    def begin(self) -> int:
        """Start an utterance and return its id; whatever was left of the one before is dropped."""
        with self._entered():
            return self._session.begin(self._now())

    def push_audio(self, pcm: Samples, sample_rate: int, utterance: int | None = None) -> bool:
        """Take mono PCM (S,) of an utterance: float32 in -1..1, int16, or bytes of 16-bit PCM.

        Any size and pace. None is the utterance that is open, or else a new one. Returns False, and
        takes nothing, if the utterance was interrupted, ended, or followed by another. Raises
        AudioError for samples that cannot be used, BackpressureError for more than is kept.
        """
        samples = mono(pcm)
        check_rate(sample_rate)
        with self._pushing:  # one push after the other; frames leave between its seconds
            for start in range(0, max(1, len(samples)), sample_rate):
                piece = samples[start : start + sample_rate]
                following = max(0, len(samples) - start - sample_rate) / sample_rate
                with self._entered():
                    now = self._now()
                    if utterance is None and not (utterance := self._session.utterance):
                        self._session.check_room(len(samples) / sample_rate)
                        utterance = self._session.begin(now)
                    if not self._session.push(piece, sample_rate, utterance, now, following):
                        return False
                    if self._session.may_make:
                        self._lock.notify()
        return True

    def flush(self, utterance: int | None = None) -> bool:
        """Say that an utterance is complete; False if it is not the one that is open."""
        with self._entered():
            utterance = self._session.utterance if utterance is None else utterance
            ended = self._session.flush(utterance, self._now())
            self._lock.notify()
            return ended

    def interrupt(self) -> Interruption:
        """Stop speaking: when it returns, nothing of the utterance will be heard or shown again.

        But for a frame that somebody has pulled already. The mouth closes from the picture that was
        shown last; in play-out the sound fades within 5 ms.
        """
        start = self._now()
        with self._entered():
            found = self._session.interrupt(self._now())
            self._lock.notify()
        latency_ns = self._now() - start
        self._measures.interrupted(start, latency_ns)
        return replace(found, latency_ms=latency_ns / 1e6)

    def set_state(self, state: str) -> None:
        """Say what the avatar does while it is silent: "idle", or "listening", livelier."""
        with self._entered():
            self._session.set_state(state)

    def poll(self, out: NDArray[np.uint8] | None = None) -> Frame | int:
        """Return the frame that is due, or else the `time.monotonic_ns` at which to ask again.

        ``out`` is a buffer for the image, of the shape and layout of the stream's format.
        """
        with self._entered():
            now = self._now()
            if not self._started and not self._start(now):
                return now + LONGEST_WAIT_NS // 10
            todo = self._session.next_frame(now, out)
            self._measures.look(self._session.scheduler, now)
            if isinstance(todo, Frame):
                self._measures.left(todo, now)
            return todo

    def pull(
        self, out: NDArray[np.uint8] | None = None, timeout: float | None = None
    ) -> Frame | None:
        """Wait for the next frame; None if there is none within ``timeout`` seconds."""
        limit = math.inf if timeout is None else self._now() + timeout * NS_PER_S
        while True:
            chunks = self._maker.chunks
            todo = self.poll(out)
            if isinstance(todo, Frame):
                return todo
            wait = min(todo, limit) - self._now()
            if wait <= 0 and limit <= todo:
                return None
            self._maker.wait(chunks, min(max(0, wait), LONGEST_WAIT_NS) / NS_PER_S)

    def run(self) -> Iterator[Frame]:
        """Yield frames as they are due, until the stream is closed."""
        while not self.closed:
            try:
                frame = self.pull()
            except StateError:
                if self.closed:
                    return
                raise
            if frame is not None:
                yield frame

    def start(self, on_frame: Callable[[Frame], object]) -> None:
        """Show frames on a thread of the stream's: it calls ``on_frame`` with each.

        An exception of ``on_frame`` ends the calls; it is logged, and `close` raises it. A stream
        that is started lives until it is closed, whoever holds it.
        """
        with self._entered():
            if self._shower is not None:
                raise StateError("the stream is started already: expected one start")
            self._shower = Shower(self.run(), on_frame)

    def close(self) -> None:
        """End the stream and its threads; a second call does nothing."""
        if os.getpid() != self._pid:
            return
        self._end()
        self._maker.stop()
        if self._shower is not None:
            self._shower.join()

    def events(self) -> list[LevelChange]:
        """Return the changes of level since the last call, with their reasons; also when closed."""
        with self._locked():
            return self._measures.changes(self._session.scheduler, self._now())

    def stats(self) -> StreamStats:
        """Return the numbers of the stream, cheap enough for every frame; also when closed."""
        with self._locked():
            now = self._now()
            return self._measures.stats(
                self._session.scheduler.stats(), self._session.played_seconds(now), now
            )

    def snapshot(self) -> Mapping[str, Any]:
        """Return everything that is known of the stream, with the definitions of its numbers."""
        with self._locked():
            found = self._measures.snapshot(self.stats(), self._session.scheduler.stats())
        if self._device is not None:
            found |= self._device.snapshot()
        error = None if self._shower is None else self._shower.failure
        return {**found, "state": self._session.state, "callback_error": error}

    def _start(self, now: int) -> bool:
        """Start the stream's time; False while the sound device does not run."""
        if self._device is not None and not self._device.is_running:
            return False
        self._started = True
        self._session.start(now, self._lead_ns if self._device is None else 0)
        self._lock.notify()
        return True

    @contextmanager
    def _entered(self) -> Iterator[None]:
        """Hold the lock of a stream that is open."""
        with self._locked():
            if self.closed:
                raise StateError("the stream is closed: open another one")
            if self._maker.error is not None:
                raise BackendFailed(
                    f"the stream has ended: its graphs failed, {self._maker.error} - open another "
                    "one, or the bundle on another backend"
                ) from self._maker.error
            yield

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Hold the lock, in the process that opened the stream."""
        lifetime.check_process(self._pid)
        with self._lock:
            yield
