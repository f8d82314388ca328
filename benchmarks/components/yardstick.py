"""How much compute a frame costs, beside a network of Wav2Lip's shape on the same runtime.

The network has random weights: it shows what the arithmetic of the best-known small lip-sync model
takes here, for a face of 96x96 pixels, not what it looks like. Ours are the audio encoder, the
denoiser and the decoder at the rates of the bundle's own level, at its own resolution. Both run on
onnxruntime with batch 1 and the same threads. The portrait graph, and Wav2Lip's face detection and
pasting, are in neither.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np

from rap_edge.benchmarks.components.chunk_graphs import (
    chunk_turn,
    n_frames,
    one_file,
    open_all,
    runs,
)
from rap_edge.benchmarks.components.contest import Contender, Settings, Turn, absent, contest
from rap_edge.benchmarks.components.rows import Rows
from rap_edge.benchmarks.components.runtime import Bare, bare_onnxruntime
from rap_edge.benchmarks.report.record import Result, Value
from rap_edge.benchmarks.subjects import EXACT
from rap_edge.errors import NotSupported
from rap_edge.runtime import Model

NAME = "yardstick"
BACKEND = "onnxruntime"
THEIRS = "Wav2Lip's shape, 96x96, fp32"
NEEDS = "onnx"
ARITHMETIC = ("gflop_per_frame", "gflop_per_s")


def measure(settings: Settings) -> list[Result]:
    """Let the network and the bundle's variants take turns; all values are of one frame."""
    why = absent(NEEDS)
    if why is not None:
        return Rows(NAME, "ms_per_call", {}).missing({THEIRS: why})
    from rap_edge.benchmarks.components.wav2lip_shape import build
    from rap_edge.benchmarks.flops import count_flop

    bundle = settings.bundle
    side = bundle.manifest.config.vae.resolution
    models, refused = open_all(
        bundle, [one for one in bundle.variants if one.backend == BACKEND], settings.threads
    )
    network = build()
    contenders = [
        Contender(THEIRS, partial(theirs, bare_onnxruntime(network, settings.threads))),
        *(
            Contender(_name(side, label), partial(ours, models[label]), n_frames(models[label]))
            for label in models
        ),
    ]
    rows = Rows(NAME, "ms_per_call", contest(contenders, settings.seconds))
    cost = _arithmetic(count_flop(network), rows.cost(THEIRS))
    found = [rows.alone(THEIRS, {"megabytes": Value(len(network) / 1e6), **cost})]
    for label, model in models.items():
        name = _name(side, label)
        values, missing = _counted(model, count_flop, rows.cost(name))
        found.append(replace(rows.beside(name, THEIRS, values), missing=missing))
    return [*found, *rows.missing({_name(side, label): why for label, why in refused.items()})]


def theirs(network: Bare) -> Turn:
    """Return the turn that makes one frame of the network's."""
    rng = np.random.default_rng(0)
    inputs = {
        "face": rng.uniform(0, 1, (1, 6, 96, 96)).astype(np.float32),
        "mel": rng.uniform(-4, 4, (1, 1, 80, 16)).astype(np.float32),
    }
    return partial(network, inputs)


def ours(model: Model) -> Turn:
    """Return the turn that runs the graphs of one chunk of ours."""
    return chunk_turn(model, {name: graph.run for name, graph in model.graphs.items()})


def flop_per_frame(model: Model, count: Callable[[bytes], int]) -> float:
    """Count the arithmetic of a frame, in the fp32 graphs: int8 computes the same sums.

    Raises NotSupported for a bundle without fp32, or whose graphs are of several files.
    """
    bundle = model.bundle
    here = (one for one in bundle.variants if (one.backend, one.precision) == (BACKEND, EXACT))
    exact = next(here, None)
    if exact is None:
        raise NotSupported(
            f"bundle {bundle.name!r} has no {BACKEND}/{EXACT} here: expected it, since arithmetic "
            "is counted in its graphs"
        )
    total = sum(
        times * count(one_file(bundle, exact, graph)) for graph, times in runs(model).items()
    )
    return total / n_frames(model)


def _counted(
    model: Model, count: Callable[[bytes], int], frame_ms: Value
) -> tuple[dict[str, Value], dict[str, str]]:
    try:
        return _arithmetic(flop_per_frame(model, count), frame_ms), {}
    except NotSupported as error:
        return {}, dict.fromkeys(ARITHMETIC, str(error))


def _name(side: int, label: str) -> str:
    return f"rap-edge, {side}x{side}, {label.partition('/')[2]}"


def _arithmetic(flop: float, frame_ms: Value) -> dict[str, Value]:
    found = Value(flop / 1e9), Value(flop / 1e6 / frame_ms.value)
    return dict(zip(ARITHMETIC, found, strict=True))
