"""A run as Markdown: tables that read well as text too, to be pasted into an issue.

The layout is that of llama-bench: cells as wide as their column, numbers to the right, a value and
its error in one cell.
"""

from __future__ import annotations

from collections.abc import Iterable

from rap_edge.benchmarks.report.numbers import LEGEND
from rap_edge.benchmarks.report.record import Run
from rap_edge.benchmarks.report.remarks import (
    facts_of,
    headline_of,
    missing_of,
    refused_of,
    warnings_of,
)
from rap_edge.benchmarks.report.tables import Table, tables_of, variants_of


def markdown(run: Run) -> str:
    """Return a run as Markdown: what it was made with, the tables, and what is not in them."""
    facts = [f"- {name}: {escaped(fact)}" for name, fact in facts_of(run).items()]
    headline = headline_of(run)
    blocks = [f"**{escaped(headline)}**"] if headline else []
    blocks += ["\n".join([f"### rap-edge bench: {escaped(run.measured.bundle)}", "", *facts])]
    blocks += listed("Warnings", warnings_of(run))
    blocks += [f"**{escaped(table.title)}**\n\n{drawn(table)}" for table in tables_of(run)]
    blocks += [LEGEND]
    variants = variants_of(run)
    if variants.rows:
        blocks += [f"**{variants.title}**\n\n{drawn(variants)}"]
    blocks += listed("Not measured", refused_of(run))
    blocks += listed("Missing", missing_of(run))
    return "\n\n".join(blocks) + "\n"


def drawn(table: Table) -> str:
    """Draw a table: names to the left, numbers to the right."""
    lines = [tuple(map(escaped, row)) for row in (table.columns, *table.rows)]
    widths = [max(3, *map(len, cells)) for cells in zip(*lines, strict=True)]
    head, *rows = (_row(line, widths, table.n_names) for line in lines)
    rule = [
        "-" * width if place < table.n_names else "-" * (width - 1) + ":"
        for place, width in enumerate(widths)
    ]
    return "\n".join([head, f"| {' | '.join(rule)} |", *rows])


def escaped(text: str) -> str:
    """Return text as one line in which nothing is Markdown or HTML: a file may hold anything."""
    line = " ".join(text.split())
    for mark in ("\\", "|", "<", "`"):
        line = line.replace(mark, f"\\{mark}")
    return line.replace("](", "]\\(")


def listed(title: str, lines: Iterable[str]) -> list[str]:
    """Return a list under a title; nothing for an empty one."""
    items = [f"- {escaped(line)}" for line in lines]
    return [f"**{title}**\n\n" + "\n".join(items)] if items else []


def _row(cells: Iterable[str], widths: list[int], n_names: int) -> str:
    padded = [
        cell.ljust(width) if place < n_names else cell.rjust(width)
        for place, (cell, width) in enumerate(zip(cells, widths, strict=True))
    ]
    return f"| {' | '.join(padded)} |"
