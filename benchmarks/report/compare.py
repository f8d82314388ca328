"""Two runs side by side: ratios with intervals, and what differs between the machines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rap_edge.benchmarks.host import differences
from rap_edge.benchmarks.report.markdown import drawn, escaped, listed
from rap_edge.benchmarks.report.numbers import LEGEND, plain, shown
from rap_edge.benchmarks.report.ratios import Verdict, ratio_of, verdict_of
from rap_edge.benchmarks.report.record import Measured, Result, Run, Subject, Value
from rap_edge.benchmarks.report.remarks import said
from rap_edge.benchmarks.report.tables import NOTHING, Table, heading

Difference = Mapping[str, tuple[str, str]]  # name -> what A has, what B has
Place = tuple[str, str, tuple[tuple[str, float], ...]]  # scenario, subject, what was varied
NONE = "none"
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
class Comparison:
    """What two runs say of each other."""

    a: str  # when it started
    b: str
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
    measured = _measured(a.measured, b.measured)
    return Comparison(
        a=a.started,
        b=b.started,
        warnings=_warnings(measured),
        host=differences(a.host, b.host),
        condition=_differing(_condition(a), _condition(b)),
        measured=measured,
        settings=_differing(_settings(a), _settings(b)),
        variants=_differing(_variants(a.subjects), _variants(b.subjects)),
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
        f"### rap-edge bench: B, of {escaped(found.b)}, against A, of {escaped(found.a)}\n\n"
        f"B is to A: {counts or 'nothing that both have'}."
    )
    blocks = [head, *listed("Not the same was measured", found.warnings)]
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


def _measured(a: Measured, b: Measured) -> dict[str, tuple[str, str]]:
    def words(one: Measured) -> dict[str, str]:
        inputs = {f"input {given.name}": given.sha256 for given in one.inputs}
        return {"bundle": one.bundle, "bundle sha256": one.bundle_sha256, **inputs}

    return _differing(words(a), words(b))


def _settings(run: Run) -> dict[str, str]:
    return {name: said(value) for name, value in run.settings.items()}


def _condition(run: Run) -> dict[str, str]:
    return {"before": str(run.before), "after": str(run.after)}


def _warnings(measured: Difference) -> tuple[str, ...]:
    found = []
    if "bundle sha256" in measured:
        found.append("the bundles differ: ratios are of two models, not of two machines")
    if any(name.startswith("input ") for name in measured):
        found.append("the portraits or recordings differ: measure again with the pinned ones")
    return tuple(found)


def _variants(subjects: Sequence[Subject]) -> dict[str, str]:
    return {one.label: _variant(one) for one in subjects}


def _variant(one: Subject) -> str:
    if one.refused:
        return f"refused: {one.refused}"
    ran = ", ".join(f"{graph} on {provider}" for graph, provider in one.providers.items())
    return f"{one.backend} {one.version}, {one.threads} threads" + (f", {ran}" if ran else "")


def _differing(a: Mapping[str, str], b: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    names = dict.fromkeys([*a, *b])
    return {n: (a.get(n, NONE), b.get(n, NONE)) for n in names if a.get(n) != b.get(n)}
