"""One benchmark run: what is here is opened, checked, and measured in scenario after scenario."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from time import monotonic

from rap_edge.benchmarks.against_fp32 import qualities
from rap_edge.benchmarks.budget import Seconds, share_out
from rap_edge.benchmarks.overhead import overhead_us_per_frame
from rap_edge.benchmarks.pinned import Pinned, pinned_inputs
from rap_edge.benchmarks.recorded import Found
from rap_edge.benchmarks.report.record import Result, Subject
from rap_edge.benchmarks.scenarios import (
    cold,
    energy,
    interrupt,
    offline,
    sessions,
    single,
    soak,
    stream,
)
from rap_edge.benchmarks.scenarios.process import Asked, handed
from rap_edge.benchmarks.settings import Settings
from rap_edge.benchmarks.subjects import Opened, able, open_subjects
from rap_edge.bundle import Bundle
from rap_edge.errors import BackendUnavailable
from rap_edge.runtime.cores import physical_cores
from rap_edge.runtime.power import Meter, Unavailable, find_meter

Tell = Callable[[str, int, int], None]
Work = Callable[[], list[Result]]
INTERRUPTED = "it was interrupted: what is missing was not measured"


def measure(bundle: Bundle, settings: Settings, tell: Tell) -> Found:
    """Measure a bundle on this machine.

    New processes come first, while nothing is open here; a soak comes last, when nothing is any
    more. A scenario that fails leaves a row that says why, and the others are measured. Raises
    BackendUnavailable if no variant runs here, NotSupported for a bundle without inputs.
    """
    began = monotonic()
    pinned = pinned_inputs(bundle, **settings.inputs)
    meter = find_meter(watts_per_core=settings.watts_per_core)
    notes = [f"energy is that of {meter.what} ({meter.name})"] if isinstance(meter, Meter) else []
    results: list[Result] = []
    subjects: tuple[Subject, ...] = ()
    kept: dict[str, Result] = {}
    seconds = Seconds.alike(settings.seconds)
    try:
        with handed(pinned) as folder:
            asked = _asked(bundle, settings, pinned, folder)
            results += _new_processes(asked, settings, tell)
            opened, refused = _opened(bundle, settings, pinned)
            subjects = (*(one.subject for one in opened), *refused)
            kept = qualities(bundle, opened, pinned, settings.quality_s)
            seconds = _seconds(settings, monotonic() - began, len(opened))
            results.extend(_in_turns(opened, pinned, settings, seconds, meter, tell))
            opened.clear()
            gc.collect()
            results += _soaked([one for one in asked if one.label in kept], settings, tell)
    except KeyboardInterrupt:
        notes.append(INTERRUPTED)
    return Found(
        tuple(_with(kept, one) for one in results if one.subject in kept or not kept),
        subjects,
        pinned.inputs,
        {**settings.described(), **seconds.described()},
        tuple(notes),
        overhead_us_per_frame(),
    )


def _opened(
    bundle: Bundle, settings: Settings, pinned: Pinned
) -> tuple[list[Opened], list[Subject]]:
    opened, refused = open_subjects(bundle, pinned.portrait, settings.threads, settings.only)
    if not opened:
        reasons = "; ".join(f"{one.label}: {one.refused}" for one in refused)
        raise BackendUnavailable(f"nothing of bundle {bundle.name!r} runs here: {reasons}")
    return opened, refused


def _seconds(settings: Settings, spent_s: float, n_subjects: int) -> Seconds:
    if settings.total_s is None:
        return Seconds.alike(settings.seconds)
    return share_out(settings.total_s - spent_s, n_subjects)


def _asked(bundle: Bundle, settings: Settings, pinned: Pinned, folder: str) -> list[Asked]:
    """Return how processes of their own open what may run here."""
    return [
        Asked(
            label=one.label,
            variant=one.variant.label,
            device=one.device,
            threads=settings.threads or physical_cores(),
            bundle=settings.bundle,
            trust=settings.trust,
            inputs=folder,
            sample_rate=pinned.sample_rate,
        )
        for one in able(bundle, settings.only)
    ]


def _new_processes(asked: Sequence[Asked], settings: Settings, tell: Tell) -> list[Result]:
    if cold.SCENARIO not in settings.scenarios:
        return []
    total = settings.starts * len(asked)
    return cold.run(asked, settings.starts, lambda done: tell("new processes", done, total))


def _soaked(asked: Sequence[Asked], settings: Settings, tell: Tell) -> list[Result]:
    if soak.SCENARIO not in settings.scenarios:
        return []
    talk = soak.SoakSettings(minutes=settings.soak_minutes, load=settings.load)
    return soak.run(asked, talk, lambda done: tell("soaks", done, len(asked)))


def _in_turns(
    opened: Sequence[Opened],
    pinned: Pinned,
    settings: Settings,
    seconds: Seconds,
    meter: Meter | Unavailable,
    tell: Tell,
) -> Iterator[Result]:
    """Run the scenarios in which subjects take turns in this process, one after the other."""
    talk = stream.StreamSettings(seconds=seconds.stream, load=settings.load)
    cuts = interrupt.InterruptSettings(seconds=settings.seconds)
    crowd = sessions.SessionsSettings(seconds=settings.seconds)
    work: dict[str, Work] = {
        single.SCENARIO: lambda: single.run(opened, pinned, seconds.single),
        offline.SCENARIO: lambda: joined(
            offline.run(opened, pinned, seconds.offline),
            energy.run(opened, pinned, seconds.energy, meter),
        ),
        stream.SCENARIO: lambda: stream.run(opened, pinned, talk),
        interrupt.SCENARIO: lambda: interrupt.run(opened, pinned, cuts),
        sessions.SCENARIO: lambda: sessions.run(opened, pinned, crowd),
    }
    wanted = [name for name in work if name in settings.scenarios]
    for done, name in enumerate(wanted):
        tell("scenarios", done, len(wanted))
        try:
            yield from work[name]()
        except Exception as error:  # what others measured is not lost
            why = f"{type(error).__name__}: {error}"
            yield from (one.result(name, {}, {name: why}) for one in opened)
    tell("scenarios", len(wanted), len(wanted))


def joined(results: Sequence[Result], more: Sequence[Result]) -> list[Result]:
    """Put what two passes found of the same subjects into one row each."""
    return [_with({one.subject: one for one in more}, result) for result in results]


def _with(kept: Mapping[str, Result], result: Result) -> Result:
    """Put what is known of a subject beside what was measured of it now, if anything was."""
    known = kept.get(result.subject)
    if known is None or not result.values:
        return result
    return replace(
        result,
        values={**result.values, **known.values},
        missing={**result.missing, **known.missing},
    )
