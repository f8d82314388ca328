"""A program that speaks one text with libespeak-ng and writes what the library reports.

The library keeps state from one text to the next, so that speech would depend on what was said
before: a process of its own for every text makes it repeat. Run as a script, with the standard
library alone: arguments voice, words per minute, pitch, pitch range; the text from standard input;
to standard output a line of JSON (rate, phones as [sample, IPA]), then PCM int16.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import json
import sys
from typing import Any

_SYNCHRONOUS, _PHONEMES_IN_IPA, _UTF8 = 2, 1 | 2, 1
_RATE, _PITCH, _RANGE = 1, 3, 4
_END, _PHONEME = 0, 7
NO_LIBRARY, NO_VOICE = 3, 4


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


def load() -> ctypes.CDLL:
    """Load the library; raises OSError without it."""
    return ctypes.CDLL(ctypes.util.find_library("espeak-ng") or "libespeak-ng.so.1")


def main(voice: str, rate_wpm: str, pitch: str, pitch_range: str) -> int:
    """Speak standard input; returns the exit status."""
    try:
        library = load()
    except OSError:
        return NO_LIBRARY
    pcm, phones = bytearray(), []

    def heard(wave: Any, n_samples: int, events: Any) -> int:
        if n_samples > 0:
            pcm.extend(ctypes.string_at(wave, 2 * n_samples))
        index = 0
        while (event := events[index]).type != _END:
            if event.type == _PHONEME:
                phones.append((event.sample, event.id.string.decode("utf8", "ignore")))
            index += 1
        return 0

    callback = _Callback(heard)
    rate = library.espeak_Initialize(_SYNCHRONOUS, 0, None, _PHONEMES_IN_IPA)
    library.espeak_SetSynthCallback(callback)
    if library.espeak_SetVoiceByName(voice.encode()) != 0:
        return NO_VOICE
    for parameter, value in ((_RATE, rate_wpm), (_PITCH, pitch), (_RANGE, pitch_range)):
        library.espeak_SetParameter(parameter, int(value), 0)
    text = sys.stdin.buffer.read()
    library.espeak_Synth(text, len(text) + 1, 0, 1, 0, _UTF8, None, None)
    sys.stdout.buffer.write(json.dumps({"rate": rate, "phones": phones}).encode() + b"\n" + pcm)
    sys.stdout.buffer.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
