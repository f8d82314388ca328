"""Pinned inputs: the same photo and the same samples on every machine, hashed in the records."""

from __future__ import annotations

import hashlib
from pathlib import Path

import av
import numpy as np
import pytest

from rap_edge.benchmarks.pinned import pinned_inputs
from rap_edge.bundle import DEFAULT, extract_bundle, open_bundle
from rap_edge.errors import AudioError, InvalidBundle, MediaError, NotSupported, PortraitError
from rap_edge.photo import read_photo

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
PORTRAIT, SPEECH = EXAMPLES / "portrait.jpg", EXAMPLES / "speech.flac"
MD5 = slice(26, 42)  # of the samples, as the encoder wrote it into a FLAC file (RFC 9639, 8.2)


def test_the_default_bundle_pins_the_examples() -> None:
    pinned = pinned_inputs(open_bundle())
    assert [(i.name, i.sha256) for i in pinned.inputs] == [
        (name, hashlib.sha256(path.read_bytes()).hexdigest())
        for name, path in (("portrait", PORTRAIT), ("speech", SPEECH))
    ]
    np.testing.assert_array_equal(pinned.portrait, read_photo(PORTRAIT))


def test_samples_are_those_of_the_file_and_nothing_else() -> None:
    pinned = pinned_inputs(open_bundle())
    with av.open(str(SPEECH)) as container:
        pcm = np.concatenate([frame.to_ndarray()[0] for frame in container.decode(audio=0)])
    assert pcm.dtype == np.int16
    assert pinned.sample_rate == 22_050
    assert pinned.speech.dtype == np.float32
    np.testing.assert_array_equal(pinned.speech, pcm.astype(np.float32) / 2**15)
    assert hashlib.md5(pcm.astype("<i2").tobytes()).digest() == SPEECH.read_bytes()[MD5]


def test_speech_is_said_again_to_last() -> None:
    pinned = pinned_inputs(open_bundle())
    long = pinned.lasting(10.0)
    assert len(long) == 220_500
    np.testing.assert_array_equal(long[: len(pinned.speech)], pinned.speech)
    np.testing.assert_array_equal(long[len(pinned.speech) :][:99], pinned.speech[:99])


def test_named_files_go_before_the_bundles(synthetic_bundle: Path, tmp_path: Path) -> None:
    bundle = open_bundle(synthetic_bundle)
    given = pinned_inputs(bundle, PORTRAIT, SPEECH)
    built_in = pinned_inputs(open_bundle())
    assert given.inputs == built_in.inputs
    np.testing.assert_array_equal(given.speech, built_in.speech)


def test_an_own_file_is_known_by_its_digest_alone(tmp_path: Path) -> None:
    (tmp_path / "jane-doe.jpg").write_bytes(PORTRAIT.read_bytes())
    mixed = pinned_inputs(open_bundle(), portrait=tmp_path / "jane-doe.jpg")
    assert mixed.inputs == pinned_inputs(open_bundle()).inputs
    assert [i.name for i in mixed.inputs] == ["portrait", "speech"]


def test_a_bundle_without_inputs_says_what_to_do(synthetic_bundle: Path) -> None:
    with pytest.raises(NotSupported, match="pass --portrait and --speech, or pack them in"):
        pinned_inputs(open_bundle(synthetic_bundle), portrait=PORTRAIT)


def test_damaged_inputs_are_refused(tmp_path: Path) -> None:
    part = extract_bundle(open_bundle(), tmp_path / "part", ["onnxruntime/fp32"])
    place = part.path / "inputs/speech.flac"
    content = bytearray(place.read_bytes())
    content[-1] ^= 1
    place.write_bytes(bytes(content))
    with pytest.raises(InvalidBundle, match="its content differs"):
        pinned_inputs(part)


def test_files_that_cannot_be_used_are_named(tmp_path: Path) -> None:
    bundle = open_bundle(DEFAULT)
    with pytest.raises(PortraitError, match=r"speech\.flac is not a picture"):
        pinned_inputs(bundle, portrait=SPEECH)
    with pytest.raises(AudioError, match=r"portrait\.jpg has no audio track"):
        pinned_inputs(bundle, speech=PORTRAIT)
    with pytest.raises(MediaError, match="cannot be read"):
        pinned_inputs(bundle, speech=tmp_path / "nowhere.flac")
