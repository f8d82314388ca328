"""`rap-edge bench`: measure this device, compare two runs, draw a report."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rap_edge.cli import bench_parts
from rap_edge.cli.bench_output import Page, Records, RecordsAsJson, check_places, command, show
from rap_edge.cli.failures import CommandError, ExitCode, check_input
from rap_edge.cli.options import Bundle, Debug, Threads, Trust
from rap_edge.cli.progress import bars

if TYPE_CHECKING:
    from rap_edge.benchmarks.report.record import Run

SCHEMA_VERSION = 1

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
        float, typer.Option(min=1, help="For each subject and scenario that is not counted.")
    ] = 20.0,
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
        float | None, typer.Option(min=0, help="Estimate energy by it where nothing measures it.")
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
    from rap_edge.benchmarks.recorded import recorded
    from rap_edge.benchmarks.run import ALL, DEFAULT, Settings, in_a_minute, measure
    from rap_edge.cache_lookup import open_named

    unknown = sorted(set(scenario or ()) - set(ALL))
    if unknown:
        raise CommandError(
            ExitCode.USAGE, f"--scenario {unknown[0]} is unknown - expected {', '.join(ALL)}"
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
    )
    asked = in_a_minute(settings) if quick else settings
    taken = open_named(bundle, trust or ())
    with bars() as tell:
        run = recorded(taken, command(), lambda: measure(taken, asked, tell))
    show(run, out, html, as_json)


@app.command()
def compare(
    one: File,
    other: Annotated[Path, typer.Argument(metavar="OTHER", help="Records to compare with them.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    debug: Debug = False,
) -> None:
    """Compare two runs: ratios with intervals, and what differs between the machines."""
    from rap_edge.benchmarks.report.compare import compare as compared
    from rap_edge.benchmarks.report.compare import markdown

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
