"""The sensitivity of a model's layers as a table and a plot."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rap_edge.converters.running import installed
from rap_edge.converters.sensitivity import NodeCost, predicted_psnr_db

if TYPE_CHECKING:
    from rap_edge.converters.quantize import Quantized

SHOWN = 30


def table(made: Quantized) -> str:
    """Return every layer as a row of Markdown, the costliest first."""
    settings = made.bundle.variants[0].quantization
    assert settings is not None
    rows = [
        "| graph | layer | mouth, levels² | frame, levels² | fp32 ms | int8 ms | |",
        "|---|---|---|---|---|---|---|",
    ]
    for cost in ordered(made.costs):
        kept = "float" if cost.node in settings.kept.get(cost.graph, ()) else "int8"
        rows.append(
            f"| {cost.graph} | {cost.node} | {cost.mouth_error:.4f} | {cost.frame_error:.4f} "
            f"| {cost.fp32_ms:.2f} | {cost.int8_ms:.2f} | {kept} |"
        )
    taken = [c for c in made.costs if c.node not in settings.kept.get(c.graph, ())]
    frame, mouth = predicted_psnr_db(taken)
    total = f"All int8 layers, as predicted: mouth {mouth:.1f} dB, frame {frame:.1f} dB."
    return "\n".join([*rows, "", total])


def write_report(made: Quantized, folder: Path) -> None:
    """Write ``sensitivity.md`` and ``sensitivity.png`` into a folder, each whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        text, plot = Path(scratch, "sensitivity.md"), Path(scratch, "sensitivity.png")
        text.write_text(f"# Layers in int8, one at a time\n\n{table(made)}\n", encoding="utf-8")
        draw(made.costs, plot)
        for path in (text, plot):
            path.replace(folder / path.name)


def draw(costs: Sequence[NodeCost], path: Path) -> None:
    """Plot what the costliest layers add to the error of the mouth, and what they save."""
    installed("matplotlib", "convert")
    from matplotlib.figure import Figure

    worst = ordered(costs)[:SHOWN][::-1]
    figure = Figure(figsize=(10, 0.25 * len(worst) + 1.5), layout="constrained")
    error, saved = figure.subplots(1, 2, sharey=True)
    names = [f"{cost.graph} {cost.node.split('/')[0].removeprefix('node_')}" for cost in worst]
    error.barh(names, [cost.mouth_error for cost in worst], color="tab:red")
    error.set_xlabel("squared error of the mouth, levels²")
    saved.barh(names, [cost.saved_ms for cost in worst], color="tab:blue")
    saved.set_xlabel("saved by int8, ms a run of its graph")
    error.tick_params(axis="y", labelsize=7)
    figure.suptitle("What a layer in int8 costs alone, and what its kernel saves")
    figure.savefig(path, dpi=110)


def ordered(costs: Sequence[NodeCost]) -> list[NodeCost]:
    return sorted(costs, key=lambda cost: -cost.mouth_error)
