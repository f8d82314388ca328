"""`rap-edge bundle pack`: variants of one model, its papers and its benchmarks' inputs in one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rap_edge.cli import bundle_report
from rap_edge.cli.bundle_open import check_out, open_trusted
from rap_edge.cli.failures import CommandError, ExitCode, check_input
from rap_edge.cli.json_input import read_object
from rap_edge.cli.options import JsonObject, Out, Trust, Unsigned

if TYPE_CHECKING:
    from rap_edge.bundle import Inputs


def pack(
    bundles: Annotated[
        list[Path], typer.Argument(metavar="BUNDLE", help="Bundles of one model, best first.")
    ],
    out: Out,
    card: Annotated[Path | None, typer.Option(help="Model card to put in.")] = None,
    licence_file: Annotated[
        list[Path] | None, typer.Option(help="Licence text to put in; may be repeated.")
    ] = None,
    licence: Annotated[str, typer.Option(help="SPDX expression of the card.")] = "Apache-2.0",
    golden: Annotated[Path | None, typer.Option(help="Golden vectors (.npz) to put in.")] = None,
    portrait: Annotated[
        Path | None, typer.Option(help="Photo that benchmarks animate, to put in.")
    ] = None,
    portrait_licence: Annotated[
        str | None, typer.Option(help="SPDX expression of the photo.")
    ] = None,
    speech: Annotated[
        Path | None, typer.Option(help="Recording that benchmarks speak, to put in.")
    ] = None,
    speech_licence: Annotated[
        str | None, typer.Option(help="SPDX expression of the recording.")
    ] = None,
    provenance: Annotated[
        Path | None, typer.Option(help="JSON object: data, recipe, hashes.")
    ] = None,
    quality: Annotated[Path | None, typer.Option(help="JSON object: measured quality.")] = None,
    version: Annotated[
        str | None, typer.Option(help="Version of the bundle, 1.2.3.", show_default="the first's")
    ] = None,
    trust: Trust = None,
    allow_unsigned: Unsigned = False,
    as_json: JsonObject = False,
) -> None:
    """Merge the variants of bundles of one model; refuse those below the quality gate."""
    from rap_edge.bundle import Papers, pack_bundles

    _check_version(version)
    for paper in filter(None, (card, golden, portrait, speech, *(licence_file or ()))):
        check_input(paper, "a file to put into the bundle")
    check_out(out)
    inputs = _inputs(portrait, speech, portrait_licence, speech_licence)
    opened = [open_trusted(path, trust, allow_unsigned) for path in bundles]
    papers = Papers(
        card=card,
        licences=tuple(licence_file or ()),
        licence=licence,
        golden=golden,
        inputs=inputs,
        version=version,
        provenance=read_object(provenance),
        quality=read_object(quality),
    )
    typer.echo(bundle_report.written(pack_bundles(opened, out, papers), as_json))


def _inputs(
    portrait: Path | None,
    speech: Path | None,
    portrait_licence: str | None,
    speech_licence: str | None,
) -> Inputs | None:
    from rap_edge.bundle import Inputs

    if portrait and speech and portrait_licence and speech_licence:
        return Inputs(portrait, speech, portrait_licence, speech_licence)
    if any((portrait, speech, portrait_licence, speech_licence)):
        raise CommandError(
            ExitCode.USAGE,
            "--portrait, --portrait-licence, --speech and --speech-licence go together - "
            "expected all four or none - name those that are missing",
        )
    return None


def _check_version(version: str | None) -> None:
    from rap_edge.versions import is_semver

    if version is not None and not is_semver(version):
        raise CommandError(
            ExitCode.USAGE,
            f"--version is {version!r} - expected MAJOR.MINOR.PATCH - write it as 1.0.0",
        )
