"""`threads`: the same work on 1 thread a graph, on 2, on as many as there are logical cores."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from rap_edge.benchmarks.chunks import Feed
from rap_edge.benchmarks.costs import FrameCost, turn_cost
from rap_edge.benchmarks.machine.processor import read_processor
from rap_edge.benchmarks.pinned import Pinned
from rap_edge.benchmarks.report.record import Result
from rap_edge.benchmarks.scaling.fits import LEAST_POINTS, amdahl, power_law, told
from rap_edge.benchmarks.scaling.rounds import Costs
from rap_edge.benchmarks.subjects import Opened
from rap_edge.runtime import throughput
from rap_edge.runtime.cores import physical_cores

SCENARIO = "scaling.threads"
STEPS = (1, 2, 3, 4, 6, 8, 12, 16)  # above 4 it is the order of magnitude that tells
ROUNDS = 24
CHUNKS = 2  # of a turn that count


def thread_counts(logical_cores: int) -> tuple[int, ...]:
    """Return the counts to measure: up to the logical cores, at most 16."""
    most = min(max(1, logical_cores), STEPS[-1])
    return (*(count for count in STEPS if count < most), most)


def usable_cores() -> int:
    """Count the logical cores that this process may run on."""
    processor = read_processor()
    return processor.usable_cpus or processor.logical_cores or 1


def measure_threads(
    open_with: Callable[[int], Opened],
    pinned: Pinned,
    counts: Sequence[int] | None = None,
    n_rounds: int = ROUNDS,
    n_physical: int | None = None,
) -> list[Result]:
    """Open a model for each count of threads, and let all of them speak in turn.

    ``open_with`` opens the subject on so many threads. Amdahl's law is fitted to counts up to the
    physical cores (None: those of this machine): two threads of one core share its arithmetic, of
    which the law knows nothing.
    """
    counts = thread_counts(usable_cores()) if counts is None else counts
    models = [open_with(count) for count in counts]
    turns: list[Callable[[], FrameCost]] = [
        partial(turn_cost, _feed(opened, pinned), CHUNKS) for opened in models
    ]
    costs = Costs.of(turns, n_rounds)
    rows = [
        opened.result(
            SCENARIO,
            costs.values(point, opened.model.config.fps),
            at={"threads": float(counts[point])},
        )
        for point, opened in enumerate(models)
    ]
    return [*rows, _fit(models[0], counts, costs, n_physical or physical_cores())]


def _feed(opened: Opened, pinned: Pinned) -> Feed:
    return Feed.of(opened.avatar, pinned, throughput(opened.model.config.sampler))


def _fit(opened: Opened, counts: Sequence[int], costs: Costs, n_physical: int) -> Result:
    taken = [count for count in counts if count <= n_physical]
    wall, cpu = costs.wall_ms[:, : len(taken)], costs.cpu_ms[:, : len(taken)]
    values, missing = told(
        {
            "serial_share": lambda: amdahl(taken, wall).value,
            "misfit_percent": lambda: amdahl(taken, wall).misfit_percent,
            "cpu_exponent": lambda: power_law(taken, cpu).value,
        }
    )
    if len(taken) < LEAST_POINTS:
        missing = dict.fromkeys(missing, f"{n_physical} physical core: the law is about several")
    return opened.result(SCENARIO, values, missing)
