"""Command line: `python -m rap_edge.training.eyes --data DIR --out FILE`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import cv2
import numpy as np
import torch
import typer
from rich.progress import Progress

from rap_edge.eyes import BROW
from rap_edge.models.eyes import EyeFinder
from rap_edge.training.eyes.recipe import Recipe, errors, train
from rap_edge.training.locator.portraits import load_portraits


def main(
    data: Annotated[Path, typer.Option(help="Data folder, see docs/data.md.")],
    out: Annotated[Path, typer.Option(help="Weights to write, .safetensors.")],
    steps: int = Recipe.steps,
    seed: int = 0,
) -> None:
    """Train the eye finder on one core, save its weights and say how far off it is."""
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    with Progress() as progress:
        finder = train(
            load_portraits(data, held_out=False), Recipe(steps=steps, seed=seed), progress
        )
    finder.save(out)
    off = errors(EyeFinder.load(out), load_portraits(data, held_out=True))
    lids, brows = np.delete(off, BROW, 2), off[:, :, BROW]
    per_person = np.sqrt((lids**2).mean((1, 2, 3)))
    whole, upright = np.sqrt((lids**2).mean()), np.sqrt((lids[..., 1] ** 2).mean())
    print(f"lids: {whole:.2f} px rms, {upright:.2f} up and down")
    print(f"people: median {np.median(per_person):.2f}, worst {per_person.max():.2f} px rms")
    print(f"brows: {np.sqrt((brows**2).mean()):.2f} px rms")


if __name__ == "__main__":
    typer.run(main)
