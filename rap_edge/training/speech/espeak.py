"""espeak-ng through ctypes: many languages and variants, with the sample of every phone in IPA.

The library keeps one synthesizer per process: everything here runs under one lock.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import functools
import threading
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.signal import resample_poly

from rap_edge.errors import BackendUnavailable
from rap_edge.training.speech.phones import SAMPLE_RATE, Samples, Utterance, with_times

_SYNCHRONOUS = 2
_PHONEMES_IN_IPA = 1 | 2
_UTF8 = 1
_RATE, _PITCH, _RANGE = 1, 3, 4
_END, _PHONEME = 0, 7
_lock = threading.Lock()


class _Id(ctypes.Union):
    _fields_ = (("number", ctypes.c_int), ("name", ctypes.c_char_p), ("string", ctypes.c_char * 8))


class _Event(ctypes.Structure):
    _fields_ = (
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position_ms", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", _Id),
    )


_Callback = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event)
)


@dataclass(frozen=True)
class Manner:
    """How a voice speaks: words per minute, pitch and pitch range (0-100)."""

    rate_wpm: int = 165
    pitch: int = 50
    pitch_range: int = 50


class _Library:
    """The loaded library, and what its callback heard since the last ``clear``."""

    def __init__(self) -> None:
        name = ctypes.util.find_library("espeak-ng") or "libespeak-ng.so.1"
        self.calls = ctypes.CDLL(name)
        self.rate = self.calls.espeak_Initialize(_SYNCHRONOUS, 0, None, _PHONEMES_IN_IPA)
        self.blocks: list[Samples] = []
        self.events: list[tuple[int, str]] = []
        self._callback = _Callback(self._heard)  # the library calls it as long as it lives
        self.calls.espeak_SetSynthCallback(self._callback)

    def _heard(self, wave: Any, n_samples: int, events: Any) -> int:
        if n_samples > 0:
            block = np.ctypeslib.as_array(wave, (n_samples,))
            self.blocks.append(block.astype(np.float32) / np.float32(32768))
        index = 0
        while (event := events[index]).type != _END:
            if event.type == _PHONEME:
                name = event.id.string.decode("utf8", "ignore")
                self.events.append((event.sample, name))
            index += 1
        return 0

    def clear(self) -> None:
        self.blocks.clear()
        self.events.clear()


@functools.cache
def _library() -> _Library:
    return _Library()


def available() -> bool:
    try:
        with _lock:
            return int(_library().rate) > 0
    except OSError:
        return False


def speak(text: str, voice: str, manner: Manner = Manner()) -> Utterance:
    """Speak ``text`` as ``voice``: a language such as ``en-us``, with ``+f3`` for a variant.

    Raises BackendUnavailable without the library and ValueError for a voice that it lacks.
    """
    if not available():
        raise BackendUnavailable("espeak-ng is not installed - needed to make speech - install it")
    with _lock:
        library = _library()
        library.clear()
        if library.calls.espeak_SetVoiceByName(voice.encode()) != 0:
            raise ValueError(f"espeak-ng has no voice {voice!r} - see espeak-ng --voices")
        settings = ((_RATE, manner.rate_wpm), (_PITCH, manner.pitch), (_RANGE, manner.pitch_range))
        for parameter, value in settings:
            library.calls.espeak_SetParameter(parameter, value, 0)
        data = text.encode()
        library.calls.espeak_Synth(data, len(data) + 1, 0, 1, 0, _UTF8, None, None)
        library.calls.espeak_Synchronize()
        samples = np.concatenate(library.blocks) if library.blocks else np.zeros(0, np.float32)
        starts = [sample / library.rate for sample, _ in library.events]
        names = [name for _, name in library.events]
        phones = with_times(names, starts, len(samples) / library.rate)
        resampled = resample_poly(samples, SAMPLE_RATE // 50, library.rate // 50)
    return Utterance(resampled.astype(np.float32), phones, f"espeak/{voice}", text)
