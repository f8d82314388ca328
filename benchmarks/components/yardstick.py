"""How much compute a frame costs, beside a network of Wav2Lip's shape on the same runtime.

The network has random weights: it shows what the arithmetic of the best-known small lip-sync model
takes here, for a face of 96x96 pixels, not what it looks like. Ours are the audio encoder, the
denoiser and the decoder at the rates of the bundle's own level, at its own resolution. Both run on
onnxruntime with batch 1 and the same threads. The portrait graph, and Wav2Lip's face detection and
pasting, are in neither.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

import rap_edge
from rap_edge.benchmarks.components.contest import Contender, Settings, Turn, absent, contest
from rap_edge.benchmarks.components.golden_inputs import golden_inputs, runs
from rap_edge.benchmarks.components.rows import Rows
from rap_edge.benchmarks.components.runtime import Bare, bare_onnxruntime
from rap_edge.benchmarks.report.record import Result, Value
from rap_edge.bundle import open_bundle
from rap_edge.errors import BackendUnavailable
from rap_edge.runtime import Model

NAME = "yardstick"
BACKEND = "onnxruntime"
THEIRS = "Wav2Lip's shape, 96x96, fp32"
NEEDS = "onnx"


def measure(settings: Settings) -> list[Result]:
    """Let the network and the bundle's variants take turns; all values are of one frame."""
    why = absent(NEEDS)
    if why is not None:
        return Rows(NAME, "ms_per_call", {}).missing({THEIRS: why})
    from rap_edge.benchmarks.components.wav2lip_shape import build
    from rap_edge.benchmarks.flops import count_flop

    models, refused = _open(settings)
    network = build()
    contenders = [
        Contender(THEIRS, partial(theirs, bare_onnxruntime(network, settings.threads))),
        *(
            Contender(name, partial(_ours, model), n_frames(model))
            for name, model in models.items()
        ),
    ]
    times = contest(contenders, settings.seconds)
    rows = Rows(NAME, "ms_per_call", times)
    cost = _arithmetic(count_flop(network), rows.cost(THEIRS))
    found = [rows.alone(THEIRS, {"megabytes": Value(len(network) / 1e6), **cost})]
    for name, model in models.items():
        gflop = _arithmetic(flop_per_frame(model, count_flop), rows.cost(name))
        found.append(rows.beside(name, THEIRS, gflop))
    return [*found, *rows.missing(refused)]


def theirs(network: Bare) -> Turn:
    """Return the turn that makes one frame of the network's."""
    rng = np.random.default_rng(0)
    inputs = {
        "face": rng.uniform(0, 1, (1, 6, 96, 96)).astype(np.float32),
        "mel": rng.uniform(-4, 4, (1, 1, 80, 16)).astype(np.float32),
    }
    return partial(network, inputs)


def n_frames(model: Model) -> int:
    """Return the frames of a chunk."""
    return model.config.sampler.advance * model.config.timeline.frames_per_latent


def flop_per_frame(model: Model, count: Callable[[bytes], int]) -> float:
    """Count the arithmetic of a frame, in the fp32 graphs: int8 computes the same sums."""
    bundle = model.bundle
    exact = next(v for v in bundle.variants if v.precision == "fp32" and v.backend == BACKEND)
    total = sum(
        times * count(bundle.read(exact.files[graph])) for graph, times in runs(model).items()
    )
    return total / n_frames(model)


def _ours(model: Model) -> Turn:
    inputs = golden_inputs(model)
    order = [name for name, times in runs(model).items() for _ in range(times)]

    def turn() -> None:
        for name in order:
            model.graphs[name].run(inputs[name])

    return turn


def _open(settings: Settings) -> tuple[dict[str, Model], dict[str, str]]:
    """Open the bundle's variants on onnxruntime."""
    models: dict[str, Model] = {}
    refused: dict[str, str] = {}
    bundle = open_bundle(settings.bundle)
    side = bundle.manifest.config.vae.resolution
    for variant in bundle.variants:
        if variant.backend != BACKEND:
            continue
        name = f"rap-edge, {side}x{side}, {variant.precision}"
        try:
            models[name] = rap_edge.open(
                bundle, BACKEND, variant.precision, threads=settings.threads
            )
        except BackendUnavailable as error:
            refused[name] = str(error)
    return models, refused


def _arithmetic(flop: float, frame_ms: Value) -> dict[str, Value]:
    return {
        "gflop_per_frame": Value(flop / 1e9),
        "gflop_per_s": Value(flop / 1e6 / frame_ms.value),
    }
