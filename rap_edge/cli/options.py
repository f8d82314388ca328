"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from rap_edge.cli.failures import ask_for_traceback

LARGEST_SEED = 2**64 - 1

Face = Annotated[
    Path, typer.Argument(metavar="PORTRAIT", help="Photo of a face, at least 80 px wide.")
]
Bundle = Annotated[
    Path | None,
    typer.Option(
        help="A bundle: folder, .rapb file, or the name of an installed one.",
        show_default="the built-in one",
    ),
]
Backend = Annotated[str, typer.Option(help="onnxruntime or openvino.", show_default="best here")]
Precision = Annotated[
    str | None, typer.Option(help="Such as int8 or fp32.", show_default="best here")
]
Seed = Annotated[
    int, typer.Option(min=0, max=LARGEST_SEED, help="Another seed moves the head otherwise.")
]
Threads = Annotated[
    int | None, typer.Option(min=1, help="Threads to use.", show_default="physical cores")
]
Trust = Annotated[
    list[Path] | None,
    typer.Option(help="Public key (PEM) to trust instead of the project's; may be repeated."),
]
Unsigned = Annotated[
    bool, typer.Option("--allow-unsigned", help="Accept a bundle that nobody signed.")
]
JsonObject = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
Out = Annotated[Path, typer.Option("--out", "-o", help="Folder or .rapb file to write.")]
Locator = Annotated[Path | None, typer.Option(help="Weights of the face finder to put in.")]
Eyes = Annotated[Path | None, typer.Option(help="Weights of the eye finder to put in.")]
Portrait = Annotated[
    Path | None, typer.Option(help="Picture whose middle square the golden vectors show.")
]
Speech = Annotated[Path | None, typer.Option(help="Recording that the golden vectors speak.")]
Licence = Annotated[str, typer.Option(help="SPDX expression of the weights.")]
FaceMeshPython = Annotated[
    Path | None,
    typer.Option(
        envvar="RAP_EDGE_FACEMESH_PYTHON",
        help="Interpreter of the environment with mediapipe.",
        show_default=".venv-facemesh/bin/python",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print the numbers as JSON.")]
Debug = Annotated[
    bool, typer.Option("--debug", callback=ask_for_traceback, help="Show tracebacks.")
]
