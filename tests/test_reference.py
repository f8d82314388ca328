"""The offline pipeline: the same stream whatever its length, other noise for another seed."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from rap_edge.config import TINY, SamplerConfig
from rap_edge.models.model import RapModel
from rap_edge.reference import SILENCE, render, window_of_hops
from rap_edge.sampling import chunk_at


def tiny_model(sampler: SamplerConfig = TINY.sampler) -> RapModel:
    torch.manual_seed(0)
    model = RapModel(dataclasses.replace(TINY, sampler=sampler))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_(0, 0.1)
    return model.eval()


@pytest.fixture
def hops() -> np.ndarray:
    return np.random.default_rng(0).normal(-6, 3, (4 * 60, 80)).astype(np.float32)


PORTRAIT = np.random.default_rng(1).integers(0, 256, (64, 64, 3), np.uint8)


@pytest.mark.parametrize("guidance", [1.0, 2.0])
def test_a_longer_stream_begins_like_a_shorter_one(hops: np.ndarray, guidance: float) -> None:
    model = tiny_model(dataclasses.replace(TINY.sampler, guidance=guidance))
    long, short = render(model, PORTRAIT, hops, 41), render(model, PORTRAIT, hops, 17)
    assert long.shape == (41, 64, 64, 3)
    assert np.array_equal(long[:17], short)


def test_another_seed_gives_another_stream(hops: np.ndarray) -> None:
    model = tiny_model()
    first = render(model, PORTRAIT, hops, 5, seed=1)
    assert np.array_equal(first, render(model, PORTRAIT, hops, 5, seed=1))
    assert not np.array_equal(first, render(model, PORTRAIT, hops, 5, seed=2))


def test_without_overlap_a_chunk_does_not_depend_on_the_one_before(hops: np.ndarray) -> None:
    model = tiny_model(SamplerConfig(overlap=0))
    other = hops.copy()
    other[:30] += 1  # heard by the first chunk alone: the second starts at hop 68, less its context
    first, second = (render(model, PORTRAIT, part, 37) for part in (hops, other))
    assert not np.array_equal(first[:17], second[:17])
    assert np.array_equal(first[17:], second[17:])


def test_silence_stands_before_and_after_the_stream() -> None:
    model = tiny_model()
    hops = torch.zeros(10, 80)
    window = window_of_hops(model.config, hops, chunk_at(0, TINY.sampler))[0]
    start = TINY.audio.left_hops() + 12
    assert torch.all(window[:start] == SILENCE)
    assert torch.all(window[start : start + 10] == 0)
    assert torch.all(window[start + 10 :] == SILENCE)
    beyond = window_of_hops(model.config, hops, chunk_at(20, TINY.sampler))
    assert torch.all(beyond == SILENCE)
