"""The arithmetic between samples, hops, frames and latents, and RAP's own numbers."""

from __future__ import annotations

import json

import numpy as np
import pytest

from rap_edge.config import CONFIGS, LIVE, PAPER, ModelConfig, SamplerConfig
from rap_edge.errors import ConfigError
from rap_edge.noise import latent_noise, window_noise
from rap_edge.sampling import (
    chunk_at,
    chunk_noise,
    chunks_for,
    denoise_chunk,
    euler_step,
    retime,
    solver_times,
)
from rap_edge.timeline import Timeline
from rap_edge.training.windows import draw_window, window_frames


def test_paper_windows_are_81_and_88_of_121_frames() -> None:
    timeline, window = PAPER.timeline, PAPER.sampler.window
    assert timeline.latents(121) == 16
    assert window_frames(timeline, 0, window) == 81
    assert window_frames(timeline, 16 - window, window) == 88


def test_live_windows_are_17_and_20_of_29_frames() -> None:
    timeline, window = LIVE.timeline, LIVE.sampler.window
    assert timeline.latents(29) == 8
    assert window_frames(timeline, 0, window) == 17
    assert window_frames(timeline, 8 - window, window) == 20


def test_half_of_the_windows_are_static() -> None:
    rng = np.random.default_rng(0)
    first = [draw_window(rng, 16, 11) for _ in range(4000)]
    assert {0, 1, 5} <= set(first) <= set(range(6))
    assert abs(np.mean(np.array(first) == 0) - 0.5) < 0.03


@pytest.mark.parametrize("frames", range(1, 40))
def test_latents_cover_their_frames_exactly(frames: int) -> None:
    timeline = Timeline()
    n = timeline.latents(frames)
    assert timeline.frames_of(0, n).stop >= frames > timeline.frames_of(0, n - 1).stop


def test_hops_of_a_latent_are_those_of_its_frames() -> None:
    timeline = Timeline()
    for latent in range(1, 6):
        first_frame = timeline.frames_of(latent, 1).start
        assert timeline.first_hop(latent) == first_frame * timeline.hops_per_frame
    assert timeline.first_hop(0) == -12


def test_rates_that_do_not_divide_are_refused() -> None:
    with pytest.raises(ValueError, match="whole number of hops"):
        Timeline(hop_samples=200)


@pytest.mark.parametrize("overlap", [0, 1, 3, 4])
def test_chunks_cover_every_latent_once(overlap: int) -> None:
    sampler = SamplerConfig(overlap=overlap)
    for latents in range(1, 30):
        n = chunks_for(latents, sampler)
        covered = [j for i in range(n) for j in chunk_at(i, sampler).new]
        assert covered == list(range(len(covered)))
        assert len(covered) >= latents > len(covered) - (5 if n == 1 else sampler.advance)


def test_noise_depends_on_seed_and_index_alone() -> None:
    window = window_noise(7, 3, 5, (4, 2, 2))
    assert np.array_equal(window[2], latent_noise(7, 5, (4, 2, 2)))
    assert not np.array_equal(latent_noise(7, 5, (4, 2, 2)), latent_noise(8, 5, (4, 2, 2)))
    many = latent_noise(0, 0, (100, 100, 10))
    assert abs(many.mean()) < 0.01
    assert abs(many.std() - 1) < 0.01


def test_noise_is_the_same_on_every_machine() -> None:
    assert latent_noise(1, 2, (3,)).tolist() == pytest.approx(NOISE_OF_SEED_1_LATENT_2, abs=1e-6)


NOISE_OF_SEED_1_LATENT_2 = [1.4909242, 1.3944416, 0.3520448]


def test_solver_runs_from_noise_to_data() -> None:
    times = solver_times(SamplerConfig(steps=4, shift=3.0))
    assert times[0] == 0
    assert times[-1] == 1
    assert times == sorted(times)
    assert times[2] < solver_times(SamplerConfig(steps=4))[2]


def test_euler_with_the_true_data_arrives() -> None:
    x, clean = np.zeros(3), np.array([1.0, 2.0, 3.0])
    for time, following in ((0.0, 0.25), (0.25, 0.5), (0.5, 1.0)):
        x = euler_step(x, clean, time, following)
    assert x == pytest.approx(clean)


