"""The runtime: each frame shows its own 40 ms of audio, however the audio arrives.

The bundle is `conftest.synthetic_bundle`: red of a frame is the mel bin at its start, green counts
latents through the decoder's state, blue comes from the portrait.
"""

from __future__ import annotations

import itertools
import math
import wave
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

import rap_edge
from rap_edge._core import FeatureSpec, offline_features
from rap_edge.config import TINY
from rap_edge.errors import AudioError, MediaError, StateError
from rap_edge.media import Recording, read_audio
from rap_edge.portrait import Crop
from rap_edge.runtime import Avatar, Frame, Level, ladder, low_latency

RATE = 16000
RECORDING = Path(__file__).parents[1] / "examples" / "speech.flac"
PAINTED_BIN = 8
BLUE = 77


@pytest.fixture(scope="module")
def avatar(synthetic_bundle: Path) -> Avatar:
    photo = np.full((80, 100, 3), BLUE, np.uint8)
    return rap_edge.open(synthetic_bundle, threads=1).avatar(photo, crop=Crop(10, 8, 64))


def speech(samples: int, seed: int = 0) -> NDArray[np.float32]:
    """Noise whose loudness changes from frame to frame."""
    rng = np.random.default_rng(seed)
    loudness = np.repeat(10 ** rng.uniform(-3, -0.5, samples // 320 + 1), 320)[:samples]
    return (rng.standard_normal(samples) * loudness).clip(-1, 1).astype(np.float32)


def colours(frames: list[Frame]) -> NDArray[np.uint8]:
    for frame in frames:
        assert (frame.image == frame.image[0, 0]).all()
    return np.stack([frame.image[0, 0] for frame in frames])


def same(some: list[Frame], others: list[Frame]) -> bool:
    return len(some) == len(others) and all(
        a.index == b.index and np.array_equal(a.image, b.image) and np.array_equal(a.audio, b.audio)
        for a, b in zip(some, others, strict=True)
    )


def test_every_frame_shows_its_own_audio(avatar: Avatar) -> None:
    pcm = speech(RATE * 3 + 17)
    frames = list(avatar.render(pcm, sample_rate=RATE))
    hops = offline_features(FeatureSpec.rap(), np.pad(pcm, (0, RATE)))
    red, green, blue = colours(frames).T
    expected = np.rint(128 + 5 * hops[0 : 4 * len(frames) : 4, PAINTED_BIN])
    assert np.abs(red - expected).max() <= 1
    assert len(set(red)) > 20
    seen = [latent for latent in range(TINY.sampler.window, 99) for _ in range(4)]
    assert list(green) == seen[: len(frames)]
    assert (blue == BLUE).all()


def test_a_frame_holds_its_exact_audio(avatar: Avatar) -> None:
    pcm = speech(RATE * 2 + 100)
    frames = list(avatar.render(pcm, sample_rate=RATE))
    heard = np.concatenate([frame.audio for frame in frames])
    assert {frame.audio.shape for frame in frames} == {(640,)}
    assert np.array_equal(heard[: len(pcm)], pcm)
    assert not heard[len(pcm) :].any()
    assert [frame.seconds for frame in frames] == [n / 25 for n in range(len(frames))]


@pytest.mark.parametrize("samples", [1, 639, 640, 641, 640 * 17, 640 * 17 + 1, 640 * 25 - 1])
def test_there_are_as_many_frames_as_the_audio_needs(avatar: Avatar, samples: int) -> None:
    frames = list(avatar.render(speech(samples), sample_rate=RATE))
    assert [frame.index for frame in frames] == list(range(math.ceil(samples / 640)))


@pytest.mark.parametrize("rate", [8000, 22050, 24000, 32000, 44100, 48000])
def test_audio_of_any_rate_comes_back_at_that_rate(avatar: Avatar, rate: int) -> None:
    pcm = speech(rate * 2 + 5)
    frames = list(avatar.render(pcm, sample_rate=rate))
    assert len(frames) == 51
    assert {frame.audio.shape for frame in frames} == {(rate // 25,)}
    assert np.array_equal(np.concatenate([f.audio for f in frames])[: len(pcm)], pcm)


@pytest.mark.parametrize("rate", [8000, 24000, 44100, 48000])
def test_resampling_keeps_the_time(avatar: Avatar, rate: int) -> None:
    """A tone that comes and goes is seen at the same frames, whatever the rate."""

    def tone(rate: int) -> NDArray[np.float32]:
        time = np.arange(rate * 2) / rate
        loud = np.where((time * 25 + 0.5) % 10 < 5, 0.5, 1e-3)
        return (loud * np.sin(2 * np.pi * 300 * time)).astype(np.float32)

    reds = [colours(list(avatar.render(tone(r), sample_rate=r)))[:, 0] for r in (16000, rate)]
    assert np.ptp(reds[0]) > 40
    assert np.abs(reds[0].astype(int) - reds[1])[:-1].max() <= 6


@settings(max_examples=25, deadline=None)
@given(
    cuts=st.lists(st.integers(0, 30000), max_size=12),
    rate=st.sampled_from([16000, 22050, 48000]),
)
def test_any_chunking_gives_the_frames_of_render(
    synthetic: Avatar, cuts: list[int], rate: int
) -> None:
    pcm = speech(30000)
    edges = sorted({0, *cuts, len(pcm)})
    stream = synthetic.frame_stream(rate)
    streamed = [f for a, b in itertools.pairwise(edges) for f in stream.push(pcm[a:b])]
    streamed += stream.flush()
    assert same(streamed, list(synthetic.render(pcm, sample_rate=rate)))


@pytest.fixture(scope="module")
def synthetic(avatar: Avatar) -> Avatar:
    """The avatar again: hypothesis asks for fixtures that examples may share."""
    return avatar


def test_every_form_of_the_same_audio_gives_the_same_frames(avatar: Avatar) -> None:
    whole = (speech(RATE) * 32767).astype(np.int16)
    floats = whole.astype(np.float32) / 32768

    def chunks() -> Iterator[bytes]:
        for start in range(0, len(whole), 1000):
            yield whole[start : start + 1000].tobytes()

    expected = list(avatar.render(floats, sample_rate=RATE))
    for audio in (whole, whole.tobytes(), chunks(), [floats[:7], whole[7:]]):
        assert same(list(avatar.render(audio, sample_rate=RATE)), expected)


def test_frames_come_while_the_audio_is_still_spoken(avatar: Avatar) -> None:
    """A chunk of a live stream wants its own 160 ms, 80 ms of look-ahead and half of an FFT."""
    stream = avatar.frame_stream(RATE, level=low_latency(TINY.sampler))
    first = 4 * 640 + TINY.audio.lookahead_hops * 160 + 96
    assert stream.push(speech(first - 1)) == []
    assert len(stream.push(speech(1))) == 4
    assert len(stream.push(speech(640 * 8))) == 8


@pytest.mark.parametrize("level", ladder(TINY.sampler)[:-1])
def test_every_level_shows_what_it_hears(avatar: Avatar, level: Level) -> None:
    pcm = speech(RATE * 2)
    frames = list(avatar.render(pcm, sample_rate=RATE, level=level))
    red = colours(frames)[:, 0]
    assert np.array_equal(red, colours(list(avatar.render(pcm, sample_rate=RATE)))[:, 0])


def test_a_reset_stream_is_a_new_one(avatar: Avatar) -> None:
    stream = avatar.frame_stream(RATE)
    stream.push(speech(RATE, seed=1))
    stream.reset()
    pcm = speech(RATE)
    assert same(stream.push(pcm) + stream.flush(), list(avatar.render(pcm, sample_rate=RATE)))
    with pytest.raises(StateError, match="after flush"):
        stream.push(pcm)
    assert stream.flush() == []


def test_streams_of_one_avatar_do_not_disturb_each_other(avatar: Avatar) -> None:
    recordings = [speech(RATE, seed) for seed in range(4)]
    alone = [list(avatar.render(pcm, sample_rate=RATE)) for pcm in recordings]
    with ThreadPoolExecutor(4) as pool:
        together = list(
            pool.map(lambda pcm: list(avatar.render(pcm, sample_rate=RATE)), recordings)
        )
    assert all(same(a, b) for a, b in zip(alone, together, strict=True))


def test_a_file_is_heard_at_48_khz(avatar: Avatar, tmp_path: Path) -> None:
    with wave.open(str(tmp_path / "speech.wav"), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(22050)
        file.writeframes(np.repeat(speech(22050) * 32767, 2).astype("<i2").tobytes())
    frames = list(avatar.render(tmp_path / "speech.wav"))
    assert len(frames) == 25
    assert {frame.audio.shape for frame in frames} == {(1920,)}


def test_render_to_a_file_reports_its_numbers(avatar: Avatar, tmp_path: Path) -> None:
    seen: list[int] = []
    out = tmp_path / "hello.mp4"
    stats = avatar.render(
        speech(RATE), out, sample_rate=RATE, on_frame=lambda frame: seen.append(frame.index)
    )
    assert (stats.frames, stats.fps, stats.width, stats.height) == (25, 25, 64, 64)
    assert (stats.backend, stats.bundle) == ("onnxruntime", "synthetic")
    assert stats.audio_seconds == 1.0
    assert stats.x_realtime == pytest.approx(1.0 / stats.render_seconds)
    assert seen == list(range(25))
    assert out.stat().st_size > 0


def test_a_film_that_cannot_be_written_leaves_the_recording_closed(
    avatar: Avatar, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[Recording] = []

    def remembered(path: Path) -> Recording:
        opened.append(read_audio(path))
        return opened[-1]

    monkeypatch.setattr("rap_edge.media.read_audio", remembered)
    with pytest.raises(MediaError):
        avatar.render(RECORDING, tmp_path / "nowhere" / "hello.mp4")
    assert list(opened[0]) == []


@pytest.mark.parametrize(
    ("audio", "rate", "message"),
    [
        (np.zeros(0, np.float32), RATE, "audio is empty"),
        ([], RATE, "audio is empty"),
        (np.zeros(9, np.float64), RATE, "float64: expected float32"),
        (np.zeros((9, 2), np.float32), RATE, r"\(9, 2\)"),
        (np.array([0, np.nan], np.float32), RATE, "sample 1 is nan"),
        (b"abc", RATE, "3 bytes"),
        ([[0.5]], RATE, "list"),
        (np.zeros(9, np.float32), None, "sample_rate is None"),
        (np.zeros(9, np.float32), 12345, "sample_rate is 12345"),
    ],
)
def test_audio_that_cannot_be_used_is_refused_by_name(
    avatar: Avatar, audio: object, rate: int | None, message: str
) -> None:
    with pytest.raises(AudioError, match=message):
        list(avatar.render(audio, sample_rate=rate))  # type: ignore[call-overload]
