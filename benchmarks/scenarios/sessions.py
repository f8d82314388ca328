"""`sessions`: 1, 2, 4, 8 conversations with one model at once, each in real time.

A stream is let in only if the machine can serve it (`Overloaded`). Where one is refused the row
says so, and more are not tried.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass

import numpy as np

from rap_edge.benchmarks.pinned import Pinned
from rap_edge.benchmarks.report.record import Result, Value
from rap_edge.benchmarks.report.statistics import merged
from rap_edge.benchmarks.scenarios import watched
from rap_edge.benchmarks.scenarios.pulling import Segment, converse
from rap_edge.benchmarks.scenarios.speaking import Turn, Words
from rap_edge.benchmarks.scenarios.stream import ANSWER_S, OPENING_S
from rap_edge.benchmarks.subjects import Opened
from rap_edge.errors import ConfigError, Overloaded
from rap_edge.runtime import Stream

SCENARIO = "sessions"


@dataclass(frozen=True)
class SessionsSettings:
    """How many at once, and what each of them says."""

    counts: tuple[int, ...] = (1, 2, 4, 8)
    seconds: float = 20.0  # for each subject, about; a turn of each session at least
    turn_s: float = 0.5
    pause_s: float = 0.2
    phase_s: float = 0.5  # a session begins to speak up to so much later than another
    seed: int = 0

    def __post_init__(self) -> None:
        if any(count < 1 for count in self.counts) or sorted(self.counts) != list(self.counts):
            raise ConfigError(f"counts is {self.counts}: expected numbers from 1 on, going up")
        if self.turn_s <= 0:
            raise ConfigError(
                f"turn_s is {self.turn_s}: expected more than 0; without speech there is nothing "
                "to measure"
            )

    @property
    def turns(self) -> int:
        """How many of each session fit into the time."""
        opening_s = sum(self.counts) * OPENING_S + len(self.counts) * self.phase_s
        takes_s = self.pause_s + self.turn_s + ANSWER_S
        return max(1, round((self.seconds - opening_s) / len(self.counts) / takes_s))


def run(subjects: Sequence[Opened], pinned: Pinned, settings: SessionsSettings) -> list[Result]:
    """Hold more and more conversations at once, with each subject in turns.

    Raises QualityError for a voice that is not what was pushed to its stream.
    """
    words = Words(pinned, settings.turn_s)
    results: list[Result] = []
    going = list(subjects)
    for count in settings.counts:
        for subject in tuple(going):
            try:
                results.append(_at_once(subject, words, settings, count))
            except Refused as refused:
                results.append(_refusal(subject, count, str(refused)))
                going.remove(subject)
    return results


class Refused(Exception):
    """Fewer streams were let in than there should be."""


def _at_once(subject: Opened, words: Words, settings: SessionsSettings, count: int) -> Result:
    phases = np.random.default_rng(settings.seed).uniform(0, settings.phase_s, count).tolist()
    with ExitStack() as stack:
        streams = _let_in(subject, stack, count)
        start_s, cpu_s = time.perf_counter(), time.process_time()
        with ThreadPoolExecutor(count) as pool:
            talks = [
                pool.submit(
                    _talk, subject, stream, words.rate, _turns(words, settings, index, phase_s)
                )
                for index, (stream, phase_s) in enumerate(zip(streams, phases, strict=True))
            ]
            segments = [talk.result() for talk in talks]
        cpu_s, elapsed_s = time.process_time() - cpu_s, time.perf_counter() - start_s
    return _result(subject, segments, cpu_s, elapsed_s)


def _let_in(subject: Opened, stack: ExitStack, count: int) -> list[Stream]:
    streams: list[Stream] = []
    for _ in range(count):
        try:
            streams.append(stack.enter_context(subject.avatar.open_stream()))
        except Overloaded as error:
            raise Refused(f"{len(streams)} of {count} streams were let in: {error}") from error
    return streams


def _turns(words: Words, settings: SessionsSettings, index: int, phase_s: float) -> list[Turn]:
    """Return what the session ``index`` says, each something else."""
    return [
        Turn(
            words.cut((index + turn) * settings.turn_s, settings.turn_s),
            settings.pause_s if turn else phase_s,
        )
        for turn in range(settings.turns)
    ]


def _talk(subject: Opened, stream: Stream, rate: int, turns: list[Turn]) -> Segment:
    return converse(stream, rate, turns, np.empty_like(subject.avatar.image), subject.label)


def _result(subject: Opened, segments: Sequence[Segment], cpu_s: float, elapsed_s: float) -> Result:
    values, missing = merged(watched.pictures(segments), watched.first_frames(segments))
    values["cores_busy"] = Value(cpu_s / elapsed_s)
    frames = sum(segment.n_frames for segment in segments)
    values["cpu_ms_per_frame"] = Value(1000 * cpu_s / frames, n=frames)
    return subject.result(SCENARIO, values, missing, at={"sessions": len(segments)})


def _refusal(subject: Opened, count: int, why: str) -> Result:
    told = {"late_percent": f"{why}; more were not tried"}
    return subject.result(SCENARIO, {}, told, at={"sessions": count})
