"""`rap-edge convert`: a checkpoint becomes a bundle."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rap_edge.cli.failures import CommandError, ExitCode, check_input
from rap_edge.cli.options import AsJson, Debug, Eyes, Licence, Locator, Out, Portrait, Speech

if TYPE_CHECKING:
    from rap_edge.bundle import Bundle
    from rap_edge.converters.parity import Difference
    from rap_edge.converters.showing import Example

SCHEMA_VERSION = 2
TARGETS = ("onnx", "openvino", "coreml")

app = typer.Typer(add_completion=False)


@app.command()
def convert(
    checkpoint: Annotated[Path, typer.Argument(help="Folder of a checkpoint.")],
    out: Out,
    to: Annotated[str, typer.Option(help=f"Format of the graphs: {', '.join(TARGETS)}.")] = "onnx",
    locator: Locator = None,
    eyes: Eyes = None,
    backend: Annotated[
        list[str] | None,
        typer.Option(
            help="A backend to compare and list; may be repeated.", show_default="all of the format"
        ),
    ] = None,
    portrait: Portrait = None,
    speech: Speech = None,
    licence: Licence = "Apache-2.0",
    half: Annotated[bool, typer.Option(help="Round and store the weights as fp16.")] = True,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Convert a checkpoint, compare it with torch, and write a bundle, whole or not at all."""
    check_choice("--to", to, TARGETS)
    check_sources(checkpoint, locator, eyes)
    from rap_edge.converters import make_bundle

    example = read_example(portrait, speech)
    bundle, differences = make_bundle(
        checkpoint, out, to, locator, tuple(backend or ()), half, example, licence, eyes
    )
    typer.echo(_as_json(bundle, differences) if as_json else _summary(bundle, differences))


def check_choice(option: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise CommandError(
            ExitCode.USAGE,
            f"{option} is {value!r} - expected one of {', '.join(choices)} - choose one of them",
        )


def check_sources(checkpoint: Path, locator: Path | None, eyes: Path | None) -> None:
    """Raise CommandError (NO_INPUT) for a checkpoint or a finder that is not there."""
    check_input(checkpoint / "config.json", "a checkpoint: config.json and model.safetensors")
    if locator is not None:
        check_input(locator, "weights of the face finder")
    if eyes is not None:
        check_input(eyes, "weights of the eye finder")


def read_example(portrait: Path | None, speech: Path | None) -> Example | None:
    """Read what golden vectors show; None is noise."""
    if (portrait is None) != (speech is None):
        raise CommandError(
            ExitCode.USAGE, "--portrait and --speech belong together - give both, or none of them"
        )
    if portrait is None or speech is None:
        return None
    from rap_edge.converters.showing import Example

    return Example.read(portrait, speech)


def megabytes(bundle: Bundle) -> float:
    return sum(entry.size for entry in bundle.manifest.files) / 1e6


def _as_json(bundle: Bundle, differences: list[Difference]) -> str:
    return json.dumps(
        {
            "schema_version": SCHEMA_VERSION,
            "bundle": str(bundle.path),
            "name": bundle.name,
            "megabytes": megabytes(bundle),
            "variants": [variant.label for variant in bundle.variants],
            "parity": [
                {
                    "backend": d.backend,
                    "graph": d.graph,
                    "output": d.output,
                    "measure": d.bound.measure,
                    "value": d.value,
                    "bound": d.bound.value,
                }
                for d in differences
            ],
        }
    )


def _summary(bundle: Bundle, differences: list[Difference]) -> str:
    lines = [f"{bundle.path}: bundle {bundle.name!r}, {megabytes(bundle):.1f} MB"]
    return "\n".join([*lines, *(f"{d.backend}: {d}" for d in differences)])
