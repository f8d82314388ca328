"""What the mouth shows for each phone: IPA to visemes, visemes to expression weights.

A viseme has a target for every lip and jaw channel and, for each group of channels, a dominance:
how much it insists on that target against its neighbours (Cohen and Massaro 1993).
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rap_edge.training.speech.phones import Phone

Array = npt.NDArray[np.float32]

GROUPS = ("jaw", "lips", "round", "spread", "press")

# Channel: its group, and the expression weights that it drives ("*" stands for _L and _R).
CHANNELS: dict[str, tuple[str, dict[str, float]]] = {
    "jaw": ("jaw", {"jawOpen": 1.0}),
    "lower": ("lips", {"mouthLowerDown*": 1.0}),
    "upper": ("lips", {"mouthUpperUp*": 1.0}),
    "pucker": ("round", {"mouthPucker": 1.0}),
    "funnel": ("round", {"mouthFunnel": 1.0}),
    "stretch": ("spread", {"mouthStretch*": 1.0}),
    "smile": ("spread", {"mouthSmile*": 1.0}),
    "press": ("press", {"mouthPress*": 1.0}),
    "roll_lower": ("press", {"mouthRollLower": 1.0}),
    "roll_upper": ("press", {"mouthRollUpper": 1.0}),
}


@dataclass(frozen=True)
class Viseme:
    """Targets by channel (0 where not named) and dominance by group, in the order of GROUPS."""

    targets: dict[str, float]
    dominance: tuple[float, float, float, float, float]


VISEMES = {
    "sil": Viseme({}, (1.0, 1.0, 1.0, 1.0, 1.0)),
    "PP": Viseme({"press": 0.3, "roll_lower": 0.3, "roll_upper": 0.3}, (1.6, 4.0, 0.3, 0.5, 4.0)),
    "FF": Viseme({"jaw": 0.05, "upper": 0.3, "roll_lower": 0.7}, (1.8, 4.0, 0.5, 0.5, 4.0)),
    "TH": Viseme({"jaw": 0.16, "lower": 0.3, "upper": 0.12}, (1.0, 1.0, 0.3, 0.4, 1.0)),
    "DD": Viseme({"jaw": 0.13, "lower": 0.3, "upper": 0.12}, (0.9, 0.8, 0.2, 0.2, 1.0)),
    "KK": Viseme({"jaw": 0.2, "lower": 0.22, "upper": 0.1}, (0.5, 0.5, 0.1, 0.1, 1.0)),
    "HH": Viseme({"jaw": 0.2, "lower": 0.15, "upper": 0.1}, (0.2, 0.2, 0.1, 0.1, 1.0)),
    "CH": Viseme(
        {"jaw": 0.1, "lower": 0.35, "upper": 0.25, "funnel": 0.55, "pucker": 0.2},
        (1.5, 1.2, 1.6, 1.0, 1.0),
    ),
    "SS": Viseme(
        {"jaw": 0.05, "lower": 0.42, "upper": 0.2, "stretch": 0.25, "smile": 0.08},
        (1.8, 1.2, 0.4, 0.6, 1.0),
    ),
    "NN": Viseme({"jaw": 0.13, "lower": 0.22, "upper": 0.1}, (0.7, 0.6, 0.2, 0.2, 1.0)),
    "LL": Viseme({"jaw": 0.2, "lower": 0.28, "upper": 0.12}, (0.8, 0.7, 0.2, 0.3, 1.0)),
    "RR": Viseme(
        {"jaw": 0.14, "lower": 0.2, "upper": 0.12, "funnel": 0.4, "pucker": 0.2},
        (0.9, 0.8, 1.1, 0.6, 1.0),
    ),
    "WW": Viseme({"jaw": 0.08, "pucker": 0.85, "funnel": 0.3}, (1.3, 1.2, 2.2, 1.5, 1.0)),
    "AA": Viseme({"jaw": 0.68, "lower": 0.22, "upper": 0.18}, (1.6, 1.2, 0.9, 0.7, 1.0)),
    "AE": Viseme(
        {"jaw": 0.52, "lower": 0.3, "upper": 0.2, "stretch": 0.3, "smile": 0.12},
        (1.4, 1.2, 0.9, 1.1, 1.0),
    ),
    "AH": Viseme({"jaw": 0.36, "lower": 0.2, "upper": 0.12}, (1.0, 0.9, 0.6, 0.5, 1.0)),
    "AX": Viseme({"jaw": 0.24, "lower": 0.18, "upper": 0.1}, (0.5, 0.5, 0.3, 0.2, 1.0)),
    "EH": Viseme(
        {"jaw": 0.38, "lower": 0.28, "upper": 0.15, "stretch": 0.28, "smile": 0.14},
        (1.2, 1.1, 0.9, 1.1, 1.0),
    ),
    "IH": Viseme(
        {"jaw": 0.22, "lower": 0.25, "upper": 0.12, "stretch": 0.22, "smile": 0.2},
        (0.9, 0.9, 0.8, 0.9, 1.0),
    ),
    "IY": Viseme(
        {"jaw": 0.14, "lower": 0.28, "upper": 0.12, "stretch": 0.32, "smile": 0.4},
        (1.2, 1.1, 1.1, 1.6, 1.0),
    ),
    "YY": Viseme(
        {"jaw": 0.13, "lower": 0.22, "upper": 0.1, "smile": 0.25}, (0.8, 0.7, 0.5, 0.9, 1.0)
    ),
    "AO": Viseme(
        {"jaw": 0.48, "lower": 0.12, "upper": 0.1, "funnel": 0.5, "pucker": 0.15},
        (1.4, 1.1, 1.6, 1.3, 1.0),
    ),
    "OW": Viseme(
        {"jaw": 0.32, "lower": 0.08, "upper": 0.06, "funnel": 0.55, "pucker": 0.4},
        (1.3, 1.1, 1.9, 1.4, 1.0),
    ),
    "UH": Viseme(
        {"jaw": 0.2, "lower": 0.1, "upper": 0.06, "funnel": 0.4, "pucker": 0.3},
        (0.9, 0.9, 1.2, 1.0, 1.0),
    ),
    "UW": Viseme({"jaw": 0.13, "pucker": 0.75, "funnel": 0.4}, (1.2, 1.1, 2.1, 1.5, 1.0)),
}
NAMES = tuple(VISEMES)

_SYMBOLS = {
    "PP": "pbmɓʙ", "FF": "fvɱʋ", "TH": "θð", "DD": "tdɾʈɖɗ", "KK": "kɡgŋxɣχqɰɲcɟʎç", "HH": "hɦħʔʕ",
    "CH": "ʃʒɕʑʂʐ", "SS": "szɬ", "NN": "nɳ", "LL": "lɭʟɫ", "RR": "ɹɻɝɚɜʁʀrɽ", "WW": "wʍɥ",
    "AA": "aɑɐɒ", "AE": "æ", "AH": "ʌɘɞ", "AX": "əɨɤɯ", "EH": "ɛe", "IH": "ɪᵻ", "IY": "i",
    "YY": "jʝ", "AO": "ɔ", "OW": "oøœɵ", "UH": "ʊʏ", "UW": "uyʉβɸ",
}  # fmt: skip
_VISEME_OF = {symbol: viseme for viseme, symbols in _SYMBOLS.items() for symbol in symbols}
_MARKS = ":ːˑˈˌʰʲʷˠˤ˞'`^ˀ-"


def visemes_of(phone: str) -> tuple[str, ...]:
    """Return the visemes of a phone in IPA: two for a diphthong or an affricate, none if unknown.

    A pause (an empty name) is ``("sil",)``.
    """
    symbols = [s for s in unicodedata.normalize("NFD", phone) if _is_symbol(s)]
    if not symbols:
        return ("sil",)
    return tuple(_VISEME_OF[s] for s in symbols if s in _VISEME_OF)


def unknown_symbols(phones: Iterable[Phone]) -> Counter[str]:
    """Count the IPA symbols that no viseme covers."""
    symbols = (s for phone in phones for s in unicodedata.normalize("NFD", phone.name))
    return Counter(s for s in symbols if _is_symbol(s) and s not in _VISEME_OF)


def _is_symbol(character: str) -> bool:
    return not unicodedata.combining(character) and character not in _MARKS


def target_table() -> Array:
    """Return the targets as (visemes, channels) in the order of NAMES and CHANNELS."""
    rows = [[v.targets.get(channel, 0.0) for channel in CHANNELS] for v in VISEMES.values()]
    return np.array(rows, np.float32)


def dominance_table() -> Array:
    """Return the dominance as (visemes, groups)."""
    return np.array([v.dominance for v in VISEMES.values()], np.float32)


def expansion(names: Iterable[str]) -> Array:
    """Return the (channels, expressions) matrix from channels to the named expression weights."""
    order = list(names)
    matrix = np.zeros((len(CHANNELS), len(order)), np.float32)
    for row, (_, weights) in enumerate(CHANNELS.values()):
        for pattern, weight in weights.items():
            for name in _expressions(pattern):
                matrix[row, order.index(name)] = weight
    return matrix


def _expressions(pattern: str) -> tuple[str, ...]:
    stem = pattern.removesuffix("*")
    return (pattern,) if stem == pattern else (f"{stem}_L", f"{stem}_R")
