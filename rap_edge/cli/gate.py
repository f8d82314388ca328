"""`rap-edge gate`: what the variants of a bundle lose against fp32, on held-out people."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rap_edge.cli.bundle_place import DEFAULT, place_of
from rap_edge.cli.options import AsJson, Debug, FaceMeshPython
from rap_edge.cli.progress import bars

if TYPE_CHECKING:
    from rap_edge.bundle import Bundle

SCHEMA_VERSION = 1

app = typer.Typer(add_completion=False)


@app.command()
def gate(
    bundle: Annotated[
        Path,
        typer.Argument(
            metavar="BUNDLE", help=f'Bundle to measure, or "{DEFAULT}"; it is written again.'
        ),
    ],
    fp32: Annotated[
        Path, typer.Option(help=f'Bundle of the same checkpoint in fp32, or "{DEFAULT}".')
    ],
    data: Annotated[Path, typer.Option(help="The data folder (docs/data.md).")],
    cache: Annotated[Path, typer.Option(help="Folder that keeps the truth clips.")],
    people: Annotated[int, typer.Option(min=1, help="Held-out people, one clip each.")] = 6,
    seconds: Annotated[float, typer.Option(min=2.0, help="Length of a clip.")] = 6.0,
    facemesh_python: FaceMeshPython = None,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Measure every variant that is not fp32, write its quality into the bundle, and judge it.

    Ends with code 65 if a variant is below the gate.
    """
    places = place_of(bundle), place_of(fp32)
    from rap_edge.bundle import open_bundle, require_quality
    from rap_edge.converters.gate import measure_bundle
    from rap_edge.evaluation.against import GatePlan
    from rap_edge.evaluation.mouth import FaceMesh
    from rap_edge.evaluation.stage import Stage

    source, reference = map(open_bundle, places)
    with FaceMesh(facemesh_python) as mesh, bars() as on_progress:
        measured = measure_bundle(
            source,
            reference,
            Stage.open(data, cache),
            mesh,
            GatePlan(people, seconds),
            on_progress,
        )
    failures = judged(measured)
    typer.echo(_as_json(measured, failures) if as_json else _summary(measured, failures))
    for variant in measured.variants:
        require_quality(variant)


def judged(bundle: Bundle) -> dict[str, list[str]]:
    from rap_edge.quality import GATE

    return {v.label: GATE.failures(v.quality) for v in bundle.variants if v.quality is not None}


def _as_json(bundle: Bundle, failures: dict[str, list[str]]) -> str:
    quality = {v.label: vars(v.quality) for v in bundle.variants if v.quality is not None}
    return json.dumps(
        {
            "schema_version": SCHEMA_VERSION,
            "bundle": str(bundle.path),
            "quality": quality,
            "failures": failures,
        }
    )


def _summary(bundle: Bundle, failures: dict[str, list[str]]) -> str:
    lines = []
    for variant in bundle.variants:
        if variant.quality is None:
            continue
        numbers = ", ".join(f"{name} {value:g}" for name, value in vars(variant.quality).items())
        verdict = "; ".join(failures[variant.label]) or "passes"
        lines += [f"{variant.label}: {numbers}", f"  the gate: {verdict}"]
    return "\n".join(lines)
