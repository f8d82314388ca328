"""A talking portrait in an asyncio program: speech arrives in pieces, frames leave on time."""

import asyncio
import sys
from pathlib import Path

import rap_edge
from rap_edge.media import AUDIO_RATE, read_audio

HERE = Path(__file__)
EXAMPLES = (HERE.with_name("portrait.jpg"), HERE.with_name("speech.flac"))


async def speak(stream, recording: str | Path) -> None:
    """Stands for a text-to-speech service: pieces arrive whenever they do."""
    utterance = stream.begin()
    for piece in read_audio(recording):
        if not await stream.push_audio(piece, AUDIO_RATE, utterance):
            return  # somebody interrupted
        await asyncio.sleep(0.01)
    await stream.flush(utterance)


async def main(portrait: str | Path, recording: str | Path) -> None:
    avatar = rap_edge.open().avatar(portrait)
    async with avatar.stream() as stream:
        speech = asyncio.create_task(speak(stream, recording))
        async for frame in stream.run():  # 25 a second, spoken or idle
            show(frame.image, frame.audio)
            if frame.end_of_speech or (speech.done() and speech.exception()):
                break
        await speech  # raises what went wrong in it
        print(stream.stats())


def show(image, audio) -> None:
    """Send (256, 256, 3) uint8 RGB and its 40 ms of float32 samples to where they are wanted."""


asyncio.run(main(*sys.argv[1:] or EXAMPLES))
