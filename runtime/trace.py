"""What happened when, as a file that Perfetto (ui.perfetto.dev) and chrome://tracing open.

The format is Chrome's Trace Event Format in its JSON object form: complete events ("X") for work,
instant events ("i"), counters ("C"), and metadata ("M") that names the process and the threads.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import secrets
import threading
import time
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, TextIO

from rap_edge.errors import ConfigError, MediaError

CAPACITY = 100_000  # events: about ten minutes of one stream, at most 40 MB
NS_PER_US = 1000

# phase, name, start and length in ns, thread, details
_Event = tuple[str, str, int, int, int, dict[str, Any]]


class Trace:
    """Collect events of any thread; `close` writes them as one file, whole or not at all.

    Times are `time.monotonic_ns()`. Only the last `capacity` events are kept; the file says under
    `otherData` how many came before. Work in one thread nests or follows: Perfetto leaves out
    complete events of one thread that overlap otherwise. After `close` events are ignored.
    Left by an exception before the first event, a `with` block writes nothing.
    """

    def __init__(
        self, path: str | os.PathLike[str], capacity: int = CAPACITY, process: str = "rap-edge"
    ) -> None:
        """Raise MediaError at once where a file cannot be written, ConfigError for no capacity."""
        if capacity < 1:
            raise ConfigError(
                f"capacity is {capacity}: expected 1 or more; choose how many to keep"
            )
        self._path, self._process = Path(path), process
        _check_target(self._path)
        self._events: deque[_Event] = deque(maxlen=capacity)
        self._added = 0
        self._threads: dict[int, str] = {}
        self._lock = threading.Lock()
        self._closed = False

    def __enter__(self) -> Trace:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if error is None or self._added:
            self.close()
        self._closed = True

    @property
    def dropped(self) -> int:
        """Events that were pushed out by later ones."""
        return self._added - len(self._events)

    def complete(self, name: str, start_ns: int, end_ns: int, **details: object) -> None:
        """Say that the calling thread did `name` from `start_ns` to `end_ns`."""
        self._add("X", name, start_ns, end_ns - start_ns, details)

    def instant(self, name: str, now_ns: int, **details: object) -> None:
        """Say that something happened: an interrupt, a change of level, a late frame."""
        self._add("i", name, now_ns, 0, details)

    def counter(self, name: str, now_ns: int, value: float) -> None:
        """Say what a number is from now on; one that is not finite is left out."""
        if math.isfinite(value):
            self._add("C", name, now_ns, 0, {"value": value})

    @contextlib.contextmanager
    def work(self, name: str, **details: object) -> Iterator[None]:
        """Time a block as a complete event."""
        start_ns = time.monotonic_ns()
        try:
            yield
        finally:
            self.complete(name, start_ns, time.monotonic_ns(), **details)

    def close(self) -> None:
        """Write the file, replacing one of that name; a second call does nothing.

        Raises MediaError if it cannot be written, and leaves nothing half-written.
        """
        with self._lock:
            if self._closed:
                return
            self._closed = True
        partial = self._path.with_name(f".rap-edge-{secrets.token_hex(6)}.part")
        try:
            with partial.open("w", encoding="utf-8") as file:
                self._write(file)
            partial.replace(self._path)
        except OSError as error:
            raise MediaError(
                f"{self._path} cannot be written ({error.strerror}) - expected room for the trace "
                "- check the folder and the disk"
            ) from error
        finally:
            with contextlib.suppress(OSError):
                partial.unlink(missing_ok=True)

    def _add(
        self, phase: str, name: str, start_ns: int, length_ns: int, details: dict[str, Any]
    ) -> None:
        thread = threading.get_native_id()
        with self._lock:
            if self._closed:
                return
            if thread not in self._threads:
                self._threads[thread] = threading.current_thread().name
            self._events.append((phase, name, start_ns, length_ns, thread, details))
            self._added += 1

    def _write(self, file: TextIO) -> None:
        start_ns = min((event[2] for event in self._events), default=0)
        about = {"dropped_events": self.dropped, "start_monotonic_ns": start_ns}
        file.write(f'{{"displayTimeUnit": "ms", "otherData": {json.dumps(about)},\n')
        file.write('"traceEvents": [\n')
        pid = os.getpid()
        name = {"name": self._process}
        file.write(json.dumps({"ph": "M", "name": "process_name", "pid": pid, "args": name}))
        for tid, thread in self._threads.items():
            name = {"name": thread}
            line = {"ph": "M", "name": "thread_name", "pid": pid, "tid": tid, "args": name}
            file.write(",\n" + json.dumps(line))
        for event in sorted(self._events, key=lambda event: event[2]):
            file.write(",\n" + json.dumps(_described(event, pid, start_ns), allow_nan=False))
        file.write("\n]}\n")


def _described(event: _Event, pid: int, origin_ns: int) -> dict[str, object]:
    """Whole microseconds: work that follows work stays beside it, where fractions may overlap."""
    phase, name, start_ns, length_ns, thread, details = event
    start_us = (start_ns - origin_ns) // NS_PER_US
    described: dict[str, object] = {
        "ph": phase,
        "name": name,
        "cat": "rap-edge",
        "pid": pid,
        "tid": thread,
        "ts": start_us,
    }
    if phase == "X":
        described["dur"] = (start_ns + length_ns - origin_ns) // NS_PER_US - start_us
    elif phase == "i":
        described["s"] = "p"  # of the process: a line through all its threads
    if details:
        described["args"] = {key: _plain(value) for key, value in details.items()}
    return described


def _plain(value: object) -> object:
    """Return what JSON can hold: numpy's numbers as Python's, anything else as its text."""
    if hasattr(value, "item"):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value if isinstance(value, (str, int, float, bool, type(None))) else str(value)


def _check_target(path: Path) -> None:
    if path.is_dir():
        raise MediaError(f"{path} is a folder - expected a file name - choose another name")
    if not path.parent.is_dir():
        raise MediaError(f"{path.parent} is not a folder - expected one - create it first")
    if not os.access(path.parent, os.W_OK | os.X_OK):
        raise MediaError(f"{path.parent} is not writable - expected write access - choose another")
