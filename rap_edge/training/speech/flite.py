"""flite: English speech with the end time of every phone (``-psdur``), 16 kHz."""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from pathlib import Path

import numpy as np
from scipy.io import wavfile

from rap_edge.errors import BackendUnavailable
from rap_edge.training.speech.phones import PAUSE, SAMPLE_RATE, Utterance, with_times

VOICES = ("slt", "rms", "awb", "kal16")

# The phone set of the voices (ARPAbet) in IPA.
_IPA = {
    "aa": "ɑ", "ae": "æ", "ah": "ʌ", "ao": "ɔ", "aw": "aʊ", "ax": "ə", "axr": "ɚ", "ay": "aɪ",
    "b": "b", "ch": "tʃ", "d": "d", "dh": "ð", "dx": "ɾ", "eh": "ɛ", "el": "l", "em": "m",
    "en": "n", "er": "ɝ", "ey": "eɪ", "f": "f", "g": "ɡ", "hh": "h", "hv": "h", "ih": "ɪ",
    "iy": "i", "jh": "dʒ", "k": "k", "l": "l", "m": "m", "n": "n", "ng": "ŋ", "nx": "n",
    "ow": "oʊ", "oy": "ɔɪ", "p": "p", "r": "ɹ", "s": "s", "sh": "ʃ", "t": "t", "th": "θ",
    "uh": "ʊ", "uw": "u", "v": "v", "w": "w", "y": "j", "z": "z", "zh": "ʒ",
    "pau": PAUSE, "brth": PAUSE, "h#": PAUSE, "ssil": PAUSE,
}  # fmt: skip


def available() -> bool:
    return shutil.which("flite") is not None


def speak(text: str, voice: str, stretch: float = 1.0, pitch_hz: float | None = None) -> Utterance:
    """Speak ``text``; ``stretch`` multiplies durations, ``pitch_hz`` sets the mean of the voice.

    Raises BackendUnavailable without flite and ValueError for a phone that is not in the table.
    """
    if not available():
        raise BackendUnavailable("flite is not installed - needed to make speech - install flite")
    with tempfile.TemporaryDirectory() as folder:
        wav = Path(folder) / "speech.wav"
        command = ["flite", "-voice", voice, "-t", text, "-o", str(wav), "-psdur"]
        command += ["--setf", f"duration_stretch={stretch:.3f}"]
        if pitch_hz is not None:
            command += ["--setf", f"int_f0_target_mean={pitch_hz:.1f}"]
        printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        rate, pcm = wavfile.read(wav)
    if rate != SAMPLE_RATE:
        raise ValueError(
            f"flite voice {voice!r} speaks at {rate} Hz - expected 16000 - choose one of {VOICES}"
        )
    names, ends = _parse(printed)
    starts = [0.0, *ends[:-1]]
    phones = with_times(names, starts, max(ends[-1], starts[-1])) if ends else ()
    return Utterance((pcm / 32768).astype(np.float32), phones, f"flite/{voice}", text)


def _parse(printed: str) -> tuple[list[str], list[float]]:
    pairs = re.findall(r"(\S+?):([\d.]+)", printed)
    unknown = sorted({name for name, _ in pairs} - _IPA.keys())
    if unknown:
        raise ValueError(f"flite named unknown phones {unknown} - expected ARPAbet - add them")
    return [_IPA[name] for name, _ in pairs], [float(end) for _, end in pairs]
