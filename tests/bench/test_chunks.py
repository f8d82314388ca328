"""Chunks in turns: single and offline, and the cost of measuring."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from rap_edge.benchmarks.budget import LEAST_S, Seconds, share_out
from rap_edge.benchmarks.chunks import ChunkCost, Feed, StageTimes, over_and_over
from rap_edge.benchmarks.pinned import Pinned
from rap_edge.benchmarks.report.quantities import quantity_of
from rap_edge.benchmarks.scenarios import offline, single
from rap_edge.benchmarks.subjects import Opened
from rap_edge.benchmarks.turns import LEAST_ROUNDS, in_turns, speed_ratio
from rap_edge.runtime import low_latency

FRAMES = 4


def test_stages_and_the_rest_add_up_to_the_chunk(opened: list[Opened], pinned: Pinned) -> None:
    avatar = opened[0].avatar
    feed = Feed.of(avatar, pinned, low_latency(avatar.model.config.sampler))
    costs = [cost for cost in (feed.step() for _ in range(6)) if cost.n_frames]
    assert costs
    for cost in costs:
        assert cost.n_frames == FRAMES
        assert set(cost.stages_ms) == {
            "features_ms", "audio_ms", "denoiser_ms", "decoder_ms", "other_ms"
        }  # fmt: skip
        assert sum(cost.stages_ms.values()) == pytest.approx(cost.wall_ms)
        assert min(cost.stages_ms.values()) >= 0


def test_speech_is_said_over_and_over() -> None:
    blocks = over_and_over(np.arange(7, dtype=np.float32), 3)
    said = np.concatenate(list(itertools.islice(blocks, 4)))
    assert said.tolist() == [0, 1, 2, 3, 4, 5, 0, 1, 2, 3, 4, 5]
    short = next(over_and_over(np.arange(2, dtype=np.float32), 5))
    assert short.tolist() == [0, 1, 0, 1, 0]


class Clockwork:
    """A stream that gives frames from its second push on, and notes who was asked when."""

    def __init__(self, name: str, asked: list[str]) -> None:
        self._name, self._asked, self._pushes = name, asked, 0

    def push(self, pcm: np.ndarray) -> list[None]:
        self._asked.append(self._name)
        self._pushes += 1
        return [None] * FRAMES if self._pushes > 1 else []


def test_subjects_take_turns_forwards_and_backwards() -> None:
    asked: list[str] = []
    silence = itertools.repeat(np.zeros(1, np.float32))
    feeds = {name: Feed(Clockwork(name, asked), silence, StageTimes()) for name in "ab"}
    turns = in_turns(feeds, 2, 0.0)
    assert "".join(asked) == "aaabbb" + "aabb" + "bbaa" + "aabb"
    assert {name: len(found) for name, found in turns.items()} == dict.fromkeys("ab", LEAST_ROUNDS)
    assert all(len(turn) == 2 for found in turns.values() for turn in found)


def test_speed_is_the_median_of_pairs() -> None:
    def turn(ms: float) -> list[ChunkCost]:
        return [ChunkCost(FRAMES, ms, ms, {})]

    mine, exact = [turn(10), turn(20), turn(10)], [turn(20), turn(40), turn(90)]
    assert speed_ratio(mine, exact).value == 2


@pytest.mark.parametrize("scenario", [single, offline])
def test_a_row_for_every_subject(scenario, opened: list[Opened], pinned: Pinned) -> None:
    results = scenario.run(opened, pinned, 0.2)
    assert [one.subject for one in results] == [one.label for one in opened]
    for one in results:
        assert one.scenario == scenario.SCENARIO
        assert one.values["fps"].value > 0
        for name, value in one.values.items():
            assert quantity_of(name).unit is not None
            assert value.low is None or value.low <= value.value <= value.high


def test_a_quick_run_shares_out_what_is_left() -> None:
    seconds = share_out(50, 4)
    spent = 4 * (seconds.single + seconds.offline + seconds.energy + seconds.stream)
    assert 40 < spent < 50
    assert share_out(0, 4) == Seconds(*[LEAST_S] * 4)
