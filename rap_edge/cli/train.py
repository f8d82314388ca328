"""``rap-edge train``: from a folder of data to a checkpoint, stage by stage."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from rap_edge.cli.failures import CommandError, ExitCode, ask_for_traceback

app = typer.Typer(add_completion=False)


@app.command()
def train(
    data: Annotated[Path, typer.Option(help="The data folder (docs/data.md).")],
    out: Annotated[
        Path, typer.Option("--out", "-o", help="Where the stages and the checkpoint go.")
    ] = Path("runs/live"),
    recipe: Annotated[
        Path | None,
        typer.Option(help="Stages and their lengths; the default bundle's if not given."),
    ] = None,
    shards: Annotated[
        Path | None, typer.Option(help="Where the shards are or go; OUT/shards if not given.")
    ] = None,
    start: Annotated[
        Path | None, typer.Option(help="A checkpoint to go on from, weights/live for example.")
    ] = None,
    budget: Annotated[float, typer.Option(help="Multiply every stage's steps.")] = 1.0,
    stages: Annotated[
        str, typer.Option(help="Comma-separated stages to run; all of the recipe by default.")
    ] = "",
    threads: Annotated[int, typer.Option(help="CPU threads; 0 for all cores.")] = 0,
    jobs: Annotated[int, typer.Option(min=1, help="Processes that make shards.")] = 2,
    debug: Annotated[
        bool, typer.Option("--debug", callback=ask_for_traceback, help="Show tracebacks.")
    ] = False,
) -> None:
    """Make the shards that are missing, train every stage, resume what was stopped."""
    import torch

    from rap_edge.training.pipeline import Job, run
    from rap_edge.training.recipe import RECIPES, Recipe

    if threads:
        torch.set_num_threads(threads)
    chosen = Recipe.read(recipe or RECIPES / "live.json").with_budget(budget)
    names = tuple(stages.split(",")) if stages else tuple(chosen.stages)
    unknown = [name for name in names if name not in chosen.stages]
    if unknown:
        raise CommandError(
            ExitCode.USAGE,
            f"--stages names {unknown[0]!r} - expected some of {', '.join(chosen.stages)}, the "
            "recipe's - leave it out",
        )
    run(Job(data, shards or out / "shards", out, chosen, names, jobs, start))