def test_without_overlap_chunks_are_independent() -> None:
    sampler = SamplerConfig(overlap=0, steps=3)
    noise = window_noise(0, 5, 5, (2, 2, 2))
    _, tails = denoise_chunk(lambda x, t: x * 0.5, window_noise(0, 0, 5, (2, 2, 2)), None, sampler)
    inherited, _ = denoise_chunk(lambda x, t: x * 0.5, noise, tails, sampler)
    alone, _ = denoise_chunk(lambda x, t: x * 0.5, noise, None, sampler)
    assert np.array_equal(inherited, alone)


def test_soft_guidance_inherits_the_tail_at_every_time() -> None:
    sampler = SamplerConfig(window=5, overlap=3, steps=2)
    seen = []

    def predict(x: np.ndarray, time: float) -> np.ndarray:
        seen.append((time, x.copy()))
        return x * 0.5

    _, tails = denoise_chunk(predict, window_noise(0, 0, 5, (2, 2, 2)), None, sampler)
    first = list(seen)
    seen.clear()
    denoise_chunk(predict, window_noise(0, 2, 5, (2, 2, 2)), tails, sampler)
    for (_, before), (_, after) in zip(first, seen, strict=True):
        assert np.array_equal(before[2:], after[:3])


@pytest.mark.parametrize("name", CONFIGS)
def test_configuration_survives_json(name: str) -> None:
    config = CONFIGS[name]
    assert ModelConfig.from_dict(json.loads(json.dumps(config.to_dict()))) == config


def test_unknown_configuration_key_is_refused_by_name() -> None:
    values = json.loads(json.dumps(LIVE.to_dict()))
    values["dit"]["dept"] = 3
    with pytest.raises(ConfigError, match=r"dit\.dept"):
        ModelConfig.from_dict(values)


def test_a_cooler_sampler_keeps_the_noise_of_the_free_channels() -> None:
    sampler = SamplerConfig(temperature=0.25, free_channels=2)
    noise = chunk_noise(3, chunk_at(1, sampler), (6, 2, 2), sampler)
    whole = window_noise(3, chunk_at(1, sampler).first, sampler.window, (6, 2, 2))
    np.testing.assert_array_equal(noise[:, :2], whole[:, :2])
    np.testing.assert_allclose(noise[:, 2:], 0.25 * whole[:, 2:], rtol=1e-6)


def test_slow_noise_is_normal_and_depends_on_the_index_alone() -> None:
    whole = window_noise(4, 0, 40, (8, 16, 16), span=20)
    assert abs(whole.std() - 1) < 0.02
    assert np.array_equal(window_noise(4, 7, 5, (8, 16, 16), span=20), whole[7:12])
    steps = np.diff(whole, axis=0)
    assert steps.std() < 0.3
    apart = (whole[20:] * whole[:20]).mean()  # as far apart as the noise remembers
    assert abs(apart) < 0.02


@pytest.mark.parametrize("step", [{"steps": 1}, {"steps": 4}])
def test_tails_of_another_number_of_steps_are_on_the_same_lines(step: dict[str, int]) -> None:
    old, new = SamplerConfig(steps=2, shift=3.0), SamplerConfig(shift=3.0, **step)
    noise = window_noise(0, 0, 5, (2, 2, 2))
    _, tails = denoise_chunk(lambda x, t: x * 0.5, noise, None, old)
    moved = retime(tails, old, new)
    assert len(moved) == new.steps + 1
    assert np.array_equal(moved[0], tails[0])
    assert np.array_equal(moved[-1], tails[-1])


def test_one_step_knows_what_two_would_have_inherited() -> None:
    """With one step the latent is the first guess, and two steps pass through its line."""
    one, two = SamplerConfig(steps=1, shift=3.0), SamplerConfig(steps=2, shift=3.0)
    noise = window_noise(0, 0, 5, (2, 2, 2))
    _, of_one = denoise_chunk(lambda x, t: x * 0.5, noise, None, one)
    _, of_two = denoise_chunk(lambda x, t: x * 0.5, noise, None, two)
    np.testing.assert_allclose(retime(of_one, one, two)[1], of_two[1], rtol=1e-6)


@pytest.mark.parametrize("setting", [{"temperature": -0.1}, {"free_channels": -1}])
def test_a_sampler_below_zero_is_refused(setting: dict[str, float]) -> None:
    with pytest.raises(ConfigError, match="expected 0 or more"):
        SamplerConfig(**setting)  # type: ignore[arg-type]
