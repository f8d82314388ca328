"""Two runs side by side: ratios with intervals, and what differs between the machines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rap_edge.benchmarks.host import differences
from rap_edge.benchmarks.report.differing import (
    Difference,
    asked_apart,
    conditions_apart,
    doubts_of,
    measured_apart,
    variants_apart,
)
from rap_edge.benchmarks.report.heads import heading
from rap_edge.benchmarks.report.markdown import drawn, escaped, listed
from rap_edge.benchmarks.report.numbers import LEGEND, plain, shown
from rap_edge.benchmarks.report.ratios import Verdict, ratio_of, verdict_of
from rap_edge.benchmarks.report.record import Result, Run, Value
from rap_edge.benchmarks.report.remarks import failures_of, warnings_of
from rap_edge.benchmarks.report.tables import NOTHING, Table

Place = tuple[str, str, tuple[tuple[str, float], ...]]  # scenario, subject, what was varied
SCHEMA_VERSION = 1  # of a comparison as JSON
SAID: Mapping[Verdict, str] = {
    "same": "same",
    "better": "better",
    "worse": "worse",
    "differs": "different",
    "unknown": "not known",
}
MEANING = (
    "Same: the 95 % intervals overlap; better and worse: they do not; not known: there is none."
)


@dataclass(frozen=True)
class Row:
    """One quantity of one scenario and subject in both runs."""

    scenario: str
    subject: str
    at: Mapping[str, float]
    quantity: str
    a: Value
    b: Value
    ratio: Value | None  # B over A; None where one of them is 0 or less
    verdict: Verdict  # of B: unknown without intervals, differs where neither way is better


@dataclass(frozen=True)
class Side:
    """One of two runs."""

    started: str  # ISO 8601, UTC
    command: str
    warnings: tuple[str, ...]  # what makes its own numbers worth less, and what failed


@dataclass(frozen=True)
class Comparison:
    """What two runs say of each other."""

    a: Side
    b: Side
    warnings: tuple[str, ...]  # read these first: why the numbers are not of the same thing
    host: Difference
    condition: Difference
    measured: Difference
    settings: Difference
    variants: Difference
    rows: tuple[Row, ...]
    only_a: tuple[str, ...]
    only_b: tuple[str, ...]


def compare(a: Run, b: Run) -> Comparison:
    """Compare two runs; none is refused, and what makes them incomparable is said first.

    Values are the same if their 95 % intervals overlap. That errs on the side of "same": intervals
    that overlap a little hide a difference that a paired measurement would show.
    """
    left, right = _by_place(a.results), _by_place(b.results)
    rows = tuple(
        _row(place, name, value, right[place].values[name])
        for place, result in left.items()
        if place in right
        for name, value in result.values.items()
        if name in right[place].values
    )
    return Comparison(
        a=_side(a),
        b=_side(b),
        warnings=doubts_of(a, b),
        host=differences(a.host, b.host),
        condition=conditions_apart(a, b),
        measured=measured_apart(a.measured, b.measured),
        settings=asked_apart(a, b),
        variants=variants_apart(a, b),
        rows=rows,
        only_a=_only(left, right),
        only_b=_only(right, left),
    )


def markdown(found: Comparison) -> str:
    """Return a comparison as Markdown: warnings, what differs, then the ratios."""
    verdicts = [row.verdict for row in found.rows]
    counts = ", ".join(
        f"{verdicts.count(verdict)} {said}" for verdict, said in SAID.items() if verdict in verdicts
    )
    head = (
        f"### rap-edge bench: B, of {escaped(found.b.started)}, against A, of "
        f"{escaped(found.a.started)}\n\n- A: {escaped(found.a.command)}\n"
        f"- B: {escaped(found.b.command)}\n\nB is to A: {counts or 'nothing that both have'}."
    )
    blocks = [head, *listed("Not the same was measured", found.warnings)]
    blocks += listed("Warnings of A", found.a.warnings) + listed("Warnings of B", found.b.warnings)
    differing = _differing_table(found)
    if differing.rows:
        blocks.append(f"**{differing.title}**\n\n{drawn(differing)}")
    for scenario in dict.fromkeys(row.scenario for row in found.rows):
        rows_of = [row for row in found.rows if row.scenario == scenario]
        blocks.append(f"**{escaped(scenario)}**\n\n{drawn(_table(rows_of))}")
    blocks += [f"{LEGEND} {MEANING}"] if found.rows else []
    blocks += listed("Only in A", found.only_a) + listed("Only in B", found.only_b)
    return "\n\n".join(blocks) + "\n"


def _differing_table(found: Comparison) -> Table:
    parts = {
        "measured": found.measured,
        "settings": found.settings,
        "variant": found.variants,
        "host": found.host,
        "condition": found.condition,
    }
    rows = [(part, name, *both) for part, them in parts.items() for name, both in them.items()]
    return Table("What differs", ("of", "what", "A", "B"), tuple(rows), n_names=4)


def _table(rows: Sequence[Row]) -> Table:
    varied = sorted({name for row in rows for name in row.at})
    cells = tuple(
        (
            row.subject,
            heading(row.quantity),
            SAID[row.verdict],
            *(plain(row.at[name]) if name in row.at else NOTHING for name in varied),
            shown(row.a),
            shown(row.b),
            shown(row.ratio) if row.ratio else NOTHING,
        )
        for row in rows
    )
    columns = ("variant", "quantity", "B is", *map(heading, varied), "A", "B", "B / A")
    return Table("", columns, cells, n_names=3)


def _side(run: Run) -> Side:
    return Side(run.started, run.command, (*warnings_of(run), *failures_of(run.results)))


def _by_place(results: Sequence[Result]) -> dict[Place, Result]:
    return {(one.scenario, one.subject, tuple(sorted(one.at.items()))): one for one in results}


def _row(place: Place, name: str, a: Value, b: Value) -> Row:
    scenario, subject, at = place
    return Row(scenario, subject, dict(at), name, a, b, ratio_of(b, a), verdict_of(name, a, b))


def _only(these: Mapping[Place, Result], others: Mapping[Place, Result]) -> tuple[str, ...]:
    """Name the results, and the values of shared results, that the others lack."""
    found = []
    for (scenario, subject, at), result in these.items():
        varied = "".join(f", {name} {value:g}" for name, value in at)
        place = f"{scenario} of {subject}{varied}"
        other = others.get((scenario, subject, at))
        if other is None:
            found.append(place)
        else:
            lacking = [name for name in result.values if name not in other.values]
            found += [f"{place}: {', '.join(lacking)}"] if lacking else []
    return tuple(found)
