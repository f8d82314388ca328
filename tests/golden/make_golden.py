"""Write the golden values: what other libraries make of the corpus, with their versions.

Each part runs in an environment of its own, from this folder; `corpus` first:

    python make_golden.py corpus                      # numpy
    python make_golden.py whisper                     # transformers without torch (numpy path)
    python make_golden.py wav2lip                     # librosa 0.11
    python make_golden.py rap                         # librosa 0.11
    python make_golden.py kaldi --kaldi-py FILE       # torch, and torchaudio/compliance/kaldi.py

torchaudio itself needs a torch that it was built for; its `kaldi.py` alone does not.
"""

from __future__ import annotations

import argparse
import importlib.util
import sys
import types
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

HERE = Path(__file__).parent
RATE = 16000
Signal = NDArray[np.float32]
Features = NDArray[np.floating]


def voice(n_samples: int) -> NDArray[np.float64]:
    """Return vowel-like sound: harmonics of a gliding pitch under three formants, in syllables."""
    time_s = np.arange(n_samples) / RATE
    pitch_hz = 120 + 40 * np.sin(2 * np.pi * 1.3 * time_s)
    phase = 2 * np.pi * np.cumsum(pitch_hz) / RATE
    sound = np.zeros(n_samples)
    for harmonic in range(1, 40):
        hz = harmonic * pitch_hz
        gain = sum(
            1 / (1 + ((hz - formant) / width) ** 2)
            for formant, width in ((650, 80), (1250, 110), (2600, 160))
        )
        sound += gain * np.sin(harmonic * phase)
    return 0.2 * sound * np.clip(np.sin(2 * np.pi * 3 * time_s), 0, None)


def corpus() -> dict[str, Signal]:
    """Return the clips by name, 16 kHz, in [-1, 1]."""
    rng = np.random.default_rng(7)
    n = 4800
    impulse = np.zeros(n)
    impulse[1000] = 1
    breath = 0.02 * rng.standard_normal(16000)
    clips = {
        "speech": np.clip(voice(16000) + breath, -1, 1),
        "silence": np.zeros(n),
        "dc": np.full(n, 0.25),
        "impulse": impulse,
        "square": np.where(np.arange(n) // 40 % 2, 1.0, -1.0),
        "faint_noise": 1e-6 * rng.standard_normal(n),
        "short": 0.1 * rng.standard_normal(350),
    }
    return {name: clip.astype(np.float32) for name, clip in clips.items()}


def whisper(clip: Signal) -> Features:
    from transformers import WhisperFeatureExtractor

    extractor = WhisperFeatureExtractor(feature_size=80)
    return extractor._np_extract_fbank_features(clip[None], "cpu")[0].T


def wav2lip(clip: Signal) -> Features:
    """Follow audio.py of Wav2Lip, with the padding of the librosa that it pins."""
    import librosa
    import scipy.signal

    emphasised = scipy.signal.lfilter([1, -0.97], [1], clip.astype(np.float64))
    padded = np.pad(emphasised, 400, mode="reflect")
    magnitude = np.abs(librosa.stft(padded, n_fft=800, hop_length=200, center=False))
    filters = librosa.filters.mel(sr=RATE, n_fft=800, n_mels=80, fmin=55, fmax=7600)
    decibels = 20 * np.log10(np.maximum(1e-5, filters @ magnitude)) - 20
    return np.clip(8 * ((decibels + 100) / 100) - 4, -4, 4).T


def rap(clip: Signal) -> Features:
    import librosa

    mel = librosa.feature.melspectrogram(
        y=clip.astype(np.float64),
        sr=RATE,
        n_fft=512,
        win_length=400,
        hop_length=160,
        center=True,
        pad_mode="constant",
        n_mels=80,
        fmin=0,
        fmax=8000,
    )
    return np.log(np.maximum(mel, 1e-10)).T


def kaldi_from(file: Path) -> Callable[[Signal], Features]:
    """Return torchaudio's fbank in double precision, taken from its source file alone."""
    import torch

    sys.modules["torchaudio"] = types.ModuleType("torchaudio")
    spec = importlib.util.spec_from_file_location("kaldi", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)

    def fbank(clip: Signal) -> Features:
        if len(clip) < 400:  # refused there; no frame fits into it
            return np.zeros((0, 80))
        waveform = torch.from_numpy(clip.astype(np.float64))[None] * 32768
        return module.fbank(waveform, num_mel_bins=80, dither=0.0).numpy()

    return fbank


def versions(*names: str) -> list[str]:
    from importlib.metadata import version

    return [f"{name} {version(name)}" for name in ("numpy", *names)]


def write(part: str, features: Callable[[Signal], Features], made_by: list[str]) -> None:
    with np.load(HERE / "corpus.npz") as clips:
        values = {name: features(clips[name]).astype(np.float32) for name in clips.files}
    np.savez_compressed(HERE / f"{part}.npz", versions=np.array(made_by), **values)
    print(part, made_by, {name: value.shape for name, value in values.items()})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("part", choices=["corpus", "whisper", "wav2lip", "rap", "kaldi"])
    parser.add_argument("--kaldi-py", type=Path, help="torchaudio/compliance/kaldi.py")
    parser.add_argument("--torchaudio-version", default="2.8.0", help="where that file is from")
    args = parser.parse_args()
    if args.part == "corpus":
        np.savez_compressed(HERE / "corpus.npz", **corpus())
    elif args.part == "whisper":
        write("whisper", whisper, versions("transformers"))
    elif args.part == "kaldi":
        made_by = [*versions("torch"), f"torchaudio {args.torchaudio_version}"]
        write("kaldi_fbank", kaldi_from(args.kaldi_py), made_by)
    else:
        write(args.part, {"wav2lip": wav2lip, "rap": rap}[args.part], versions("librosa"))


if __name__ == "__main__":
    main()
