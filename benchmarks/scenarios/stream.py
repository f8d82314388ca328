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
from rap_edge.benchmarks.scenarios.speaking import Turn, Words, check_span
from rap_edge.benchmarks.subjects import Opened
from rap_edge.errors import ConfigError

SCENARIO = "stream"
ROUNDS = 4  # at least, if the time allows: subjects are compared within a round
ANSWER_S = 0.4  # about, from the end of the pushes to the end of what is heard
OPENING_S = 0.4  # about: a stream is warmed up, and its first frame has a lead


@dataclass(frozen=True)
class StreamSettings:
    """How long to talk, and beside what."""

    seconds: float = 20.0  # for each subject, about; one segment at least
    turns: int = 5  # of a segment at most; fewer if that makes more segments
    turn_s: float = 0.6
    pause_s: tuple[float, ...] = (0.1, 0.26)  # shortest and longest: a chunk apart
    load: int = 0  # other processes, a busy core each
    seed: int = 0  # of the pauses

    def __post_init__(self) -> None:
        if self.turns < 1 or self.turn_s <= 0:
            raise ConfigError(
                f"turns is {self.turns} and turn_s {self.turn_s}: expected 1 or more, of more than "
                "0 s; without speech there is nothing to measure"
            )
        check_span("pause_s", self.pause_s)

    @property
    def turns_of_a_segment(self) -> int:
        """As many as leave time for `ROUNDS` segments of each subject."""
        takes_s = sum(self.pause_s) / 2 + self.turn_s + ANSWER_S
        n_turns = round((self.seconds / ROUNDS - OPENING_S) / takes_s)
        return max(1, min(self.turns, n_turns))


def run(subjects: Sequence[Opened], pinned: Pinned, settings: StreamSettings) -> list[Result]:
    """Talk with each subject in turns, a segment each, until the time is up.

    Every second round goes backwards, so that nobody always follows the same one. Each segment
    opens a stream anew. Raises QualityError for a voice that is not what was pushed.
    """
    words = Words(pinned, settings.turn_s)
    segments: dict[str, list[Segment]] = {subject.label: [] for subject in subjects}
    with busy(settings.load):
        for number in _rounds(settings.seconds * len(subjects)):
            for subject in subjects[:: -1 if number % 2 else 1]:
                segments[subject.label].append(_segment(subject, words, settings, number))
    return [_result(subject, segments[subject.label]) for subject in subjects]


def _rounds(seconds: float) -> Iterator[int]:
    """Count as many rounds as come closest to a time, one at least."""
    start = perf_counter()
    number = 0
    while number == 0 or (perf_counter() - start) * (number + 0.5) / number <= seconds:
        yield number
        number += 1


def _segment(subject: Opened, words: Words, settings: StreamSettings, number: int) -> Segment:
    """Talk for a while: what is said when, and where eyes blink, is the same for all subjects."""
    n_turns = settings.turns_of_a_segment
    shortest_s, longest_s = settings.pause_s
    rng = np.random.default_rng((settings.seed, number))
    pauses_s = rng.uniform(shortest_s, longest_s, n_turns)
    turns = [
        Turn(words.cut((number * n_turns + place) * settings.turn_s, settings.turn_s), pause_s)
        for place, pause_s in enumerate(pauses_s.tolist())
    ]
    picture = np.empty_like(subject.avatar.image)
    with subject.avatar.open_stream(admission=False, seed=number) as stream:
        return converse(stream, words.rate, turns, picture, subject.label)


def _result(subject: Opened, segments: Sequence[Segment]) -> Result:
    values, missing = merged(
        watched.pictures(segments),
        watched.rhythm(segments),
        watched.first_frames(segments),
        watched.skew(segments),
        watched.computing(segments),
    )
    return subject.result(SCENARIO, values, missing, watched.timeline(segments))
