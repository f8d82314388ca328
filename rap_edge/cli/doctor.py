"""`rap-edge doctor`: what a model really computes in on this machine, what is slow, and why."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rap_edge.cli import doctor_report
from rap_edge.cli.failures import CommandError, ExitCode
from rap_edge.cli.options import Debug, JsonObject, Trust

if TYPE_CHECKING:
    from rap_edge.runtime.doctor import Diagnosis

DEFAULT = "default"
IN_BUNDLES = (".xml", ".mlpackage")  # graphs that cannot be read alone


def doctor(
    model: Annotated[
        Path,
        typer.Argument(
            metavar="MODEL", help=f'An .onnx file, or a bundle: folder, .rapb, name or "{DEFAULT}".'
        ),
    ] = Path(DEFAULT),
    backend: Annotated[
        str | None, typer.Option(help="onnxruntime, openvino or coreml.", show_default="all")
    ] = None,
    trust: Trust = None,
    as_json: JsonObject = False,
    debug: Debug = False,
) -> None:
    """Explain a model: its real precision here, what is slow and why, which devices run it."""
    diagnosis = _examine(model, backend, trust or [])
    typer.echo(doctor_report.as_json(diagnosis) if as_json else doctor_report.drawn(diagnosis))
    if not diagnosis.runs:
        raise CommandError(
            ExitCode.UNAVAILABLE,
            f"{diagnosis.subject} does not run here - expected one variant that does - "
            "see why above",
        )


def _examine(model: Path, backend: str | None, trust: list[Path]) -> Diagnosis:
    from rap_edge.bundle import open_bundle
    from rap_edge.cache_lookup import open_installed
    from rap_edge.runtime.doctor import examine_bundle, examine_file

    if str(model) == DEFAULT and not model.exists():
        return examine_bundle(open_bundle(None, trust), backend)
    installed = open_installed(model, trust)
    if installed is not None:
        return examine_bundle(installed, backend)
    if not model.exists():
        raise CommandError(
            ExitCode.NO_INPUT,
            f"{model} does not exist - expected an .onnx file or a bundle - check the path",
        )
    if model.suffix in IN_BUNDLES:
        raise CommandError(
            ExitCode.BAD_DATA,
            f"{model} is one graph of a bundle - expected an .onnx file or a bundle - name the "
            "bundle that it is from",
        )
    if model.suffix == ".onnx":
        return examine_file(model, backend)
    return examine_bundle(open_bundle(model, trust), backend)
