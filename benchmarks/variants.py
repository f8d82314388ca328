"""The variants of a bundle side by side: milliseconds of every graph and of a whole chunk.

    python -m rap_edge.benchmarks.variants --bundle DIR --threads 1 --rounds 40

All variants run in one process, in turns, on the bundle's golden vectors: what disturbs one
disturbs all. Ratios are to fp32 on the same backend. A chunk is the audio encoder once, the
denoiser once a solver step, and the decoder once a new latent.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from time import perf_counter

import numpy as np

import rap_edge
from rap_edge.benchmarks.host import Host
from rap_edge.bundle import open_bundle
from rap_edge.errors import BackendUnavailable, NotSupported
from rap_edge.runtime import Model
from rap_edge.runtime.backends import Tensors

SCHEMA_VERSION = 1
CHUNK = ("audio", "denoiser", "decoder")
EXACT = "fp32"


@dataclass(frozen=True)
class Row:
    """One variant: median milliseconds, and times the speed of fp32 on the same backend."""

    backend: str
    precision: str
    megabytes: float
    chunk_ms: float
    x_realtime: float  # of the graphs of a chunk alone
    graphs_ms: Mapping[str, float]
    ratio: float | None  # None without an fp32 variant of the backend
    graph_ratios: Mapping[str, float]


def measure(bundle: Path | None, threads: int, rounds: int) -> list[Row]:
    """Run every variant that runs here, in turns."""
    models = open_all(bundle, threads)
    inputs = golden_inputs(next(iter(models.values())))
    spent: dict[tuple[str, str], list[float]] = {
        (label, graph): [] for label in models for graph in inputs
    }
    for round_ in range(rounds + 1):
        for graph, given in inputs.items():
            for label, model in models.items():
                start = perf_counter()
                model.graphs[graph].run(given)
                if round_:
                    spent[label, graph].append(perf_counter() - start)
    medians = {key: 1000 * float(np.median(times)) for key, times in spent.items()}
    return [row(label, models, medians, list(inputs)) for label in models]


def open_all(bundle: Path | None, threads: int) -> dict[str, Model]:
    """Open every variant whose backend runs here, by its label."""
    models = {}
    for variant in open_bundle(bundle).variants:
        try:
            models[variant.label] = rap_edge.open(
                bundle, variant.backend, variant.precision, threads=threads
            )
        except BackendUnavailable:
            continue
    return models


def golden_inputs(model: Model) -> dict[str, Tensors]:
    vectors = model.bundle.golden()
    if vectors is None:
        raise NotSupported(
            f"bundle {model.bundle.name!r} has no golden vectors to run: convert it again"
        )
    graphs = model.bundle.manifest.graphs
    return {
        name: {tensor.name: vectors[name][tensor.name] for tensor in graphs[name].inputs}
        for name in graphs
    }


def row(
    label: str,
    models: Mapping[str, Model],
    medians: Mapping[tuple[str, str], float],
    graphs: list[str],
) -> Row:
    model = models[label]
    sampler, timeline = model.config.sampler, model.config.timeline
    times = dict(zip(CHUNK, (1, sampler.steps, sampler.advance), strict=True))

    def chunk(of: str) -> float:
        return sum(count * medians[of, graph] for graph, count in times.items())

    backend, _, precision = label.partition("/")
    exact = f"{backend}/{EXACT}"
    known = exact in models
    chunk_s = sampler.advance * timeline.frames_per_latent / timeline.fps
    manifest = model.bundle.manifest
    variant = manifest.variant(label)
    files = {name for path in variant.files.values() for name in manifest.graph_files(path)}
    return Row(
        backend=backend,
        precision=precision,
        megabytes=sum(entry.size for entry in manifest.files if entry.path in files) / 1e6,
        chunk_ms=chunk(label),
        x_realtime=1000 * chunk_s / chunk(label),
        graphs_ms={graph: medians[label, graph] for graph in graphs},
        ratio=chunk(exact) / chunk(label) if known else None,
        graph_ratios={g: medians[exact, g] / medians[label, g] for g in graphs} if known else {},
    )


def table(rows: list[Row]) -> str:
    """Lay the rows out as Markdown."""
    lines = [
        "| variant | MB | " + " | ".join(f"{graph} ms" for graph in CHUNK) + " | chunk ms | "
        "x real time | to fp32 | " + " | ".join(f"{graph}" for graph in CHUNK) + " |",
        "|---" * (6 + 2 * len(CHUNK) - 1) + "|",
    ]
    for one in rows:
        ratios = [one.ratio, *(one.graph_ratios.get(graph) for graph in CHUNK)]
        cells = [
            f"{one.backend}/{one.precision}",
            f"{one.megabytes:.1f}",
            *(f"{one.graphs_ms[graph]:.1f}" for graph in CHUNK),
            f"{one.chunk_ms:.0f}",
            f"{one.x_realtime:.1f}",
            *("-" if ratio is None else f"{ratio:.2f}" for ratio in ratios),
        ]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main() -> None:
    """Run the benchmark from the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--bundle", type=Path, help="bundle; the built-in one if none")
    parser.add_argument("--threads", type=int, default=1, help="threads of a graph")
    parser.add_argument("--rounds", type=int, default=40, help="runs of every graph")
    parser.add_argument("--json", action="store_true", help="print JSON")
    arguments = parser.parse_args()
    rows = measure(arguments.bundle, arguments.threads, arguments.rounds)
    if arguments.json:
        host = asdict(Host.here())
        print(
            json.dumps(
                {
                    "schema_version": SCHEMA_VERSION,
                    "threads": arguments.threads,
                    "host": host,
                    "variants": [asdict(one) for one in rows],
                }
            )
        )
    else:
        print(f"{Host.here()}\n\n{table(rows)}")


if __name__ == "__main__":
    main()
