"""`rap-edge prepare`: what devices compile, and what "auto" measures, done ahead of time."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rap_edge.cli.bundle_place import DEFAULT
from rap_edge.cli.failures import CommandError, ExitCode
from rap_edge.cli.options import Debug, JsonObject, Threads, Trust
from rap_edge.cli.progress import bars

if TYPE_CHECKING:
    from rap_edge.runtime.placement.preparation import Prepared

SCHEMA_VERSION = 1


def prepare(
    bundle: Annotated[
        Path,
        typer.Argument(metavar="BUNDLE", help=f'A bundle: folder, .rapb, name or "{DEFAULT}".'),
    ] = Path(DEFAULT),
    backend: Annotated[
        list[str] | None,
        typer.Option(
            help='Such as onnxruntime:tensorrt, openvino:gpu or "auto"; may be repeated.',
            show_default="every device here that compiles, and auto",
        ),
    ] = None,
    threads: Threads = None,
    trust: Trust = None,
    as_json: JsonObject = False,
    debug: Debug = False,
) -> None:
    """Compile a bundle for the devices here and measure the fastest, so that it opens quickly."""
    from rap_edge.cache_lookup import open_named
    from rap_edge.runtime.placement.preparation import prepare as prepared

    opened = open_named(bundle, trust or ())
    with bars() as tell:
        done = prepared(opened, backend or (), threads, tell)
    typer.echo(_as_json(done) if as_json else "\n".join(map(_line, done)))
    failed = [one.label for one in done if one.state == "failed"]
    if failed:
        raise CommandError(
            ExitCode.UNAVAILABLE,
            f"{', '.join(failed)} could not be prepared - expected devices that start and compute "
            "rightly - see why above",
        )


def _as_json(done: list[Prepared]) -> str:
    return json.dumps({"schema_version": SCHEMA_VERSION, "prepared": [asdict(one) for one in done]})


def _line(one: Prepared) -> str:
    took = f" in {one.seconds:.1f} s" if one.state == "prepared" else ""
    return f"{one.label}: {one.state}{took}: {' '.join(one.detail.split())}"
