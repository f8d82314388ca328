"""A mouth that follows the phones, and a head that lives."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rap_edge.training.speech import coarticulation, motion, visemes
from rap_edge.training.speech.phones import SAMPLE_RATE, Phone, with_times
from rap_edge.training.speech.takes import Take

CHANNEL = {name: index for index, name in enumerate(visemes.CHANNELS)}
SIDED = ("mouthLowerDown", "mouthUpperUp", "mouthStretch", "mouthSmile", "mouthPress", "eyeBlink")
SIDED += ("eyeSquint", "browOuterUp", "browDown", "browInnerUp")
NAMES = ("jawOpen", "mouthPucker", "mouthFunnel", "mouthRollLower", "mouthRollUpper")
NAMES += tuple(f"{name}{side}" for name in SIDED for side in ("_L", "_R"))


def spoken(*timed: tuple[str, float], pause_s: float = 0.4) -> tuple[Phone, ...]:
    """Phones one after the other between two pauses."""
    names = ["", *(name for name, _ in timed), ""]
    lengths = [pause_s, *(length for _, length in timed), pause_s]
    ends = np.cumsum(lengths)
    return with_times(names, [0.0, *ends[:-1]], float(ends[-1]))


def shape(phones: tuple[Phone, ...]) -> np.ndarray:
    n_frames = int(phones[-1].end_s * 25)
    samples = np.ones(round(phones[-1].end_s * SAMPLE_RATE), np.float32) * 0.1
    return coarticulation.channels(phones, samples, n_frames)


def take_of(phones: tuple[Phone, ...], n_frames: int) -> Take:
    tone = np.sin(np.arange(n_frames * 640) * 0.05).astype(np.float32) * 0.3
    return Take(tone, tone, phones, "speech" if phones else "music", "a voice", "a text")


@pytest.mark.parametrize("closure", ["p", "b", "m"])
@given(st.floats(0.03, 0.15), st.floats(0.0, 0.04))
@settings(max_examples=12, deadline=None)
def test_every_bilabial_closes_the_lips_in_some_frame(
    closure: str, length_s: float, offset_s: float
) -> None:
    phones = spoken(("ɑ", 0.2), (closure, length_s), ("ɑ", 0.2), pause_s=0.4 + offset_s)
    curves = shape(phones)
    during = slice(int((0.6 + offset_s - 0.06) * 25), int((0.6 + offset_s + length_s + 0.04) * 25))
    opening = curves[during, CHANNEL["jaw"]] + curves[during, CHANNEL["lower"]]
    assert opening.min() < 0.02
    assert curves[:, CHANNEL["jaw"]].max() > 0.4


def test_a_open_vowel_opens_wider_than_a_close_one() -> None:
    wide = shape(spoken(("ɑ", 0.25)))[:, CHANNEL["jaw"]].max()
    narrow = shape(spoken(("i", 0.25)))[:, CHANNEL["jaw"]].max()
    assert wide > 3 * narrow > 0


@pytest.mark.parametrize("vowel", ["u", "o", "ɔ"])
def test_rounded_vowels_round_and_spread_ones_spread(vowel: str) -> None:
    rounded, spread = shape(spoken((vowel, 0.25))), shape(spoken(("i", 0.25)))
    lips = CHANNEL["funnel"]
    assert rounded[:, lips].max() > 0.3 > 0.05 > spread[:, lips].max()
    assert spread[:, CHANNEL["smile"]].max() > 0.2 > 0.05 > rounded[:, CHANNEL["smile"]].max()


def test_rounding_reaches_into_the_consonants_before_it() -> None:
    before_u = shape(spoken(("t", 0.12), ("u", 0.2)))
    before_i = shape(spoken(("t", 0.12), ("i", 0.2)))
    frame = int(0.45 * 25)
    assert before_u[frame, CHANNEL["pucker"]] > before_i[frame, CHANNEL["pucker"]] + 0.1


def test_the_mouth_leads_the_sound_by_less_than_two_frames() -> None:
    jaw = shape(spoken(("ɑ", 0.4), pause_s=0.8))[:, CHANNEL["jaw"]]
    half_open_s = (int(np.argmax(jaw > jaw.max() / 2)) + 0.5) / 25
    assert 0.0 < 0.8 - half_open_s < 0.1


def test_a_mouth_without_speech_is_at_rest() -> None:
    assert not shape(spoken(pause_s=1.0)).any()


def test_motion_is_fixed_by_its_seed() -> None:
    take = take_of(spoken(("ɑ", 0.3), ("m", 0.1)), 30)
    one, same, other = (motion.drive(take, seed, 30, NAMES) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one.expression_delta, same.expression_delta)
    np.testing.assert_array_equal(one.pose, same.pose)
    assert not np.array_equal(one.pose, other.pose)
    assert one.expression_delta.shape == (30, len(NAMES))
    assert one.pose.shape == (30, 5)


def test_without_speech_the_mouth_rests_and_the_rest_lives() -> None:
    moved = motion.drive(take_of((), 500), 3, 500, NAMES)
    mouth = [NAMES.index(n) for n in ("jawOpen", "mouthLowerDown_L", "mouthFunnel", "mouthPucker")]
    assert not moved.expression_delta[:, mouth].any()
    assert moved.expression_delta[:, NAMES.index("eyeBlink_L")].max() > 0.6
    assert moved.pose[:, :3].std(0).min() > 0.003


def test_the_head_turns_slowly_and_little() -> None:
    poses = [motion.drive(take_of((), 750), seed, 750, NAMES).pose for seed in range(8)]
    degrees = np.degrees(np.concatenate(poses)[:, :3])
    assert 0.5 < degrees.std() < 4
    assert np.abs(degrees).max() < 8
    assert max(np.abs(np.diff(np.degrees(pose[:, :3]), axis=0)).max() for pose in poses) < 1.5


def test_a_diphthong_has_two_visemes_and_marks_have_none() -> None:
    assert visemes.visemes_of("aɪ") == ("AA", "IH")
    assert visemes.visemes_of("tʃ") == ("DD", "CH")
    assert visemes.visemes_of("uː") == visemes.visemes_of("ũ") == ("UW",)
    assert visemes.visemes_of("") == ("sil",)


def test_unknown_symbols_are_counted() -> None:
    phones = (Phone("a", 0, 1), Phone("☃", 1, 2), Phone("☃ː", 2, 3))
    assert visemes.unknown_symbols(phones) == Counter({"☃": 2})


def test_every_expression_of_a_viseme_belongs_to_the_head() -> None:
    matrix = visemes.expansion(NAMES)
    assert matrix.shape == (len(visemes.CHANNELS), len(NAMES))
    assert (matrix.sum(1) >= 1).all()
