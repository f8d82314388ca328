"""How long each scenario may measure, so that a quick run ends when it said it would."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rap_edge.benchmarks.subjects import Opened

KEPT_BACK = 0.12  # of the whole: for what is not measured, such as an answer that comes late
IMPORTS_S = 2.0
LEAST_S = 1.0
SHARES = {"single": 0.3, "offline": 0.25, "energy": 0.1, "stream": 0.35}


@dataclass(frozen=True)
class Seconds:
    """For each subject, in each scenario."""

    single: float
    offline: float
    energy: float
    stream: float

    @classmethod
    def alike(cls, seconds: float) -> Seconds:
        return cls(seconds, seconds, seconds / 2, seconds)


def share_out(total_s: float, spent_s: float, opened: Sequence[Opened], starts: int) -> Seconds:
    """Share what is left of ``total_s``, after ``starts`` new processes for each subject.

    Every scenario gets a second for each subject, even if there is nothing left.
    """
    start_s = sum(IMPORTS_S + (one.open_ms + one.avatar_ms) / 1000 for one in opened)
    left = total_s * (1 - KEPT_BACK) - spent_s - starts * start_s
    return Seconds(
        **{name: max(LEAST_S, share * left / len(opened)) for name, share in SHARES.items()}
    )
