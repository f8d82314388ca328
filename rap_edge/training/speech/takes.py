"""A take: half a minute of one voice with pauses, or of a sound without speech, as recorded."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np

from rap_edge.training.speech import augment, espeak, flite, recordings, sounds, texts
from rap_edge.training.speech.phones import (
    SAMPLE_RATE,
    Phone,
    Samples,
    Utterance,
    join,
    silence,
)
from rap_edge.training.speech.texts import Split

Condition = Literal["speech", "silence", "listening", "noise", "music"]

# Shares of the conditions in a mix; pauses inside speech come on top.
MIX: dict[Condition, float] = {
    "speech": 0.84,
    "silence": 0.05,
    "listening": 0.03,
    "noise": 0.04,
    "music": 0.04,
}
FLITE_VOICES: dict[Split, tuple[str, ...]] = {
    "train": ("slt", "slt", "rms", "rms", "kal16"),
    "heldout": ("awb",),
}
LANGUAGES: dict[Split, tuple[str, ...]] = {
    "train": ("en-us", "en", "en-us", "en-gb-x-rp", "de", "fr", "es", "it", "nl", "pt", "pl"),
    "heldout": ("en-us", "en", "en-gb-scotland", "de", "fr"),
}
VARIANTS: dict[Split, tuple[str, ...]] = {
    "train": (
        "", "f1", "f2", "f3", "f4", "m1", "m2", "m3", "m4", "m5", "m6", "m7", "klatt", "klatt2",
        "klatt3", "klatt6", "croak", "Annie", "Andy", "Alicia", "steph", "linda", "max", "paul",
        "robert", "travis", "victor", "ed", "zac", "grandpa",
    ),
    "heldout": ("f5", "m8", "klatt4", "belinda", "john", "david"),
}  # fmt: skip
_SOURCES = {"flite": 0.5, "espeak": 0.36, "recording": 0.14}
_HELD_OUT_RECORDINGS = 2


@dataclass(frozen=True)
class Take:
    """Recorded sound and what was said in it.

    ``samples`` (S,) are as recorded, ``clean`` (S,) is the voice alone, both at 16 kHz; phones are
    empty where nobody speaks.
    """

    samples: Samples
    clean: Samples
    phones: tuple[Phone, ...]
    condition: Condition
    voice: str
    text: str


def draw_condition(rng: np.random.Generator) -> Condition:
    return list(MIX)[int(rng.choice(len(MIX), p=np.array(list(MIX.values()))))]


def take(
    seed: int,
    split: Split,
    seconds: float,
    recordings_folder: Path | None = None,
    condition: Condition | None = None,
) -> Take:
    """Record a take of exactly ``seconds``, fixed by the seed.

    Without ``recordings_folder`` all speech is synthetic; without ``condition`` it is drawn.
    """
    rng = np.random.default_rng((seed, 0x74616B65))
    chosen = condition or draw_condition(rng)
    n_samples = round(seconds * SAMPLE_RATE)
    if chosen == "speech":
        return _speech(rng, split, n_samples, recordings_folder)
    nothing = np.zeros(n_samples, np.float32)
    return Take(_unspoken(rng, chosen, n_samples), nothing, (), chosen, "", "")


def _speech(
    rng: np.random.Generator, split: Split, n_samples: int, recordings_folder: Path | None
) -> Take:
    speech = _read_aloud(rng, split, n_samples / SAMPLE_RATE, recordings_folder)
    clean = np.zeros(n_samples, np.float32)
    clean[: len(speech.samples)] = speech.samples[:n_samples]
    phones = tuple(p for p in speech.phones if p.start_s < n_samples / SAMPLE_RATE)
    recorded = augment.augment(clean, rng)
    return Take(recorded, clean, phones, "speech", speech.voice, speech.text)


def _read_aloud(
    rng: np.random.Generator, split: Split, seconds: float, recordings_folder: Path | None
) -> Utterance:
    """Let one voice speak sentence after sentence with pauses, at least for ``seconds``."""
    names = [name for name in _SOURCES if name != "recording" or recordings_folder is not None]
    shares = np.array([_SOURCES[name] for name in names])
    source = names[int(rng.choice(len(names), p=shares / shares.sum()))]
    say = _Speaker(rng, split, source, recordings_folder)
    parts = [silence(float(rng.uniform(0.0, 0.6)))]
    length = parts[0].duration_s
    while length < seconds:
        parts += [say(), silence(_pause_s(rng))]
        length += parts[-2].duration_s + parts[-1].duration_s
    return join(parts)


def _pause_s(rng: np.random.Generator) -> float:
    return float(rng.uniform(0.8, 2.2) if rng.random() < 0.2 else rng.uniform(0.02, 0.5))


class _Speaker:
    """One voice in one manner; every call says another sentence."""

    def __init__(
        self, rng: np.random.Generator, split: Split, source: str, folder: Path | None
    ) -> None:
        self._rng, self._split, self._source, self._folder = rng, split, source, folder
        self._factor = float(rng.uniform(0.86, 1.16))
        self._stretch = float(rng.uniform(0.85, 1.3)) * self._factor
        self._manner = espeak.Manner(
            rate_wpm=int(rng.integers(120, 215)),
            pitch=int(rng.integers(25, 75)),
            pitch_range=int(rng.integers(30, 80)),
        )
        self._flite_voice = str(rng.choice(FLITE_VOICES[split]))
        self._language = str(rng.choice(LANGUAGES[split]))
        self._variant = str(rng.choice(VARIANTS[split]))

    def __call__(self) -> Utterance:
        said = getattr(self, f"_{self._source}")()
        loud = float(self._rng.uniform(0.8, 1.0)) / (float(np.abs(said.samples).max()) + 1e-6)
        level = replace(said, samples=said.samples * np.float32(loud))
        return augment.shift(level, self._factor)

    def _flite(self) -> Utterance:
        text = texts.sentence(self._rng, self._split)
        return flite.speak(text, self._flite_voice, self._stretch)

    def _espeak(self) -> Utterance:
        language = self._language.split("-")[0]
        text = texts.sentence(self._rng, self._split, language)
        voice = self._language + (f"+{self._variant}" if self._variant else "")
        return espeak.speak(text, voice, self._manner)

    def _recording(self) -> Utterance:
        if self._folder is None:
            raise ValueError("no folder of recordings - expected one for the source 'recording'")
        every = recordings.aligned(self._folder)
        held = every[-_HELD_OUT_RECORDINGS:]
        chosen = held if self._split == "heldout" else every[:-_HELD_OUT_RECORDINGS]
        return chosen[int(self._rng.integers(len(chosen)))]


def _unspoken(rng: np.random.Generator, condition: Condition, n_samples: int) -> Samples:
    if condition in ("silence", "listening"):
        hiss = sounds.coloured(rng, n_samples, float(rng.uniform(-2.0, 0.0)))
        level_db = -120.0 if rng.random() < 0.25 else float(rng.uniform(-80.0, -40.0))
        return augment.set_level(hiss, level_db)
    make = sounds.music if condition == "music" else sounds.noise
    sound = augment.equalize(make(rng, n_samples), rng)
    return augment.set_level(sound, float(rng.uniform(-30.0, 0.0)))
