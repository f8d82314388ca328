"""What a voice said and when: phones in IPA with their times."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.float32]

SAMPLE_RATE = 16000
PAUSE = ""


@dataclass(frozen=True)
class Phone:
    """One phone in IPA, or a pause (an empty name), with its times in seconds."""

    name: str
    start_s: float
    end_s: float

    def moved(self, offset_s: float, factor: float = 1.0) -> Phone:
        """Return the phone with its times multiplied by ``factor``, then moved by ``offset_s``."""
        return Phone(self.name, self.start_s * factor + offset_s, self.end_s * factor + offset_s)


@dataclass(frozen=True)
class Utterance:
    """Speech of one voice: samples (S,) in -1..1 at 16 kHz, phones in order, voice and text."""

    samples: Samples
    phones: tuple[Phone, ...]
    voice: str
    text: str

    @property
    def duration_s(self) -> float:
        return len(self.samples) / SAMPLE_RATE


def silence(seconds: float) -> Utterance:
    """Return ``seconds`` of digital silence as one pause."""
    samples = np.zeros(round(seconds * SAMPLE_RATE), np.float32)
    return Utterance(samples, (Phone(PAUSE, 0.0, len(samples) / SAMPLE_RATE),), "", "")


def join(parts: Iterable[Utterance]) -> Utterance:
    """Put utterances one after the other; the voice is that of the last one that has a voice."""
    samples: list[Samples] = []
    phones: list[Phone] = []
    voice, texts, length = "", [], 0
    for part in parts:
        phones += [phone.moved(length / SAMPLE_RATE) for phone in part.phones]
        samples.append(part.samples)
        length += len(part.samples)
        voice = part.voice or voice
        if part.text:
            texts.append(part.text)
    joined = np.concatenate(samples) if samples else np.zeros(0, np.float32)
    return Utterance(joined, tuple(phones), voice, " ".join(texts))


def with_times(names: Iterable[str], starts_s: Iterable[float], end_s: float) -> tuple[Phone, ...]:
    """Build phones from start times; one that starts with its successor takes a third of the last.

    espeak-ng reports a consonant that it merged into the vowel before it with no duration.
    """
    phones: list[Phone] = []
    starts = [*starts_s, end_s]
    for name, start, end in zip(names, starts[:-1], starts[1:], strict=True):
        begin = start
        if end <= start and phones and name != PAUSE:
            last = phones[-1]
            begin = last.end_s - (last.end_s - last.start_s) / 3
            phones[-1] = replace(last, end_s=begin)
        if end > begin:
            phones.append(Phone(name, begin, end))
    return tuple(phones)
