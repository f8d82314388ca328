"""How cost grows: with length, sessions, threads, resolution and the level of the ladder.

Each module has one function that measures: a row for each point, ``at`` what was varied, and
one without ``at`` that holds what was fitted through them.
"""

from __future__ import annotations

from functools import partial

from rap_edge.benchmarks.pinned import pinned_inputs
from rap_edge.benchmarks.report.record import Result
from rap_edge.benchmarks.scaling.length import lengths_to, measure_length
from rap_edge.benchmarks.scaling.levels import measure_levels
from rap_edge.benchmarks.scaling.resolution import measure_resolution
from rap_edge.benchmarks.scaling.sessions import measure_sessions
from rap_edge.benchmarks.scaling.threads import measure_threads
from rap_edge.benchmarks.subjects import open_subject
from rap_edge.bundle import Bundle
from rap_edge.errors import NotSupported
from rap_edge.runtime.backends.target import Target
from rap_edge.runtime.choice import Candidate, candidates
from rap_edge.runtime.cores import physical_cores

SCALINGS = ("length", "sessions", "threads", "resolution", "levels")
USUAL_MINUTES = 10.0


def measure_scaling(
    name: str,
    bundle: Bundle,
    backend: str = "auto",
    precision: str | None = None,
    threads: int | None = None,
    longest_minutes: float = USUAL_MINUTES,
) -> list[Result]:
    """Measure one of `SCALINGS` on one variant of a bundle.

    Args:
        name: of `SCALINGS`.
        bundle: of which; an opened one, so whom to trust was settled.
        backend: name of a backend, or of one of its devices; "auto" is that of the bundle's first
            variant that suits the CPU.
        precision: of the variant; None is the first. Random weights are always fp32.
        threads: of a graph; None is one for each physical core.
        longest_minutes: of the longest stream, for "length".

    Raises NotSupported for an unknown name or a bundle without inputs, ConfigError for a length
    that is not above 0, BackendUnavailable for a variant that does not run here.
    """
    if name not in SCALINGS:
        raise NotSupported(f"scaling {name!r} is not known: expected one of {', '.join(SCALINGS)}")
    lengths_s = lengths_to(longest_minutes)
    on_threads = threads or physical_cores()
    if name == "resolution":
        return measure_resolution(bundle.manifest.config, backend, on_threads)
    pinned, candidate = pinned_inputs(bundle), _candidate(bundle, backend, precision)
    open_with = partial(open_subject, bundle, candidate, pinned.portrait)
    if name == "threads":
        return measure_threads(open_with, pinned)
    opened = open_with(on_threads)
    if name == "length":
        return measure_length(opened, pinned, lengths_s)
    return (
        measure_sessions(opened, pinned) if name == "sessions" else measure_levels(opened, pinned)
    )


def _candidate(bundle: Bundle, backend: str, precision: str | None) -> Candidate:
    return candidates(bundle.variants, Target.parse(backend), precision, strict=True)[0]
