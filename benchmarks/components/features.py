"""Streaming features beside kaldi-native-fbank, librosa and transformers: CPU time of a push.

Speech comes as numpy arrays of 160 samples. Each alternative has the kindest conditions: what it
needs of the past lies ready, and it is asked for no more frames than become due. All compute the
frames of the same definition, which is checked before anything is timed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rap_edge._core import FeatureSpec, StreamingFeatures
from rap_edge.benchmarks.components.contest import Contender, Settings, Turn, contest, present
from rap_edge.benchmarks.components.features_peers import (
    PUSH,
    Chunks,
    knf_stream,
    librosa_rap,
    librosa_wav2lip,
    transformers_padded,
    transformers_window,
)
from rap_edge.benchmarks.components.rows import Rows, agreed
from rap_edge.benchmarks.report.record import Result, Value
from rap_edge.errors import NotSupported

NAME = "features"
CHUNKS = 128
ERROR = 1e-3
Frames = list[NDArray[Any]]
Stream = Callable[[Chunks], Frames]


@dataclass(frozen=True)
class Peer:
    """An alternative, and the definition of ours that it computes too."""

    ours: str
    package: str
    stream: Callable[[], Stream]
    skips: int = 0  # first frames, which hear what was before the stream


OURS: dict[str, Callable[[], FeatureSpec]] = {
    "rap-edge rap": FeatureSpec.rap,
    "rap-edge kaldi_fbank": FeatureSpec.kaldi_fbank,
    "rap-edge whisper": FeatureSpec.whisper,
    "rap-edge wav2lip": FeatureSpec.wav2lip,
}
PEERS = {
    "kaldi-native-fbank OnlineFbank, list": Peer(
        "rap-edge kaldi_fbank", "kaldi_native_fbank", partial(knf_stream, as_list=True)
    ),
    "kaldi-native-fbank OnlineFbank, array": Peer(
        "rap-edge kaldi_fbank", "kaldi_native_fbank", partial(knf_stream, as_list=False)
    ),
    "librosa melspectrogram of each frame's window": Peer(
        "rap-edge rap", "librosa", librosa_rap, skips=2
    ),
    "librosa stft of each frame's window, filters kept": Peer(
        "rap-edge wav2lip", "librosa", librosa_wav2lip, skips=3
    ),
    "transformers WhisperFeatureExtractor (numpy), each frame's window": Peer(
        "rap-edge whisper", "transformers", transformers_window, skips=2
    ),
    "transformers WhisperFeatureExtractor (numpy), padded to 30 s, once in 320 ms": Peer(
        "rap-edge whisper", "transformers", transformers_padded
    ),
}


def measure(settings: Settings) -> list[Result]:
    """Let all definitions and all alternatives that are installed take turns."""
    chunks = noise(CHUNKS)
    makers = {name: partial(_contender, name, ours(name), chunks) for name in OURS}
    makers |= {name: partial(_contender, name, peer.stream, chunks) for name, peer in PEERS.items()}
    here, missing = present(makers, {name: peer.package for name, peer in PEERS.items()})
    errors, refused = _compared([one.name for one in here if one.name in PEERS], chunks)
    here = [one for one in here if one.name not in refused]
    rows = Rows(NAME, "us_per_call", contest(here, settings.seconds))
    found = []
    for name in OURS:
        others = [other for other in errors if PEERS[other].ours == name]
        found += [rows.beside(name, other, {"error": errors[other]}) for other in others]
        found += [rows.alone(name)] if not others else []
    return [*found, *(rows.alone(other) for other in errors), *rows.missing(missing | refused)]


def compare(name: str, chunks: Chunks) -> Value:
    """Return how far an alternative is from ours; raise ParityError if that is too much."""
    peer = PEERS[name]
    theirs = np.concatenate(peer.stream()(chunks))
    mine = np.concatenate(ours(peer.ours)()(chunks))[peer.skips :]
    return agreed(NAME, peer.ours, name, mine[: len(theirs)], theirs, ERROR)


def _compared(names: Sequence[str], chunks: Chunks) -> tuple[dict[str, Value], dict[str, str]]:
    """Compare alternatives with ours; return why those cannot be that do not have what is asked."""
    errors: dict[str, Value] = {}
    refused: dict[str, str] = {}
    for name in names:
        try:
            errors[name] = compare(name, chunks)
        except NotSupported as error:
            refused[name] = str(error)
    return errors, refused


def noise(n: int) -> Chunks:
    """Return ``n`` pushes of seeded noise."""
    pcm = np.random.default_rng(0).uniform(-0.3, 0.3, (n, PUSH))
    return list(pcm.astype(np.float32))


def ours(name: str) -> Callable[[], Stream]:
    """Return what starts a stream of one of our definitions."""

    def start() -> Stream:
        stream = StreamingFeatures(OURS[name]())
        return lambda chunks: [stream.push(chunk) for chunk in chunks]

    return start


def _contender(name: str, stream: Callable[[], Stream], chunks: Sequence[Any]) -> Contender:
    def start() -> Turn:
        return partial(stream(), list(chunks))

    return Contender(name, start, len(chunks))
