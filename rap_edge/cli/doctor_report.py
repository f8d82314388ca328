"""What `rap-edge doctor` prints: tables and sentences for people, JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.table import Table

    from rap_edge.runtime.doctor import Diagnosis, Finding, VariantDiagnosis

SCHEMA_VERSION = 1
SHARES = ("int8", "fp16", "fp32")
SHOWN_NODES = 6
ANSWERS = {"yes": "yes", "partly": "partly", "no": "no", "unknown": "perhaps"}


def as_json(diagnosis: Diagnosis) -> str:
    found = {"schema_version": SCHEMA_VERSION, "runs": diagnosis.runs, **asdict(diagnosis)}
    return json.dumps(found)


def drawn(diagnosis: Diagnosis) -> str:
    isa = diagnosis.isa
    known = "instruction sets unknown" if isa is None else f"int8 by {', '.join(isa) or 'nothing'}"
    lines = [f"{diagnosis.subject} on {diagnosis.cpu} ({known})"]
    for variant in diagnosis.variants:
        lines += ["", _head(variant)]
        if variant.graphs:
            lines.append(_text(_work(variant)))
        for finding, graphs in _findings(variant):
            lines += _told(finding, f"{', '.join(graphs)}: ")
    if diagnosis.chosen is not None and len(diagnosis.variants) > 1:
        lines += ["", f"taken if none is named: {diagnosis.chosen}"]
    lines += ["", _text(_devices(diagnosis))]
    if diagnosis.missing:
        lines += ["", "missing here"]
        lines += [line for finding in diagnosis.missing for line in _told(finding)]
    return "\n".join(lines)


def _head(variant: VariantDiagnosis) -> str:
    if variant.problem is not None:
        return f"{variant.label}: does not run here: {' '.join(variant.problem.split())}"
    return f"{variant.label}: runs here" + (", but:" if any(_findings(variant)) else "")


def _work(variant: VariantDiagnosis) -> Table:
    shares = [f"MACs {precision}" for precision in SHARES]
    others = sorted({p for work in variant.graphs.values() for p in work.macs} - set(SHARES))
    table = _table("graph", "nodes", "layers", "MMACs", *shares, *others)
    for name, work in variant.graphs.items():
        layers = ", ".join(f"{count} {p}" for p, count in sorted(work.layers.items()) if count)
        known = [work.share(precision) for precision in (*SHARES, *others)]
        percent = ["-" if not share else f"{100 * share:.0f} %" for share in known]
        macs = f"{sum(work.macs.values()) / 1e6:.1f}"
        table.add_row(name, str(work.nodes), layers or "none", macs, *percent)
    return table


def _findings(variant: VariantDiagnosis) -> Iterator[tuple[Finding, list[str]]]:
    """Yield findings with the graphs that they hold for, each once."""
    graphs: dict[Finding, list[str]] = {}
    for name, work in variant.graphs.items():
        for finding in work.findings:
            graphs.setdefault(finding, []).append(name)
    yield from graphs.items()


def _told(finding: Finding, where: str = "") -> list[str]:
    names = ", ".join(finding.nodes[:SHOWN_NODES])
    more = len(finding.nodes) - SHOWN_NODES
    nodes = f" ({names}{f' and {more} more' if more > 0 else ''})" if names else ""
    return [
        f"- {where}{finding.what}{nodes}",
        f"    why: {finding.why}",
        f"    fix: {finding.fix}",
    ]


def _devices(diagnosis: Diagnosis) -> Table:
    table = _table("variant", "device", "runs it", "is here", "why")
    for variant in diagnosis.variants:
        for device in variant.devices:
            here = "yes" if device.here else "no"
            why = "; ".join(device.why)
            table.add_row(variant.label, device.name, ANSWERS[device.can], here, why)
    return table


def _table(*columns: str) -> Table:
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for column in columns:
        table.add_column(column, no_wrap=column != "why", overflow="fold")
    return table


def _text(table: Table) -> str:
    from rich.console import Console

    console = Console(width=140, color_system=None, force_terminal=False)
    with console.capture() as capture:
        console.print(table)
    return "\n".join(line.rstrip() for line in capture.get().splitlines())
