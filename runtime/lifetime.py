"""Streams end cleanly with the interpreter, and neither they nor graphs outlive a fork."""

from __future__ import annotations

import atexit
import ctypes
import os
from contextlib import ExitStack
from typing import Protocol
from weakref import WeakSet

from rap_edge.errors import StateError


class Closable(Protocol):
    """What has a thread of its own."""

    def close(self) -> None: ...


_open: WeakSet[Closable] = WeakSet()
_models: WeakSet[object] = WeakSet()


def remember(stream: Closable) -> None:
    """Close a stream when the interpreter ends, unless it is gone by then."""
    _open.add(stream)


def remember_model(model: object) -> None:
    """Leave the graphs of a model alone in a child process, for good.

    A runtime that is torn down joins its threads, which a child does not have: it would wait
    forever.
    """
    _models.add(model)


def check_process(pid: int) -> None:
    """Raise StateError in a child process: threads and graphs do not survive a fork."""
    if os.getpid() != pid:
        raise StateError(
            "this was opened before the process forked: expected the process that opened it - open "
            "the bundle and the stream in the child"
        )


@atexit.register
def _close_all() -> None:
    with ExitStack() as every_one:  # also after one that raises what its callback raised
        for stream in list(_open):
            every_one.callback(stream.close)


if hasattr(os, "register_at_fork"):

    def _leave_to_parent() -> None:
        _open.clear()
        for model in list(_models):
            ctypes.pythonapi.Py_IncRef(ctypes.py_object(model))  # never freed

    os.register_at_fork(after_in_child=_leave_to_parent)
