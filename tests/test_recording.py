"""Recordings of any codec, rate and layout come in whole; what cannot be used is refused."""

from __future__ import annotations

import contextlib
import wave
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from rap_edge.errors import AudioError, MediaError
from rap_edge.media import AUDIO_RATE, read_audio

RATES = [8000, 11025, 16000, 22050, 24000, 32000, 44100, 48000, 96000]

Samples = NDArray[np.float32]
Encode = Callable[..., Path]


def tone(seconds: float, rate: int, hz: float = 300.0) -> Samples:
    """A sine of amplitude 0.5: (S,) float32."""
    return (0.5 * np.sin(2 * np.pi * hz * np.arange(int(seconds * rate)) / rate)).astype(np.float32)


def correlation(a: Samples, b: Samples) -> float:
    n = min(len(a), len(b))
    return float(np.corrcoef(a[:n], b[:n])[0, 1])


def whole(path: Path, rate: int = AUDIO_RATE) -> Samples:
    return np.concatenate(list(read_audio(path, rate)))


@pytest.fixture
def encode(tmp_path: Path) -> Encode:
    """Write channels (C, S) to an audio file by PyAV."""

    def write(
        channels: Samples, rate: int, codec: str = "pcm_f32le", layout: str = "mono",
        suffix: str = "wav", sample_format: str = "flt",
    ) -> Path:  # fmt: skip
        path = tmp_path / f"speech.{suffix}"
        interleaved = np.atleast_2d(channels).T.reshape(1, -1)
        if sample_format == "s16":
            interleaved = np.rint(interleaved * 32767).astype(np.int16)
        with av.open(str(path), "w") as container:
            stream = container.add_stream(codec, rate=rate, layout=layout)
            frame = av.AudioFrame.from_ndarray(
                np.ascontiguousarray(interleaved), format=sample_format, layout=layout
            )
            frame.sample_rate, frame.pts, frame.time_base = rate, 0, Fraction(1, rate)
            container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
        return path

    return write


@pytest.mark.parametrize("rate", RATES)
def test_every_rate_is_read_at_48_khz(encode: Encode, rate: int) -> None:
    samples = whole(encode(tone(1.0, rate), rate))
    assert abs(len(samples) - AUDIO_RATE) <= 1
    assert samples.dtype == np.float32
    inner = slice(2000, -2000)
    assert np.abs(samples[inner] - tone(1.0, AUDIO_RATE)[: len(samples)][inner]).max() < 2e-3


