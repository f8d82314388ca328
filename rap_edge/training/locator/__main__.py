"""Command line: `python -m rap_edge.training.locator --data DIR --out FILE`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import cv2
import torch
import typer
from rich.progress import Progress

from rap_edge.training.locator.backgrounds import Backgrounds, load_pictures
from rap_edge.training.locator.portraits import load_portraits
from rap_edge.training.locator.recipe import Recipe, train
from rap_edge.training.locator.scenes import CONTOUR, Scenes


def main(
    data: Annotated[Path, typer.Option(help="Data folder, see docs/data.md.")],
    out: Annotated[Path, typer.Option(help="Weights to write, .safetensors.")],
    pictures: Annotated[
        Path | None, typer.Option(help="Folder of pictures without people.")
    ] = None,
    coarse_steps: int = Recipe.coarse_steps,
    refine_steps: int = Recipe.refine_steps,
    seed: int = 0,
) -> None:
    """Train the face locator on one core and save its weights."""
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    backgrounds = Backgrounds(
        load_portraits(data, held_out=False), load_pictures(pictures, held_out=False)
    )
    recipe = Recipe(coarse_steps=coarse_steps, refine_steps=refine_steps, seed=seed)
    with Progress() as progress:
        train(Scenes(backgrounds, CONTOUR), recipe, progress).save(out)


if __name__ == "__main__":
    typer.run(main)
