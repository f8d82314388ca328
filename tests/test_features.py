"""Laws of the audio features, held by the extension and by its numpy oracle alike."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from rap_edge import _core, features_oracle
from rap_edge._core import FeatureSpec
from rap_edge.errors import AudioError, ConfigError, StateError

Signal = NDArray[np.float32]
SPECS: dict[str, Callable[[], FeatureSpec]] = {
    "rap": FeatureSpec.rap,
    "whisper": FeatureSpec.whisper,
    "whisper128": lambda: FeatureSpec.whisper(n_mels=128),
    "wav2lip": FeatureSpec.wav2lip,
    "kaldi_fbank": FeatureSpec.kaldi_fbank,
}
both = pytest.mark.parametrize("made_by", [_core, features_oracle], ids=["core", "oracle"])
each_spec = pytest.mark.parametrize("name", SPECS)


def noise(n_samples: int) -> Signal:
    return np.random.default_rng(n_samples).uniform(-0.5, 0.5, n_samples).astype(np.float32)


def in_pieces(stream: Any, pcm: Signal, cuts: list[int]) -> Signal:
    rows = [stream.push(piece) for piece in np.split(pcm, sorted(cuts))]
    return np.concatenate([*rows, stream.finish()])


@both
@each_spec
@settings(deadline=None, max_examples=20)
@given(data=st.data())
def test_any_split_gives_bitwise_the_same_frames(made_by: Any, name: str, data: Any) -> None:
    spec = SPECS[name]()
    n = data.draw(st.integers(0, 5 * spec.n_fft), label="samples")
    cuts = data.draw(st.lists(st.integers(0, n), max_size=12), label="cuts")
    max_push = data.draw(st.sampled_from([1, 100, 16000]), label="max_push")
    stream = made_by.StreamingFeatures(spec, max_push)
    expected = made_by.offline_features(spec, noise(n))
    assert in_pieces(stream, noise(n), cuts).tobytes() == expected.tobytes()
    stream.reset()
    assert in_pieces(stream, noise(n), cuts).tobytes() == expected.tobytes()


@each_spec
@settings(deadline=None, max_examples=30)
@given(n=st.integers(0, 3000))
def test_core_equals_oracle(name: str, n: int) -> None:
    spec = SPECS[name]()
    ours, oracle = (
        made_by.offline_features(spec, noise(n)) for made_by in (_core, features_oracle)
    )
    assert ours.shape == oracle.shape
    np.testing.assert_allclose(ours, oracle, atol=2e-5, rtol=0)


@both
@pytest.mark.parametrize("n", [1, 159, 160, 399, 400, 560, 16000])
def test_number_of_frames(made_by: Any, n: int) -> None:
    frames = {key: len(made_by.offline_features(make(), noise(n))) for key, make in SPECS.items()}
    assert frames["rap"] == 1 + n // 160
    assert frames["wav2lip"] == 1 + n // 200
    assert frames["whisper"] == frames["whisper128"] == n // 160
    assert frames["kaldi_fbank"] == max(0, 1 + (n - 400) // 160)


@both
@each_spec
def test_a_frame_comes_with_its_last_sample(made_by: Any, name: str) -> None:
    stream = made_by.StreamingFeatures(SPECS[name]())
    stream.push(noise(3000))
    frame = stream.frames_emitted
    missing = stream.center_sample(frame) + stream.lookahead_samples - stream.samples_in
    assert stream.frames_for(missing - 1) == 0
    assert len(stream.push(noise(missing))) == 1


@both
@each_spec
def test_integers_equal_floats(made_by: Any, name: str) -> None:
    pcm16 = (noise(2000) * 32768).astype(np.int16)
    spec = SPECS[name]()
    as_float = made_by.offline_features(spec, (pcm16 / np.float32(32768)).astype(np.float32))
    assert made_by.offline_features(spec, pcm16).tobytes() == as_float.tobytes()


@both
@each_spec
def test_push_into_equals_push(made_by: Any, name: str) -> None:
    spec = SPECS[name]()
    stream, other = made_by.StreamingFeatures(spec), made_by.StreamingFeatures(spec)
    out = np.full((20, spec.n_mels), np.nan, np.float32)
    n = stream.push_into(noise(2000), out)
    np.testing.assert_array_equal(out[:n], other.push(noise(2000)))
    assert np.isnan(out[n:]).all()


BAD_PCM = {
    "list": [0.0, 0.1],
    "float64": np.zeros(10),
    "int32": np.zeros(10, np.int32),
    "big_endian": np.zeros(10, ">f4"),
    "two_axes": np.zeros((1, 10), np.float32),
    "no_axis": np.zeros((), np.float32),
    "strided": np.zeros(20, np.float32)[::2],
    "nan": np.array([0, np.nan], np.float32),
    "infinite": np.array([0, -np.inf], np.float32),
}


@both
@pytest.mark.parametrize("bad", BAD_PCM.values(), ids=BAD_PCM)
def test_bad_audio_is_refused_and_changes_nothing(made_by: Any, bad: Any) -> None:
    spec = FeatureSpec.wav2lip()
    stream = made_by.StreamingFeatures(spec)
    head, tail = noise(1500)[:777], noise(1500)[777:]
    rows = [stream.push(head)]
    with pytest.raises(AudioError):
        stream.push(bad)
    with pytest.raises(AudioError):
        stream.push_into(bad, np.zeros((50, 80), np.float32))
    with pytest.raises(AudioError):
        made_by.offline_features(spec, bad)
    rows += [stream.push(tail), stream.finish()]
    assert np.concatenate(rows).tobytes() == made_by.offline_features(spec, noise(1500)).tobytes()


@both
@pytest.mark.parametrize("shape", [(2, 80), (50, 79), (50, 81)])
def test_an_output_that_does_not_fit_is_refused_and_changes_nothing(
    made_by: Any, shape: tuple[int, int]
) -> None:
    stream = made_by.StreamingFeatures(FeatureSpec.rap())
    with pytest.raises(AudioError, match="out has shape"):
        stream.push_into(noise(2000), np.zeros(shape, np.float32))
    assert stream.samples_in == stream.frames_emitted == 0


@both
def test_only_reset_follows_finish(made_by: Any) -> None:
    stream = made_by.StreamingFeatures(FeatureSpec.rap())
    stream.finish()
    with pytest.raises(StateError):
        stream.push(noise(10))
    with pytest.raises(StateError):
        stream.push_into(noise(10), np.zeros((1, 80), np.float32))
    with pytest.raises(StateError):
        stream.finish()
    stream.reset()
    assert len(stream.push(noise(200))) == 1


@both
def test_max_push_must_be_positive(made_by: Any) -> None:
    with pytest.raises(ConfigError, match="max_push is 0"):
        made_by.StreamingFeatures(FeatureSpec.rap(), 0)


@both
@each_spec
def test_finite_audio_gives_finite_features(made_by: Any, name: str) -> None:
    for peak in (0.0, 1e-38, 1.0, 3e38):
        pcm = np.float32(peak) * np.sign(noise(2000))
        assert np.isfinite(made_by.offline_features(SPECS[name](), pcm)).all()
