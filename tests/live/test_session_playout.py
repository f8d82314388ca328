"""A session whose sound leaves through a device with a clock of its own."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from rap_edge.benchmarks.conversation import babble
from rap_edge.benchmarks.scene import RATE, Scene, resampled
from rap_edge.benchmarks.virtual import MS
from rap_edge.runtime.options import Idle
from rap_edge.runtime.playout import PlayoutDevice

FADE_SAMPLES = 240  # 5 ms


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


@pytest.mark.parametrize("latency_ms", [30, 100, 150, 250])
@pytest.mark.parametrize("cut", ["interrupt", "begin"])
def test_picture_and_voice_are_together_after_a_cut(latency_ms: int, cut: str) -> None:
    scene = Scene(playout=48_000, latency_ms=latency_ms)
    scene.wait(0.5)
    pcm = resampled(babble(6.0, 1), RATE, 48_000).clip(-1, 1)
    for _ in range(3):
        scene.say(pcm, 48_000, block=4800)
        scene.wait(2.31)
        if cut == "interrupt":
            scene.session.interrupt(scene.stream.now)
            scene.wait(0.5)
    skews = skews_ms(scene, scene.say(pcm[::-1].copy(), 48_000, block=4800), pcm[::-1])
    assert len(skews) > 140
    assert abs(np.median(skews) - 5) < 3  # a device that calls up to 10 ms late, 5 in the mean
    assert np.abs(skews - 5).max() < 40


def skews_ms(scene: Scene, utterance: int, pcm: NDArray[np.float32]) -> NDArray[np.float64]:
    """Let an utterance be heard; return how far each picture of it was behind the voice."""
    scene.wait(len(pcm) / 48_000 + 2)
    device = scene.device()
    probe = len(pcm) // 2
    found = np.flatnonzero(device == pcm[probe])
    start = (
        next(n for n in found if np.array_equal(device[n : n + 4800], pcm[probe:][:4800])) - probe
    )
    frames = [
        (f.index, at)
        for f, at in zip(scene.frames, scene.times, strict=True)
        if f.utterance == utterance and not f.late
    ]
    first = scene.spoken(utterance)[0].index
    skews = []
    for index, shown_ns in frames:
        block, into = divmod(start + (index - first) * 1920, 480)
        heard_ns = scene.block_times[block] + into * 1_000_000_000 // 48_000
        skews.append((shown_ns - heard_ns) / MS)
    return np.array(skews)


@pytest.mark.parametrize("idle", ["generate", "hold"])
@pytest.mark.parametrize("latency_ms", [30, 100, 250, 400])
def test_a_device_never_runs_dry_in_silence(latency_ms: int, idle: Idle) -> None:
    scene = Scene(playout=48_000, latency_ms=latency_ms, idle=idle)
    scene.wait(2)
    before = scene.dry
    scene.wait(20)
    assert scene.dry == before


@pytest.mark.parametrize("rate", [16_000, 48_000])
def test_a_device_fades_for_5_ms(rate: int) -> None:
    device, out = PlayoutDevice(rate, lambda: 0), np.empty(rate // 100, np.float32)
    device.write(np.ones(rate // 10, np.float32))
    device.clear(0)
    assert device.read_into(out) == rate // 200
    assert np.allclose(out[: rate // 200], np.arange(rate // 200)[::-1] / (rate // 200))


def test_a_host_time_that_falls_ends_no_callback() -> None:
    device, out = PlayoutDevice(48_000, lambda: 0), np.ones(480, np.float32)
    device.write(np.ones(960, np.float32))
    for host_ns in (10**9, 10**9 - 1):
        assert device.read_into(out, host_ns, 0) == 480
