"""Laws of FeatureSpec, of the normalisers and of one caller at a time."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from rap_edge._core import (
    FeatureSpec,
    Resampler,
    StreamingFeatures,
    wav2lip_normalize,
    whisper_normalize,
)
from rap_edge.errors import AudioError, ConcurrencyError, ConfigError

FINGERPRINTS = {
    "rap": "ff672cc862a68093",
    "whisper": "ac689601e3c98031",
    "wav2lip": "a17bfc7a8dde59cf",
    "kaldi_fbank": "3db7ed0ca779606c",
}


@pytest.mark.parametrize(("name", "fingerprint"), FINGERPRINTS.items())
def test_fingerprints_are_the_same_everywhere(name: str, fingerprint: str) -> None:
    spec: FeatureSpec = getattr(FeatureSpec, name)()
    assert spec.name == name
    assert spec.fingerprint() == fingerprint


def test_a_fingerprint_follows_the_fields() -> None:
    assert FeatureSpec.whisper(128).fingerprint() != FeatureSpec.whisper().fingerprint()
    assert FeatureSpec.whisper(80) == FeatureSpec.whisper()
    assert FeatureSpec.whisper(128) != FeatureSpec.whisper()
    assert FeatureSpec.rap() != "rap"
    assert len({FeatureSpec.rap(), FeatureSpec.rap(), FeatureSpec.wav2lip()}) == 2


def test_the_features_of_the_model_are_as_documented() -> None:
    spec = FeatureSpec.rap()
    assert (spec.sample_rate, spec.n_fft, spec.win_samples, spec.hop_samples) == (
        (16000, 512, 400, 160)
    )
    assert (spec.window, spec.center, spec.pad_mode) == ("hann", True, "constant")
    assert (spec.n_mels, spec.mel_scale, spec.mel_norm) == (80, "slaney", "slaney")
    assert (spec.fmin_hz, spec.fmax_hz, spec.log, spec.log_floor) == (0, 8000, "ln", 1e-10)
    assert (spec.spectrum, spec.preemphasis_scope, spec.drop_last) == ("power", "none", False)


def test_a_spec_is_read_only() -> None:
    with pytest.raises(AttributeError):
        FeatureSpec.rap().n_mels = 40  # type: ignore[misc]


@pytest.mark.parametrize("n_mels", [0, -1, 257])
def test_an_impossible_number_of_mels_is_refused(n_mels: int) -> None:
    with pytest.raises(ConfigError, match=f"n_mels is {n_mels}"):
        FeatureSpec.whisper(n_mels)
    with pytest.raises(ConfigError):
        FeatureSpec.kaldi_fbank(n_mels)


def test_whisper_normalisation_depends_on_the_window() -> None:
    logmel = np.array([[-12.0, -4.0], [0.0, -9.0]], np.float32)
    expected = (np.maximum(logmel, -8) + 4) / 4
    np.testing.assert_array_equal(whisper_normalize(logmel), expected)
    assert whisper_normalize(logmel[:1])[0, 0] == np.float32(-2)
    assert whisper_normalize(logmel[:0]).shape == (0, 2)


def test_wav2lip_normalisation_is_clipped() -> None:
    mel = np.array([[-200.0, -100.0, -50.0, 0.0, 20.0]], np.float32)
    np.testing.assert_array_equal(wav2lip_normalize(mel), [[-4, -4, 0, 4, 4]])


@pytest.mark.parametrize("normalize", [whisper_normalize, wav2lip_normalize])
@pytest.mark.parametrize(
    "bad", [np.zeros((2, 3)), np.zeros(3, np.float32), np.full((1, 1), np.nan, np.float32)]
)
def test_normalisers_refuse_what_they_cannot_use(normalize: object, bad: object) -> None:
    with pytest.raises(AudioError):
        normalize(bad)  # type: ignore[operator]


@pytest.mark.parametrize("stream", [StreamingFeatures(FeatureSpec.rap()), Resampler(48000)])
def test_a_second_caller_is_refused(stream: StreamingFeatures | Resampler) -> None:
    pcm = np.zeros(2_000_000, np.int16)
    refusals = 0
    while not refusals:
        stream.reset()
        caller = threading.Thread(target=stream.push, args=(pcm,))
        caller.start()
        while caller.is_alive():
            try:
                stream.push(pcm[:0])
            except ConcurrencyError:
                refusals += 1
                caller.join()
        caller.join()
    assert stream.samples_in == len(pcm)
