"""A run as one HTML file: everything is in it, and it opens without a network."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from pathlib import Path

from rap_edge.benchmarks.report.files import write_text
from rap_edge.benchmarks.report.heads import heading
from rap_edge.benchmarks.report.numbers import LEGEND
from rap_edge.benchmarks.report.page_style import STYLE
from rap_edge.benchmarks.report.plots import plots_of
from rap_edge.benchmarks.report.quantities import QUANTITIES, Quantity
from rap_edge.benchmarks.report.record import Run
from rap_edge.benchmarks.report.remarks import (
    facts_of,
    headline_of,
    missing_of,
    refused_of,
    warnings_of,
)
from rap_edge.benchmarks.report.svg import Plot
from rap_edge.benchmarks.report.tables import Table, all_values, tables_of, variants_of

POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"


def write_page(path: Path, run: Run) -> None:
    """Write the page of a run, whole or not at all.

    Raises NotSupported if matplotlib is not installed, MediaError if the file cannot be written.
    """
    write_text(path, page(run))


def page(run: Run) -> str:
    """Return a run as HTML: what was measured on what, the tables, the plots.

    Nothing in it is loaded from elsewhere, and it runs no script. Text out of a run is escaped.
    """
    title = f"rap-edge bench: {run.measured.bundle}"
    headline = headline_of(run)
    body = [
        f"<h1>{escape(title)}</h1>",
        f'<p class="headline">{escape(headline)}</p>' if headline else "",
        _facts(facts_of(run)),
        _list("Warnings", warnings_of(run), "warnings"),
        "<h2>Results</h2>",
        *map(_table, tables_of(run)),
        f"<p class=note>{escape(LEGEND)}</p>",
        "<h2>Plots</h2>",
        *map(_figure, plots_of(run)),
        "<h2>What was measured</h2>",
        _table(variants_of(run)),
        _list("Not measured", refused_of(run)),
        _list("Missing", missing_of(run)),
        _details("Every value", map(_table, all_values(run))),
        _details("What the quantities mean", [_table(_glossary(run))]),
    ]
    return _DOCUMENT.format(
        policy=escape(POLICY), title=escape(title), style=STYLE, body="\n".join(filter(None, body))
    )


def _facts(facts: dict[str, str]) -> str:
    rows = "".join(
        f"<dt>{escape(name)}</dt><dd>{escape(fact)}</dd>" for name, fact in facts.items()
    )
    return f"<dl>{rows}</dl>"


def _list(title: str, lines: Iterable[str], kind: str = "plain") -> str:
    items = "".join(f"<li>{escape(line)}</li>" for line in lines)
    if not items:
        return ""
    return f'<section class="{kind}"><h3>{escape(title)}</h3><ul>{items}</ul></section>'


def _table(table: Table) -> str:
    """Return a table that scrolls sideways by itself where the window is narrow."""
    if not table.rows:
        return ""
    head = "".join(
        f'<th scope="col"{_kind(place, table)}>{escape(cell)}</th>'
        for place, cell in enumerate(table.columns)
    )
    rows = "".join(f"<tr>{_cells(row, table)}</tr>" for row in table.rows)
    name = escape(table.title)
    return (
        f'<h3>{name}</h3><div class="wide" role="region" aria-label="{name}" tabindex="0">'
        f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def _cells(row: tuple[str, ...], table: Table) -> str:
    return "".join(
        f"<td{_kind(place, table)}>{escape(cell)}</td>" for place, cell in enumerate(row)
    )


def _kind(place: int, table: Table) -> str:
    return ' class="name"' if place < table.n_names else ""


def _figure(plot: Plot) -> str:
    """Return a figure; its SVG, which matplotlib escapes, is one picture to a screen reader."""
    svg = plot.svg.replace("<svg ", f'<svg role="img" aria-label="{escape(plot.alt)}" ', 1)
    return (
        f"<h3>{escape(plot.title)}</h3><figure>"
        f'<div class="wide">{svg}</div><figcaption>{escape(plot.caption)}</figcaption></figure>'
    )


def _details(title: str, blocks: Iterable[str]) -> str:
    return f"<details><summary>{escape(title)}</summary>{''.join(blocks)}</details>"


def _glossary(run: Run) -> Table:
    """Return what the quantities of a run mean; a percentile means what its quantity means."""
    names = {name for result in run.results for name in (*result.values, *result.missing)}
    used = {
        stem: known
        for stem, known in QUANTITIES.items()
        if any(name == stem or name.startswith(f"{stem}_") for name in names)
    }
    rows = tuple(_meaning(name, known) for name, known in used.items())
    return Table("Quantities", ("quantity", "unit", "better", "meaning"), rows, n_names=4)


def _meaning(name: str, known: Quantity) -> tuple[str, ...]:
    return heading(name), known.unit or "1", known.better, known.meaning


_DOCUMENT = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<main>
{body}
</main>
</body>
</html>
"""
