"""The thread that gives a stream's frames to somebody's callback."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator

from rap_edge.runtime.frames import Frame

log = logging.getLogger("rap_edge")


class Shower:
    """Calls with every frame, until there are no more or a call fails."""

    def __init__(self, frames: Iterator[Frame], on_frame: Callable[[Frame], object]) -> None:
        self._frames, self._on_frame = frames, on_frame
        self._error: BaseException | None = None
        self.failure: str | None = None  # what ended the calls, if anything did
        self._thread = threading.Thread(target=self._run, name="rap-edge frames", daemon=True)
        self._thread.start()

    def join(self) -> None:
        """Wait for the end of the thread and raise, once, what ended it; not from a call of it."""
        if self._thread is threading.current_thread():
            return
        self._thread.join()
        error, self._error = self._error, None
        if error is not None:
            raise error

    def _run(self) -> None:
        try:
            for frame in self._frames:
                self._on_frame(frame)
        except BaseException as error:  # join() raises it, which may be hours from now
            log.exception("no more frames are shown: on_frame or the stream failed")
            self._error, self.failure = error, f"{type(error).__name__}: {error}"
