"""A scenario in a process of its own: what a new process costs, and memory that is its alone.

The worker is a module with a `main()`: it reads one JSON object from its standard input and prints
one JSON object as the last line of its standard output.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rap_edge.benchmarks.pinned import Pinned
from rap_edge.benchmarks.report.record import Result
from rap_edge.errors import BackendFailed
from rap_edge.strict_json import decode

if TYPE_CHECKING:
    from rap_edge.benchmarks.subjects import Opened

GRACE_S = 120.0


@dataclass(frozen=True)
class Asked:
    """How a worker opens its subject: as JSON, and as few imports as a user's program has."""

    label: str
    variant: str  # backend/precision
    device: str
    threads: int
    bundle: str | None  # as it was named; None is the one that comes with the package
    trust: tuple[str, ...]
    inputs: str  # folder of `handed`
    sample_rate: int
    settings: Mapping[str, Any] = field(default_factory=dict)  # of the scenario


@contextmanager
def handed(pinned: Pinned) -> Iterator[str]:
    """Put portrait and speech into a folder as arrays, so that a worker decodes nothing."""
    with tempfile.TemporaryDirectory() as folder:
        np.save(Path(folder, "portrait.npy"), pinned.portrait)
        np.save(Path(folder, "speech.npy"), pinned.speech)
        yield folder


def open_asked(asked: Asked) -> tuple[Opened, Pinned]:
    """Open a worker's subject; raises what `open_subject` does."""
    from rap_edge.benchmarks.subjects import open_subject
    from rap_edge.cache_lookup import open_named
    from rap_edge.runtime.choice import Candidate

    portrait = np.load(Path(asked.inputs, "portrait.npy"))
    speech = np.load(Path(asked.inputs, "speech.npy"))
    bundle = open_named(asked.bundle, asked.trust)
    candidate = Candidate(bundle.manifest.variant(asked.variant), asked.device)
    opened = open_subject(bundle, candidate, portrait, asked.threads)
    return opened, Pinned(portrait, speech, asked.sample_rate, ())


def in_own_process(module: str, asked: Asked, seconds: float = 0.0) -> Result:
    """Run ``python -m module`` and return the result that it prints.

    ``seconds`` is how long it means to take. Raises BackendFailed, with the worker's last words, if
    it fails or hangs.
    """
    try:
        done = subprocess.run(
            [sys.executable, "-m", module],
            input=json.dumps({"asked": asdict(asked), "begun_s": time.monotonic()}),
            capture_output=True,
            text=True,
            check=False,
            timeout=seconds * 2 + GRACE_S,
            env={**os.environ, "PYTHONSAFEPATH": "1"},  # nothing from the folder it is run in
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


def answer(work: Callable[[Asked, float], Result]) -> None:
    """Be a worker: read what is asked and when it was, work, print the result."""
    given = json.loads(sys.stdin.read())
    print(json.dumps(asdict(work(decode(Asked, given["asked"]), given["begun_s"]))))
