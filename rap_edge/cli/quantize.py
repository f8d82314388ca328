"""`rap-edge quantize`: a checkpoint becomes a bundle of smaller or faster graphs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rap_edge.cli.convert import check_choice, check_sources, megabytes, read_example
from rap_edge.cli.options import AsJson, Debug, Eyes, Licence, Locator, Out, Portrait, Speech
from rap_edge.cli.progress import bars

if TYPE_CHECKING:
    from rap_edge.converters.quantize import Quantized

SCHEMA_VERSION = 1
NAMES = (
    "int8",
    "int8-arm",
    "fp16",
    "w8",
    "w4",
    "nncf",
    "coreml-fp16",
    "coreml-w8",
    "coreml-palette",
    "coreml-w8a8",
)

app = typer.Typer(add_completion=False)


@app.command()
def quantize(
    checkpoint: Annotated[Path, typer.Argument(help="Folder of a checkpoint.")],
    out: Out,
    data: Annotated[
        Path | None, typer.Option(help="The data folder that calibrates (docs/data.md).")
    ] = None,
    recipe: Annotated[str, typer.Option(help=f"One of {', '.join(NAMES)}.")] = "int8",
    locator: Locator = None,
    eyes: Eyes = None,
    backend: Annotated[
        list[str] | None,
        typer.Option(help="A backend to list; may be repeated.", show_default="all of the recipe"),
    ] = None,
    people: Annotated[int, typer.Option(min=1, help="Training people who calibrate.")] = 12,
    seconds: Annotated[float, typer.Option(min=0.5, help="How long each speaks.")] = 3.0,
    smoothing: Annotated[
        float, typer.Option(min=0.0, max=1.0, help="Share of outliers moved into weights; 0: none.")
    ] = 0.5,
    sensitivity: Annotated[
        bool, typer.Option(help="Measure every layer, and keep those in float that cost too much.")
    ] = True,
    report: Annotated[
        Path | None, typer.Option(help="Folder for sensitivity.md and sensitivity.png.")
    ] = None,
    portrait: Portrait = None,
    speech: Speech = None,
    licence: Licence = "Apache-2.0",
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Calibrate and quantize what runs for every chunk, and write a bundle.

    Its quality is measured by `rap-edge gate`.
    """
    check_choice("--recipe", recipe, NAMES)
    check_sources(checkpoint, locator, eyes)
    from rap_edge.converters.quantize import QuantizePlan
    from rap_edge.converters.quantize import quantize as run
    from rap_edge.converters.sensitivity_report import write_report
    from rap_edge.quantization import JUDGES, CalibrationPlan

    judges = JUDGES if sensitivity else None
    plan = QuantizePlan(CalibrationPlan(people, seconds), judges, smoothing or None)
    with bars() as on_progress:
        made = run(
            checkpoint,
            out,
            recipe,
            data,
            locator,
            plan,
            tuple(backend or ()),
            read_example(portrait, speech),
            licence,
            on_progress,
            eyes,
        )
    if report is not None and made.costs:
        write_report(made, report)
    typer.echo(_as_json(made) if as_json else _summary(made))


def _as_json(made: Quantized) -> str:
    return json.dumps(
        {
            "schema_version": SCHEMA_VERSION,
            "bundle": str(made.bundle.path),
            "megabytes": megabytes(made.bundle),
            "variants": [variant.label for variant in made.bundle.variants],
            "layers": [vars(cost) for cost in made.costs],
        }
    )


def _summary(made: Quantized) -> str:
    from rap_edge.converters.sensitivity_report import table

    labels = ", ".join(variant.label for variant in made.bundle.variants)
    lines = [f"{made.bundle.path}: {labels}, {megabytes(made.bundle):.1f} MB"]
    return "\n".join([*lines, *([table(made)] if made.costs else [])])
