"""Chunks in turns: single and offline, and the cost of measuring."""

from __future__ import annotations

import itertools
import time
from collections import Counter
from functools import partial

import numpy as np
import pytest

from rap_edge.benchmarks import chunks
from rap_edge.benchmarks.budget import LEAST_S, Seconds, share_out
from rap_edge.benchmarks.chunks import ChunkCost, Feed, StageTimes, over_and_over
from rap_edge.benchmarks.costs import (
    FrameCost,
    cost_values,
    costs_of,
    frame_cost,
    speed_ratio,
    x_realtime,
)
from rap_edge.benchmarks.pinned import Pinned
from rap_edge.benchmarks.report.quantities import quantity_of
from rap_edge.benchmarks.scenarios import offline, single
from rap_edge.benchmarks.subjects import Opened
from rap_edge.benchmarks.turns import LEAST_ROUNDS, in_turns, orders
from rap_edge.config import LIVE
from rap_edge.runtime import low_latency, throughput
from rap_edge.runtime.blinks import STRETCH

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


def test_the_first_chunk_of_a_turn_does_not_count() -> None:
    asked: list[str] = []
    feed = Feed(Clockwork("a", asked), itertools.repeat(np.zeros(1, np.float32)), StageTimes())
    assert [chunk.n_frames for chunk in feed.turn(2)] == [FRAMES] * 2
    assert len(asked) == 1 + 1 + 2  # without frames, not counted, counted
    assert len(feed.turn(2)) == 2
    assert len(asked) == 4 + 1 + 2


def test_stages_are_told_by_the_clock_of_the_stages(
    opened: list[Opened], pinned: Pinned, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chunks, "perf_counter_ns", lambda: time.perf_counter_ns() - 10**15)
    feed = Feed.of(opened[0].avatar, pinned, low_latency(opened[0].model.config.sampler))
    stages_ms = feed.chunk().stages_ms
    assert min(stages_ms.values()) >= 0
    assert max(stages_ms.values()) < 10**6


@pytest.mark.parametrize("n", range(2, 9))
def test_orders_let_everybody_follow_everybody_and_nobody_twice(n: int) -> None:
    cycle = 2 * n  # holds whole squares, odd or even
    rounds = list(itertools.islice(orders(n), 2 * cycle))
    assert rounds[:cycle] == rounds[cycle:]
    assert all(sorted(order) == list(range(n)) for order in rounds)
    everybody = [place for order in rounds for place in order]
    assert all(one != after for one, after in itertools.pairwise(everybody))
    if n > 2:
        pairs = Counter(pair for order in rounds[:cycle] for pair in itertools.pairwise(order))
        assert pairs == dict.fromkeys(itertools.permutations(range(n), 2), 2)
        places = Counter(pair for order in rounds[:cycle] for pair in enumerate(order))
        assert set(places.values()) == {2}


def test_subjects_take_turns_and_the_first_do_not_count() -> None:
    asked: list[str] = []

    def turn(name: str) -> int:
        asked.append(name)
        return len(asked)

    found = in_turns({name: partial(turn, name) for name in "abc"}, 0.0, 2, 1)
    assert "".join(asked) == "abc" + "bca" + "cab"
    assert found == {"a": [6, 8], "b": [4, 9], "c": [5, 7]}
    assert len(in_turns({"a": lambda: 1})["a"]) == LEAST_ROUNDS
    assert in_turns({}, 60.0) == {}


def test_a_frame_costs_its_share_of_all_chunks_also_of_those_in_which_eyes_blink() -> None:
    usual, blinking = ChunkCost(4, 10.0, 12.0, {}), ChunkCost(4, 16.0, 21.0, {})
    cost = frame_cost([usual, usual, blinking])
    assert cost == FrameCost(3.0, 3.75)
    wall_ms, cpu_ms = costs_of([cost])
    assert x_realtime(wall_ms, 25.0).tolist() == pytest.approx([40 / 3])
    assert cost_values(wall_ms, cpu_ms)["cores_busy"].value == 1.25


def test_speed_is_the_median_of_pairs() -> None:
    mine = [FrameCost(ms, ms) for ms in (10, 20, 10)]
    exact = [FrameCost(ms, ms) for ms in (20, 40, 90)]
    assert speed_ratio(mine, exact).value == 2


def test_a_turn_holds_a_blink_if_there_is_time() -> None:
    level = throughput(LIVE.sampler)
    assert offline.chunks_a_turn(level, 0.1, 20.0) * level.latents == STRETCH
    assert offline.chunks_a_turn(level, 0.1, 3.0) == 6
    assert offline.chunks_a_turn(level, 100.0, 3.0) == offline.LEAST_CHUNKS


@pytest.mark.parametrize("scenario", [single, offline])
def test_a_row_for_every_subject(scenario, opened: list[Opened], pinned: Pinned) -> None:
    results = scenario.run(opened, pinned, 0.2)
    assert [one.subject for one in results] == [one.label for one in opened]
    for one in results:
        assert one.scenario == scenario.SCENARIO
        assert one.values["frame_ms"].value > 0
        assert ("fps" in one.values) == ("x_realtime" in one.values) == (scenario is offline)
        for name, value in one.values.items():
            assert quantity_of(name).unit is not None
            assert value.low is None or value.low <= value.value <= value.high


def test_a_quick_run_shares_out_what_is_left() -> None:
    seconds = share_out(50, 4)
    spent = 4 * (seconds.single + seconds.offline + seconds.energy + seconds.stream)
    assert 40 < spent < 50
    assert share_out(0, 4) == Seconds(*[LEAST_S] * 4)