@pytest.mark.parametrize(
    ("codec", "suffix", "sample_format"),
    [
        ("pcm_s16le", "wav", "s16"),
        ("pcm_f64le", "wav", "dbl"),
        ("flac", "flac", "s16"),
        ("libmp3lame", "mp3", "flt"),
        ("aac", "m4a", "flt"),
        ("libopus", "ogg", "flt"),
        ("libopus", "webm", "flt"),
    ],
)
def test_every_usual_codec_is_read_in_time(
    encode: Encode, codec: str, suffix: str, sample_format: str
) -> None:
    speech = tone(1.0, AUDIO_RATE) * (np.arange(AUDIO_RATE) > AUDIO_RATE // 2)
    channels = speech.astype(np.float64 if sample_format == "dbl" else np.float32)
    path = encode(channels, AUDIO_RATE, codec, suffix=suffix, sample_format=sample_format)
    assert correlation(whole(path), speech) > 0.99


@pytest.mark.parametrize(("layout", "count"), [("stereo", 2), ("5.1", 6), ("7.1", 8), ("quad", 4)])
@pytest.mark.parametrize("sample_format", ["flt", "s16"])
def test_channels_are_mixed_to_one_of_the_same_level(
    encode: Encode, layout: str, count: int, sample_format: str
) -> None:
    codec = "pcm_f32le" if sample_format == "flt" else "pcm_s16le"
    channels = np.tile(tone(0.5, AUDIO_RATE), (count, 1))
    samples = whole(encode(channels, AUDIO_RATE, codec, layout, sample_format=sample_format))
    assert np.abs(samples - channels[0]).max() < 1e-3


def test_another_rate_may_be_asked_for(encode: Encode) -> None:
    samples = whole(encode(tone(1.0, 44100), 44100), 16000)
    assert abs(len(samples) - 16000) <= 1


def test_the_duration_is_known_before_reading(encode: Encode) -> None:
    recording = read_audio(encode(tone(1.5, 16000), 16000))
    assert recording.duration_s == pytest.approx(1.5, abs=0.01)
    assert recording.sample_rate == AUDIO_RATE


def test_a_closed_recording_gives_nothing_more_and_holds_no_file(encode: Encode) -> None:
    recording = read_audio(encode(tone(1.5, 16000), 16000))
    recording.close()
    assert list(recording) == []
    assert recording.source.gi_frame is None


def test_clipped_samples_pass_and_blocks_are_small(encode: Encode) -> None:
    blocks = list(read_audio(encode(4 * tone(20.0, 16000), 16000)))
    assert max(np.abs(block).max() for block in blocks) == pytest.approx(2.0, abs=0.01)
    assert max(len(block) for block in blocks) < AUDIO_RATE


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("layout", ["mono", "stereo"])
def test_a_sample_that_is_not_finite_is_refused_by_its_place(
    encode: Encode, value: float, layout: str
) -> None:
    channels = np.tile(tone(2.0, 16000), (2 if layout == "stereo" else 1, 1))
    channels[-1, 20000] = value
    with pytest.raises(AudioError, match=r"not finite .* at 1\.250 s"):
        whole(encode(channels, 16000, layout=layout))


def test_empty_audio_is_refused(tmp_path: Path) -> None:
    with wave.open(str(tmp_path / "empty.wav"), "wb") as file:
        file.setparams((1, 2, 16000, 0, "NONE", ""))
    with pytest.raises(AudioError, match="no audio samples"):
        read_audio(tmp_path / "empty.wav")


def test_what_is_no_audio_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "notes.wav").write_text("not audio" * 50)
    (tmp_path / "nothing.wav").touch()
    picture = np.zeros((64, 64, 3), np.uint8)
    with av.open(str(tmp_path / "silent.mp4"), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width = stream.height = 64
        container.mux(stream.encode(av.VideoFrame.from_ndarray(picture)))
        container.mux(stream.encode(None))
    for name in ("notes.wav", "nothing.wav", "silent.mp4"):
        with pytest.raises(AudioError, match=name):
            read_audio(tmp_path / name)
    for name in ("missing.wav", ""):
        with pytest.raises(MediaError, match="cannot be read"):
            read_audio(tmp_path / name)


def test_a_cut_off_file_gives_what_is_there(encode: Encode, tmp_path: Path) -> None:
    path = encode(tone(2.0, AUDIO_RATE), AUDIO_RATE, "libmp3lame", suffix="mp3")
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert 0.8 < len(whole(path)) / AUDIO_RATE < 1.2


@pytest.mark.parametrize("rate", [1, 3999, 2_000_000_000])
def test_a_rate_that_no_speech_has_is_refused(encode: Encode, rate: int) -> None:
    path = encode(tone(0.1, 16000), 16000)
    content = bytearray(path.read_bytes())
    content[24:28] = rate.to_bytes(4, "little")
    path.write_bytes(content)
    with pytest.raises(AudioError, match=r"speech\.wav"):
        read_audio(path)


@pytest.mark.filterwarnings("ignore:.*damaged packets were left out")
@pytest.mark.parametrize(("codec", "suffix"), [("libmp3lame", "mp3"), ("aac", "m4a")])
def test_a_damaged_file_is_read_or_refused_but_nothing_else(
    encode: Encode, codec: str, suffix: str
) -> None:
    path = encode(tone(1.0, AUDIO_RATE), AUDIO_RATE, codec, suffix=suffix)
    undamaged = np.frombuffer(path.read_bytes(), np.uint8)
    damage = np.random.default_rng(0)
    for _ in range(60):
        content = undamaged.copy()
        content[damage.integers(0, len(content), 30)] = damage.integers(0, 256, 30)
        path.write_bytes(content)
        with contextlib.suppress(AudioError):
            assert np.isfinite(whole(path)).all()


def test_damaged_packets_are_left_out_with_a_warning(encode: Encode) -> None:
    path = encode(tone(2.0, AUDIO_RATE), AUDIO_RATE, "libmp3lame", suffix="mp3")
    content = bytearray(path.read_bytes())
    content[6000:6400] = bytes(400)
    path.write_bytes(content)
    with pytest.warns(UserWarning, match="damaged packets were left out"):
        samples = whole(path)
    assert len(samples) > 1.5 * AUDIO_RATE


@pytest.mark.filterwarnings("ignore:.*damaged packets were left out")
def test_the_format_may_change_on_the_way(encode: Encode) -> None:
    first = encode(tone(1.0, 44100), 44100, "libmp3lame", suffix="mp3").read_bytes()
    stereo = np.tile(tone(1.0, AUDIO_RATE), (2, 1))
    path = encode(stereo, AUDIO_RATE, "libmp3lame", "stereo", suffix="mp3")
    path.write_bytes(first + path.read_bytes())
    samples = whole(path)
    assert len(samples) == pytest.approx(2.05 * AUDIO_RATE, rel=0.02)
    assert np.abs(samples).max() == pytest.approx(0.5, abs=0.05)
