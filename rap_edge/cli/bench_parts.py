"""`rap-edge bench components` and `rap-edge bench scaling`: parts, and how cost grows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rap_edge.cli.bench_output import Page, Records, RecordsAsJson, check_places, command, show
from rap_edge.cli.failures import CommandError, ExitCode
from rap_edge.cli.options import Backend, Bundle, Debug, Precision, Threads, Trust
from rap_edge.cli.progress import bars

if TYPE_CHECKING:
    from rap_edge.benchmarks.report.record import Result, Run
    from rap_edge.bundle import Bundle as OpenedBundle


def components(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="NAME",
            help="features, resampler, scheduler, runtime, bundle, variants or yardstick.",
            show_default="all",
        ),
    ] = None,
    bundle: Bundle = None,
    seconds: Annotated[float, typer.Option(min=0.1, help="For each component.")] = 20.0,
    threads: Threads = None,
    out: Records = None,
    html: Page = None,
    trust: Trust = None,
    as_json: RecordsAsJson = False,
    debug: Debug = False,
) -> None:
    """Measure parts of rap-edge beside their real alternatives, in turns."""
    check_places(out, html)
    from rap_edge.benchmarks.components import COMPONENTS, measure_component
    from rap_edge.runtime.cores import physical_cores

    n_threads = threads or physical_cores()
    measured = _recorded(
        bundle,
        trust,
        names,
        COMPONENTS,
        lambda name, opened: measure_component(name, seconds, n_threads, opened, trust or ()),
        {"seconds": seconds, "threads": float(n_threads)},
    )
    show(measured, out, html, as_json)


def scaling(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="NAME",
            help="length, sessions, threads, resolution or levels.",
            show_default="all",
        ),
    ] = None,
    bundle: Bundle = None,
    backend: Backend = "auto",
    precision: Precision = None,
    threads: Threads = None,
    minutes: Annotated[float, typer.Option(min=0.5, help="Longest speech, for length.")] = 10.0,
    out: Records = None,
    html: Page = None,
    trust: Trust = None,
    as_json: RecordsAsJson = False,
    debug: Debug = False,
) -> None:
    """Measure how cost grows with length, sessions, threads, resolution and level."""
    check_places(out, html)
    from rap_edge.benchmarks.scaling import SCALINGS, measure_scaling

    measured = _recorded(
        bundle,
        trust,
        names,
        SCALINGS,
        lambda name, opened: measure_scaling(name, opened, backend, precision, threads, minutes),
        {"minutes": minutes, "backend": backend},
    )
    show(measured, out, html, as_json)


def _recorded(
    bundle: Path | None,
    trust: Sequence[Path] | None,
    names: Sequence[str] | None,
    known: tuple[str, ...],
    measure: Callable[[str, OpenedBundle], list[Result]],
    settings: dict[str, float | str],
) -> Run:
    """Measure what is named, or everything, and record it."""
    unknown = sorted(set(names or ()) - set(known))
    if unknown:
        raise CommandError(
            ExitCode.USAGE, f"{unknown[0]} is unknown - expected some of {', '.join(known)}"
        )
    from rap_edge.benchmarks.recorded import Found, recorded
    from rap_edge.cache_lookup import open_named

    opened = open_named(bundle, trust or ())
    wanted = tuple(names or known)
    with bars() as tell:

        def work() -> Found:
            results: list[Result] = []
            for done, name in enumerate(wanted):
                tell("parts", done, len(wanted))
                results += measure(name, opened)
            return Found(tuple(results), settings=settings)

        return recorded(opened, command(), work)
