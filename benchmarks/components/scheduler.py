"""FrameScheduler beside the policies of others, and what one of its calls costs.

The speech is live, the model stops three times, and time is virtual (`benchmarks.sync`): the same
seeds give the same numbers on every machine. Skew is that of the last second, when a stall has
long passed: what is left of it then stays.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from rap_edge._core import ActionKind, FrameScheduler
from rap_edge.benchmarks.components.contest import Contender, Settings, Turn, contest
from rap_edge.benchmarks.components.rows import Rows
from rap_edge.benchmarks.conversation import babble
from rap_edge.benchmarks.report.record import Result
from rap_edge.benchmarks.report.statistics import median, percentiles
from rap_edge.benchmarks.sync import POLICIES, Policy, stalls_of
from rap_edge.benchmarks.sync_policies import lags_ms, skew_of
from rap_edge.benchmarks.virtual import BLOCK_NS, FRAME_NS, MS, VirtualModel
from rap_edge.config import LIVE
from rap_edge.runtime.levels import ladder
from rap_edge.runtime.options import StreamOptions
from rap_edge.runtime.scheduling import scheduler_config

NAME = "scheduler"
STALLS_MS = (200, 800)
SEEDS = 4
SPEECH_S = 20.0
LAST = 100  # looks of 10 ms
CALLED_S = 20
POLLED = "rap-edge FrameScheduler, one call"
PUSH_NS = 2 * BLOCK_NS
PUSH_SAMPLES = 320
NEVER = "in a run the picture never was within 40 ms of the voice again"
Call = tuple[str, tuple[int, ...]]


def measure(settings: Settings, seeds: int = SEEDS) -> list[Result]:
    """Return the skew of every policy after stalls, and the CPU time of a call of ours."""
    skews = [
        skew(name, policy, stall_ms, seeds)
        for stall_ms in STALLS_MS
        for name, policy in POLICIES.items()
    ]
    calls = recorded(CALLED_S)
    one = Contender(POLLED, partial(_replay, calls), len(calls))
    rows = Rows(NAME, "us_per_call", contest([one], settings.seconds))
    return [*skews, rows.alone(POLLED)]


def skew(name: str, policy: Policy, stall_ms: int, seeds: int) -> Result:
    """Play live speech with a policy, once for each seed."""
    last: list[float] = []
    recovered: list[float | None] = []
    voice_late: list[float] = []
    for seed in range(seeds):
        stalls = stalls_of(stall_ms, SPEECH_S)
        played = policy(VirtualModel(seed, stalls), babble(SPEECH_S, seed), True)
        found = skew_of(played, stalls)
        times = np.arange(played.heard_ns[0], played.heard_ns[-1] + FRAME_NS, BLOCK_NS)
        last += np.abs(lags_ms(played, times)[-LAST:]).tolist()
        recovered.append(found.recovered_ms)
        voice_late.append(found.voice_late_ms)
    known = [one for one in recovered if one is not None]
    values, missing = percentiles("skew_ms", last)
    values["voice_late_ms"] = median(voice_late)
    if len(known) == seeds:
        values["recovery_ms"] = median(known)
    else:
        missing["recovery_ms"] = NEVER
    return Result(f"component.{NAME}", name, values, {"stall_ms": float(stall_ms)}, {}, missing)


def recorded(seconds: int) -> list[Call]:
    """Return every call that a stream makes of its scheduler while somebody speaks."""
    recorder = _Recorder(new_scheduler())
    now, model = 1000 * MS, VirtualModel()
    recorder.call("start", now, 0)
    epoch = recorder.call("begin", now)
    making: tuple[int, int] | None = None  # when a chunk is made, its id
    for push in range(seconds * 50):
        recorder.call("push_audio", PUSH_SAMPLES, now, epoch)
        until = 1000 * MS + (push + 1) * PUSH_NS
        while now < until:
            if making is not None and making[0] <= now:
                recorder.call("chunk_done", making[1], now)
                making = None
            action = recorder.call("poll", now)
            if action.kind == ActionKind.START_CHUNK:
                making = (model.finish(now, ladder(LIVE.sampler)[action.level]), action.chunk_id)
            elif action.kind == ActionKind.WAIT:
                due = min(action.until_ns, until)
                now = min(due, max(now, making[0])) if making else due
    return recorder.calls


def new_scheduler() -> FrameScheduler:
    """Return the scheduler of a live stream."""
    return FrameScheduler(scheduler_config(LIVE, ladder(LIVE.sampler), StreamOptions()))


class _Recorder:
    """Calls a scheduler and writes down what it called."""

    def __init__(self, scheduler: FrameScheduler) -> None:
        self._scheduler = scheduler
        self.calls: list[Call] = []

    def call(self, name: str, *given: int) -> Any:
        self.calls.append((name, given))
        return getattr(self._scheduler, name)(*given)


def _replay(calls: list[Call]) -> Turn:
    scheduler = new_scheduler()
    bound: list[tuple[Callable[..., object], tuple[int, ...]]] = [
        (getattr(scheduler, name), given) for name, given in calls
    ]

    def turn() -> None:
        for method, given in bound:
            method(*given)

    return turn
