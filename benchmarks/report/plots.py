"""The plots of a run: latency, the timeline of frames, the curve of a soak, and those of cost."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rap_edge.benchmarks.report.bars import component_plots, stage_plot
from rap_edge.benchmarks.report.curves import scaling_plots
from rap_edge.benchmarks.report.numbers import plain, shown
from rap_edge.benchmarks.report.record import Result, Run
from rap_edge.benchmarks.report.svg import (
    ALARM,
    INK,
    Plot,
    colour_of,
    drawing,
    label,
    legend,
    line_of,
    rows_of_axes,
    svg_of,
    thinned,
    together,
)

ON_TIME_MS, LATE_MS = 40.0, 60.0
BINS = 60
SOAK = {
    "soak_chunk_ms": "a chunk, ms",
    "soak_rss_mb": "memory, MB",
    "soak_temperature_c": "hottest zone, C",
}


def plots_of(run: Run) -> tuple[Plot, ...]:
    """Draw what a run has series for; raises NotSupported if matplotlib is not installed."""
    with drawing():
        found = [
            _latency(run, "chunk_ms", "Time of a chunk"),
            stage_plot(run),
            _latency(run, "interval_ms", "Time between frames"),
            _timeline(run),
            _soak(run),
            *scaling_plots(run),
            *component_plots(run),
        ]
    return tuple(plot for plot in found if plot is not None)


def _with(run: Run, *series: str) -> list[Result]:
    """Return the results that have all of some series, in the order of the subjects.

    Of a subject with several, such as one for each number of sessions, the first.
    """
    order = [one.label for one in run.subjects]
    has = [r for r in run.results if not r.scenario.startswith(("scaling.", "component."))]
    has = [r for r in has if all(r.series.get(name) for name in series) and r.subject in order]
    first = {one.subject: one for one in reversed(has)}
    return sorted(first.values(), key=lambda one: order.index(one.subject))


def _places(run: Run) -> dict[str, int]:
    """Give each subject that was measured a place, for its colour: the same in all plots."""
    measured = [one.label for one in run.subjects if not one.refused]
    others = [one.label for one in run.subjects if one.refused]
    return {name: place for place, name in enumerate(dict.fromkeys([*measured, *others]))}


def _latency(run: Run, series: str, title: str) -> Plot | None:
    """Draw a histogram for each subject, all to one scale."""
    results = _with(run, series)
    if not results:
        return None
    figure, rows = rows_of_axes([0.95] * len(results))
    samples = [together(one.series[series])[0] for one in results]
    bins = np.linspace(min(map(np.min, samples)), max(map(np.max, samples)), BINS)
    told = []
    for axes, one, values in zip(rows, results, samples, strict=True):
        axes.hist(
            values,
            bins.tolist() if bins[0] < bins[-1] else BINS,
            color=colour_of(_places(run)[one.subject]),
        )
        median = float(np.median(values))
        axes.axvline(median, color=INK, linewidth=1)
        said = f"median {plain(median)} ms, {len(values)} samples"
        for suffix in ("p99", "p95", "p90"):
            tail = one.values.get(f"{series}_{suffix}")
            if tail is not None:
                axes.axvline(tail.value, color=INK, linewidth=1, linestyle=":")
                said += f", {suffix} {shown(tail)} ms"
                break
        axes.set_title(f"{label(one.subject)}: {said}")
        axes.set_ylabel("samples")
        told.append(f"{one.subject}: {said}")
    rows[-1].set_xlabel(f"{series.removesuffix('_ms').replace('_', ' ')}, ms")
    scenario = results[0].scenario
    caption = f"{title}, {scenario}. Line: median; dots: the last percentile that is known."
    return Plot(title, caption, f"Histograms. {'; '.join(told)}.", svg_of(figure))


def _timeline(run: Run) -> Plot | None:
    """Draw when each frame came after the one before it."""
    results = _with(run, "at_s", "interval_ms")
    if not results:
        return None
    figure, rows = rows_of_axes([1.2] * len(results))
    told = []
    for axes, one in zip(rows, results, strict=True):
        at_s, interval_ms = together(one.series["at_s"], one.series["interval_ms"])
        late = _late(one, interval_ms)
        shown = thinned(interval_ms)
        colour = colour_of(_places(run)[one.subject])
        axes.plot(at_s[shown], interval_ms[shown], ".", markersize=3, color=colour)
        axes.plot(at_s[late], interval_ms[late], "x", markersize=6, color=ALARM)
        axes.axhline(ON_TIME_MS, color=INK, linewidth=0.8)
        said = f"{np.count_nonzero(late)} of {len(late)} late"
        axes.set_title(f"{label(one.subject)}: {said}")
        axes.set_ylabel("interval, ms")
        axes.set_ylim(0, max(2 * ON_TIME_MS, 1.08 * float(interval_ms.max())))
        told.append(f"{one.subject}: {said}, longest {plain(float(interval_ms.max()))} ms")
    rows[-1].set_xlabel("time, s")
    caption = (
        f"Timeline of frames as they are pulled, {results[0].scenario}: the time since the frame "
        "before. Line: 40 ms, on time; crosses: late, held or repeated."
    )
    return Plot("Timeline", caption, f"Points over time. {'; '.join(told)}.", svg_of(figure))


def _late(one: Result, interval_ms: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Say which frames are late: as the series says, or those a frame and a half after another."""
    if len(one.series.get("late", ())) >= len(interval_ms):
        return np.array(one.series["late"][-len(interval_ms) :]) > 0
    return interval_ms > LATE_MS


def _soak(run: Run) -> Plot | None:
    """Draw what changes as a device becomes warm."""
    results = _with(run, "soak_at_s")
    curves = [name for name in SOAK if any(one.series.get(name) for one in results)]
    if not curves:
        return None
    figure, rows = rows_of_axes([1.5] * len(curves))
    handles, told = {}, []
    for axes, name in zip(rows, curves, strict=True):
        for one in results:
            if not one.series.get(name):
                continue
            times = one.series.get(name.replace("_ms", "_at_s"), one.series["soak_at_s"])
            at_s, y = together(times, one.series[name])
            shown = thinned(y)
            place = _places(run)[one.subject]
            (line,) = axes.plot(at_s[shown] / 60, y[shown], line_of(place), linewidth=1.2)
            line.set_color(colour_of(place))
            handles[one.subject] = line
            ends = f"{plain(float(y[0]))} at first, {plain(float(y[-1]))} at last"
            told.append(f"{one.subject}, {SOAK[name]}: {ends}")
        axes.set_ylabel(SOAK[name])
    rows[-1].set_xlabel("time, minutes")
    legend(figure, list(handles.values()), [label(name) for name in handles])
    caption = "Soak. Chunks, those at full level, that take longer: the device slows down."
    return Plot("Soak", caption, f"Curves over time. {'; '.join(told)}.", svg_of(figure))
