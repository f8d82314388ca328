"""What the voices say: sentences from templates, fixed by a seed, split for good by their text."""

from __future__ import annotations

import hashlib
import itertools
from typing import Literal

import numpy as np

from rap_edge.training.speech import foreign, words

Split = Literal["train", "heldout"]

_HELD_OUT_SHARE = 8


def split_of(text: str) -> Split:
    """Return the split of a sentence: its words decide, so no seed moves it to the other one."""
    if text in words.RESERVED or any(text in lines[-2:] for lines in foreign.SENTENCES.values()):
        return "heldout"
    if any(text in lines for lines in foreign.SENTENCES.values()):
        return "train"
    digest = hashlib.blake2b(text.lower().encode(), digest_size=4).digest()
    return "heldout" if digest[0] % _HELD_OUT_SHARE == 0 else "train"


def sentence(rng: np.random.Generator, split: Split, language: str = "en") -> str:
    """Draw a sentence of the split; ``language`` is ``en`` or a key of foreign.SENTENCES."""
    if language != "en":
        lines = foreign.SENTENCES[language]
        chosen = lines[-2:] if split == "heldout" else lines[:-2]
        return chosen[int(rng.integers(len(chosen)))]
    if split == "heldout" and rng.random() < 0.4:
        return words.RESERVED[int(rng.integers(len(words.RESERVED)))]
    while split_of(text := _filled(rng)) != split:
        pass
    return text


def _filled(rng: np.random.Generator) -> str:
    template = words.TEMPLATES[int(rng.integers(len(words.TEMPLATES)))]
    pieces = template.split("{")
    text = pieces[0]
    for piece in pieces[1:]:
        slot, rest = piece.split("}", 1)
        text += _word(rng, slot) + rest
    return _articles(text)


def _word(rng: np.random.Generator, slot: str) -> str:
    if slot == "k":
        high = int(rng.choice([20, 100, 1000, 3000]))
        return str(int(rng.integers(2, high)))
    lists = {
        "a": words.ADJECTIVES, "n": words.NOUNS, "v": words.VERBS, "d": words.ADVERBS,
        "p": words.PLACES, "o": words.OPENINGS, "u": words.UNITS, "name": words.NAMES,
    }  # fmt: skip
    chosen = lists[slot]
    return chosen[int(rng.integers(len(chosen)))]


def _articles(text: str) -> str:
    """Write ``an`` before a vowel."""
    parts = text.split(" ")
    for index, (word, following) in enumerate(itertools.pairwise(parts)):
        if word in ("a", "A") and following[0] in "aeiou":
            parts[index] = word + "n"
    return " ".join(parts)
