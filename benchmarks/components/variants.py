"""int8 beside fp32, graph by graph, on each backend that runs here.

All variants are open at once and run in turns on the bundle's golden vectors. A chunk is the audio
encoder once, the denoiser once a solver step and the decoder once a new latent.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import numpy as np
from numpy.typing import NDArray

from rap_edge.benchmarks.components.chunk_graphs import golden_inputs, open_all, runs
from rap_edge.benchmarks.components.contest import Contender, Settings, Times, Turn, contest
from rap_edge.benchmarks.components.rows import Rows, difference
from rap_edge.benchmarks.report.record import Result, Value
from rap_edge.benchmarks.report.statistics import median, paired_ratio
from rap_edge.benchmarks.subjects import EXACT, megabytes_of
from rap_edge.runtime import Model
from rap_edge.runtime.backends import Tensors
from rap_edge.runtime.placement.measure import CHUNK

NAME = "variants"
Seconds = NDArray[np.float64]


def measure(settings: Settings) -> list[Result]:
    """Run every variant that runs here, in turns; opening one compares its golden vectors."""
    bundle = settings.bundle
    models, refused = open_all(bundle, bundle.variants, settings.threads)
    contenders = [
        Contender(of(label, graph), partial(_start, model, graph, golden_inputs(model)[graph]))
        for graph in CHUNK
        for label, model in models.items()
    ]
    times = contest(contenders, settings.seconds)
    found: list[Result] = []
    for label, model in models.items():
        exact = exact_of(label, models)
        found.append(_chunk(label, exact, model, times))
        found += [_graph(label, exact, graph, models, times) for graph in CHUNK]
    return [*found, *Rows(NAME, "ms_per_call", {}).missing(refused)]


def exact_of(label: str, models: Mapping[str, Model]) -> str | None:
    """Return the label of fp32 on the same backend; None if that is it, or there is none."""
    manifest = models[label].bundle.manifest
    backend = manifest.variant(label).backend
    found = (one for one in map(manifest.variant, models) if one.backend == backend)
    exact = next((one.label for one in found if one.precision == EXACT), None)
    return None if exact == label else exact


def of(label: str, graph: str) -> str:
    """Name a graph of a variant."""
    return f"{label} {graph}"


def _chunk(label: str, exact: str | None, model: Model, times: Mapping[str, Times]) -> Result:
    often = runs(model)

    def chunk(of_label: str) -> Seconds:
        parts = [often[graph] * times[of(of_label, graph)].wall_s for graph in CHUNK]
        return np.asarray(np.sum(parts, axis=0))

    manifest = model.bundle.manifest
    values = {
        "chunk_ms": median(1e3 * chunk(label)),
        **{
            f"{graph}_ms": median(1e3 * often[graph] * times[of(label, graph)].wall_s)
            for graph in CHUNK
        },
        "megabytes": Value(megabytes_of(manifest, manifest.variant(label))),
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
