"""One benchmark run: what is here is opened, checked, and measured in scenario after scenario."""

from __future__ import annotations

import gc
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from time import monotonic

from rap_edge.benchmarks.budget import Seconds, share_out
from rap_edge.benchmarks.kept import qualities
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
from rap_edge.benchmarks.subjects import Opened, able, open_subjects
from rap_edge.bundle import Bundle
from rap_edge.errors import BackendUnavailable
from rap_edge.runtime.cores import physical_cores
from rap_edge.runtime.power import Meter, Unavailable, find_meter

ALL = (
    single.SCENARIO,
    offline.SCENARIO,
    stream.SCENARIO,
    interrupt.SCENARIO,
    sessions.SCENARIO,
    cold.SCENARIO,
    soak.SCENARIO,
)
DEFAULT = tuple(name for name in ALL if name not in (sessions.SCENARIO, soak.SCENARIO))
QUICK = tuple(name for name in DEFAULT if name != interrupt.SCENARIO)
QUALITY_S, QUICK_QUALITY_S = 10.0, 2.0

Tell = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Settings:
    """What to measure and for how long."""

    scenarios: tuple[str, ...] = DEFAULT
    seconds: float = 20.0  # for each subject and scenario
    total_s: float | None = None  # for all together, in place of `seconds`
    threads: int | None = None  # of a graph; None is the physical cores
    only: tuple[str, ...] = ()  # labels of subjects; empty is all
    load: int = 0  # other processes that keep a core busy each, in stream and soak
    soak_minutes: float = 10.0
    starts: int = 5  # of a process, in cold
    watts_per_core: float | None = None  # to estimate energy where nothing measures it
    inputs: Mapping[str, Path] = field(default_factory=dict)  # files for the pinned ones, by name


def in_a_minute(settings: Settings) -> Settings:
    """Return settings that end in a minute."""
    return replace(settings, scenarios=QUICK, total_s=60.0, starts=1)


def measure(bundle: Bundle, settings: Settings, tell: Tell) -> Found:
    """Measure a bundle on this machine.

    New processes come first, while nothing is open here; a soak comes last, when nothing is any
    more. Raises BackendUnavailable if no variant runs here, NotSupported for a bundle without
    inputs.
    """
    began = monotonic()
    pinned = pinned_inputs(bundle, **settings.inputs)
    started = _started(bundle, settings) if cold.SCENARIO in settings.scenarios else []
    opened, refused = open_subjects(bundle, pinned.portrait, settings.threads, settings.only)
    if not opened:
        reasons = "; ".join(f"{one.label}: {one.refused}" for one in refused)
        raise BackendUnavailable(f"nothing of bundle {bundle.name!r} runs here: {reasons}")
    subjects = tuple(one.subject for one in opened)
    kept = qualities(opened, pinned, QUALITY_S if settings.total_s is None else QUICK_QUALITY_S)
    seconds = Seconds.alike(settings.seconds)
    if settings.total_s is not None:
        seconds = share_out(settings.total_s - (monotonic() - began), len(opened))
    meter = find_meter(watts_per_core=settings.watts_per_core)
    results = _in_turns(opened, pinned, settings, seconds, meter, tell)
    opened.clear()
    gc.collect()
    if soak.SCENARIO in settings.scenarios:
        results += _soaked(bundle, settings, subjects)
    known = {one.label for one in subjects}
    results += [one for one in started if one.subject in known]
    return Found(
        tuple(_with(kept, one) for one in results),
        (*subjects, *refused),
        pinned.inputs,
        _described(settings, seconds),
        (f"energy is that of {meter.what} ({meter.name})",) if isinstance(meter, Meter) else (),
    )


def _described(settings: Settings, seconds: Seconds) -> dict[str, float | str]:
    spent = {f"{name}_s": round(value, 2) for name, value in asdict(seconds).items()}
    return {**spent, "load": float(settings.load), "starts": float(settings.starts)}


def _in_turns(
    opened: Sequence[Opened],
    pinned: Pinned,
    settings: Settings,
    seconds: Seconds,
    meter: Meter | Unavailable,
    tell: Tell,
) -> list[Result]:
    """Run the scenarios in which subjects take turns in this process."""
    talk = stream.StreamSettings(seconds=seconds.stream, load=settings.load)
    work: dict[str, Callable[[], list[Result]]] = {
        single.SCENARIO: lambda: single.run(opened, pinned, seconds.single),
        offline.SCENARIO: lambda: joined(
            offline.run(opened, pinned, seconds.offline),
            energy.run(opened, pinned, seconds.energy, meter),
        ),
        stream.SCENARIO: lambda: stream.run(opened, pinned, talk),
        interrupt.SCENARIO: lambda: interrupt.run(opened, pinned, interrupt.InterruptSettings()),
        sessions.SCENARIO: lambda: sessions.run(opened, pinned, sessions.SessionsSettings()),
    }
    results: list[Result] = []
    wanted = [name for name in work if name in settings.scenarios]
    for done, name in enumerate(wanted):
        tell("scenarios", done, len(wanted))
        results += work[name]()
    tell("scenarios", len(wanted), len(wanted))
    return results


def _started(bundle: Bundle, settings: Settings) -> list[Result]:
    """Start processes for what may run here."""
    labels = [one.label for one in able(bundle, settings.only)]
    return cold.run(labels, bundle.path, _threads(settings), _files(settings), settings.starts)


def _soaked(bundle: Bundle, settings: Settings, subjects: Sequence[Subject]) -> list[Result]:
    labels = [one.label for one in subjects]
    talk = soak.SoakSettings(minutes=settings.soak_minutes, load=settings.load)
    return soak.run(labels, bundle.path, _threads(settings), _files(settings), talk)


def _threads(settings: Settings) -> int:
    return settings.threads or physical_cores()


def _files(settings: Settings) -> dict[str, str]:
    return {name: str(path) for name, path in settings.inputs.items()}


def joined(results: Sequence[Result], more: Sequence[Result]) -> list[Result]:
    """Put what two passes found of the same subjects into one row each."""
    return [_with({one.subject: one for one in more}, result) for result in results]


def _with(kept: Mapping[str, Result], result: Result) -> Result:
    """Put what is known of a subject beside what was measured of it now."""
    known = kept.get(result.subject)
    if known is None:
        return result
    return replace(
        result,
        values={**result.values, **known.values},
        missing={**result.missing, **known.missing},
    )
