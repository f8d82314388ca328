"""Speech with phone times: what is said, by whom, and how it sounds."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rap_edge.training.speech import (
    augment,
    espeak,
    flite,
    foreign,
    recordings,
    sounds,
    takes,
    texts,
    visemes,
    words,
)
from rap_edge.training.speech.phones import SAMPLE_RATE, Phone, Utterance, join, silence, with_times

needs_flite = pytest.mark.skipif(
    not flite.available(), reason="flite is missing: apt-get install flite"
)
needs_espeak = pytest.mark.skipif(
    not espeak.available(), reason="espeak-ng is missing: apt-get install espeak-ng"
)


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
