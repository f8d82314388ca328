"""`rap-edge run`: a portrait speaks live, what a microphone hears or what a file says."""

from __future__ import annotations

import time
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rap_edge.cli import run_report
from rap_edge.cli.failures import CommandError, ExitCode, check_input
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
from rap_edge.cli.run_speech import Speaker
from rap_edge.cli.window import NullScreen, Screen, Window
from rap_edge.errors import MediaError, NotSupported

if TYPE_CHECKING:
    from rap_edge.runtime.live import Stream
    from rap_edge.runtime.sound import Output, Player
    from rap_edge.runtime.sound_device import Microphone
    from rap_edge.runtime.trace import Trace

MICROPHONE = "mic"
NULL_RATE = 48_000  # Hz
LONGEST_AHEAD_S = 240.0
PULL_S = 0.02


def run(
    portrait: Face,
    audio_in: Annotated[
        str, typer.Option(help=f'An audio file to speak, or "{MICROPHONE}".')
    ] = MICROPHONE,
    null_audio: Annotated[
        bool, typer.Option("--null-audio", help="Play to nothing, at a device's pace.")
    ] = False,
    null_video: Annotated[
        bool, typer.Option("--null-video", help="Show to nothing, without a window.")
    ] = False,
    seconds: Annotated[
        float | None,
        typer.Option(min=0.1, help="End after so long.", show_default="end of the file, or Ctrl-C"),
    ] = None,
    ahead: Annotated[
        float,
        typer.Option(
            min=0, max=LONGEST_AHEAD_S, help="Push a file so many seconds ahead of its time."
        ),
    ] = 0.0,
    trace: Annotated[
        Path | None, typer.Option(help="File to write a trace to, for ui.perfetto.dev.")
    ] = None,
    bundle: Bundle = None,
    backend: Backend = "auto",
    precision: Precision = None,
    trust: Trust = None,
    seed: Seed = 0,
    threads: Threads = None,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Let a portrait speak live: in a window and aloud, or to nothing at a device's pace."""
    check_input(portrait, "a picture file")
    with ExitStack() as stack:
        kept = stack.enter_context(_trace(trace)) if trace is not None else None
        screen = NullScreen() if null_video else Window(f"rap-edge: {portrait.name}")
        stack.callback(screen.close)
        speaker = _speaker(audio_in, ahead)
        stack.callback(speaker.close)
        sample_rate = _output_rate(null_audio)

        import rap_edge
        from rap_edge.runtime.options import Playout

        model = rap_edge.open(bundle, backend, precision, threads=threads, trust=trust or ())
        avatar = model.avatar(portrait)
        playout = Playout(sample_rate)
        stream = stack.enter_context(avatar.open_stream(playout=playout, seed=seed, trace=kept))
        output = stack.enter_context(_output(stream.playout, sample_rate, null_audio))
        speaker.start(stream)
        with suppress(KeyboardInterrupt):  # how a live command ends
            _live(stream, screen, speaker, output, seconds)
        stats = stream.stats()
    report = run_report.as_json if as_json else run_report.summary
    typer.echo(report(stats, model.backend, model.bundle.name, trace))


def _live(
    stream: Stream, screen: Screen, speaker: Speaker, output: Output, seconds: float | None
) -> None:
    """Show frames as they are due, until the speech, the time or the window ends."""
    end_s = None if seconds is None else time.monotonic() + seconds
    spoken = False
    with run_report.status_line(stream) as tell:
        while screen.is_open and (end_s is None or time.monotonic() < end_s):
            frame = stream.pull(timeout=PULL_S)
            if frame is not None:
                screen.show(frame.image)
                if speaker.has_ended and (frame.end_of_speech or (spoken and not frame.is_speech)):
                    break
                spoken = spoken or frame.is_speech
            screen.update()
            tell()
            _raise_failures(speaker, output)
    _raise_failures(speaker, output)


def _raise_failures(speaker: Speaker, output: Output) -> None:
    for error in (speaker.error, output.error):
        if error is not None:
            raise error


def _trace(path: Path) -> Trace:
    from rap_edge.runtime.trace import Trace

    try:
        return Trace(path)
    except MediaError as error:
        raise CommandError(ExitCode.CANNOT_CREATE, str(error)) from error


def _speaker(audio_in: str, ahead_s: float) -> Speaker:
    if audio_in == MICROPHONE:
        microphone = _microphone()
        return Speaker(microphone, microphone.sample_rate, wake=microphone.close)
    check_input(Path(audio_in), "an audio file, or mic")
    from rap_edge.media import read_audio
    from rap_edge.runtime.sound import paced

    recording, rate = read_audio(audio_in), NULL_RATE
    speaker = Speaker((), rate, close_source=recording.close)
    speaker.blocks = paced(recording, rate, ahead_s, speaker.stopping.wait)
    return speaker


def _microphone() -> Microphone:
    from rap_edge.runtime.sound_device import Microphone

    try:
        return Microphone()
    except NotSupported as error:
        raise NotSupported(f"no microphone: {error}; or name a file with --audio-in") from error


def _output_rate(null_audio: bool) -> int:
    if null_audio:
        return NULL_RATE
    from rap_edge.runtime.sound_device import output_rate

    return output_rate()


def _output(player: Player, sample_rate: int, null_audio: bool) -> Output:
    if null_audio:
        from rap_edge.runtime.sound import NullOutput

        return NullOutput(player, sample_rate)
    from rap_edge.runtime.sound_device import DeviceOutput

    return DeviceOutput(player, sample_rate)
