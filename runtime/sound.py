"""Sound without a device: what every output is, one that only keeps time, and recordings as they
are spoken. Devices are in `rap_edge.runtime.sound_device`.
"""

from __future__ import annotations

import math
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

BLOCK_S = 0.01  # of an output's callback
INPUT_BLOCK_S = 0.02
NS_PER_S = 1_000_000_000
NULL_LATENCY_NS = 20_000_000
ASLEEP_NS = NS_PER_S  # a null device that late was suspended, and starts afresh

Block = NDArray[np.float32]


class Player(Protocol):
    """What sounds: the play-out of a stream."""

    def read_into(self, out: Block, host_ns: int, latency_ns: int) -> int: ...


class Output(ABC):
    """A device that plays; `error` is what ended its callback, if something did."""

    error: BaseException | None = None

    @abstractmethod
    def start(self) -> None: ...

    @abstractmethod
    def stop(self) -> None: ...

    def __enter__(self) -> Output:
        self.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.stop()


class NullOutput(Output):
    """No device, but its timing: a thread takes 10 ms of sound every 10 ms of the clock.

    Block n is taken n * 10 ms after the start and heard 20 ms later, to the nanosecond, however
    late the thread wakes: one that is late takes at once all that it missed.
    """

    def __init__(
        self,
        player: Player,
        sample_rate: int,
        now: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self._player, self._now = player, now
        self._block = np.zeros(round(BLOCK_S * sample_rate), np.float32)
        self._block_ns = len(self._block) * NS_PER_S // sample_rate
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="rap-edge null sound", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        if self._thread.ident is not None:
            self._thread.join()

    def _run(self) -> None:
        due = self._now()
        try:
            while not self._stopping.wait(max(0, due - self._now()) / NS_PER_S):
                now = self._now()
                if now - due > ASLEEP_NS:
                    due = now
                self._player.read_into(self._block, due, NULL_LATENCY_NS)
                due += self._block_ns
        except Exception as error:  # read by the thread that shows
            self.error = error


def paced(
    blocks: Iterable[Block],
    sample_rate: int,
    ahead_s: float = 0.0,
    wait: Callable[[float], bool] | None = None,
    now: Callable[[], int] = time.monotonic_ns,
) -> Iterator[Block]:
    """Cut blocks to 20 ms and yield each when it has been spoken, as a microphone does.

    `ahead_s` lets them come earlier by so many seconds, as speech synthesis does; infinity: all at
    once. `wait` sleeps for seconds, and ends the iteration by returning True.
    """
    wait = wait or threading.Event().wait
    length = round(INPUT_BLOCK_S * sample_rate)
    start, n_samples = now(), 0
    for block in _cut(blocks, length):
        n_samples += len(block)
        due_s = n_samples / sample_rate - ahead_s - (now() - start) / NS_PER_S
        if wait(due_s if 0 < due_s < math.inf else 0):
            return
        yield block


def _cut(blocks: Iterable[Block], length: int) -> Iterator[Block]:
    kept = np.zeros(0, np.float32)
    for block in blocks:
        kept = np.concatenate([kept, block])
        whole = len(kept) // length * length
        yield from kept[:whole].reshape(-1, length)
        kept = kept[whole:]
    if len(kept):
        yield kept
