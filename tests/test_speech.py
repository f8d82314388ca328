"""Speech with phone times, and a mouth that follows it."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rap_edge.training.speech import (
    augment,
    coarticulation,
    espeak,
    flite,
    foreign,
    motion,
    recordings,
    sounds,
    takes,
    texts,
    visemes,
    words,
)
from rap_edge.training.speech.phones import SAMPLE_RATE, Phone, Utterance, join, silence, with_times
from rap_edge.training.speech.takes import Take

CHANNEL = {name: index for index, name in enumerate(visemes.CHANNELS)}
SIDED = ("mouthLowerDown", "mouthUpperUp", "mouthStretch", "mouthSmile", "mouthPress", "eyeBlink")
SIDED += ("eyeSquint", "browOuterUp", "browDown", "browInnerUp")
NAMES = ("jawOpen", "mouthPucker", "mouthFunnel", "mouthRollLower", "mouthRollUpper")
NAMES += tuple(f"{name}{side}" for name in SIDED for side in ("_L", "_R"))

needs_flite = pytest.mark.skipif(
    not flite.available(), reason="flite is missing: apt-get install flite"
)
needs_espeak = pytest.mark.skipif(
    not espeak.available(), reason="espeak-ng is missing: apt-get install espeak-ng"
)


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


def test_a_merged_consonant_takes_time_from_its_vowel() -> None:
    phones = with_times(["ɛ", "l", "z"], [0.0, 0.3, 0.3], 0.4)
    assert [phone.name for phone in phones] == ["ɛ", "l", "z"]
    assert [phone.end_s for phone in phones] == pytest.approx([0.2, 0.3, 0.4])


def test_joined_phones_keep_their_place_in_the_sound() -> None:
    part = Utterance(np.ones(8000, np.float32), (Phone("a", 0.1, 0.4),), "voice", "Ah.")
    joined = join([silence(0.25), part, part])
    assert joined.duration_s == 1.25
    assert [p.start_s for p in joined.phones if p.name] == pytest.approx([0.35, 0.85])
    assert (joined.voice, joined.text) == ("voice", "Ah. Ah.")


def test_shift_moves_phones_with_the_sound() -> None:
    samples = np.zeros(16000, np.float32)
    samples[8000] = 1.0
    faster = augment.shift(Utterance(samples, (Phone("t", 0.5, 0.6),), "", ""), 1.25)
    assert np.abs(faster.samples).argmax() / SAMPLE_RATE == pytest.approx(0.4, abs=1e-3)
    assert faster.phones[0].start_s == pytest.approx(0.4)


@given(st.integers(0, 2**31))
@settings(max_examples=10, deadline=None)
def test_augmentation_keeps_length_and_range_and_is_fixed_by_its_seed(seed: int) -> None:
    sound = np.sin(np.arange(16000) * 0.07).astype(np.float32) * 0.5
    one, same = (augment.augment(sound, np.random.default_rng(seed)) for _ in range(2))
    np.testing.assert_array_equal(one, same)
    assert one.shape == sound.shape
    assert np.isfinite(one).all()
    assert np.abs(one).max() <= 1


@pytest.mark.parametrize("effect", [augment.equalize, augment.reverberate])
def test_effects_leave_a_click_where_it_was(effect: object) -> None:
    click = np.zeros(8000, np.float32)
    click[4000] = 1.0
    heard = effect(click, np.random.default_rng(1))  # type: ignore[operator]
    assert abs(int(np.abs(heard).argmax()) - 4000) <= 2


@pytest.mark.parametrize("make", [sounds.noise, sounds.music])
def test_sounds_without_speech_have_peak_one(make: object) -> None:
    sound = make(np.random.default_rng(5), 32000)  # type: ignore[operator]
    assert sound.shape == (32000,)
    assert np.abs(sound).max() == pytest.approx(1.0)


@pytest.mark.parametrize("condition", ["silence", "listening", "noise", "music"])
def test_a_take_without_speech_needs_no_synthesizer(condition: takes.Condition) -> None:
    take = takes.take(4, "train", 2.0, condition=condition)
    assert take.samples.shape == (32000,)
    assert take.phones == ()
    assert not take.clean.any()
    np.testing.assert_array_equal(
        take.samples, takes.take(4, "train", 2.0, condition=condition).samples
    )


@pytest.mark.parametrize("split", ["train", "heldout"])
@pytest.mark.parametrize("language", ["en", *foreign.SENTENCES])
def test_sentences_stay_in_their_split(split: texts.Split, language: str) -> None:
    rng = np.random.default_rng(0)
    said = [texts.sentence(rng, split, language) for _ in range(60)]
    assert {texts.split_of(text) for text in said} == {split}


def test_reserved_sentences_are_held_out_and_seeds_repeat() -> None:
    assert {texts.split_of(text) for text in words.RESERVED} == {"heldout"}
    one, same = (
        [texts.sentence(np.random.default_rng(9), "train") for _ in range(3)] for _ in range(2)
    )
    assert one == same


def test_voices_of_the_splits_do_not_overlap() -> None:
    for voices in (takes.FLITE_VOICES, takes.VARIANTS):
        assert not set(voices["train"]) & set(voices["heldout"])


def test_warping_finds_the_same_moments_in_a_slower_reading() -> None:
    rng = np.random.default_rng(0)
    reading = np.cumsum(rng.standard_normal((60, 5)), 0).astype(np.float32)
    slower = np.repeat(reading, 2, axis=0)
    path = recordings._warp(reading, slower)
    assert tuple(path[0]) == (0, 0)
    assert tuple(path[-1]) == (59, 119)
    assert np.abs(path[:, 1] / 2 - path[:, 0]).max() <= 1


@needs_flite
@pytest.mark.parametrize("voice", flite.VOICES)
def test_flite_phones_tile_the_speech(voice: str) -> None:
    said = flite.speak("Bob owes me five thousand shoes.", voice, 1.2)
    starts, ends = [p.start_s for p in said.phones[1:]], [p.end_s for p in said.phones[:-1]]
    assert starts == pytest.approx(ends)
    sounding = np.flatnonzero(np.abs(said.samples) > 0.05 * np.abs(said.samples).max())
    last = [phone for phone in said.phones if phone.name][-1]
    assert last.end_s == pytest.approx(sounding[-1] / SAMPLE_RATE, abs=0.08)
    assert not visemes.unknown_symbols(said.phones)
    assert [p.name for p in said.phones if p.name][:3] == ["b", "ɑ", "b"]


@needs_flite
def test_sentences_hold_every_english_phone() -> None:
    rng = np.random.default_rng(3)
    text = " ".join(texts.sentence(rng, "train") for _ in range(60))
    heard = {phone.name for phone in flite.speak(text, "kal16").phones}
    wanted = (
        "ɑ æ ʌ ɔ aʊ ə aɪ b tʃ d ð ɛ ɝ eɪ f ɡ h ɪ i dʒ k l m n ŋ oʊ ɔɪ p ɹ s ʃ t θ ʊ u v w j z ʒ"
    )
    assert set(wanted.split()) <= heard


@needs_espeak
@pytest.mark.parametrize("language", sorted({*sum(takes.LANGUAGES.values(), ())}))
def test_every_espeak_phone_has_a_viseme(language: str) -> None:
    lines = foreign.SENTENCES.get(language.split("-")[0], words.RESERVED)
    phones = [phone for text in lines for phone in espeak.speak(text, language).phones]
    assert len(phones) > 100
    assert not visemes.unknown_symbols(phones)


@needs_espeak
@pytest.mark.parametrize("split", ["train", "heldout"])
def test_every_espeak_variant_exists(split: texts.Split) -> None:
    for variant in takes.VARIANTS[split]:
        said = espeak.speak("So.", f"en-us+{variant}" if variant else "en-us")
        assert said.duration_s > 0.1


@needs_espeak
def test_an_unknown_espeak_voice_is_named() -> None:
    with pytest.raises(ValueError, match="no-such-voice"):
        espeak.speak("So.", "no-such-voice")


@needs_flite
@needs_espeak
def test_a_take_of_speech_is_fixed_by_its_seed() -> None:
    one, same = (takes.take(6, "train", 4.0, condition="speech") for _ in range(2))
    np.testing.assert_array_equal(one.samples, same.samples)
    assert one.phones == same.phones
    assert one.samples.shape == (64000,)
    assert sum(p.end_s - p.start_s for p in one.phones if p.name) > 1.0
