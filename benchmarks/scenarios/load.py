"""Other processes that keep cores busy while something is measured."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from rap_edge.errors import ConfigError

SPIN = """
import os, sys, threading
threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()
print(flush=True)
while True:
    sum(i * i for i in range(10_000))
"""  # ends with whoever started it


@contextmanager
def busy(processes: int) -> Iterator[None]:
    """Keep so many cores busy, from the start of the block on."""
    if processes < 0:
        raise ConfigError(f"load is {processes}: expected 0 or more processes")
    with ExitStack() as stack:
        others = [stack.enter_context(_spinning()) for _ in range(processes)]
        for process in others:
            stack.callback(process.kill)
        for process in others:
            assert process.stdout is not None
            process.stdout.readline()
        yield


def _spinning() -> subprocess.Popen[bytes]:
    command = [sys.executable, "-I", "-S", "-c", SPIN]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
