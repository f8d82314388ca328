"""What must be read beside the numbers of a run: warnings, what is missing, what was refused."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rap_edge.benchmarks.host import Condition
from rap_edge.benchmarks.report.numbers import shown
from rap_edge.benchmarks.report.record import Result, Run
from rap_edge.benchmarks.report.statistics import ARE_NEEDED

FRAME_US = 40_000.0
OVERHEAD_SHARE = 0.01
WIDE = 0.1
TOO_FEW = "too few samples"
QUOTED = ("single", "offline")
HEADLINES = ("x_realtime", "fps", "speed_to_fp32", "chunk_ms_p50")
FASTEST = ("offline", "single")  # the first that was measured says which subject is the fastest
SEEN = (
    ("late_percent", "{} % late frames"),
    ("first_frame_ms_p50", "first frame after {} ms"),
)
DIGEST = 12  # digits of a digest that are shown


def facts_of(run: Run) -> dict[str, str]:
    """Return where, when and with what a run was made, by name, in the order to be shown."""
    measured = run.measured
    machine, _, software = str(run.host).partition("\n")
    facts = {
        "host": machine,
        "software": " ".join(software.split()),
        "before": str(run.before),
        "after": str(run.after),
        "power": _power(run.before),
        "bundle": f"{measured.bundle}, sha256 {measured.bundle_sha256[:DIGEST]}",
        "inputs": ", ".join(f"{one.name} {one.sha256[:DIGEST]}" for one in measured.inputs),
        "date": run.started,
        "command": run.command,
        "settings": ", ".join(f"{name} {said(value)}" for name, value in run.settings.items()),
        "overhead": _overhead(run.overhead_us_per_frame),
    }
    return {name: fact for name, fact in facts.items() if fact}


def _overhead(us: float | None) -> str:
    return "" if us is None else f"{us:.3g} us of the benchmark itself in a frame (single, offline)"


def headline_of(run: Run) -> str:
    """Return in one line what the fastest subject does; empty if no speed was measured."""
    speeds = [
        (scenario, result)
        for scenario in FASTEST
        for result in run.results
        if result.scenario == scenario and "x_realtime" in result.values
    ]
    if not speeds:
        return ""
    first = speeds[0][0]
    best = max(
        (result for scenario, result in speeds if scenario == first),
        key=lambda result: result.values["x_realtime"].value,
    )
    parts = [f"{shown(best.values['x_realtime'])} times real time"]
    for result in run.results:
        if result.scenario == "stream" and result.subject == best.subject:
            parts += [w.format(shown(result.values[n])) for n, w in SEEN if n in result.values]
    return f"{best.subject}: {', '.join(parts)}"


def said(setting: float | str) -> str:
    return setting if isinstance(setting, str) else f"{setting:g}"


def warnings_of(run: Run) -> tuple[str, ...]:
    """Return what makes the numbers of a run worth less."""
    found = list(run.notes)
    if (run.overhead_us_per_frame or 0) > OVERHEAD_SHARE * FRAME_US:
        found.append(
            f"the benchmark itself takes {run.overhead_us_per_frame:.0f} us of a frame: expected "
            f"{OVERHEAD_SHARE * FRAME_US:.0f} or less"
        )
    wide = _wide(run)
    if wide:
        found.append(
            f"intervals wider than {100 * WIDE:.0f} %: {'; '.join(wide)}: measure for longer, or "
            "close what else runs"
        )
    return tuple(found)


def refused_of(run: Run) -> tuple[str, ...]:
    return tuple(f"{one.label}: {one.refused}" for one in run.subjects if one.refused)


def missing_of(run: Run) -> tuple[str, ...]:
    """Return which quantities are missing, why, and where; what shares a reason is said once.

    Scenarios that failed as a whole come first; what only wants more samples comes last, without
    their numbers.
    """
    places: dict[tuple[str, str], list[Result]] = {}
    for result in run.results:
        for name, reason in result.missing.items():
            if name == result.scenario:
                continue
            few = reason.endswith(ARE_NEEDED)
            places.setdefault((TOO_FEW if few else reason, name), []).append(result)
    names: dict[tuple[str, str], list[str]] = {}
    for (reason, name), results in places.items():
        names.setdefault((reason, _where(results, run)), []).append(name)
    ordered = sorted(names, key=lambda key: key[0] == TOO_FEW)
    parts = (f"{', '.join(names[key])}: {key[0]} ({key[1]})" for key in ordered)
    return (*failures_of(run.results), *parts)


def failures_of(results: Iterable[Result]) -> tuple[str, ...]:
    """Return which scenarios failed as a whole, of whom and why."""
    failed: dict[tuple[str, str], list[str]] = {}
    for one in results:
        if one.scenario in one.missing:
            failed.setdefault((one.scenario, one.missing[one.scenario]), []).append(one.subject)
    return tuple(
        f"{scenario} of {', '.join(subjects)}: {reason}"
        for (scenario, reason), subjects in failed.items()
    )


def _wide(run: Run) -> list[str]:
    """Name the values that people quote and whose intervals are wide."""
    found: dict[str, list[str]] = {}
    for result in run.results:
        for name in HEADLINES if result.scenario in QUOTED else ():
            if name in result.values and (result.values[name].width or 0) > WIDE:
                found.setdefault(f"{name} ({result.scenario})", []).append(result.subject)
    return [f"{name} of {', '.join(subjects)}" for name, subjects in found.items()]


def _power(condition: Condition) -> str:
    said = {
        "mode": condition.power_mode,
        "governor": condition.governor,
        "source": condition.power_source,
    }
    return ", ".join(f"{name} {value}" for name, value in said.items() if value)


def _where(places: Sequence[Result], run: Run) -> str:
    """Name the scenarios of results; their subjects too, where not all are among them."""
    found, everyone = _subjects(places), _subjects(run.results)
    if found == everyone and len(places) == len(run.results):
        return "everywhere"
    scenarios: dict[tuple[str, ...], list[str]] = {}
    for name, subjects in found.items():
        some = () if subjects == everyone[name] else tuple(subjects)
        scenarios.setdefault(some, []).append(name)
    return "; ".join(
        ", ".join(names) + (f" of {', '.join(subjects)}" if subjects else "")
        for subjects, names in scenarios.items()
    )


def _subjects(results: Iterable[Result]) -> dict[str, dict[str, None]]:
    """Return the subjects of each scenario, each once."""
    found: dict[str, dict[str, None]] = {}
    for result in results:
        found.setdefault(result.scenario, {})[result.subject] = None
    return found
