"""Which variant is fastest here, by running what a chunk runs; measured once, then remembered.

The graphs of a chunk run in their proportion (audio once, denoiser once a solver step, decoder
once) on the golden inputs, every candidate in turn, so that what else the machine does hits all of
them. The least of the rounds counts: it is the one that was disturbed least.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from time import perf_counter

from rap_edge.bundle import Bundle
from rap_edge.errors import BackendUnavailable
from rap_edge.golden import Vectors
from rap_edge.runtime.backends import Binding, Graph
from rap_edge.runtime.backends.target import first_device
from rap_edge.runtime.choice import Candidate
from rap_edge.runtime.cpu import cpu_flags
from rap_edge.runtime.placement.graphs import open_graphs
from rap_edge.runtime.placement.remembered import Measured, recall, remember

NO_MEASURE = "RAP_EDGE_NO_MEASURE"
CHUNK = ("audio", "denoiser", "decoder")
ROUNDS, LEAST_ROUNDS = 12, 3
BUDGET_S = 1.0
HOPELESS = 2.0
"""Times the best: such a candidate is measured no further."""

CLEARLY = 0.97
"""Of the time of one that the bundle lists earlier: less is needed to be taken before it."""


def may_measure() -> bool:
    """Say whether measuring is allowed: RAP_EDGE_NO_MEASURE=1 forbids it."""
    return os.environ.get(NO_MEASURE, "") in ("", "0")


def fastest_first(
    bundle: Bundle, candidates: Sequence[Candidate], threads: int, vectors: Vectors
) -> list[Candidate]:
    """Order candidates by their time, those that were measured first; the rest as they are.

    What was measured here before is taken as it was; otherwise every promising one is opened. What
    is measured while the machine is busy holds for this time only.
    """
    likely = promising_here(candidates)
    if len(likely) < 2 or not may_measure():
        return list(candidates)
    measured = recall(bundle, likely, threads)
    if measured is None:
        quiet = is_quiet()
        measured = measure(bundle, likely, threads, vectors)
        if quiet:
            remember(bundle, likely, threads, measured)
    return ordered(candidates, measured)


def is_quiet() -> bool:
    """Say whether there are CPUs for all that wants to run, as far as the system tells."""
    try:
        return os.getloadavg()[0] <= (os.cpu_count() or 1)
    except (AttributeError, OSError):  # Windows
        return True


def promising_here(candidates: Sequence[Candidate]) -> list[Candidate]:
    """Leave out what cannot win on this CPU."""
    return promising(candidates, cpu_flags())


def promising(candidates: Sequence[Candidate], flags: frozenset[str] | None) -> list[Candidate]:
    """Leave out what cannot win: what comes after a variant that was made for this CPU.

    A variant that asks for instruction sets, and finds one, beats the others of its backend on the
    CPU: fp32 is not opened to find that int8 is faster with VNNI.
    """
    settled: set[str] = set()
    likely = []
    for one in candidates:
        on_cpu = one.device == first_device(one.variant.backend)
        if on_cpu and one.variant.backend in settled:
            continue
        likely.append(one)
        if on_cpu and flags is not None and flags & set(one.variant.requires.isa):
            settled.add(one.variant.backend)
    return likely


def ordered(candidates: Sequence[Candidate], measured: Measured) -> list[Candidate]:
    """Put the fastest first, if it is clearly faster than what stands before it."""
    runs = [one for one in candidates if one.label in measured.ms]
    if not runs:
        return list(candidates)
    best = runs[0]
    for one in runs[1:]:
        if measured.ms[one.label] < CLEARLY * measured.ms[best.label]:
            best = one
    others = sorted((one for one in runs if one is not best), key=lambda c: measured.ms[c.label])
    return [best, *others, *(one for one in candidates if one not in runs)]


def measure(
    bundle: Bundle, candidates: Sequence[Candidate], threads: int, vectors: Vectors
) -> Measured:
    """Open the graphs of a chunk for every candidate and time them, in turns.

    One that is far behind is closed again at once, so that few are in memory together.
    """
    close: dict[str, Callable[[], float]] = {}
    least: dict[str, float] = {}
    refused: dict[str, str] = {}
    for candidate in candidates:
        label = candidate.label
        try:
            run = _opened(bundle, candidate, threads, vectors)
        except BackendUnavailable as error:
            refused[label] = str(error)
            continue
        close[label] = run
        least[label] = min(run() for _ in range(LEAST_ROUNDS))
        bar = HOPELESS * min(least.values())
        close = {label: run for label, run in close.items() if least[label] <= bar}
    least.update(in_turns(close))
    return Measured({label: 1000 * seconds for label, seconds in least.items()}, refused)


def in_turns(runs: Mapping[str, Callable[[], float]]) -> dict[str, float]:
    """Return the least seconds of each, after rounds that fit the budget, three at least."""
    least = dict.fromkeys(runs, float("inf"))
    spent = 0.0
    for done in range(ROUNDS):
        if done >= LEAST_ROUNDS and spent > BUDGET_S:
            break
        for name, run in runs.items():
            seconds = run()
            spent += seconds
            least[name] = min(least[name], seconds)
    return least


def _opened(
    bundle: Bundle, candidate: Candidate, threads: int, vectors: Vectors
) -> Callable[[], float]:
    """Return what runs one chunk on a candidate and tells the seconds that it took."""
    graphs = open_graphs(bundle, candidate, threads, vectors, names=CHUNK)
    chunk = _chunk(graphs, vectors, bundle.manifest.config.sampler.steps)

    def run() -> float:
        start = perf_counter()
        for binding in chunk:
            binding.run()
        return perf_counter() - start

    return run


def _chunk(graphs: Mapping[str, Graph], vectors: Vectors, steps: int) -> list[Binding]:
    bound: dict[str, Binding] = {}
    for name, graph in graphs.items():
        known = vectors.get(name, {})
        bound[name] = graph.bind({t.name: known[t.name] for t in graph.spec.inputs if known})
    return [bound["audio"], *[bound["denoiser"]] * steps, bound["decoder"]]
