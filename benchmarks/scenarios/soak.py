"""`soak`: a conversation of 10 to 30 minutes with one subject alone, in a process of its own.

Turns of 2 to 6 s and pauses, a share of them interrupted; every few seconds a sample of what a
chunk takes, of the memory and of the heat. The quality follows the load as in any stream, so that
chunks are compared where it was full: the first minute against the last one tells what the device
keeps up.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from time import monotonic

import numpy as np

from rap_edge.benchmarks.pinned import Pinned
from rap_edge.benchmarks.report.record import Result, Value
from rap_edge.benchmarks.report.statistics import merged
from rap_edge.benchmarks.scenarios import watched
from rap_edge.benchmarks.scenarios.interrupt import interrupts
from rap_edge.benchmarks.scenarios.load import busy
from rap_edge.benchmarks.scenarios.process import Asked, answer, in_own_process, open_asked
from rap_edge.benchmarks.scenarios.pulling import Segment, converse
from rap_edge.benchmarks.scenarios.sampling import Sampler, histories, sustained
from rap_edge.benchmarks.scenarios.speaking import Turn, Words, check_span
from rap_edge.benchmarks.subjects import Opened
from rap_edge.errors import BackendFailed, ConfigError
from rap_edge.strict_json import decode

SCENARIO = "soak"
OPENING_S = 60.0


@dataclass(frozen=True)
class SoakSettings:
    """How long to talk, and how."""

    minutes: float = 10.0
    sample_s: float = 2.0
    turn_s: tuple[float, ...] = (2.0, 6.0)  # shortest and longest
    pause_s: tuple[float, ...] = (0.3, 1.5)
    interrupted: float = 0.2  # share of the turns
    load: int = 0  # other processes, a busy core each
    seed: int = 0

    def __post_init__(self) -> None:
        if not self.minutes > 0 or not self.sample_s > 0:
            raise ConfigError(
                f"minutes is {self.minutes} and sample_s {self.sample_s}: expected more than 0"
            )
        check_span("turn_s", self.turn_s)
        check_span("pause_s", self.pause_s)
        if not 0 <= self.interrupted <= 1:
            raise ConfigError(f"interrupted is {self.interrupted}: expected a share, 0 to 1")


def run(
    asked: Sequence[Asked], settings: SoakSettings, tell: Callable[[int], object]
) -> list[Result]:
    """Talk with each subject, one after the other, each in a process of its own.

    One that fails has a result that says why, and the others are measured. ``tell`` is told how
    many have ended.
    """
    results = []
    for place, subject in enumerate(asked):
        tell(place)
        results.append(_in_own_process(subject, settings))
    return results


def _in_own_process(asked: Asked, settings: SoakSettings) -> Result:
    try:
        return in_own_process(
            __name__,
            replace(asked, settings=asdict(settings)),
            60 * settings.minutes + OPENING_S,
        )
    except BackendFailed as error:
        return Result(SCENARIO, asked.label, {}, missing={SCENARIO: str(error)})


def measure(asked: Asked, begun_s: float) -> Result:
    """Be the process: open the subject and talk with it."""
    return soak(*open_asked(asked), decode(SoakSettings, asked.settings, "settings"))


def soak(subject: Opened, pinned: Pinned, settings: SoakSettings) -> Result:
    """Talk with one subject in this process.

    Raises QualityError unless every turn was heard exactly as it was pushed.
    """
    words = Words(pinned, settings.turn_s[1])
    picture = np.empty_like(subject.avatar.image)
    with busy(settings.load), subject.avatar.open_stream(admission=False) as stream:
        sampler = Sampler(stream, settings.sample_s)
        sampler.start()
        try:
            talk = converse(stream, words.rate, _turns(words, settings), picture, subject.label)
        finally:
            sampler.end()
    return _result(subject, talk, sampler)


def _turns(words: Words, settings: SoakSettings) -> Iterator[Turn]:
    """Yield turns until the time is up."""
    rng = np.random.default_rng(settings.seed)
    until = monotonic() + 60 * settings.minutes
    (shortest_s, longest_s), (least_s, most_s) = settings.turn_s, settings.pause_s
    at_s = 0.0
    while monotonic() < until:
        pause_s, seconds = rng.uniform(least_s, most_s), rng.uniform(shortest_s, longest_s)
        is_cut = rng.random() < settings.interrupted
        cut_s = float(rng.uniform(0, seconds)) if is_cut else None
        yield Turn(words.cut(at_s, seconds), float(pause_s), cut_s)
        at_s += seconds


def _result(subject: Opened, talk: Segment, sampler: Sampler) -> Result:
    values, missing = merged(
        watched.pictures([talk]),
        watched.first_frames([talk]),
        watched.computing([talk]),
        interrupts(talk.turns),
        sustained(sampler.samples),
    )
    values["turns"] = Value(float(len(talk.turns)))
    return subject.result(SCENARIO, values, missing, histories(sampler.samples))


if __name__ == "__main__":
    answer(measure)
