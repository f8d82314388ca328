"""Parity with transformers, librosa and torchaudio through values stored in tests/golden."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from rap_edge import _core, features_oracle
from rap_edge._core import FeatureSpec

GOLDEN = Path(__file__).parent / "golden"
CLIPS = ("speech", "silence", "dc", "impulse", "square", "faint_noise", "short")
SPECS = {
    "rap": FeatureSpec.rap(),
    "whisper": FeatureSpec.whisper(),
    "wav2lip": FeatureSpec.wav2lip(),
    "kaldi_fbank": FeatureSpec.kaldi_fbank(),
}
LARGEST = {"rap": 1e-4, "whisper": 2e-5, "wav2lip": 1e-4, "kaldi_fbank": 1e-3}
MEAN = {"rap": 2e-5, "whisper": 2e-6, "wav2lip": 1e-5, "kaldi_fbank": 2e-5}


def load(name: str, clip: str) -> NDArray[np.float32]:
    with np.load(GOLDEN / f"{name}.npz") as values:
        array: NDArray[np.float32] = values[clip]
    return array


def normalized(name: str, features: NDArray[np.float32]) -> NDArray[np.float32]:
    if name == "whisper":
        return _core.whisper_normalize(features)
    return _core.wav2lip_normalize(features) if name == "wav2lip" else features


@pytest.mark.parametrize("made_by", [_core, features_oracle], ids=["core", "oracle"])
@pytest.mark.parametrize("clip", CLIPS)
@pytest.mark.parametrize("name", SPECS)
def test_features_equal_the_reference(made_by: Any, name: str, clip: str) -> None:
    expected = load(name, clip)
    features = made_by.offline_features(SPECS[name], load("corpus", clip))
    ours = normalized(name, features)
    assert ours.shape == expected.shape
    errors = np.abs(ours - expected)
    assert errors.max(initial=0) <= LARGEST[name]
    assert errors.sum() <= MEAN[name] * errors.size


@pytest.mark.parametrize("name", SPECS)
def test_golden_values_say_what_made_them(name: str) -> None:
    with np.load(GOLDEN / f"{name}.npz") as values:
        assert len(values["versions"]) >= 2
        assert set(values.files) == {*CLIPS, "versions"}


def test_the_kaldi_of_kaldi_native_fbank_is_the_same() -> None:
    knf = pytest.importorskip("kaldi_native_fbank")
    options = knf.FbankOptions()
    options.frame_opts.dither = 0
    options.mel_opts.num_bins = 80
    fbank = knf.OnlineFbank(options)
    clip = load("corpus", "speech")
    fbank.accept_waveform(16000, (clip * 32768).tolist())
    fbank.input_finished()
    theirs = np.array([fbank.get_frame(i) for i in range(fbank.num_frames_ready)])
    ours = _core.offline_features(SPECS["kaldi_fbank"], clip)
    assert ours.shape == theirs.shape
    assert np.abs(ours - theirs).max() <= 1e-3
    assert np.abs(ours - theirs).mean() <= 2e-5
