"""Render a second of the example with onnxruntime, and write all that leads to the frames.

``python render_second.py int8 out.npz``, in a folder with examples/.
"""

import sys

import numpy as np

import rap_edge
from rap_edge._core import FeatureSpec, Resampler, offline_features
from rap_edge.media import read_audio

FROM_S, TO_S = 1, 2  # the example is silent at first


def main(precision: str, out: str) -> None:
    recording = read_audio("examples/speech.flac")
    rate = recording.sample_rate
    pcm = np.concatenate(list(recording))[FROM_S * rate : TO_S * rate]  # (S,)
    spec = FeatureSpec.rap()
    resampler = Resampler(rate, spec.sample_rate)
    resampled = np.concatenate([resampler.push(pcm), resampler.finish()])
    model = rap_edge.open(backend="onnxruntime", precision=precision, threads=1)
    avatar = model.avatar("examples/portrait.jpg")
    frames = [frame.image for frame in avatar.render(pcm, sample_rate=rate, seed=0)]
    np.savez(
        out,
        pcm=pcm,
        resampled=resampled,
        features=offline_features(spec, resampled),
        portrait=avatar.image,
        frames=np.stack(frames),
        verified=all(placed.verified for placed in model.placement.values()),
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
