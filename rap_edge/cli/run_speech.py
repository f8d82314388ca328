"""The thread that speaks to a live stream: it pushes blocks of audio until there are no more."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from rap_edge.errors import StateError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from rap_edge.runtime.live import Stream


class Speaker:
    """Push blocks of float32 mono audio (S,) as one utterance, and flush it after the last."""

    def __init__(
        self,
        blocks: Iterable[NDArray[np.float32]],
        sample_rate: int,
        wake: Callable[[], object] = lambda: None,
        close_source: Callable[[], object] = lambda: None,
    ) -> None:
        """`wake` ends an iteration that waits; `close_source` is called when none runs any more."""
        self.blocks, self._sample_rate = blocks, sample_rate
        self._wake, self._close_source = wake, close_source
        self.stopping = threading.Event()
        self.has_ended = False  # everything was pushed and flushed
        self.error: Exception | None = None
        self._thread: threading.Thread | None = None

    def start(self, stream: Stream) -> None:
        """Speak on a thread of its own; `error` keeps what ends it early."""
        self._thread = threading.Thread(
            target=self._run, args=(stream,), name="rap-edge speech", daemon=True
        )
        self._thread.start()

    def close(self) -> None:
        """Stop speaking, and close the source."""
        self.stopping.set()
        self._wake()
        if self._thread is not None:
            self._thread.join()
        self._close_source()

    def _run(self, stream: Stream) -> None:
        try:
            self._push(stream)
            self.has_ended = True
        except Exception as error:  # told by the main thread
            if not (self.stopping.is_set() and isinstance(error, StateError)):
                self.error = error

    def _push(self, stream: Stream) -> None:
        utterance = stream.begin()
        for block in self.blocks:
            if self.stopping.is_set() or not stream.push_audio(block, self._sample_rate, utterance):
                return
        stream.flush(utterance)
