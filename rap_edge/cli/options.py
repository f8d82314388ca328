"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from rap_edge.cli.failures import ask_for_traceback

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
