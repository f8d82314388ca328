"""A talking portrait in a plain program: a thread of the stream's own shows the frames."""

import sys
import threading
from pathlib import Path

import rap_edge
from rap_edge.media import AUDIO_RATE, read_audio

HERE = Path(__file__)
EXAMPLES = (HERE.with_name("portrait.jpg"), HERE.with_name("speech.flac"))


def main(portrait: str | Path, recording: str | Path) -> None:
    finished = threading.Event()

    def show(frame) -> None:
        """Send frame.image and frame.audio to where they are wanted: 25 times a second."""
        if frame.end_of_speech:
            finished.set()

    avatar = rap_edge.open().avatar(portrait)
    with avatar.open_stream(format="bgr") as stream:
        stream.start(show)
        utterance = stream.begin()
        for piece in read_audio(recording):  # any rate, any size, any pace
            stream.push_audio(piece, AUDIO_RATE, utterance)
        stream.flush(utterance)
        while not finished.wait(0.1):
            if stream.snapshot()["callback_error"]:  # show failed: leaving the block raises it
                break
        print(stream.stats())


main(*sys.argv[1:] or EXAMPLES)
