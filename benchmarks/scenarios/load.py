"""Other processes that keep cores busy while something is measured."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

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
    others: list[subprocess.Popen[bytes]] = []
    try:
        for _ in range(processes):
            others.append(
                subprocess.Popen(
                    [sys.executable, "-I", "-S", "-c", SPIN],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                )
            )
        for process in others:
            assert process.stdout is not None
            process.stdout.readline()
        yield
    finally:
        for process in others:
            process.kill()
            process.communicate()
