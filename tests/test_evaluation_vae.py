"""The fidelity of a VAE is measured on what its own offline pass would show."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from rap_edge.config import TINY
from rap_edge.evaluation import vae
from rap_edge.evaluation.metrics import HIGHEST_PSNR_DB
from rap_edge.evaluation.truth import TruthClip
from rap_edge.models.guided import GuidedVAE
from rap_edge.models.model import build_vae
from rap_edge.reference import to_uint8

SIDE = TINY.vae.resolution
N_FRAMES = 11


@pytest.fixture(scope="module")
def guided() -> GuidedVAE:
    torch.manual_seed(0)
    built = build_vae(TINY.vae)
    assert isinstance(built, GuidedVAE)
    return built.eval().requires_grad_(False)


@pytest.fixture(scope="module")
def clip() -> TruthClip:
    rng = np.random.default_rng(0)
    cells = (N_FRAMES, SIDE // 4, SIDE // 4)
    curve = np.zeros(N_FRAMES)
    reference = rng.integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)
    return TruthClip(
        name="clip",
        person="person.jpg",
        voice="voice",
        text="text",
        samples=np.zeros(N_FRAMES * 640, dtype=np.float32),
        reference=reference,
        reference_landmarks=rng.uniform(10, 50, (68, 2)).astype(np.float32),
        frames=np.stack([reference] * N_FRAMES),
        landmarks=rng.uniform(10, 50, (N_FRAMES, 68, 2)).astype(np.float32),
        rig_opening=curve,
        opening=curve,
        rest=0.0,
        flow=rng.normal(0, 4, (*cells, 2)).astype(np.float16),
        lips=rng.uniform(0, 1, cells).astype(np.float16),
        teeth=rng.uniform(0, 1, cells).astype(np.float16),
    )


def test_group_by_group_equals_the_offline_pass(guided: GuidedVAE, clip: TruthClip) -> None:
    portrait = guided.portrait(vae.to_tensor(clip.reference[None]))
    frames = clip.frames[:9]
    offline = guided.decode(guided.encode(vae.to_tensor(frames)[None], portrait), portrait)
    grouped = vae.from_pixels(guided, frames, portrait)
    assert grouped.shape == frames.shape
    np.testing.assert_allclose(grouped, to_uint8(offline[0]), atol=1)


def test_labels_become_maps_in_samples_of_a_quarter(clip: TruthClip) -> None:
    maps = vae.motion_maps(clip, 5)
    assert maps.shape == (5, 4, SIDE // 4, SIDE // 4)
    np.testing.assert_allclose(maps[2, 1].numpy(), clip.flow[2, ..., 1] / 4, rtol=1e-3)
    np.testing.assert_allclose(maps[2, 2].numpy(), clip.lips[2] / 4, rtol=1e-3)
    np.testing.assert_allclose(maps[2, 3].numpy(), clip.teeth[2], rtol=1e-3)


def test_a_clip_is_judged_whole_groups_long(guided: GuidedVAE, clip: TruthClip) -> None:
    found = vae.vae_result(guided, clip)
    assert found.copy.frame_db == HIGHEST_PSNR_DB
    assert found.labels is not None
    assert 0 < found.labels.frame_db < HIGHEST_PSNR_DB
    assert 0 < found.pixels.mouth_db < HIGHEST_PSNR_DB
