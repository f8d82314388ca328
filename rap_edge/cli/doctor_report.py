"""What `rap-edge doctor` prints: tables and sentences for people, JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict
from typing import TYPE_CHECKING

from rap_edge.cli.table import table

if TYPE_CHECKING:
    from rap_edge.runtime.doctor import Diagnosis, Finding, VariantDiagnosis

SCHEMA_VERSION = 1
PRECISIONS = ("int8", "weight-only", "fp16", "bf16", "fp32")
SHOWN_NODES = 3
DEVICES = "devices: the CPU as asked here, the others by what their makers document"


def as_json(diagnosis: Diagnosis) -> str:
    found = {"schema_version": SCHEMA_VERSION, "runs": diagnosis.runs, **asdict(diagnosis)}
    return json.dumps(found)


def drawn(diagnosis: Diagnosis) -> str:
    lines = [f"{diagnosis.subject} on {diagnosis.cpu} ({_isa(diagnosis.isa)})"]
    for variant in diagnosis.variants:
        lines += ["", _head(variant)]
        if variant.graphs:
            lines.append(_work(variant))
        lines += _told((f, name) for name, work in variant.graphs.items() for f in work.findings)
    if diagnosis.chosen is not None and len(diagnosis.variants) > 1:
        lines += ["", f"opened if none is named: {diagnosis.chosen}"]
    lines += ["", DEVICES]
    lines += [_devices(diagnosis)]
    if diagnosis.missing:
        lines += ["", "missing here:", *_told((finding, "") for finding in diagnosis.missing)]
    return "\n".join(lines)


def _isa(names: tuple[str, ...] | None) -> str:
    if names is None:
        return "instruction sets unknown"
    return f"int8 by {', '.join(names)}" if names else "no instruction set for int8"


def _head(variant: VariantDiagnosis) -> str:
    if variant.problem is not None:
        return f"{variant.label}: does not run here: {' '.join(variant.problem.split())}"
    slow = any(work.findings for work in variant.graphs.values())
    return f"{variant.label}: runs here" + (", but see below" if slow else "")


def _work(variant: VariantDiagnosis) -> str:
    met = {precision for work in variant.graphs.values() for precision in work.macs}
    precisions = [*(p for p in PRECISIONS if p in met), *sorted(met - set(PRECISIONS))]
    rows = []
    for name, work in variant.graphs.items():
        layers = [f"{work.layers[p]} {p}" for p in precisions if work.layers.get(p)]
        shares = [percent(work.share(precision)) for precision in precisions]
        macs = f"{sum(work.macs.values()) / 1e6:.1f}"
        rows.append((name, str(work.nodes), ", ".join(layers) or "none", macs, *shares))
    return table(("graph", "nodes", "layers", "MMACs", *(f"{p} MACs" for p in precisions)), rows)


def percent(share: float | None) -> str:
    if not share:
        return "-"
    return "<1 %" if share < 0.01 else ">99 %" if 0.99 < share < 1 else f"{100 * share:.0f} %"


def _told(findings: Iterable[tuple[Finding, str]]) -> list[str]:
    """Say findings with the graphs that they hold for, a reason once."""
    groups: dict[tuple[str, str], dict[Finding, list[str]]] = {}
    for finding, graph in findings:
        groups.setdefault((finding.why, finding.fix), {}).setdefault(finding, []).append(graph)
    lines = []
    for (why, fix), group in groups.items():
        lines += [_line(finding, ", ".join(graphs)) for finding, graphs in group.items()]
        lines += [f"    why: {why}", f"    fix: {fix}"]
    return lines


def _line(finding: Finding, graphs: str) -> str:
    names = ", ".join(finding.nodes[:SHOWN_NODES])
    more = len(finding.nodes) - SHOWN_NODES
    nodes = f" ({names}{f' and {more} more' if more > 0 else ''})" if names else ""
    return f"- {graphs}{': ' if graphs else ''}{finding.what}{nodes}"


def _devices(diagnosis: Diagnosis) -> str:
    rows = [
        (variant.label, device.name, device.can, "yes" if device.here else "no",
         "; ".join(device.why))
        for variant in diagnosis.variants
        for device in variant.devices
    ]  # fmt: skip
    return table(("variant", "device", "runs it", "is here", "why"), rows, wrapped="why")
