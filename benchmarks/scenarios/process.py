"""A scenario in a process of its own: what a new process costs, and memory that is its alone.

The worker is a module with a `main()`: it reads one JSON object from its standard input and prints
one JSON object as the last line of its standard output.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from typing import Any

from rap_edge.benchmarks.report.record import Result
from rap_edge.errors import BackendFailed
from rap_edge.strict_json import decode

GRACE_S = 120.0


def in_own_process(module: str, arguments: Mapping[str, Any], seconds: float = 0.0) -> Result:
    """Run ``python -m module`` and return the result that it prints.

    ``seconds`` is how long it means to take. Raises BackendFailed, with the worker's last words, if
    it fails or hangs.
    """
    try:
        done = subprocess.run(
            [sys.executable, "-m", module],
            input=json.dumps(arguments),
            capture_output=True,
            text=True,
            check=False,
            timeout=seconds * 2 + GRACE_S,
        )
    except subprocess.TimeoutExpired as error:
        raise BackendFailed(
            f"{module} did not end within {error.timeout:.0f} s: expected {seconds:.0f} s; "
            "close what else runs on this machine and try again"
        ) from error
    if done.returncode:
        words = done.stderr.strip().splitlines()
        said = words[-1] if words else f"exit code {done.returncode}"
        raise BackendFailed(f"{module} failed: {said}; run it by hand to see more")
    return decode(Result, json.loads(done.stdout.splitlines()[-1]))


def answer(work: Callable[[Mapping[str, Any]], Result]) -> None:
    """Be a worker: read the arguments, work, print the result."""
    from dataclasses import asdict

    arguments = json.loads(sys.stdin.read())
    print(json.dumps(asdict(work(arguments))))
