"""espeak-ng: many languages and variants, with the sample of every phone in IPA."""

from __future__ import annotations

import functools
import json
import subprocess
import sys
from dataclasses import dataclass

import numpy as np
from scipy.signal import resample_poly

from rap_edge.errors import BackendUnavailable
from rap_edge.training.speech import espeak_process
from rap_edge.training.speech.phones import SAMPLE_RATE, Utterance, with_times

_MISSING = "libespeak-ng is not installed - needed to make speech - install espeak-ng"


@dataclass(frozen=True)
class Manner:
    """How a voice speaks: words per minute, pitch and pitch range (0-100)."""

    rate_wpm: int = 165
    pitch: int = 50
    pitch_range: int = 50


@functools.cache
def available() -> bool:
    try:
        espeak_process.load()
    except OSError:
        return False
    return True


def speak(text: str, voice: str, manner: Manner = Manner()) -> Utterance:
    """Speak ``text`` as ``voice``: a language such as ``en-us``, with ``+f3`` for a variant.

    Raises BackendUnavailable without the library and ValueError for a voice that it lacks.
    """
    numbers = [str(n) for n in (manner.rate_wpm, manner.pitch, manner.pitch_range)]
    program = [sys.executable, "-I", "-S", espeak_process.__file__, voice, *numbers]
    done = subprocess.run(program, input=text.encode(), capture_output=True, check=False)
    if done.returncode == espeak_process.NO_LIBRARY:
        raise BackendUnavailable(_MISSING)
    if done.returncode == espeak_process.NO_VOICE:
        raise ValueError(f"espeak-ng has no voice {voice!r} - see espeak-ng --voices")
    done.check_returncode()
    header, pcm = done.stdout.split(b"\n", 1)
    heard = json.loads(header)
    samples = np.frombuffer(pcm, "<i2").astype(np.float32) / np.float32(32768)
    rate = int(heard["rate"])
    starts = [sample / rate for sample, _ in heard["phones"]]
    names = [name for _, name in heard["phones"]]
    phones = with_times(names, starts, len(samples) / rate)
    resampled = resample_poly(samples, SAMPLE_RATE // 50, rate // 50)
    return Utterance(resampled.astype(np.float32), phones, f"espeak/{voice}", text)
