"""``rap-edge data``: make training data, and look at it."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from rap_edge.cli.failures import ask_for_traceback

app = typer.Typer(no_args_is_help=True, add_completion=False)


class Kind(str, Enum):
    """What the shards of a folder hold."""

    speech = "speech"
    video = "video"
    motion = "motion"


class People(str, Enum):
    """Which portraits, sentences and voices."""

    train = "train"
    heldout = "heldout"


Data = Annotated[Path, typer.Option(help="The data folder (docs/data.md).")]
Jobs = Annotated[int, typer.Option(min=1, help="Processes.")]


@app.callback()
def settings(
    debug: Annotated[
        bool, typer.Option("--debug", callback=ask_for_traceback, help="Show tracebacks.")
    ] = False,
) -> None:
    """Make training data, and look at it."""


@app.command()
def make(
    kind: Annotated[
        Kind,
        typer.Argument(help="Takes of speech, clips with pictures, or clips with labels only."),
    ],
    data: Data,
    out: Annotated[
        Path, typer.Option(help="The folder to write; finished shards are kept, fits go beside it.")
    ],
    clips: Annotated[int, typer.Option(min=1, help="How many; a take of speech has 30 s.")],
    people: Annotated[
        People, typer.Option(help="Which portraits, sentences and voices.")
    ] = People.train,
    seed: Annotated[
        int | None, typer.Option(help="Fixes everything.", show_default="that of rap-edge train")
    ] = None,
    jobs: Jobs = 1,
) -> None:
    """Make shards of one kind, the same that `rap-edge train` makes."""
    from rap_edge.training import dataset, supply

    seed = supply.SEEDS[kind.value] if seed is None else seed
    plan = dataset.Plan(kind.value, people.value, seed, supply.CLIPS_PER_SHARD[kind.value])
    maker = supply.maker(kind.value, people.value, data, out.resolve().parent)
    dataset.build(out, plan, clips, maker, jobs)


@app.command()
def fit(
    data: Data,
    out: Annotated[Path, typer.Option(help="The folder to write; finished fits are kept.")],
    jobs: Jobs = 1,
) -> None:
    """Fit the head model to every portrait, once."""
    from rap_edge.training import dataset
    from rap_edge.training.generate import Portraits, fit_person

    count = len(Portraits.load(data).names)
    dataset.each(fit_person, [(data, out, person) for person in range(count)], jobs, "fits")


@app.command()
def contact(
    shard: Annotated[Path, typer.Argument(help="A shard, or a folder of shards.")],
    out: Annotated[Path, typer.Option(help="The PNG to write.")] = Path("contact.png"),
    clips: Annotated[int, typer.Option(min=1, help="Clips to show.")] = 8,
) -> None:
    """Draw clips of a shard as a picture to look at."""
    from rap_edge.training.contact import draw

    draw(shard, out, clips)
    typer.echo(str(out))
