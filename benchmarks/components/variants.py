"""int8 beside fp32, graph by graph, on each backend that runs here.

All variants are open at once and run in turns on the bundle's golden vectors. A chunk is the audio
encoder once, the denoiser once a solver step and the decoder once a new latent.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial

import numpy as np
from numpy.typing import NDArray

import rap_edge
from rap_edge.benchmarks.components.contest import Contender, Settings, Times, Turn, contest
from rap_edge.benchmarks.components.golden_inputs import CHUNK, golden_inputs, runs
from rap_edge.benchmarks.components.rows import Rows, difference
from rap_edge.benchmarks.report.record import Result, Value
from rap_edge.benchmarks.report.statistics import median, paired_ratio
from rap_edge.bundle import Bundle, open_bundle
from rap_edge.errors import BackendUnavailable
from rap_edge.runtime import Model
from rap_edge.runtime.backends import Tensors

NAME = "variants"
EXACT = "fp32"
Seconds = NDArray[np.float64]


def measure(settings: Settings) -> list[Result]:
    """Run every variant that runs here, in turns; opening one compares its golden vectors."""
    bundle = open_bundle(settings.bundle)
    models, refused = open_all(bundle, settings.threads)
    contenders = [
        Contender(of(label, graph), partial(_start, model, graph, golden_inputs(model)[graph]))
        for graph in CHUNK
        for label, model in models.items()
    ]
    times = contest(contenders, settings.seconds) if contenders else {}
    found: list[Result] = []
    for label, model in models.items():
        exact = exact_of(label, models)
        found.append(_chunk(label, exact, model, times))
        found += [_graph(label, exact, graph, models, times) for graph in CHUNK]
    return [*found, *Rows(NAME, "ms_per_call", {}).missing(refused)]


def open_all(bundle: Bundle, threads: int) -> tuple[dict[str, Model], dict[str, str]]:
    """Open every variant by its label; return why the others do not run here, too."""
    models: dict[str, Model] = {}
    refused: dict[str, str] = {}
    for variant in bundle.variants:
        try:
            models[variant.label] = rap_edge.open(
                bundle, variant.backend, variant.precision, threads=threads
            )
        except BackendUnavailable as error:
            refused[variant.label] = str(error)
    return models, refused


def exact_of(label: str, labels: Iterable[str]) -> str | None:
    """Return the label of fp32 on the same backend; None if that is it, or there is none."""
    exact = f"{label.partition('/')[0]}/{EXACT}"
    return exact if exact in labels and exact != label else None


def of(label: str, graph: str) -> str:
    """Name a graph of a variant."""
    return f"{label} {graph}"


def megabytes(model: Model, label: str) -> float:
    """Return the size of a variant's files."""
    manifest = model.bundle.manifest
    paths = manifest.variant(label).files.values()
    files = {name for path in paths for name in manifest.graph_files(path)}
    return sum(entry.size for entry in manifest.files if entry.path in files) / 1e6


def _chunk(label: str, exact: str | None, model: Model, times: Mapping[str, Times]) -> Result:
    often = runs(model)

    def chunk(of_label: str) -> Seconds:
        parts = [often[graph] * times[of(of_label, graph)].wall_s for graph in CHUNK]
        return np.asarray(np.sum(parts, axis=0))

    values = {
        "chunk_ms": median(1e3 * chunk(label)),
        **{
            f"{graph}_ms": median(1e3 * often[graph] * times[of(label, graph)].wall_s)
            for graph in CHUNK
        },
        "megabytes": Value(megabytes(model, label)),
    }
    if exact is not None:
        values["speed_to_fp32"] = paired_ratio(chunk(exact), chunk(label))
    return Result(f"component.{NAME}", label, values)


def _graph(
    label: str,
    exact: str | None,
    graph: str,
    models: Mapping[str, Model],
    times: Mapping[str, Times],
) -> Result:
    rows = Rows(NAME, "ms_per_call", times)
    if exact is None:
        return rows.alone(of(label, graph))
    inputs = golden_inputs(models[label])[graph]
    one, two = (models[each].graphs[graph].run(inputs) for each in (label, exact))
    error = max(difference(one[name], two[name]) for name in two)
    return rows.beside(of(label, graph), of(exact, graph), {"error": Value(error)})


def _start(model: Model, graph: str, inputs: Tensors) -> Turn:
    return partial(model.graphs[graph].run, inputs)
