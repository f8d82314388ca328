"""``rap-edge data``: make training data, and look at it."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Annotated, Literal

import typer

from rap_edge.cli.failures import ask_for_traceback

app = typer.Typer(no_args_is_help=True)


class People(str, Enum):
    """Which portraits, sentences and voices."""

    train = "train"
    heldout = "heldout"


Data = Annotated[Path, typer.Option(help="The data folder (docs/data.md).")]
Out = Annotated[Path, typer.Option(help="The folder to write; finished shards are kept.")]
Split = Annotated[People, typer.Option(help="Which portraits, sentences and voices.")]
Seed = Annotated[int, typer.Option(help="Fixes everything.")]
Jobs = Annotated[int, typer.Option(min=1, help="Processes.")]
Fits = Annotated[
    Path | None, typer.Option(help="The folder of head fits; OUT/../fits if not given.")
]


@app.callback()
def settings(
    debug: Annotated[
        bool, typer.Option("--debug", callback=ask_for_traceback, help="Show tracebacks.")
    ] = False,
) -> None:
    """Make training data, and look at it."""


@app.command()
def speech(
    data: Data,
    out: Out,
    people: Split = People.train,
    hours: Annotated[float, typer.Option(help="How much.")] = 4.0,
    seed: Seed = 0,
    jobs: Jobs = 1,
) -> None:
    """Make hours of speech with expression curves and no pictures."""
    from rap_edge.training import dataset
    from rap_edge.training.rig import HeadModel
    from rap_edge.training.speech.corpus import TAKE_S, Maker

    plan = dataset.Plan("speech", people.value, seed, clips_per_shard=20)
    names = HeadModel.load(data / "heads" / "ict").names
    maker = Maker(people.value, names, data / "speech")
    dataset.build(out, plan, round(hours * 3600 / TAKE_S), maker, jobs)


@app.command()
def fit(data: Data, out: Out, jobs: Jobs = 1) -> None:
    """Fit the head model to every portrait, once."""
    from rap_edge.training import dataset
    from rap_edge.training.generate import Portraits, fit_person

    count = len(Portraits.load(data).names)
    dataset.each(fit_person, [(data, out, person) for person in range(count)], jobs, "fits")


@app.command()
def video(
    data: Data,
    out: Out,
    people: Split = People.train,
    clips: Annotated[int, typer.Option(min=1)] = 700,
    seed: Seed = 0,
    jobs: Jobs = 1,
    fits: Fits = None,
) -> None:
    """Make clips with pictures and labels."""
    _clips("video", data, out, people, clips, seed, jobs, fits)


@app.command()
def motion(
    data: Data,
    out: Out,
    people: Split = People.train,
    clips: Annotated[int, typer.Option(min=1)] = 3000,
    seed: Seed = 1,
    jobs: Jobs = 1,
    fits: Fits = None,
) -> None:
    """Make clips with labels only, several times faster."""
    _clips("motion", data, out, people, clips, seed, jobs, fits)


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


def _clips(
    kind: Literal["video", "motion"],
    data: Path,
    out: Path,
    people: People,
    clips: int,
    seed: int,
    jobs: int,
    fits: Path | None,
) -> None:
    from rap_edge.training import dataset
    from rap_edge.training.generate import Maker

    plan = dataset.Plan(kind, people.value, seed, clips_per_shard=8)
    maker = Maker(kind, people.value, data, fits or out.resolve().parent / "fits")
    dataset.build(out, plan, clips, maker, jobs)
