"""A talking portrait in a plain program: a thread of the stream's own shows the frames."""

import sys
import threading

import rap_edge
from rap_edge.media import AUDIO_RATE, read_audio


def main(portrait: str, recording: str) -> None:
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
        finished.wait()
        print(stream.stats())


main(*sys.argv[1:] or ("examples/portrait.jpg", "examples/speech.flac"))
