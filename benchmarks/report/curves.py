"""Cost against what was varied, with the curves that were fitted."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from rap_edge.benchmarks.report.numbers import shown
from rap_edge.benchmarks.report.quantities import quantity_of
from rap_edge.benchmarks.report.record import Result, Run
from rap_edge.benchmarks.report.svg import (
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

Numbers = NDArray[np.float64]

SCALING = "scaling."
ALSO = ("sessions",)
DRAWN = (
    "fps_shown",
    "late_percent",
    "x_realtime",
    "frame_ms",
    "chunk_ms",
    "cpu_ms_per_frame",
    "decoder_ms",
    "rss_mb",
    "rss_now_mb",
    "of_fresh",
)
AT_MOST = 4  # quantities of a plot
FAR_APART = 20.0  # largest over smallest, from where on an axis is logarithmic


@dataclass(frozen=True)
class Fit:
    """A fitted number, what it is of, and its curve through the middle of measured points."""

    quantity: str  # empty for the first that is drawn
    curve: Callable[[Numbers, Numbers, float, Numbers], Numbers]  # x, y, number, where -> there


def _power(x: Numbers, y: Numbers, exponent: float, where: Numbers) -> Numbers:
    middle = float(np.mean(np.log(y) - exponent * np.log(x)))
    return np.asarray(np.exp(middle + exponent * np.log(where)), np.float64)


def _line(x: Numbers, y: Numbers, slope: float, where: Numbers) -> Numbers:
    return np.asarray(y.mean() + slope * (where - x.mean()), np.float64)


def _line_per_hour(x: Numbers, y: Numbers, slope: float, where: Numbers) -> Numbers:
    return _line(x, y, slope / 3600, where)


def _amdahl(x: Numbers, y: Numbers, share: float, where: Numbers) -> Numbers:
    alone = float(np.mean(y / (share + (1 - share) / x)))
    return np.asarray(alone * (share + (1 - share) / where), np.float64)


FITS = {
    "exponent": Fit("frame_ms", _power),
    "fresh_exponent": Fit("of_fresh", _power),
    "cpu_exponent": Fit("cpu_ms_per_frame", _power),
    "decoder_exponent": Fit("decoder_ms", _power),
    "serial_share": Fit("frame_ms", _amdahl),
    "slope": Fit("", _line),
    "rss_mb_per_session": Fit("rss_now_mb", _line),
    "rss_mb_per_hour": Fit("rss_mb", _line_per_hour),
}


def scaling_plots(run: Run) -> Iterator[Plot]:
    """Draw every scenario of scaling that varied one thing, and that of sessions."""
    for scenario in dict.fromkeys(result.scenario for result in run.results):
        results = [r for r in run.results if r.scenario == scenario]
        points = [r for r in results if len(r.at) == 1]
        fits = {r.subject: r for r in results if not r.at}
        varied = sorted({name for one in points for name in one.at})
        found = {name for one in points for name in one.values}
        drawn = [name for name in DRAWN if name in found][:AT_MOST]
        wanted = scenario.startswith(SCALING) or scenario in ALSO
        if wanted and len(varied) == 1 and drawn:
            yield _plot(scenario.removeprefix(SCALING), varied[0], drawn, points, fits)


def _plot(
    name: str,
    varied: str,
    drawn: Sequence[str],
    points: Sequence[Result],
    fits: Mapping[str, Result],
) -> Plot:
    subjects = list(dict.fromkeys(one.subject for one in points))
    figure, rows = rows_of_axes([1.5] * len(drawn))
    handles, told = {}, []
    for axes, quantity in zip(rows, drawn, strict=True):
        for place, subject in enumerate(subjects):
            mine = [one for one in points if one.subject == subject and quantity in one.values]
            mine.sort(key=lambda one: one.at[varied])
            if mine:
                colour = colour_of(place)
                handles[subject] = _points(axes, varied, quantity, mine, colour)
                fit = fits.get(subject)
                told += _fitted(axes, varied, quantity, mine, fit, drawn, colour) if fit else []
        axes.set_ylabel(_axis(quantity))
        if axes.get_ylim()[1] > 0:
            axes.set_ylim(bottom=0)  # so that flat looks flat
    _across(rows[-1], sorted({one.at[varied] for one in points}), varied)
    legend(figure, list(handles.values()), [label(one) for one in handles])
    title = f"Scaling: {name}"
    caption = f"{title}. Bars: 95 % intervals; lines: what was fitted."
    alt = f"Points against {varied.replace('_', ' ')}. {'; '.join(told) or 'Nothing is fitted'}."
    return Plot(title, caption, alt, svg_of(figure))


def _points(
    axes: Axes, varied: str, quantity: str, results: Sequence[Result], colour: str
) -> object:
    x, y = _numbers(varied, quantity, results)
    values = [one.values[quantity] for one in results]
    below = [v.value - v.low if v.low is not None else 0.0 for v in values]
    above = [v.high - v.value if v.high is not None else 0.0 for v in values]
    reach = np.clip([below, above], 0, LARGEST)
    return axes.errorbar(x, y, reach, fmt="o", markersize=4, capsize=2, color=colour)


def _fitted(
    axes: Axes,
    varied: str,
    quantity: str,
    results: Sequence[Result],
    fit: Result,
    drawn: Sequence[str],
    colour: str,
) -> list[str]:
    """Draw the curves that belong to a quantity; return them in words."""
    x, y = _numbers(varied, quantity, results)
    told = []
    for name, known in FITS.items():
        if name not in fit.values or (known.quantity or drawn[0]) != quantity:
            continue
        if not (x > 0).all() or not (y > 0).all() or len(x) < 2:
            continue
        where = np.geomspace(x[0], x[-1], 60)
        with np.errstate(all="ignore"):
            curve = known.curve(x, y, fit.values[name].value, where)
        axes.plot(where, np.clip(curve, -LARGEST, LARGEST), color=colour, linewidth=1)
        said = f"{name.replace('_', ' ')} {shown(fit.values[name])}"
        told.append(f"{fit.subject}, {quantity.replace('_', ' ')}: {said}")
    return told


def _across(axes: Axes, places: Sequence[float], varied: str) -> None:
    """Scale the axis of what was varied, with a tick at each place that was measured."""
    axes.set_xlabel(varied.replace("_", " "))
    if places[0] > 0 and places[-1] > FAR_APART * places[0]:
        axes.set_xscale("log")
    axes.set_xticks(places, [f"{place:g}" for place in places])
    axes.minorticks_off()


def _numbers(varied: str, quantity: str, results: Sequence[Result]) -> tuple[Numbers, Numbers]:
    pairs = [(one.at[varied], one.values[quantity].value) for one in results]
    x, y = np.clip(np.array(pairs, np.float64).T, -LARGEST, LARGEST)
    return x, y


def _axis(name: str) -> str:
    unit = quantity_of(name).unit
    words = name.removesuffix(f"_{unit.lower()}").replace("_", " ").replace(" ms", "")
    return f"{words}, {unit}" if name != "x_realtime" else "x real time"
