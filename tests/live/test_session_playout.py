"""A session whose sound leaves through a device with a clock of its own."""

from __future__ import annotations

import numpy as np
import pytest

from rap_edge.benchmarks.conversation import babble
from rap_edge.benchmarks.scene import RATE, Scene, resampled
from rap_edge.runtime.playout import FADE_SAMPLES


@pytest.mark.parametrize("ppm", [-200.0, 0.0, 200.0])
def test_a_device_reads_exactly_the_script(ppm: float) -> None:
    scene, pcm = Scene(playout=48_000, ppm=ppm), babble(20.0, 6)
    scene.wait(0.5)
    scene.say(pcm, live=True)
    scene.wait(3)
    wanted = resampled(pcm, RATE, 48_000)
    device = scene.device()
    start = int(np.flatnonzero(device)[0]) - int(np.flatnonzero(wanted)[0])
    assert np.array_equal(device[start : start + len(wanted)], wanted)
    assert not device[start + len(wanted) :].any()


@pytest.mark.parametrize("seed", range(6))
def test_a_device_that_is_interrupted_fades_and_is_silent(seed: int) -> None:
    rng = np.random.default_rng(seed)
    scene = Scene(playout=48_000, ppm=100.0, seed=seed)
    pcm = resampled(babble(4.0, seed), RATE, 48_000).clip(-1, 1)
    scene.wait(0.5)
    scene.say(pcm, 48_000, block=4800)
    scene.wait(rng.uniform(0.4, 2))
    begun = int(np.flatnonzero(scene.device())[0]) - int(np.flatnonzero(pcm)[0])
    read = len(scene.device())
    scene.session.interrupt(scene.stream.now)
    again = scene.say(pcm[::-1].copy(), 48_000, block=4800)
    scene.wait(6)
    device = scene.device()
    assert np.array_equal(device[begun:read], pcm[: read - begun])
    fade = device[read : read + FADE_SAMPLES]
    assert np.all(np.abs(fade) <= np.abs(pcm[read - begun : read - begun + FADE_SAMPLES]) + 1e-6)
    rest = device[read + FADE_SAMPLES :]
    start = int(np.flatnonzero(rest)[0]) - int(np.flatnonzero(pcm[::-1])[0])
    assert np.array_equal(rest[start : start + len(pcm)], pcm[::-1])
    shown = [f for f in scene.frames if f.utterance == again and not f.late]
    assert len(shown) > 90
