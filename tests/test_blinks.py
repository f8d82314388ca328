"""Blinks: irregular, the same for any push sizes, and only in frames of the latents they fall into.

In the synthetic bundle green counts latents through the decoder's state and blue is the portrait's.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

import rap_edge
from rap_edge.config import TINY
from rap_edge.portrait import Crop
from rap_edge.runtime import Avatar, Frame, Level
from rap_edge.runtime.blinks import DOUBLE_AFTER, HALF, SHUT, blinks, closed_references

RATE = 16000
OPEN_BLUE, HALF_BLUE, SHUT_BLUE = 77, 100, 200
SEEN_BEFORE = TINY.sampler.window  # latents that nobody sees
WINK = [HALF_BLUE, SHUT_BLUE, SHUT_BLUE, HALF_BLUE]


@pytest.fixture(scope="module")
def wide_awake(synthetic_bundle: Path) -> Avatar:
    photo = np.full((80, 100, 3), OPEN_BLUE, np.uint8)
    return rap_edge.open(synthetic_bundle, threads=1).avatar(photo, crop=Crop(10, 8, 64))


@pytest.fixture(scope="module")
def avatar(wide_awake: Avatar) -> Avatar:
    image = wide_awake.reference["reference_image"]
    lids = {
        f"{prefix}reference_image": np.full_like(image, blue)
        for prefix, blue in ((HALF, HALF_BLUE), (SHUT, SHUT_BLUE))
    }
    return replace(wide_awake, reference={**wide_awake.reference, **lids})


def blue(frames: list[Frame]) -> list[int]:
    return [int(frame.image[0, 0, 2]) for frame in frames]


def silence(seconds: float) -> NDArray[np.float32]:
    return np.zeros(int(RATE * seconds), np.float32)


@pytest.mark.parametrize("seed", [0, 1, 2**64 - 1])
def test_eyes_close_about_every_three_and_a_half_seconds(seed: int) -> None:
    falls = np.flatnonzero([blinks(seed, latent) for latent in range(12000)])
    gaps = np.diff(falls)
    doubles, alone = gaps == DOUBLE_AFTER, gaps[gaps != DOUBLE_AFTER]
    assert 3.2 < alone.mean() * 0.16 < 3.8
    assert alone.min() * 0.16 > 1.0
    assert alone.max() * 0.16 < 6.0
    assert alone.std() * 0.16 > 0.6
    assert 0.06 < doubles.sum() / len(alone) < 0.2


def test_two_seeds_blink_at_other_times() -> None:
    one, other = (np.array([blinks(seed, i) for i in range(2000)]) for seed in (3, 4))
    assert (one & other).sum() < 0.4 * one.sum()


def test_a_seed_or_latent_out_of_range_is_refused() -> None:
    for seed, latent in ((-1, 0), (2**64, 0), (0, -1)):
        with pytest.raises(ValueError, match="expected 0 to"):
            blinks(seed, latent)


def test_the_lids_fall_in_their_latents_and_nowhere_else(avatar: Avatar) -> None:
    frames = list(avatar.render(silence(12), sample_rate=RATE, seed=5))
    open_frames = [OPEN_BLUE] * 4
    latents = range(SEEN_BEFORE, SEEN_BEFORE + len(frames) // 4)
    expected = [WINK if blinks(5, latent) else open_frames for latent in latents]
    assert WINK in expected
    assert blue(frames) == [colour for latent in expected for colour in latent]
    assert [int(f.image[0, 0, 1]) for f in frames[::4]] == list(latents)  # the state goes on


@settings(max_examples=8, deadline=None)
@given(sizes=st.lists(st.integers(1, 9000), min_size=1, max_size=40), seed=st.integers(0, 9))
def test_any_push_sizes_blink_alike(avatar: Avatar, sizes: list[int], seed: int) -> None:
    pcm = silence(6)
    whole = blue(list(avatar.render(pcm, sample_rate=RATE, seed=seed)))
    stream, frames, start = avatar.frame_stream(RATE, seed), [], 0
    for size in sizes:
        frames += stream.push(pcm[start : start + size])
        start += size
    frames += stream.push(pcm[start:]) + stream.flush()
    assert blue(frames) == whole
    assert SHUT_BLUE in whole


def test_levels_with_fewer_steps_do_not_blink(avatar: Avatar) -> None:
    level = Level(TINY.sampler.steps - 1, 1)
    frames = list(avatar.render(silence(8), sample_rate=RATE, level=level))
    assert set(blue(frames)) == {OPEN_BLUE}


def test_without_the_graph_nobody_blinks(wide_awake: Avatar) -> None:
    frames = list(wide_awake.render(silence(8), sample_rate=RATE))
    assert set(blue(frames)) == {OPEN_BLUE}
    assert not any(name.startswith((HALF, SHUT)) for name in wide_awake.reference)


class Fake:
    """A graph that answers with a function of its inputs."""

    def __init__(self, answer: Any) -> None:
        self.run = answer


def eye(left: float) -> list[tuple[float, float]]:
    upper = [(0, 0), (7, -4), (14, -5), (21, -4), (28, 0)]
    lower, brow = [(7, 4), (14, 5), (21, 4)], [(5, -18), (14, -20), (23, -18)]
    return [((left + x) / 256 - 0.5, (110 + y) / 256 - 0.5) for x, y in (*upper, *lower, *brow)]


@pytest.mark.parametrize("side", [128, 256, 512])
def test_the_portrait_with_its_lids_shut_is_what_is_drawn_from(side: int) -> None:
    image = np.random.default_rng(0).integers(0, 256, (side, side, 3), np.uint8)
    points = np.array([[eye(80), eye(150)]], np.float32)
    fakes: Any = {
        "eyes": Fake(lambda inputs: {"points": points}),
        "portrait": Fake(lambda inputs: {"reference_image": inputs["reference"], "map": image}),
    }
    found = closed_references(fakes, image, fakes["portrait"].run({"reference": image[None]}))
    assert sorted(found) == ["half.reference_image", "shut.reference_image"]
    half, closed = (
        np.any(found[f"{name}reference_image"][0] != image, axis=-1) for name in (HALF, SHUT)
    )
    assert half.any()
    assert closed.sum() > half.sum()
    assert not closed[: int(0.3 * side)].any()
    assert not closed[int(0.5 * side) :].any()
    points[:] = 0
    assert closed_references(fakes, image, {"reference_image": image}) == {}
