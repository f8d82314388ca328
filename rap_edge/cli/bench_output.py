"""What every `rap-edge bench` command prints and writes."""

from __future__ import annotations

import shlex
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rap_edge.cli.failures import CommandError, ExitCode

if TYPE_CHECKING:
    from rap_edge.benchmarks.report.record import Run

Records = Annotated[
    Path | None, typer.Option("--out", "-o", help="File of records (JSON lines) to write.")
]
Page = Annotated[Path | None, typer.Option("--html", help="Report with plots to write.")]
RecordsAsJson = Annotated[bool, typer.Option("--json", help="Print the records.")]


def show(run: Run, out: Path | None, html: Path | None, as_json: bool) -> None:
    """Write what was asked for, and print the tables or the records."""
    from rap_edge.benchmarks.report.files import dump_run, write_run
    from rap_edge.benchmarks.report.markdown import markdown

    if out is not None:
        write_run(out, run)
    if html is not None:
        from rap_edge.benchmarks.report.page import write_page

        write_page(html, run)
    typer.echo(dump_run(run) if as_json else markdown(run))


def check_places(out: Path | None, html: Path | None) -> None:
    """Find out before an hour of measuring whether its results can be written."""
    for place in (out, html):
        if place is not None and not place.parent.is_dir():
            raise CommandError(
                ExitCode.CANNOT_CREATE,
                f"{place.parent} is not a folder - expected one to write {place.name} in - make it",
            )
    if html is not None and find_spec("matplotlib") is None:
        raise CommandError(
            ExitCode.UNAVAILABLE,
            "--html needs matplotlib, which is not installed - expected it for the plots - "
            "pip install 'rap-edge[bench]'",
        )


def command() -> str:
    """Return the command as it was given, without the folders of this machine."""
    return shlex.join(["rap-edge", *map(_without_folders, sys.argv[1:])])


def _without_folders(argument: str) -> str:
    """Shorten a path; a label such as onnxruntime/int8 is none."""
    option, equals, value = argument.rpartition("=")
    path = Path(value).expanduser()
    is_path = path.is_absolute() or value.startswith(".") or path.exists()
    return f"{option}{equals}{path.name if is_path else value}"
