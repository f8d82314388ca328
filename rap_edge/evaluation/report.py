"""What an evaluation found: numbers with their targets, as JSON and as a table in Markdown."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rap_edge.evaluation.fidelity import VAEResult
from rap_edge.evaluation.steadiness import Quiet
from rap_edge.evaluation.suite import QUIET, Plan, Results
from rap_edge.evaluation.sync import median_of

SCHEMA_VERSION = 1


@dataclass(frozen=True)
class Row:
    """One number: the target is a text, met is None where there is none."""

    what: str
    value: float
    target: str = ""
    met: bool | None = None


def at_least(what: str, value: float, bound: float) -> Row:
    """Return a row whose value should not be below `bound`."""
    return Row(what, value, f">= {bound:g}", value >= bound)


def at_most(what: str, value: float, bound: float) -> Row:
    """Return a row whose value should not be above `bound`."""
    return Row(what, value, f"<= {bound:g}", value <= bound)


def sync_rows(results: Results) -> list[Row]:
    """Summarise the lips: medians over clips, and what chance, the baseline and the ruler give."""
    sync, ridge = results.sync, [c.ridge for c in results.sync if c.ridge is not None]
    model_r = median_of([c.model.r for c in sync])
    ridge_r = median_of([r.r for r in ridge])
    lags = [abs(c.model.lag_ms) for c in sync]
    return [
        at_least("mouth r, median", model_r, 0.75),
        Row("mouth r at the best lag, median", median_of([c.model.peak_r for c in sync])),
        at_most("absolute lag, median, ms", median_of(lags), 40),
        Row("null (other clips' truth): mean r", results.null.mean_r),
        Row("null: 95th percentile of r", results.null.p95_r),
        Row("null: 95th percentile of r at the best lag", results.null.p95_peak_r),
        Row("ridge from mel: r, median", ridge_r, f"< {model_r:.3f}", ridge_r < model_r),
        Row(
            "ceiling: FaceMesh on truth against the rig, r", median_of([c.ceiling.r for c in sync])
        ),
        Row("amplitude, generated over true, median", median_of([c.amplitude for c in sync])),
        Row("frames without a face, largest share", max((c.missing for c in sync), default=0.0)),
    ]


def seed_rows(results: Results) -> list[Row]:
    """Summarise two seeds: the head differs, the lips agree."""
    return [
        at_most("two seeds: head r, median", median_of([s.head_r for s in results.seeds]), 0.5),
        at_least("two seeds: lips r, median", median_of([s.lips_r for s in results.seeds]), 0.75),
    ]


def quiet_rows(results: Results, kind: Quiet) -> list[Row]:
    """Summarise silence or noise after speech."""
    found = [q for q in results.quiet if q.kind == kind]
    above_rest = median_of([q.mouth.silence_mean - q.rest for q in found])
    ratio = median_of([q.mouth.sd_ratio for q in found])
    return [
        at_most(f"{kind}: mean opening above the truth at rest, median", above_rest, 0.02),
        at_most(f"{kind}: sd over that in speech, median", ratio, 0.15),
        Row(f"{kind}: background flicker, median, levels", median_of([q.flicker for q in found])),
    ]


def long_rows(results: Results) -> list[Row]:
    """Summarise a minute of speech."""
    raw, followed = [d.background for d in results.long], [d.followed for d in results.long]
    lost_r = median_of([d.first_r - d.last_r for d in results.long])
    loss_db, followed_loss_db = (median_of([d.loss_db for d in x]) for x in (raw, followed))
    return [
        Row("a minute: background PSNR at first, dB", median_of([d.first_psnr_db for d in raw])),
        at_most("a minute: loss of it at the end, dB", loss_db, 1.5),
        Row("a minute: the same, followed, dB", median_of([d.first_psnr_db for d in followed])),
        at_most("a minute: loss of it, followed, dB", followed_loss_db, 1.5),
        Row("a minute: colour shift, levels", median_of([d.colour_shift for d in raw])),
        Row("a minute: mouth r at first", median_of([d.first_r for d in results.long])),
        at_most("a minute: loss of it, same words at the end", lost_r, 0.05),
    ]


def vae_rows(name: str, found: Sequence[VAEResult]) -> list[Row]:
    """Summarise the VAE of one checkpoint: means over clips."""
    labels = [v.labels for v in found if v.labels is not None]
    copies, pixels = [v.copy for v in found], [v.pixels for v in found]
    rows = [
        Row(f"{name}: copy the portrait, dB", mean_of([f.frame_db for f in copies])),
        Row(f"{name}: copy the portrait, mouth, dB", mean_of([f.mouth_db for f in copies])),
        at_least(f"{name}: from pixels, dB", mean_of([f.frame_db for f in pixels]), 32),
        at_least(f"{name}: from pixels, mouth, dB", mean_of([f.mouth_db for f in pixels]), 26),
    ]
    if labels:
        rows += [
            at_least(f"{name}: from labels, dB", mean_of([f.frame_db for f in labels]), 36),
            at_least(f"{name}: from labels, mouth, dB", mean_of([f.mouth_db for f in labels]), 28),
        ]
    return rows


def mean_of(values: Sequence[float]) -> float:
    """Return the mean, NaN without values."""
    return sum(values) / len(values) if values else float("nan")


@dataclass(frozen=True)
class Report:
    """Everything that was found about a talker, and about the VAE of each checkpoint."""

    subject: str
    plan: Plan
    results: Results | None
    vae: dict[str, list[VAEResult]]

    def rows(self) -> list[Row]:
        """Return the summary."""
        rows = [row for name, found in self.vae.items() for row in vae_rows(name, found)]
        if self.results is None:
            return rows
        quiet = [row for kind in QUIET for row in quiet_rows(self.results, kind)]
        talker = sync_rows(self.results) + seed_rows(self.results)
        return talker + quiet + long_rows(self.results) + rows

    def to_json(self) -> str:
        """Return everything as JSON; what is not a number there is null."""
        found = {"summary": [asdict(row) for row in self.rows()], **asdict(self)}
        return json.dumps(finite({"schema_version": SCHEMA_VERSION, **found}), indent=1)

    def to_markdown(self) -> str:
        """Return the summary and a line for every clip as Markdown tables."""
        lines = [f"## {self.subject}", "", "| what | value | target | met |", "|---|---|---|---|"]
        marks = {True: "yes", False: "**no**", None: ""}
        lines += [
            f"| {r.what} | {r.value:.3f} | {r.target} | {marks[r.met]} |" for r in self.rows()
        ]
        return "\n".join(lines + (clip_lines(self.results) if self.results else [])) + "\n"


def clip_lines(results: Results) -> list[str]:
    """Return the tables of single clips."""
    lines = ["", "| clip | r | best r | lag, ms | ridge r | ceiling r | amplitude |"]
    lines += ["|---|---|---|---|---|---|---|"]
    for c in results.sync:
        ridge = c.ridge.r if c.ridge else float("nan")
        lines.append(
            f"| {c.clip} | {c.model.r:.2f} | {c.model.peak_r:.2f} | {c.model.lag_ms:.0f} | "
            f"{ridge:.2f} | {c.ceiling.r:.2f} | {c.amplitude:.2f} |"
        )
    lines += ["", "| real clip | s | r | best r | lag, ms | r against the other clips |"]
    lines += ["|---|---|---|---|---|---|"]
    for real in results.real:
        null_r = ", ".join(f"{r:.2f}" for r in real.null_r)
        lines.append(
            f"| {real.clip} | {real.seconds:.1f} | {real.model.r:.2f} | {real.model.peak_r:.2f} | "
            f"{real.model.lag_ms:.0f} | {null_r} |"
        )
    return lines


def finite(value: Any) -> Any:
    """Replace what JSON cannot hold (NaN and infinities) by None, at any depth."""
    if isinstance(value, dict):
        return {key: finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def write_report(report: Report, folder: Path) -> None:
    """Write report.json and report.md into a folder."""
    (folder / "report.json").write_text(report.to_json() + "\n", encoding="utf-8")
    (folder / "report.md").write_text(report.to_markdown(), encoding="utf-8")
