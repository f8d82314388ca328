"""Compiling for devices ahead of time, and measuring, so that opening a bundle is quick.

What was compiled lies in a folder of its own for each bundle, runtime version, driver and device.
A second preparation finds it and does nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from time import perf_counter

from rap_edge.bundle import Bundle
from rap_edge.cache_files import write_whole
from rap_edge.errors import BackendUnavailable
from rap_edge.golden import Vectors
from rap_edge.runtime.backends.target import AUTO, Target
from rap_edge.runtime.choice import Candidate, can_run, candidates
from rap_edge.runtime.cores import physical_cores
from rap_edge.runtime.placement.automatic import automatic, devices_here
from rap_edge.runtime.placement.device_cache import CAN_KEEP, DONE, Compiled
from rap_edge.runtime.placement.graphs import open_graphs
from rap_edge.runtime.placement.inventory import foresee
from rap_edge.runtime.placement.measure import may_measure
from rap_edge.runtime.placement.selftest import golden_vectors

NO_CANDIDATE = "no variant runs here"
ONE_CANDIDATE = "there is one candidate: nothing to measure"
NOT_KEPT = (
    "the machine is too busy, or the cache cannot be written, so that what was measured is not kept"
)

Tell = Callable[[str, int, int], None]
"""Takes a part of the work, how much of it is done, and how much there is."""


@dataclass(frozen=True)
class Prepared:
    """What became of one variant on one device, or of the measurement ("auto")."""

    label: str
    state: str  # prepared, already prepared, nothing to do, failed
    detail: str  # the folder, what "auto" takes, or what went wrong
    seconds: float = 0.0


def prepare(
    bundle: Bundle,
    backends: Iterable[str] = (),
    threads: int | None = None,
    tell: Tell = lambda part, done, total: None,
) -> list[Prepared]:
    """Compile a bundle for devices, and measure which is fastest.

    Args:
        bundle: whose variants are prepared, each that the device's backend has here.
        backends: as `rap_edge.open` takes them; none for every device that is here, and "auto".
        threads: that will be given to `open`; None as there.
        tell: called as the work goes on.

    Raises NotSupported for a backend, or a device of it, that the bundle or this version does not
    have. What does not work out is told in the result.
    """
    threads = threads or physical_cores()
    vectors = golden_vectors(bundle)
    targets = [Target.parse(text) for text in backends] or [*_worth_it(bundle), Target(AUTO)]
    done: list[Prepared] = []
    for target in targets:
        if target.is_auto:
            done.append(_measure(bundle, threads, vectors, tell))
            continue
        for one in candidates(bundle.variants, target, None, True):
            done.append(_compile(bundle, one, threads, vectors, tell))
    return done


def _worth_it(bundle: Bundle) -> list[Target]:
    """List the devices here that keep what they compile, for backends of the bundle."""
    backends = dict.fromkeys(v.backend for v in bundle.variants if can_run(v))
    return [
        Target(backend, device)
        for backend in backends
        for device in devices_here(backend)
        if (backend, device) in CAN_KEEP
    ]


def _compile(
    bundle: Bundle, one: Candidate, threads: int, vectors: Vectors, tell: Tell
) -> Prepared:
    label = f"{one.target.backend}:{one.device}/{one.variant.precision}"
    start = perf_counter()
    try:
        compiled = Compiled.of(bundle, one.target, one.variant.precision)
        if compiled is None:
            return Prepared(label, "nothing to do", "the device keeps nothing that it compiles")
        if compiled.is_prepared:
            return Prepared(label, "already prepared", str(compiled.folder))
        folder = compiled.make()
        counted = _counted(label, bundle, tell)
        open_graphs(bundle, one, threads, vectors, cache=folder, opened=counted)
        record = json.dumps(asdict(compiled), indent=1).encode("utf-8")
        write_whole(folder / DONE, record)
    except (BackendUnavailable, OSError) as error:
        return Prepared(label, "failed", str(error), perf_counter() - start)
    return Prepared(label, "prepared", str(folder), perf_counter() - start)


def _counted(label: str, bundle: Bundle, tell: Tell) -> Callable[[str], object]:
    """Return what counts graphs on a bar of their own, which is shown from now on."""
    total, count = len(bundle.manifest.graphs), 0
    tell(label, count, total)

    def opened(graph: str) -> None:
        nonlocal count
        count += 1
        tell(label, count, total)

    return opened


def _measure(bundle: Bundle, threads: int, vectors: Vectors, tell: Tell) -> Prepared:
    if not may_measure():
        return Prepared(AUTO, "nothing to do", "RAP_EDGE_NO_MEASURE forbids measuring")
    before = foresee(bundle, threads)
    if before.measured:
        return Prepared(AUTO, "already prepared", f"it takes {before.takes}")
    if before.candidates < 2:
        return Prepared(AUTO, "nothing to do", ONE_CANDIDATE if before.takes else NO_CANDIDATE)
    start = perf_counter()
    tell(AUTO, 0, 1)
    automatic(bundle, candidates(bundle.variants, Target(AUTO), None, True), threads, vectors)
    tell(AUTO, 1, 1)
    after = foresee(bundle, threads)
    if after.measured:
        return Prepared(AUTO, "prepared", f"it takes {after.takes}", perf_counter() - start)
    return Prepared(AUTO, "nothing to do", NOT_KEPT)
