"""The thread that makes a stream's chunks."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable

from rap_edge.runtime.animator import Animator, Past
from rap_edge.runtime.gallery import Chunk
from rap_edge.runtime.session import Session
from rap_edge.runtime.turns import Turns

NS_PER_S = 1_000_000_000
LONGEST_WAIT_NS = 100_000_000
PRESSURE_EVERY_NS = 5 * NS_PER_S
FAILURES = 3  # in a row, that end a stream


class Maker:
    """Asks the session for chunks and makes them, until it is stopped.

    It knows nothing of the `Stream` that owns it, so that one which nobody holds any more ends.
    """

    def __init__(
        self,
        session: Session,
        animator: Animator,
        turns: Turns,
        lock: threading.Condition,
        made: threading.Condition,
        now: Callable[[], int],
        floor: Callable[[], int] | None,
    ) -> None:
        """``lock`` wakes this thread, ``made`` those who wait for frames; both are of one mutex.

        ``floor`` tells the best level that heat allows; None leaves the level alone.
        """
        self._session, self._animator, self._turns = session, animator, turns
        self._lock, self._made, self._now, self._floor = lock, made, now, floor
        self.chunks = 0  # made so far
        self._pressure_ns = 0
        self._failures = 0
        self._pid = os.getpid()
        self.ended = threading.Event()
        self.error: Exception | None = None
        self._thread = threading.Thread(target=self._run, name="rap-edge maker", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """End the thread and wait for it; a chunk in the making is given up. It may be repeated."""
        with self._lock:
            self.ended.set()
            self._lock.notify()
            self._made.notify_all()
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join()

    def leave(self, on_close: Callable[[], None]) -> None:
        """End a stream that is closed, or that nobody holds: in any thread, so it waits for none.

        A child process leaves it to its parent.
        """
        if os.getpid() == self._pid:
            self.ended.set()
            on_close()

    def wait(self, chunks: int, seconds: float) -> None:
        """Wait for more than so many chunks, for the stream's end, or for a time."""
        with self._made:
            if self.chunks == chunks and not self.ended.is_set():
                self._made.wait(seconds)

    def _run(self) -> None:
        try:
            self._make_chunks()
        except Exception as error:  # a bug: a stream that only ever holds would not tell
            self._give_up(error)

    def _make_chunks(self) -> None:
        while (chunk := self._next()) is not None:
            try:
                past = self._make(chunk)
            except Exception as error:  # of any backend: the stream's owner is told
                self._fail(chunk, error)
            else:
                self._failures = 0
                with self._lock:
                    self._session.finish(chunk, past, self._now())
                    self.chunks += 1
                    self._made.notify_all()

    def _next(self) -> Chunk | None:
        """Wait for a chunk to make; None when the stream has ended."""
        self._read_pressure()
        with self._lock:
            while not self.ended.is_set():
                now = self._now()
                todo = self._session.next_chunk(now)
                if isinstance(todo, Chunk):
                    return todo
                wait = min(max(0, todo - now), LONGEST_WAIT_NS)
                self._lock.wait(wait / NS_PER_S)
        return None

    def _make(self, chunk: Chunk) -> Past | None:
        def is_stale() -> bool:
            with self._lock:
                return self.ended.is_set() or not self._session.scheduler.wants(chunk.id)

        with self._turns.take(chunk.deadline_ns):
            if is_stale():
                return None
            return self._animator.make(
                chunk.hops, chunk.past, chunk.level, chunk.out, is_stale, chunk.stir
            )

    def _fail(self, chunk: Chunk, error: Exception) -> None:
        self._failures += 1
        with self._lock:
            self._session.fail(chunk, self._now())
        if self._failures >= FAILURES:
            self._give_up(error)

    def _give_up(self, error: Exception) -> None:
        with self._lock:
            self.error = error
            self.ended.set()
            self._made.notify_all()

    def _read_pressure(self) -> None:
        now = self._now()
        if self._floor is None or now - self._pressure_ns < PRESSURE_EVERY_NS:
            return
        self._pressure_ns = now
        floor = self._floor()
        with self._lock:
            self._session.scheduler.set_floor(floor)
