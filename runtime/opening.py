"""From an avatar to a stream that is warm: its stages ran once, and how long they take is known."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable
from dataclasses import asdict
from time import monotonic_ns
from typing import TYPE_CHECKING

import numpy as np

from rap_edge.runtime.animator import Animator, Past
from rap_edge.runtime.idle import make_loop
from rap_edge.runtime.levels import Level, ladder
from rap_edge.runtime.live import Stream
from rap_edge.runtime.maker import NS_PER_S, Maker
from rap_edge.runtime.measures import Measures
from rap_edge.runtime.options import StreamOptions
from rap_edge.runtime.picture import Screen
from rap_edge.runtime.playout import PlayoutDevice
from rap_edge.runtime.pressure import Pressure, ladder_floor, read_pressure
from rap_edge.runtime.script import right_context
from rap_edge.runtime.session import Session
from rap_edge.runtime.trace import Trace

if TYPE_CHECKING:
    from rap_edge.runtime.avatar import Avatar

MARGIN_NS = 20_000_000
_numbers = itertools.count()


def open_stream(
    avatar: Avatar,
    options: StreamOptions,
    trace: Trace | None = None,
    now: Callable[[], int] = monotonic_ns,
) -> Stream:
    """Open a stream; raises Overloaded if the machine cannot serve one more."""
    model, config = avatar.model, avatar.model.config
    levels = ladder(config.sampler)
    timeline = config.timeline
    chunk = timeline.frames_per_latent * timeline.frame_samples
    enough = (chunk + right_context(config)) / timeline.sample_rate
    measures = Measures(now(), enough, trace)
    animator = Animator(config, model.graphs, avatar.reference, options.seed, measures)
    silence = np.tile(model.silence, (animator.hops_shape[0], 1))
    past = animator.begin(silence)
    service = _warm_up(animator, silence, past, levels)
    number = next(_numbers)
    if options.admission:
        seconds = {index: levels[index].latents * chunk / timeline.sample_rate for index in service}
        load = min(took / NS_PER_S / seconds[index] for index, took in service.items())
        model.admission.enter(number, load)
    device = None if options.playout is None else PlayoutDevice(options.playout.sample_rate, now)
    loop = make_loop(animator, silence, past, levels[0]) if options.idle == "loop" else None
    screen = Screen(avatar.image, options.format)
    session = Session(
        config, animator, model.silence, levels, options, screen, past, loop, device, measures
    )
    for index, nanoseconds in service.items():
        session.scheduler.seed_service(index, nanoseconds)
    lock = threading.Condition()
    floor = None if options.level is not None else _Heat().floor
    maker = Maker(session, animator, model.turns, lock, now, floor)
    placement = {name: asdict(place) for name, place in model.placement.items()}
    return Stream(
        session,
        maker,
        measures,
        lock,
        now,
        device,
        service[0] + MARGIN_NS,
        placement,
        lambda: model.admission.leave(number),
    )


def _warm_up(
    animator: Animator, silence: np.ndarray, past: Past, levels: tuple[Level, ...]
) -> dict[int, int]:
    """Make a chunk of silence at every level that makes any; return how long each took in ns."""
    service = {}
    n_frames = animator.latent_shape[0]
    for index, level in enumerate(levels):
        if level.holds:
            continue
        out = np.empty((level.latents * n_frames, *animator.latent_shape[1:]), np.uint8)
        start = monotonic_ns()
        animator.make(silence, past, level, out)
        service[index] = monotonic_ns() - start
    return service


class _Heat:
    """The pressure of the machine from reading to reading."""

    def __init__(self) -> None:
        self._before: Pressure | None = None

    def floor(self) -> int:
        self._before = read_pressure(before=self._before)
        return ladder_floor(self._before.severity)
