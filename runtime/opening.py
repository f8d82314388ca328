"""From an avatar to a stream that is warm: its stages ran once, and how long they take is known."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from time import monotonic_ns
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from rap_edge.config import ModelConfig
from rap_edge.errors import ConfigError, Overloaded
from rap_edge.runtime.animator import Animator, Past
from rap_edge.runtime.idle import make_loop
from rap_edge.runtime.levels import Level, ladder
from rap_edge.runtime.live import Stream
from rap_edge.runtime.maker import NS_PER_S, Maker
from rap_edge.runtime.measures import Measures
from rap_edge.runtime.options import StreamOptions
from rap_edge.runtime.picture import Screen
from rap_edge.runtime.playout import PlayoutDevice
from rap_edge.runtime.pressure import ladder_floor, read_pressure
from rap_edge.runtime.script import right_context
from rap_edge.runtime.session import Session
from rap_edge.runtime.trace import Trace

if TYPE_CHECKING:
    from rap_edge.runtime.avatar import Avatar
    from rap_edge.runtime.model import Model

MARGIN_NS = 20_000_000
SEEDS, SLOWER = 3, 1.3
"""The first chunks of a stream vary more than the one that warmed it up: what is expected of them.

With the one alone 1.5 % of the frames of the first 2.4 s were held, with these 0.4 % (25 streams).
"""
_numbers = itertools.count()


@dataclass(frozen=True, eq=False)
class Warm:
    """What the first chunks left behind."""

    silence: NDArray[np.float32]  # (H, M) hops
    past: Past  # where the motion starts
    service_ns: dict[int, int]  # of a chunk, by level


def open_stream(
    avatar: Avatar,
    options: StreamOptions,
    trace: Trace | None = None,
    now: Callable[[], int] = monotonic_ns,
) -> Stream:
    """Open a stream; raises Overloaded if the machine cannot serve one more."""
    model, config = avatar.model, avatar.model.config
    timeline = config.timeline
    chunk = timeline.frames_per_latent * timeline.frame_samples
    spare_hops = _spare_hops(config, options.lookahead_ms)
    enough = (chunk + right_context(config, spare_hops)) / timeline.sample_rate
    measures = Measures(now(), enough, trace, model.placement)
    animator = Animator(config, model.graphs, avatar.reference, options.seed, measures)
    levels = ladder(config.sampler, spare_hops)
    warm = _warm_up(animator, model, levels, now)
    leave = _nothing
    if options.admission:
        try:
            leave = _enter(model, levels, warm)
        except Overloaded:  # or something else had the cores for a moment
            warm = _warm_up(animator, model, levels, now)
            leave = _enter(model, levels, warm)
    try:
        return _start(avatar, options, levels, animator, warm, measures, now, leave)
    except BaseException:
        leave()
        raise


def _warm_up(
    animator: Animator, model: Model, levels: tuple[Level, ...], now: Callable[[], int]
) -> Warm:
    """Make a chunk of silence at every level that makes any."""
    silence = np.tile(model.silence, (animator.hops_shape[0], 1))
    with model.turns.soon():
        past = animator.begin(silence)
    service = {}
    n_frames = animator.latent_shape[0]
    for index, level in enumerate(levels):
        if level.holds:
            continue
        out = np.empty((level.latents * n_frames, *animator.latent_shape[1:]), np.uint8)
        with model.turns.soon():
            start = now()
            animator.make(silence, past, level, out)
            service[index] = max(1, now() - start)
    return Warm(silence, past, service)


def _enter(model: Model, levels: tuple[Level, ...], warm: Warm) -> Callable[[], None]:
    """Take a place among the model's streams, and return what gives it back."""
    latent_s = model.config.timeline.frames_per_latent / model.config.fps
    load = min(ns / NS_PER_S / (levels[i].latents * latent_s) for i, ns in warm.service_ns.items())
    number = next(_numbers)
    model.admission.enter(number, load)
    return partial(model.admission.leave, number)


def _spare_hops(config: ModelConfig, lookahead_ms: int | None) -> int:
    """Return how many hops of the model's look-ahead a stream does not wait for."""
    audio = config.audio
    hop_ms = 1000 * audio.hop_samples // audio.sample_rate
    longest = audio.lookahead_hops * hop_ms
    if lookahead_ms is None:
        return 0
    if lookahead_ms % hop_ms or not 0 <= lookahead_ms <= longest:
        raise ConfigError(
            f"lookahead_ms is {lookahead_ms}: expected 0 to {longest} in steps of {hop_ms}"
        )
    return (longest - lookahead_ms) // hop_ms


def _nothing() -> None:
    """A stream that was let in unasked has no place to give back."""


def _start(
    avatar: Avatar,
    options: StreamOptions,
    levels: tuple[Level, ...],
    animator: Animator,
    warm: Warm,
    measures: Measures,
    now: Callable[[], int],
    leave: Callable[[], None],
) -> Stream:
    model, config = avatar.model, avatar.model.config
    device = None if options.playout is None else PlayoutDevice(options.playout.sample_rate, now)
    loop = None
    if options.idle == "loop":
        loop = make_loop(animator, warm.silence, warm.past, levels[0], model.turns)
    measures.forget_stages()  # of the warm-up
    screen = Screen(avatar.image, options.format)
    session = Session(
        config, animator, model.silence, levels, options, screen, warm.past, loop, device, measures
    )
    for index, nanoseconds in warm.service_ns.items():
        for _ in range(SEEDS):
            session.scheduler.seed_service(index, round(nanoseconds * SLOWER))
    mutex = threading.RLock()
    lock, made = threading.Condition(mutex), threading.Condition(mutex)
    floor = None if options.level is not None else partial(_floor, measures, now)
    maker = Maker(session, animator, model.turns, lock, made, now, floor)
    lead_ns = round(warm.service_ns[0] * SLOWER) + MARGIN_NS
    return Stream(session, maker, measures, lock, now, device, lead_ns, leave)


def _floor(measures: Measures, now: Callable[[], int]) -> int:
    """Read the pressure of the machine, and return the best level that it allows."""
    pressure = read_pressure(before=measures.pressure)
    measures.pressed(pressure, now())
    return ladder_floor(pressure.severity)
