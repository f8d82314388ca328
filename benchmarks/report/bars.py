"""Bars: where the time of a chunk goes, and components beside their alternatives."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from textwrap import fill
from typing import TYPE_CHECKING

from rap_edge.benchmarks.report.heads import heading
from rap_edge.benchmarks.report.numbers import plain, shown
from rap_edge.benchmarks.report.quantities import quantity_of
from rap_edge.benchmarks.report.record import AGAINST, Result, Run, Value
from rap_edge.benchmarks.report.svg import (
    INK,
    LARGEST,
    Plot,
    colour_of,
    label,
    legend,
    rows_of_axes,
    svg_of,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

STAGES = ("features_ms", "audio_ms", "denoiser_ms", "decoder_ms", "other_ms")
COMPONENT = "component."
OURS, OTHERS = colour_of(0), "#8a8f98"
CALLS = ("us_per_call", "ms_per_call", "skew_ms_p95")
FAR_APART = 30.0  # largest over smallest, from where on a scale is logarithmic
BAR = 0.36  # inches
NAME_WIDTH = 44  # letters


def stage_plot(run: Run) -> Plot | None:
    """Draw the stages of a chunk as parts of a bar, the fastest variant first."""
    results = [r for r in run.results if r.scenario == "single" and _stages(r)]
    if not results:
        return None
    results.sort(key=lambda one: sum(_stages(one).values()))
    figure, (axes,) = rows_of_axes([BAR * len(results) + 0.3])
    names = [label(one.subject) for one in results]
    left = [0.0] * len(results)
    handles = []
    for place, stage in enumerate(STAGES):
        widths = [_stages(one).get(stage, 0.0) for one in results]
        handles.append(axes.barh(range(len(names)), widths, left=left, color=colour_of(place)))
        left = [a + b for a, b in zip(left, widths, strict=True)]
    for place, total in enumerate(left):
        _write(axes, total, place, f"{plain(total)} ms")
    _upright(axes, names, left, room=1.2)
    axes.set_xlabel("ms, the sum of the medians of the stages")
    legend(figure, handles, [stage.removesuffix("_ms") for stage in STAGES])
    told = "; ".join(
        f"{one.subject}: " + ", ".join(f"{name} {plain(ms)}" for name, ms in _stages(one).items())
        for one in results
    )
    return Plot(
        "Stages", "Where the time of a chunk goes, single.", f"Bars. {told}.", svg_of(figure)
    )


def component_plots(run: Run) -> Iterator[Plot]:
    """Draw each component beside its alternatives, the fastest first."""
    for scenario in dict.fromkeys(result.scenario for result in run.results):
        results = [r for r in run.results if r.scenario == scenario]
        quantity = _quantity(results)
        if scenario.startswith(COMPONENT) and quantity is not None:
            yield _component(scenario.removeprefix(COMPONENT), quantity, results)


def _component(name: str, quantity: str, results: Sequence[Result]) -> Plot:
    bars, ratios = _bars(results, quantity), _ratios(results)
    unit, meaning = _about(quantity)
    figure, (axes,) = rows_of_axes([BAR * len(bars) + 0.3])
    ends = [min(max(value.value, 0.0), LARGEST) for value in bars.values()]
    axes.barh(range(len(bars)), ends, color=[OTHERS if what in ratios else OURS for what in bars])
    told = []
    for place, (what, value) in enumerate(bars.items()):
        ratio = ratios.get(what)
        times = f"; ours {shown(ratio)} times as fast" if ratio is not None else ""
        _write(axes, value.high or ends[place], place, f"{shown(value)} {unit}{times}")
        told.append(f"{what} {shown(value)}{times}")
        if value.low is not None and value.high is not None:
            axes.plot([value.low, value.high], [place, place], color=INK, linewidth=1.4)
    _upright(axes, [label(what) for what in bars], ends, room=2.0)
    axes.set_xlabel(f"{heading(quantity)}: {meaning}")
    title = f"Component: {name}"
    caption = f"{title}. Shorter is better; thin lines: 95 % intervals."
    return Plot(title, caption, f"Bars, {unit}. {'; '.join(told)}.", svg_of(figure))


def _write(axes: Axes, end: float, place: int, text: str) -> None:
    """Write text after the end of a bar."""
    axes.annotate(text, (end, place), (6, 0), textcoords="offset points", va="center")


def _upright(axes: Axes, names: Sequence[str], ends: Sequence[float], room: float) -> None:
    """Name the bars, the first on top; leave room, in longest bars, for what is written."""
    axes.set_yticks(range(len(names)), [fill(name, NAME_WIDTH) for name in names])
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.grid(visible=False, axis="y")
    least, most = min(ends), max(ends)
    if least > 0 and most > FAR_APART * least:
        axes.set_xscale("log")
        axes.xaxis.set_major_formatter(lambda value, _: plain(value))
        axes.minorticks_off()
        axes.set_xlim(least / 3, most * (3 * most / least) ** (room - 1))
    elif most > 0:
        axes.set_xlim(0, room * most)


def _stages(result: Result) -> dict[str, float]:
    known = {name: result.values[name].value for name in STAGES if name in result.values}
    return {name: min(max(ms, 0.0), LARGEST) for name, ms in known.items()}


def _quantity(results: Sequence[Result]) -> str | None:
    """Return what a component is measured by: what two of its rows have, of CALLS if they can."""
    found = Counter(name for result in results for name in result.values)
    return next((name for name in (*CALLS, *found) if found[name] > 1), None)


def _bars(results: Sequence[Result], quantity: str) -> dict[str, Value]:
    """Return the value of each contender, the smallest first; ours, beside several, is one.

    Where something was varied, its first value comes first.
    """
    with_it = [one for one in results if quantity in one.values]
    with_it.sort(key=lambda one: (sorted(one.at.items()), one.values[quantity].value))
    return {_named(one.subject.partition(AGAINST)[0], one): one.values[quantity] for one in with_it}


def _ratios(results: Sequence[Result]) -> dict[str, Value | None]:
    """Return how many times faster ours is than each of the others; None where ours are several."""
    found: dict[str, Value | None] = {}
    for one in results:
        if AGAINST in one.subject and "ratio" in one.values:
            other = _named(one.subject.partition(AGAINST)[2], one)
            found[other] = None if other in found else one.values["ratio"]
    return found


def _named(what: str, result: Result) -> str:
    varied = ", ".join(f"{name} {plain(value)}" for name, value in sorted(result.at.items()))
    return f"{what} ({varied})" if varied else what


def _about(name: str) -> tuple[str, str]:
    try:
        known = quantity_of(name)
    except KeyError:
        return "", name
    return known.unit, known.meaning
