"""What every `rap-edge bench` command prints and writes."""

from __future__ import annotations

import os
import re
import shlex
import sys
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rap_edge.cli.failures import CommandError, ExitCode, exit_code

if TYPE_CHECKING:
    from rap_edge.benchmarks.report.record import Run

Records = Annotated[
    Path | None, typer.Option("--out", "-o", help="File of records (JSON lines) to write.")
]
Page = Annotated[Path | None, typer.Option("--html", help="Report with plots to write.")]
RecordsAsJson = Annotated[bool, typer.Option("--json", help="Print the records.")]

OWN = {"--portrait": "portrait", "--speech": "speech"}  # files whose very names are private
LABEL = re.compile(r"\w+(:[\w.-]+)?/\w+")  # backend:device/precision


def show(run: Run, out: Path | None, html: Path | None, as_json: bool) -> None:
    """Print the tables or the records, then write what was asked for.

    What fails keeps nothing else from being shown or written; all that failed is told in the end.
    """
    from rap_edge.benchmarks.report.files import dump_run, write_run
    from rap_edge.benchmarks.report.markdown import markdown

    steps = [lambda: typer.echo(dump_run(run) if as_json else markdown(run))]
    if out is not None:
        steps.append(lambda: _written(out, lambda: write_run(out, run)))
    if html is not None:
        from rap_edge.benchmarks.report.page import write_page

        steps.append(lambda: _written(html, lambda: write_page(html, run)))
    _do_all(steps)


def _written(place: Path, write: Callable[[], object]) -> None:
    write()
    print(f"wrote {place}", file=sys.stderr)


def check_places(out: Path | None, html: Path | None) -> None:
    """Find out before an hour of measuring whether its results can be written."""
    for place in (out, html):
        if place is not None and (wrong := _wrong_with(place)):
            raise CommandError(ExitCode.CANNOT_CREATE, wrong)
    if out is not None and html is not None and out.absolute() == html.absolute():
        raise CommandError(
            ExitCode.CANNOT_CREATE,
            f"--out and --html are both {out} - expected a file each - name another one",
        )
    if html is not None and find_spec("matplotlib") is None:
        raise CommandError(
            ExitCode.UNAVAILABLE,
            "--html needs matplotlib, which is not installed - expected it for the plots - "
            "pip install 'rap-edge[bench]'",
        )


def command() -> str:
    """Return the command as it was given, without the folders of this machine.

    Of the user's own portrait and recording it does not tell the names either.
    """
    before = ["", *sys.argv[1:]]
    return shlex.join(["rap-edge", *map(_public, before, sys.argv[1:])])


def _do_all(steps: Sequence[Callable[[], None]]) -> None:
    """Take every step; raise what failed once all were tried."""
    failures: list[Exception] = []
    for step in steps:
        try:
            step()
        except Exception as error:
            failures.append(error)
    if len(failures) == 1:
        raise failures[0]
    if failures:
        told = "; ".join(map(str, failures))
        raise CommandError(exit_code(failures[0]), told) from failures[0]


def _wrong_with(place: Path) -> str:
    """Say why a file cannot be written here; nothing if it seems that it can."""
    if not place.parent.is_dir():
        return f"{place.parent} is not a folder - expected one to write {place.name} in - make it"
    if place.is_dir():
        return f"{place} is a folder - expected a file to write - name one in it"
    if not os.access(place.parent, os.W_OK):
        return f"{place.parent} cannot be written to - expected a folder of yours - name another"
    return ""


def _public(before: str, argument: str) -> str:
    """Return an argument, which follows another one, without folders; a label is none."""
    if before in OWN:
        return OWN[before]
    option, equals, value = argument.partition("=")
    if equals and option in OWN:
        return f"{option}={OWN[option]}"
    if option.startswith("--") and equals:
        return f"{option}={value if _is_label(option, value) else _last(value)}"
    if re.match(r"-\w", argument):  # -oFILE
        return argument[:2] + _last(argument[2:])
    return argument if _is_label(before, argument) else _last(argument)


def _is_label(option: str, value: str) -> bool:
    return option == "--subject" and bool(LABEL.fullmatch(value))


def _last(value: str) -> str:
    """Return the last component of what may be a path; a home has none that could be told."""
    parts = [part for part in re.split(r"[/\\]", value) if part not in ("", ".", "..")]
    if not parts or parts[-1].startswith("~"):
        return "." if re.search(r"[/\\~]", value) else value
    return parts[-1] if re.search(r"[/\\]", value) else value
