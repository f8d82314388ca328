"""`rap-edge render`: a portrait speaks a recording, into an MP4 film."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rap_edge.cli.failures import CommandError, ExitCode, check_bundle, check_input
from rap_edge.cli.options import (
    AsJson,
    Backend,
    Bundle,
    Debug,
    Face,
    Precision,
    Seed,
    Threads,
    Trust,
)
from rap_edge.errors import MediaError

if TYPE_CHECKING:
    from rap_edge import RenderStats

SCHEMA_VERSION = 1


def render(
    portrait: Face,
    audio: Annotated[
        Path, typer.Argument(metavar="AUDIO", help="Speech: any audio or video file.")
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="MP4 film to write.")],
    bundle: Bundle = None,
    backend: Backend = "auto",
    precision: Precision = None,
    trust: Trust = None,
    seed: Seed = 0,
    threads: Threads = None,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Let a portrait speak a recording: write an MP4 film, replacing one of that name."""
    _check_paths(portrait, audio, out, bundle)
    frames_expected = _count_frames(audio)

    import rap_edge

    model = rap_edge.open(bundle, backend, precision, threads=threads, trust=trust or ())
    avatar = model.avatar(portrait)
    with _progress(frames_expected) as advance:
        stats = avatar.render(audio, out=out, seed=seed, on_frame=lambda _: advance())
    typer.echo(_as_json(stats) if as_json else _summary(stats, out))


def _check_paths(portrait: Path, audio: Path, out: Path, bundle: Path | None) -> None:
    check_input(portrait, "a picture file")
    check_input(audio, "an audio file")
    check_bundle(bundle)
    from rap_edge.media import check_output

    try:
        check_output(out)
    except MediaError as error:
        raise CommandError(ExitCode.CANNOT_CREATE, str(error)) from error
    if out.exists() and any(out.samefile(source) for source in (portrait, audio)):
        raise CommandError(
            ExitCode.USAGE, f"{out} is an input - expected a new file - choose another --out"
        )


def _count_frames(audio: Path) -> int | None:
    """Open the recording, which finds a bad one early, and estimate its frames for the bar."""
    from rap_edge.media import read_audio
    from rap_edge.timeline import Timeline

    recording = read_audio(audio)
    recording.close()
    duration_s = recording.duration_s
    return None if duration_s is None else math.ceil(duration_s * Timeline().fps)


@contextmanager
def _progress(frames_expected: int | None) -> Iterator[Callable[[], None]]:
    """Show a bar on stderr if that is a terminal; yields the function to call per frame."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda: None
        return
    columns = ("frames", BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("", total=frames_expected)
        yield lambda: bar.advance(task)


def _as_json(stats: RenderStats) -> str:
    return json.dumps({"schema_version": SCHEMA_VERSION, **asdict(stats)})


def _summary(stats: RenderStats, out: Path) -> str:
    return (
        f"{out}: {stats.frames} frames, {stats.width}x{stats.height} at {stats.fps} fps, "
        f"{stats.audio_seconds:.2f} s of speech\n"
        f"rendered in {stats.render_seconds:.2f} s, {stats.x_realtime:.2f} times real time, "
        f"on {stats.backend} with bundle {stats.bundle}"
    )
