"""The photo and the recording that every benchmark uses: those in the bundle, or files instead."""

from __future__ import annotations

import hashlib
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from rap_edge.benchmarks.report.record import Input
from rap_edge.bundle import Bundle
from rap_edge.errors import NotSupported
from rap_edge.photo import read_photo


@dataclass(frozen=True, eq=False)
class Pinned:
    """What is animated and what it says."""

    portrait: NDArray[np.uint8]  # (H, W, 3) RGB, the photo
    speech: NDArray[np.float32]  # (S,) mono in -1..1
    sample_rate: int  # Hz
    inputs: tuple[Input, ...]  # what the two are in records: their digests

    def lasting(self, seconds: float) -> NDArray[np.float32]:
        """Return speech of ``seconds``, said again and again."""
        return np.resize(self.speech, round(seconds * self.sample_rate))


def pinned_inputs(
    bundle: Bundle, portrait: Path | None = None, speech: Path | None = None
) -> Pinned:
    """Read the inputs of a bundle, compared with their digests; a file that is named goes first.

    The recording keeps its own rate. Samples of a mono recording that is lossless (the bundle's is
    16-bit FLAC) are divided by a power of two and nothing else, so they are equal on every machine.
    Raises NotSupported for a bundle without inputs, InvalidBundle for damaged ones, PortraitError,
    AudioError and MediaError for files that cannot be used.
    """
    with tempfile.TemporaryDirectory() as scratch:
        photo = portrait or _unpacked(bundle, "portrait", Path(scratch))
        recording = speech or _unpacked(bundle, "speech", Path(scratch))
        image = read_photo(photo)
        samples, rate = _read_speech(recording)
        inputs = (_hashed("portrait", photo), _hashed("speech", recording))
    return Pinned(image, samples, rate, inputs)


def _unpacked(bundle: Bundle, what: Literal["portrait", "speech"], folder: Path) -> Path:
    pinned = bundle.manifest.pinned
    if pinned is None:
        raise NotSupported(
            f"bundle {bundle.name!r} has no portrait and no speech to measure with: pass "
            "--portrait and --speech, or pack them in with `rap-edge bundle pack`"
        )
    path = pinned.portrait if what == "portrait" else pinned.speech
    place = folder / what / Path(path).name
    place.parent.mkdir()
    place.write_bytes(bundle.read(path))
    return place


def _read_speech(path: Path) -> tuple[NDArray[np.float32], int]:
    import av

    from rap_edge.media import read_audio

    read_audio(path).close()  # says what is wrong with a file that is no recording
    with av.open(str(path)) as container:
        rate = container.streams.audio[0].rate
    return np.concatenate(list(read_audio(path, rate))), rate


def _hashed(name: str, path: Path) -> Input:
    """Hash an input; what its file is called is nobody's business."""
    return Input(name, hashlib.sha256(path.read_bytes()).hexdigest())
