"""`stream`: a conversation in real time, 20 ms a push, 25 frames a second; what is seen of it.

An open loop: speech comes on its own schedule and frames are due by the clock, whether or not the
picture follows, so that whatever queues up is seen. Held, repeated and half-rate frames are late.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from time import perf_counter

import numpy as np

from rap_edge.benchmarks.pinned import Pinned
from rap_edge.benchmarks.report.record import Result
from rap_edge.benchmarks.report.statistics import merged
from rap_edge.benchmarks.scenarios import watched
from rap_edge.benchmarks.scenarios.load import busy
from rap_edge.benchmarks.scenarios.pulling import Segment, converse
from rap_edge.benchmarks.scenarios.speaking import Turn, Words
from rap_edge.benchmarks.subjects import Opened
from rap_edge.errors import ConfigError

SCENARIO = "stream"
ANSWER_S = 0.5  # about, from the end of the pushes to the end of what is heard


@dataclass(frozen=True)
class StreamSettings:
    """How long to talk, and beside what."""

    seconds: float = 20.0  # for each subject, about; one segment at least
    turns: int = 3  # of a segment, or fewer if the time is short
    turn_s: float = 1.0
    pause_s: float = 0.3
    load: int = 0  # other processes, a busy core each

    def __post_init__(self) -> None:
        if self.turns < 1 or self.turn_s <= 0:
            raise ConfigError(
                f"turns is {self.turns} and turn_s {self.turn_s}: expected 1 or more, of more than "
                "0 s; without speech there is nothing to measure"
            )


def run(opened: Sequence[Opened], pinned: Pinned, settings: StreamSettings) -> list[Result]:
    """Talk with each subject in turns, a segment each, until the time is up.

    Each segment opens a stream anew. Raises QualityError for a voice that is not what was pushed.
    """
    words = Words(pinned, settings.turn_s)
    segments: dict[str, list[Segment]] = {one.label: [] for one in opened}
    with busy(settings.load):
        for number in _rounds(settings.seconds * len(opened)):
            for one in opened:
                segments[one.label].append(_segment(one, words, settings, number))
    return [_result(one, segments[one.label]) for one in opened]


def _rounds(seconds: float) -> Iterator[int]:
    """Count rounds as long as one more of them ends in time."""
    start = perf_counter()
    number = 0
    while number == 0 or (perf_counter() - start) * (number + 1) / number <= seconds:
        yield number
        number += 1


def _segment(one: Opened, words: Words, settings: StreamSettings, number: int) -> Segment:
    turn_takes_s = settings.pause_s + settings.turn_s + ANSWER_S
    n_turns = max(1, min(settings.turns, int(settings.seconds / turn_takes_s)))
    turns = [
        Turn(words.cut(turn * settings.turn_s, settings.turn_s), settings.pause_s)
        for turn in range(number * n_turns, (number + 1) * n_turns)
    ]
    picture = np.empty_like(one.avatar.image)
    with one.avatar.open_stream(admission=False) as stream:
        return converse(stream, words.rate, turns, picture, one.label)


def _result(one: Opened, segments: Sequence[Segment]) -> Result:
    values, missing = merged(
        watched.pictures(segments),
        watched.rhythm(segments),
        watched.first_frames(segments),
        watched.skew(segments),
        watched.computing(segments),
    )
    return one.result(SCENARIO, values, missing, watched.timeline(segments))
