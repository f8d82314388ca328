"""Quality against fp32 from pixels alone: where the mouth is, how far it opens, what is lost."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

import rap_edge
from rap_edge.benchmarks.pinned import pinned_inputs
from rap_edge.benchmarks.quality import (
    compare_with_exact,
    correlation,
    mouth_box,
    mouth_curve,
    pooled_psnr,
    reference_frames,
)
from rap_edge.bundle import open_bundle
from rap_edge.errors import ConfigError
from rap_edge.evaluation.metrics import decibels, pearson
from rap_edge.evaluation.regions import Box
from rap_edge.portrait import Crop
from rap_edge.runtime import Avatar

SIZE = 256
MOUTH = Box(140, 200, 90, 166)
Frames = NDArray[np.uint8]


@pytest.fixture(scope="module")
def avatar(synthetic_bundle: Path) -> Avatar:
    model = rap_edge.open(synthetic_bundle, backend="onnxruntime")
    return model.avatar(np.full((96, 96, 3), 90, np.uint8), Crop(0, 0, 96))


def placed(avatar: Avatar, placement: list[list[float]]) -> Avatar:
    image = np.zeros((SIZE, SIZE, 3), np.uint8)
    reference = {"reference_placement": np.array([placement], np.float32)}
    return replace(avatar, image=image, reference=reference)


def talking(opening: NDArray[np.float64], sway: NDArray[np.float64]) -> Frames:
    """Draw a mouth on speckled skin: ``opening`` moves all below it down, ``sway`` everything."""
    skin = np.random.default_rng(0).uniform(90, 200, (SIZE, SIZE)).astype(np.float32)
    skin = cv2.GaussianBlur(skin, (0, 0), 3) * 3 - 290
    x, y = np.meshgrid(np.arange(SIZE, dtype=np.float32), np.arange(SIZE, dtype=np.float32))
    frames = []
    for wide, moved in zip(opening, sway, strict=True):
        above = y - moved
        below = np.where(above > 165, np.maximum(above - wide, 165), above)
        picture = cv2.remap(
            skin, x, below.astype(np.float32), cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT
        )
        gap = (above > 165) & (above < 165 + wide) & (abs(x - 128) < 26)
        frames.append(np.where(gap, 20, np.clip(picture, 40, 255)))
    return np.repeat(np.stack(frames).astype(np.uint8)[..., None], 3, axis=-1)


@pytest.fixture(scope="module")
def opening() -> NDArray[np.float64]:
    rng = np.random.default_rng(1)
    return np.convolve(rng.uniform(0, 14, 84), np.ones(5) / 5, "valid")


def test_the_curve_follows_the_mouth_and_not_the_head(opening: NDArray[np.float64]) -> None:
    sway = 3 * np.sin(np.arange(len(opening)) / 5)
    curve = mouth_curve(talking(opening, sway), MOUTH)
    assert pearson(curve, opening) > 0.95
    still = mouth_curve(talking(np.full_like(opening, 5.0), sway), MOUTH)
    assert still.std() < curve.std() / 5


def test_the_box_moves_turns_and_grows_with_the_head(avatar: Avatar) -> None:
    upright = mouth_box(placed(avatar, [[1, 0, 0], [0, 1, 0]]))
    assert (upright.left, upright.right) == (96, 160)  # a quarter of the width to either side
    assert (upright.top, upright.bottom) == (135, 193)
    aside = mouth_box(placed(avatar, [[1, 0, 0.25], [0, 1, -0.125]]))
    assert (aside.left - upright.left, aside.top - upright.top) == (32, -16)
    near = mouth_box(placed(avatar, [[1.5, 0, 0], [0, 1.5, 0]]))
    assert near.right - near.left == 96
    turned = mouth_box(placed(avatar, [[0.98, 0.2, 0], [-0.2, 0.98, 0]]))
    assert turned.left + turned.right > upright.left + upright.right
    assert turned.right - turned.left > upright.right - upright.left
    outside = mouth_box(placed(avatar, [[1, 0, 5], [0, 1, 5]]))
    assert outside == Box(254, 256, 254, 256)


def test_a_bundle_that_places_no_heads_has_a_box(avatar: Avatar) -> None:
    bare = replace(avatar, image=np.zeros((SIZE, SIZE, 3), np.uint8), reference={})
    assert mouth_box(bare) == mouth_box(placed(avatar, [[1, 0, 0], [0, 1, 0]]))


def test_the_same_frames_lose_nothing(opening: NDArray[np.float64]) -> None:
    frames = talking(opening, np.zeros_like(opening))
    values = compare_with_exact(frames, frames.copy(), MOUTH)
    assert (values["frame_psnr_db"].value, values["mouth_psnr_db"].value) == (100.0, 100.0)
    assert values["mouth_curve_r"].value == pytest.approx(1.0)
    assert {value.n for value in values.values()} == {len(opening)}


def test_psnr_is_that_of_the_pooled_error(opening: NDArray[np.float64]) -> None:
    exact = talking(opening, np.zeros_like(opening))
    exact = np.clip(exact, 20, 235).astype(np.uint8)
    frames = exact.copy()
    frames[::2, MOUTH.top : MOUTH.bottom, MOUTH.left : MOUTH.right] += 8
    share = (MOUTH.bottom - MOUTH.top) * (MOUTH.right - MOUTH.left) / SIZE**2
    values = compare_with_exact(frames, exact, MOUTH)
    assert values["mouth_psnr_db"].value == pytest.approx(decibels(64 / 2))
    assert values["frame_psnr_db"].value == pytest.approx(decibels(64 / 2 * share))
    found = pooled_psnr(frames, exact)
    assert found.low is not None
    assert found.high is not None
    assert found.low <= found.value <= found.high


def test_r_falls_with_another_mouth_and_its_interval_holds_it(
    opening: NDArray[np.float64],
) -> None:
    rng = np.random.default_rng(2)
    for noise, least, most in ((0.0, 1.0, 1.0), (0.5, 0.9, 0.99), (100.0, -0.5, 0.5)):
        found = correlation(opening + noise * rng.standard_normal(len(opening)), opening)
        assert least - 1e-9 <= found.value <= most + 1e-9
        assert found.low is not None
        assert found.high is not None
        assert found.low <= found.value <= found.high
    assert correlation(np.zeros(len(opening)), opening).value == 0.0


def test_videos_of_two_lengths_are_refused(opening: NDArray[np.float64]) -> None:
    frames = talking(opening, np.zeros_like(opening))
    with pytest.raises(ConfigError, match="render both from the same inputs"):
        compare_with_exact(frames[:-1], frames, MOUTH)


def test_frames_are_those_of_the_speech_said_again(avatar: Avatar) -> None:
    pinned = pinned_inputs(open_bundle())
    frames = reference_frames(avatar, pinned, 8.1)
    assert frames.shape == (203, *avatar.image.shape)
    audio = pinned.lasting(8.1)
    expected = [f.image for f in avatar.render(audio, sample_rate=pinned.sample_rate)]
    np.testing.assert_array_equal(frames, np.stack(expected))


def test_int8_of_the_default_bundle_is_close_to_fp32() -> None:
    bundle = open_bundle()
    pinned = pinned_inputs(bundle)
    models = [rap_edge.open(bundle, backend="onnxruntime", precision=p) for p in ("int8", "fp32")]
    avatars = [model.avatar(pinned.portrait) for model in models]
    box = mouth_box(avatars[1])
    lips = Box(163, 176, 101, 148)  # of the pinned portrait at rest, by FaceMesh
    assert box.top < lips.top < lips.bottom < box.bottom
    assert box.left < lips.left < lips.right < box.right
    values = compare_with_exact(*(reference_frames(a, pinned, 2.0) for a in avatars), box)
    assert 40 < values["frame_psnr_db"].value < 60
    assert 36 < values["mouth_psnr_db"].value < values["frame_psnr_db"].value
    assert 0.97 < values["mouth_curve_r"].value < 1
