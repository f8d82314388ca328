"""`rap-edge bench`: measure this device, compare two runs, draw a report."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rap_edge.cli import bench_parts
from rap_edge.cli.bench_output import Page, Records, RecordsAsJson, check_places, command, show
from rap_edge.cli.failures import CommandError, ExitCode, check_bundle, check_input
from rap_edge.cli.options import Bundle, Debug, Threads, Trust
from rap_edge.cli.progress import bars

if TYPE_CHECKING:
    from rap_edge.benchmarks.report.record import Run
    from rap_edge.benchmarks.settings import Settings

app = typer.Typer(add_completion=False)
app.command("components")(bench_parts.components)
app.command("scaling")(bench_parts.scaling)

File = Annotated[Path, typer.Argument(metavar="FILE", help="Records of `rap-edge bench --out`.")]


@app.callback(invoke_without_command=True)
def bench(
    context: typer.Context,
    bundle: Bundle = None,
    quick: Annotated[bool, typer.Option("--quick", help="End in a minute.")] = False,
    scenario: Annotated[
        list[str] | None,
        typer.Option(
            help="single, offline, stream, interrupt, cold, sessions or soak; may be repeated.",
            show_default="the first five",
        ),
    ] = None,
    subject: Annotated[
        list[str] | None,
        typer.Option(help="Such as onnxruntime/int8; may be repeated.", show_default="all here"),
    ] = None,
    seconds: Annotated[
        float, typer.Option(min=1, help="For each variant and scenario, about.")
    ] = 30.0,
    minutes: Annotated[float, typer.Option(min=0.05, help="Of a soak.")] = 10.0,
    load: Annotated[
        int, typer.Option(min=0, help="Other processes, a busy core each, in stream and soak.")
    ] = 0,
    threads: Threads = None,
    portrait: Annotated[
        Path | None, typer.Option(help="Photo to use.", show_default="the bundle's")
    ] = None,
    speech: Annotated[
        Path | None, typer.Option(help="Recording to use.", show_default="the bundle's")
    ] = None,
    watts_per_core: Annotated[
        float | None,
        typer.Option(min=0.01, help="To estimate energy where nothing measures it."),
    ] = None,
    out: Records = None,
    html: Page = None,
    trust: Trust = None,
    as_json: RecordsAsJson = False,
    debug: Debug = False,
) -> None:
    """Measure every variant of a bundle that runs here, and print a table to paste."""
    if context.invoked_subcommand is not None:
        return
    check_places(out, html)
    check_bundle(bundle)
    _check_together(context, quick, scenario)
    from rap_edge.benchmarks.settings import DEFAULT, SCENARIOS, Settings, in_a_minute

    unknown = sorted(set(scenario or ()) - set(SCENARIOS))
    if unknown:
        raise CommandError(
            ExitCode.USAGE, f"--scenario {unknown[0]} is unknown - expected {', '.join(SCENARIOS)}"
        )
    files = {"portrait": portrait, "speech": speech}
    for path in files.values():
        if path is not None:
            check_input(path, "a picture or a recording")
    settings = Settings(
        scenarios=tuple(scenario or DEFAULT),
        seconds=seconds,
        threads=threads,
        only=tuple(subject or ()),
        load=load,
        soak_minutes=minutes,
        watts_per_core=watts_per_core,
        inputs={name: path for name, path in files.items() if path is not None},
        bundle=None if bundle is None else str(bundle),
        trust=tuple(map(str, trust or ())),
    )
    run = _measured(in_a_minute(settings) if quick else settings)
    show(run, out, html, as_json)
    _complain(run)


def _check_together(context: typer.Context, quick: bool, scenario: list[str] | None) -> None:
    """Refuse options that would be ignored."""
    given = {
        name
        for name in ("scenario", "seconds", "minutes")
        if getattr(context.get_parameter_source(name), "name", "") == "COMMANDLINE"
    }
    if quick and given:
        raise CommandError(
            ExitCode.USAGE,
            f"--quick is there with --{sorted(given)[0]} - expected one of them, it chooses "
            "scenarios and times itself - leave one out",
        )
    if "minutes" in given and "soak" not in (scenario or ()):
        raise CommandError(
            ExitCode.USAGE,
            "--minutes is there without a soak - expected --scenario soak - add it, or take "
            "--seconds",
        )


def _measured(settings: Settings) -> Run:
    from rap_edge.benchmarks.recorded import recorded
    from rap_edge.benchmarks.run import measure
    from rap_edge.cache_lookup import open_named

    bundle = open_named(settings.bundle, settings.trust)
    with bars() as tell:
        return recorded(bundle, command(), lambda: measure(bundle, settings, tell))


def _complain(run: Run) -> None:
    """End as what was left out asks for, once what was measured is shown."""
    from rap_edge.benchmarks.report.remarks import failures_of
    from rap_edge.benchmarks.run import INTERRUPTED

    if INTERRUPTED in run.notes:
        raise KeyboardInterrupt
    failures = failures_of(run.results)
    if failures:
        raise CommandError(ExitCode.UNAVAILABLE, "; ".join(failures))


@app.command()
def compare(
    one: File,
    other: Annotated[Path, typer.Argument(metavar="OTHER", help="Records to compare with them.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    debug: Debug = False,
) -> None:
    """Compare two runs: ratios with intervals, and what differs between the machines."""
    from rap_edge.benchmarks.report.compare import SCHEMA_VERSION, markdown
    from rap_edge.benchmarks.report.compare import compare as compared

    found = compared(_read(one), _read(other))
    typer.echo(
        json.dumps({"schema_version": SCHEMA_VERSION, **asdict(found)})
        if as_json
        else markdown(found)
    )


@app.command()
def report(records: File, html: Page = None, debug: Debug = False) -> None:
    """Print the table of a run again, or draw its report."""
    check_places(None, html)
    show(_read(records), None, html, False)


def _read(path: Path) -> Run:
    check_input(path, "records of `rap-edge bench --out`")
    from rap_edge.benchmarks.report.files import read_run

    return read_run(path)
