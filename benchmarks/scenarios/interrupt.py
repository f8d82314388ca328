"""`interrupt`: turns that are cut short at random moments; how soon the old speech is gone.

Every other turn is pushed in one piece, as by a synthesizer that is ahead of its time: then frames
are made in advance, and have to go.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rap_edge.benchmarks.pinned import Pinned
from rap_edge.benchmarks.report.record import Result, Value
from rap_edge.benchmarks.report.statistics import merged, percentiles
from rap_edge.benchmarks.scenarios.pulling import converse
from rap_edge.benchmarks.scenarios.speaking import AFTERMATH_S, Spoken, Turn, Words
from rap_edge.benchmarks.scenarios.stream import OPENING_S
from rap_edge.benchmarks.subjects import Opened
from rap_edge.errors import ConfigError

SCENARIO = "interrupt"
BEYOND_S = 0.5  # of speech that were still to come


@dataclass(frozen=True)
class InterruptSettings:
    """How often and when."""

    seconds: float = 20.0  # for each subject, about; one interrupt at least
    segment: int = 10  # interrupts in a row
    earliest_s: float = 0.1  # after the begin of the turn
    latest_s: float = 1.0
    pause_s: float = 0.1
    seed: int = 0

    def __post_init__(self) -> None:
        if self.segment < 1:
            raise ConfigError(f"segment is {self.segment}: expected 1 or more")
        if not 0 <= self.earliest_s <= self.latest_s:
            raise ConfigError(
                f"earliest_s is {self.earliest_s} and latest_s {self.latest_s}: expected 0 or "
                "more, in this order"
            )

    @property
    def interrupts(self) -> int:
        """How many fit into the time."""
        each_s = self.pause_s + (self.earliest_s + self.latest_s) / 2 + AFTERMATH_S
        return max(1, int(self.seconds / (each_s + OPENING_S / self.segment)))


def run(subjects: Sequence[Opened], pinned: Pinned, settings: InterruptSettings) -> list[Result]:
    """Cut turns of each subject short, in turns; the moments are the same for all.

    Raises QualityError if what was heard before a cut is not what was pushed.
    """
    words = Words(pinned, settings.latest_s + BEYOND_S)
    moments = np.random.default_rng(settings.seed).uniform(
        settings.earliest_s, settings.latest_s, settings.interrupts
    )
    spoken: dict[str, list[Spoken]] = {subject.label: [] for subject in subjects}
    for first in range(0, settings.interrupts, settings.segment):
        some = moments[first : first + settings.segment].tolist()
        for subject in subjects:
            spoken[subject.label] += _segment(subject, words, settings, some)
    return [_result(subject, spoken[subject.label]) for subject in subjects]


def _segment(
    subject: Opened, words: Words, settings: InterruptSettings, moments: Sequence[float]
) -> Sequence[Spoken]:
    turns = [
        Turn(
            words.cut(index * settings.latest_s, cut_s + BEYOND_S),
            settings.pause_s,
            cut_s,
            at_once=index % 2 == 1,
        )
        for index, cut_s in enumerate(moments)
    ]
    picture = np.empty_like(subject.avatar.image)
    with subject.avatar.open_stream(admission=False) as stream:
        return converse(stream, words.rate, turns, picture, subject.label).turns


def _result(subject: Opened, spoken: Sequence[Spoken]) -> Result:
    values, missing = interrupts(spoken)
    return subject.result(SCENARIO, values, missing)


def interrupts(spoken: Sequence[Spoken]) -> tuple[dict[str, Value], dict[str, str]]:
    """Return what the interrupts among turns took, and what was left of the old speech."""
    latencies = [turn.interrupt_ms for turn in spoken if turn.interrupt_ms is not None]
    until = [turn.old_until_ms for turn in spoken if turn.old_until_ms is not None]
    if not latencies:
        return {}, {"interrupt_ms": "no turn was interrupted"}
    old = Value(float(sum(turn.old_frames for turn in spoken)), n=len(latencies))
    return merged(
        percentiles("interrupt_ms", latencies),
        percentiles("old_until_ms", until),
        ({"old_frames": old}, {}),
    )
