"""`rap-edge convert`: a checkpoint becomes a bundle."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rap_edge.cli.failures import CommandError, ExitCode, ask_for_traceback
from rap_edge.cli.json_input import read_object

if TYPE_CHECKING:
    from rap_edge.bundle import Bundle
    from rap_edge.converters.parity import Difference

SCHEMA_VERSION = 1
FORMATS = ("onnx",)

app = typer.Typer(add_completion=False)


@app.command()
def convert(
    checkpoint: Annotated[Path, typer.Argument(help="Folder of a checkpoint.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder of the bundle to write.")],
    to: Annotated[str, typer.Option(help=f"Format of the graphs: {', '.join(FORMATS)}.")] = "onnx",
    locator: Annotated[
        Path | None, typer.Option(help="Weights of the face finder to put in.")
    ] = None,
    card: Annotated[Path | None, typer.Option(help="Model card to put in.")] = None,
    licence_file: Annotated[
        list[Path] | None, typer.Option(help="Licence text to put in; may be repeated.")
    ] = None,
    licence: Annotated[str, typer.Option(help="SPDX expression of the weights.")] = "Apache-2.0",
    provenance: Annotated[
        Path | None, typer.Option(help="JSON object: data, recipe, hashes.")
    ] = None,
    quality: Annotated[Path | None, typer.Option(help="JSON object: measured quality.")] = None,
    half: Annotated[bool, typer.Option(help="Round and store the weights as fp16.")] = True,
    as_json: Annotated[bool, typer.Option("--json", help="Print the numbers as JSON.")] = False,
    debug: Annotated[
        bool, typer.Option("--debug", callback=ask_for_traceback, help="Show tracebacks.")
    ] = False,
) -> None:
    """Convert a checkpoint, compare it with torch, and write a bundle, whole or not at all."""
    if to not in FORMATS:
        raise CommandError(
            ExitCode.USAGE, f"--to is {to!r} - expected one of {FORMATS} - choose one of them"
        )
    from rap_edge.converters import Papers, make_bundle

    papers = Papers(
        card=card,
        licences=tuple(licence_file or ()),
        licence=licence,
        provenance=read_object(provenance),
        quality=read_object(quality),
    )
    bundle, differences = make_bundle(checkpoint, out, locator, papers, half)
    typer.echo(_as_json(bundle, differences) if as_json else _summary(bundle, differences))


def _megabytes(bundle: Bundle) -> float:
    return sum(entry.size for entry in bundle.manifest.files) / 1e6


def _as_json(bundle: Bundle, differences: list[Difference]) -> str:
    parity = {f"{d.graph}.{d.output}": d.largest for d in differences}
    return json.dumps(
        {
            "schema_version": SCHEMA_VERSION,
            "bundle": str(bundle.path),
            "name": bundle.name,
            "megabytes": _megabytes(bundle),
            "largest_differences": parity,
        }
    )


def _summary(bundle: Bundle, differences: list[Difference]) -> str:
    lines = [f"{bundle.path}: bundle {bundle.name!r}, {_megabytes(bundle):.1f} MB"]
    return "\n".join([*lines, *(str(difference) for difference in differences)])
