"""Streams end cleanly with the interpreter, and do not outlive a fork."""

from __future__ import annotations

import atexit
import os
from typing import Protocol
from weakref import WeakSet

from rap_edge.errors import StateError


class Closable(Protocol):
    """What has a thread of its own."""

    def close(self) -> None: ...


_open: WeakSet[Closable] = WeakSet()


def remember(stream: Closable) -> None:
    """Close a stream when the interpreter ends, unless it is gone by then."""
    _open.add(stream)


def check_process(pid: int) -> None:
    """Raise StateError in a child process: threads and graphs do not survive a fork."""
    if os.getpid() != pid:
        raise StateError(
            "this stream was opened before the process forked: open the bundle and the stream in "
            "the child"
        )


@atexit.register
def _close_all() -> None:
    for stream in list(_open):
        stream.close()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_open.clear)
