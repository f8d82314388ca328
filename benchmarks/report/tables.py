"""The results of a run as tables of text, one row for a scenario and a subject."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rap_edge.benchmarks.report.heads import heading
from rap_edge.benchmarks.report.numbers import plain, shown
from rap_edge.benchmarks.report.quantities import QUANTITIES, SUFFIXES
from rap_edge.benchmarks.report.record import Result, Run, Value

NOTHING = "-"


@dataclass(frozen=True)
class Table:
    """Text in rows; the first ``n_names`` columns are names, the others numbers."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    n_names: int = 1


@dataclass(frozen=True)
class Layout:
    """Which quantities of which scenarios make a table; those that no row has are left out."""

    title: str
    scenarios: tuple[str, ...]
    quantities: tuple[str, ...] = ()  # none: all that there are


def _named(names: str) -> tuple[str, ...]:
    """Return names apart; one that ends in * is its value and its percentiles, but few of them."""
    return tuple(
        one
        for name in names.split()
        for one in (_with(name[:-1], TOLD) if name.endswith("*") else (name,))
    )


def _with(stem: str, suffixes: Iterable[str]) -> tuple[str, ...]:
    return (stem, *(f"{stem}_{suffix}" for suffix in suffixes))


TOLD = ("p50", "p95", "p99")
EVERY = tuple(name for stem in QUANTITIES for name in _with(stem, SUFFIXES))
QUALITY = "frame_psnr_db mouth_psnr_db mouth_curve_r"
SHARED = QUALITY.split()  # measured once for all scenarios: not of the row's samples
COST = "cpu_ms_per_frame cores_busy rss_mb rss_now_mb energy_j_per_frame"
STAGES = "features_ms audio_ms denoiser_ms decoder_ms other_ms"
LAYOUTS = (
    Layout(
        "Speed: recordings (offline), chunks back to back (single)",
        ("offline", "single"),
        _named(f"x_realtime fps speed_to_fp32 chunk_ms* {COST} {QUALITY}"),
    ),
    Layout("Where the time of a chunk goes", ("single",), _named(f"frame_ms {STAGES}")),
    Layout(
        "Stream: audio at the pace of speech, 25 frames a second",
        ("stream",),
        _named(
            "fps_shown late_percent interval_ms* jitter_ms freeze_ms first_frame_ms_p50 "
            "first_frame_ms_max first_frame_from_enough_ms_p50 first_frame_from_enough_ms_max "
            f"skew_ms* underruns full_level_percent {COST} {QUALITY}"
        ),
    ),
    Layout(
        "Cold: from the start of a process to its first frame",
        ("cold",),
        _named("cold_ms import_ms open_ms avatar_ms warm_up_ms rss_mb"),
    ),
    Layout(
        "Interrupt",
        ("interrupt",),
        _named("interrupt_ms* interrupt_ms_max old_frames old_until_ms*"),
    ),
    Layout(
        "Sessions at once",
        ("sessions",),
        _named(
            "x_realtime fps_shown late_percent first_frame_ms_p50 interval_ms* freeze_ms "
            "full_level_percent "
            f"{COST} {QUALITY}"
        ),
    ),
    Layout(
        "Soak: the first minute against the last",
        ("soak",),
        _named(
            "first_minute_fps last_minute_fps first_minute_chunk_ms last_minute_chunk_ms "
            "first_minute_full_level_percent last_minute_full_level_percent "
            "sustained late_percent freeze_ms rss_mb rss_growth_mb temperature_c "
            f"{QUALITY}"
        ),
    ),
)


def tables_of(run: Run) -> tuple[Table, ...]:
    """Return the tables of a run: those of LAYOUTS, then one for each other scenario.

    Every result has a row, but one that holds nothing: a scenario that failed (`missing_of`). Rows
    are in the order of the scenarios, then of what was varied, then of the subjects.
    """
    known = {scenario for layout in LAYOUTS for scenario in layout.scenarios}
    others = dict.fromkeys(r.scenario for r in run.results if r.scenario not in known)
    tables = [_laid_out(layout, run) for layout in (*LAYOUTS, *map(_of_all, others))]
    return tuple(table for table in tables if table.rows)


def all_values(run: Run) -> tuple[Table, ...]:
    """Return a table for each scenario, with every quantity that it has."""
    scenarios = dict.fromkeys(result.scenario for result in run.results)
    return tuple(_laid_out(_of_all(scenario), run) for scenario in scenarios)


def variants_of(run: Run) -> Table:
    """Return what was measured: versions, threads, size, and what really ran each graph."""
    columns = ("variant", "device", "version", "run by", "threads", "MB")
    rows = tuple(
        (
            one.label,
            one.device or NOTHING,
            one.version or NOTHING,
            _grouped(one.providers.items()) or NOTHING,
            str(one.threads) if one.threads else NOTHING,
            f"{one.megabytes:.1f}" if one.megabytes else NOTHING,
        )
        for one in run.subjects
        if not one.refused
    )
    return Table("Variants", columns, rows, n_names=4)


def _of_all(scenario: str) -> Layout:
    family, _, name = scenario.partition(".")
    title = f"{family.capitalize()}: {name}" if name else scenario
    return Layout(title, (scenario,))


def _laid_out(layout: Layout, run: Run) -> Table:
    order = {subject.label: place for place, subject in enumerate(run.subjects)}
    results = sorted(
        (one for one in run.results if one.scenario in layout.scenarios and one.values),
        key=lambda r: (
            layout.scenarios.index(r.scenario),
            not r.at,  # what was fitted to the rows before
            tuple(sorted(r.at.items())),
            order.get(r.subject, len(order)),
        ),
    )
    names = _columns(layout.quantities, results)
    varied = sorted({key for result in results for key in result.at})
    several = len(layout.scenarios) > 1
    what = "variant" if all(result.subject in order for result in results) else "what"
    columns = (*(["scenario"] if several else []), what, *map(heading, varied))
    rows = tuple(
        (
            *([result.scenario] if several else []),
            result.subject,
            *(plain(result.at[key]) if key in result.at else NOTHING for key in varied),
            *(shown(result.values[n]) if n in result.values else NOTHING for n in names),
            _samples([result.values[n] for n in names if n in result.values and n not in SHARED]),
        )
        for result in results
    )
    return Table(layout.title, (*columns, *map(heading, names), "n"), rows, 1 + several)


def _columns(quantities: Sequence[str], results: Sequence[Result]) -> list[str]:
    """Return which of the quantities there are; of all, if none are asked for."""
    found = dict.fromkeys(name for result in results for name in result.values)
    if quantities:
        return [name for name in quantities if name in found]
    ordered = [name for name in EVERY if name in found]
    return ordered + [name for name in found if name not in ordered]


def _samples(values: Iterable[Value]) -> str:
    """Return how many samples there are behind values: of those that have an interval."""
    counts = sorted({value.n for value in values if value.low is not None})
    if not counts:
        return NOTHING
    return f"{counts[0]}" if len(counts) == 1 else f"{counts[0]}-{counts[-1]}"


def _grouped(pairs: Iterable[tuple[str, str]]) -> str:
    """Name what graphs have in common once, as in CPU (audio, decoder)."""
    found: dict[str, list[str]] = {}
    for graph, provider in pairs:
        found.setdefault(provider, []).append(graph)
    if len(found) == 1:
        return next(iter(found))
    return ", ".join(f"{name} ({', '.join(graphs)})" for name, graphs in found.items())
